"""Every way in which a real PostgreSQL can be away: 503 to whatever is asked, nothing changed, no harm afterwards."""

import socket
import time
from contextlib import contextmanager
from datetime import timedelta

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import OperationalError

from authsvc import create_app
from authsvc.extensions import Table, db
from authsvc.models.engine import single_statements, transaction
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, close, configured, finish_writing, migrate
from tests.console.browsing import Browser
from tests.drivers import HOST, Account, Script
from tests.flows.administering import add_application
from tests.flows.api_tokens import make_api_token, use
from tests.flows.oauth import Client
from tests.live.test_crowds import at_once
from tests.servers.postgresql import Postgresql, free_port

pytestmark = pytest.mark.xdist_group("postgresql-away")
ADMIN = Account(ADMIN_EMAIL, ADMIN_PASSWORD)
NAME = "away"
TIMEOUT = {"DATABASE_TIMEOUT": timedelta(milliseconds=500)}
READS = {"access token", "API token", "forward-auth", "introspect", "console page"}


@pytest.fixture(scope="module")
def server():
    server = Postgresql()
    on(server, f"CREATE DATABASE {NAME}")
    on(server, f"CREATE ROLE locked LOGIN SUPERUSER PASSWORD '{ADMIN_PASSWORD}'")
    on(server, "CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    rules = server.data / "pg_hba.conf"
    rules.write_text("host all locked 127.0.0.1/32 scram-sha-256\n" + rules.read_text())
    on(server, "SELECT pg_reload_conf()")
    migrate(server.url(NAME))
    yield server
    server.stop()


@pytest.fixture(scope="module")
def standby(server):
    standby = Postgresql(server)
    yield standby
    standby.stop()


def on(server, statement, database="postgres"):
    with psycopg.connect(server.url(database).replace("+psycopg", ""), autocommit=True) as connection:
        found = connection.execute(statement)
        return found.fetchall() if found.description else None


@pytest.fixture
def serve():
    """An app on this address, with a database that does not wait for long."""
    made = []

    def serve(url, **settings):
        made.append(create_app(configured(url, **TIMEOUT | {"RATE_LIMITS": False} | settings)))
        return made[-1]

    yield serve
    for app in made:
        close(app)
        with app.app_context():
            db.engine.dispose()


class Held:
    """What people have in their hands who signed in while all was well, and all that they may ask with it."""

    def __init__(self, app):
        self.device, self.page = Script(app), Browser(app)
        self.device.sign_in(ADMIN)
        self.page.sign_in(ADMIN)
        self.device.tenant = {}
        self.api_token = make_api_token(self.device)["token"]
        self.client = Client(app, add_application(self.device, slug=f"app-{free_port()}", confidential=True))
        use(self.device, self.api_token)
        finish_writing(app)

    def asked_at(self, app):
        """By name, what asks it and answers the answer."""
        device = Script(app)
        device.access_token, device.refresh_token = self.device.access_token, self.device.refresh_token
        client = Client(app, {"id": self.client.id, "clientSecret": self.client.secret})
        page = Browser(app)
        page.hold(self.page.cookie().value)
        headers = {"headers": {"X-Api-Key": self.api_token}}
        new = {"email": "new@example.com", "password": "a quiet harbour at dawn"}
        return {
            "access token": device.me,
            "API token": lambda: device.client.get("/auth/me", base_url=HOST, **headers),
            "forward-auth": lambda: device.get("/auth/verify"),
            "introspect": lambda: client.introspect(device.access_token),
            "console page": lambda: page.get("/console/account"),
            "refresh": lambda: device.send("POST", "/jwt/refresh", {"refreshToken": device.refresh_token}),
            "sign-in": lambda: Script(app).post("/auth/login", identifier=ADMIN.email, password=ADMIN.password),
            "guess": lambda: Script(app).post("/auth/login", identifier=ADMIN.email, password="a wrong harbour"),
            "register": lambda: Script(app).post("/auth/register", **new),
            "revoke": lambda: device.ask("DELETE", f"/jwt/refresh/{self.device.refresh_token_id}"),
            "OAuth revoke": lambda: client.revoke(device.refresh_token),
            "logout": lambda: device.ask("POST", "/auth/logout", {}),
        }


@pytest.fixture
def held(server, serve):
    return Held(serve(server.url(NAME)))


def everything(server):
    return {table.name: on(server, f"SELECT * FROM {table.name}", NAME) for table in Table.metadata.sorted_tables}


def all_say_so(held, app, but=()):
    """Everybody at once, so that nobody waits for all the others' waiting."""
    asked = {name: ask for name, ask in held.asked_at(app).items() if name not in but}
    for name, answer in zip(asked, at_once(list(asked.values())), strict=True):
        assert answer.status_code == 503, (name, answer.status_code, answer.text)
        assert answer.headers["Retry-After"]


def no_harm_was_done(held):
    assert held.device.me().status_code == held.device.refresh().status_code == 200
    assert held.page.get("/console/account").status_code == 200


@pytest.mark.parametrize(
    "address",
    [
        "postgres@127.0.0.1:{port}/away?sslmode=require",
        "postgres@127.0.0.1:{port}/away?sslmode=verify-full&sslrootcert=system",
        "locked:wrong@127.0.0.1:{port}/away",
        "postgres@127.0.0.1:{port}/nowhere",
        "crowded@127.0.0.1:{port}/away",
        "postgres@127.0.0.1:{closed}/away",
        "postgres@nowhere.invalid:{port}/away",
    ],
)
def test_whatever_keeps_us_from_connecting_is_no_ones_fault_who_asks(server, serve, held, address):
    away = serve("postgresql+psycopg://" + address.format(port=server.port, closed=free_port()))
    before = everything(server)
    all_say_so(held, away)
    assert everything(server) == before
    no_harm_was_done(held)


def test_a_standby_answers_what_only_reads(server, standby, serve, held):
    app = serve(standby.url(NAME))
    [(written,)] = on(server, "SELECT pg_current_wal_flush_lsn()")
    deadline = time.monotonic() + 30
    while not on(standby, f"SELECT pg_last_wal_replay_lsn() >= '{written}'")[0][0]:
        assert time.monotonic() < deadline, "The standby does not follow."
        time.sleep(0.02)
    before = everything(server)
    asked = held.asked_at(app)
    for name in READS:
        assert asked[name]().status_code == 200, name
    all_say_so(held, app, but=READS)
    assert everything(server) == before
    no_harm_was_done(held)


def test_the_connection_to_what_is_no_primary_is_let_go_of(server, serve, held):
    """The same address leads to another server later, as after a failover."""
    app = serve(f"{server.url(NAME)}?options=-cdefault_transaction_read_only%3Don", DATABASE_POOL=1)
    refresh = held.asked_at(app)["refresh"]

    def of_connection():
        with app.app_context(), single_statements() as connection:
            return connection.scalar(text("SELECT pg_backend_pid()"))

    first = of_connection()
    assert of_connection() == first
    assert refresh().status_code == 503
    assert of_connection() != first
    no_harm_was_done(held)


@contextmanager
def halted(server):
    server.halt()
    try:
        yield
    finally:
        server.start()


def test_a_server_that_was_restarted_costs_nobody_anything_afterwards(server, serve):
    app = serve(server.url(NAME))
    held = Held(app)
    asked = [held.asked_at(app)["access token"] for _ in range(8)]
    for asks_meanwhile in (False, True, False):
        assert {answer.status_code for answer in at_once(asked)} == {200}  # on connections that will be cut off
        before = everything(server)
        with halted(server):
            if asks_meanwhile:
                all_say_so(held, app)
        assert everything(server) == before
        assert {answer.status_code for answer in at_once(asked)} == {200}
    no_harm_was_done(held)


def test_a_server_that_stands_still_is_not_waited_for(server, serve):
    app = serve(server.url(NAME))
    held = Held(app)
    at_once([held.asked_at(app)["access token"] for _ in range(16)])
    before = everything(server)
    with server.frozen():
        all_say_so(held, app)  # on the connections that there are
        all_say_so(held, app)  # and on new ones
    changed = {name for name, rows in everything(server).items() if rows != before[name]}
    assert changed <= {"refresh_tokens"}  # the one statement of a refresh, which reached it, it may have done after all
    no_harm_was_done(held)


def test_what_may_take_its_time_is_waited_for(server, serve):
    app = serve(server.url(NAME))
    with app.app_context():
        with transaction(unhurried=True) as session:
            session.execute(text("SELECT pg_sleep(1.8)"))
        with transaction() as session, pytest.raises(OperationalError, match="statement timeout"):
            session.execute(text("SELECT pg_sleep(1.8)"))


def test_a_machine_that_is_gone_is_noticed_by_tcp(server, serve):
    app = serve(server.url(NAME), DATABASE_TIMEOUT=timedelta(seconds=5))
    with app.app_context(), single_statements() as connection:
        fd = connection.connection.dbapi_connection.fileno()
        with socket.socket(fileno=socket.dup(fd)) as same:
            options = {
                name: same.getsockopt(socket.IPPROTO_TCP, getattr(socket, name))
                for name in ("TCP_USER_TIMEOUT", "TCP_KEEPIDLE", "TCP_KEEPINTVL", "TCP_KEEPCNT")
            }
    assert options == {"TCP_USER_TIMEOUT": 5000, "TCP_KEEPIDLE": 5, "TCP_KEEPINTVL": 2, "TCP_KEEPCNT": 3}


def test_of_several_hosts_the_one_that_can_be_written_is_taken(server, standby, serve):
    hosts = f"host=127.0.0.1:{free_port()}&host=127.0.0.1:{standby.port}&host=127.0.0.1:{server.port}"
    app = serve(f"postgresql+psycopg://postgres@/{NAME}?{hosts}&target_session_attrs=read-write")
    Script(app).sign_in(ADMIN)
    with app.app_context(), single_statements() as connection:
        assert connection.scalar(text("SELECT inet_server_port()")) == server.port
