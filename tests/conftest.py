"""Every flow runs on SQLite and on a real PostgreSQL, in body and in cookie transport.

One PostgreSQL serves the whole run. Each test gets an app of its own, and a database as it is after the first start: on
SQLite a copy of a file; on PostgreSQL, where a new database takes a quarter of a second, the one of its process with
the first rows put back. Time is not moved: what must be old is put into the past in the database.
"""

import itertools
import os
import shutil
import tempfile
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from sqlalchemy import text

from authsvc import clock, create_app
from authsvc.extensions import Table, db
from authsvc.models.engine import transaction
from authsvc.services import installation, throttle
from config import Testing
from tests import described, shared
from tests.drivers import DEVICES, Account
from tests.planting import two_walled_in
from tests.servers.postgresql import Postgresql
from tests.servers.redis import Redis

POSTGRESQL = "AUTHSVC_TEST_POSTGRESQL"
BASE_URL = "https://auth.example.org"
ADMIN_EMAIL = "admin@example.com"
ADMIN_PASSWORD = "correct horse battery staple"
FEW = 2
counter = itertools.count()


def pytest_configure(config):
    # Several processes that fill one folder for the first time trip over each other.
    set_hypothesis_home_dir(config.rootpath / ".hypothesis" / os.environ.get("PYTEST_XDIST_WORKER", "alone"))
    if hasattr(config, "workerinput") or config.option.collectonly or config.option.help:
        return
    config.postgresql = Postgresql()
    os.environ[POSTGRESQL] = config.postgresql.url("postgres")


def pytest_unconfigure(config):
    if hasattr(config, "postgresql"):
        config.postgresql.stop()


def postgresql_url(database):
    return os.environ[POSTGRESQL].removesuffix("postgres") + database


def on_postgresql(statement):
    with psycopg.connect(os.environ[POSTGRESQL].replace("+psycopg", ""), autocommit=True) as connection:
        connection.execute(statement)


def configured(database_url, **overrides):
    own = {"DATABASE_URL": database_url, "BASE_URL": BASE_URL, "ADMIN_PASSWORD": ADMIN_PASSWORD} | overrides
    return type("Configured", (Testing,), own)()


def migrate(database_url):
    from flask_migrate import upgrade

    app = create_app(configured(database_url))
    with app.app_context():
        upgrade()
        installation.complete(clock.utcnow())
    close(app)


def close(app):
    """Let go of its database. A few connections to a PostgreSQL stay for the next app: they are dear to make."""
    with app.app_context():
        finish_writing(app)
        if throttle.COUNTERS in app.extensions:
            app.extensions[throttle.COUNTERS].redis.close()
        if db.engine.dialect.name == "sqlite" or db.engine.pool.checkedin() > FEW:
            db.engine.dispose()


def finish_writing(app):
    """What is done behind the requests: now."""
    uses, ring = app.extensions["authsvc.uses"], app.extensions["authsvc.ring"]
    uses.hurry.set()
    for thread in (uses.writer, ring.rotator):
        if thread is not None:
            thread.join()
    uses.hurry.clear()


@pytest.fixture(scope="session")
def first_file():
    """A migrated SQLite database, to be copied. It lies in memory where it can: then no commit waits for a disk."""
    memory = "/dev/shm"  # noqa: S108  (a folder of its own is made there)
    place = memory if os.access(memory, os.W_OK) else None
    with tempfile.TemporaryDirectory(prefix="authsvc-sqlite-", dir=place) as folder:
        lite = Path(folder) / "first.db"
        migrate(f"sqlite:///{lite}")
        yield lite


class FirstRows:
    """A PostgreSQL database that is put back to its first rows. Whatever a test did to it, the next one finds it so."""

    tables = tuple(table.name for table in Table.metadata.sorted_tables)

    def __init__(self, name):
        self.name = name
        self.url = postgresql_url(name)
        self.make()

    def make(self):
        shared.let_go_of_engines()
        on_postgresql(f"DROP DATABASE IF EXISTS {self.name} WITH (FORCE)")
        on_postgresql(f"CREATE DATABASE {self.name}")
        migrate(self.url)
        # To connect takes the server longer than all that is done here.
        self.connection = psycopg.connect(self.url.replace("+psycopg", ""), autocommit=True)
        self.connection.execute("CREATE SCHEMA first")
        for table in self.tables:
            self.connection.execute(f"CREATE TABLE first.{table} AS SELECT * FROM {table}")
        self.connection.execute(f"CREATE FUNCTION first.put_back() RETURNS void LANGUAGE plpgsql AS '{self.body()}'")

    def body(self):
        """Nobody is left in the middle of anything, and the order of the tables is nobody's business."""
        others = "datname = current_database() AND pid <> pg_backend_pid() AND state <> $$idle$$"
        statements = [
            f"PERFORM pg_terminate_backend(pid) FROM pg_stat_activity WHERE {others}",
            "SET LOCAL session_replication_role = replica",
        ]
        for table in self.tables:
            statements += [f"DELETE FROM {table}", f"INSERT INTO {table} SELECT * FROM first.{table}"]
        return f"BEGIN {'; '.join(statements)}; END"

    def put_back(self):
        try:
            self.connection.execute("SELECT first.put_back()")
        except psycopg.Error:
            self.connection.close()
            self.make()


@pytest.fixture(scope="session")
def first_rows(worker_id):
    kept = FirstRows(f"test_{worker_id}")
    yield kept
    kept.connection.close()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request):
    return request.param


@pytest.fixture
def database(database_kind, first_file, request):
    """The address of a fresh database."""
    if database_kind == "postgresql":
        first_rows = request.getfixturevalue("first_rows")
        first_rows.put_back()
        return first_rows.url
    place = first_file.with_name("authsvc.db")
    for beside in ("", "-wal", "-shm"):
        place.with_name(place.name + beside).unlink(missing_ok=True)
    shutil.copy(first_file, place)
    return f"sqlite:///{place}"


@pytest.fixture(scope="session")
def one_redis():
    redis = Redis()
    yield redis
    redis.stop()


@pytest.fixture
def redis(one_redis):
    """A Redis that holds nothing."""
    one_redis.as_new()
    return one_redis


@pytest.fixture(scope="session", autouse=True)
def dear_to_make():
    with shared.statements(), shared.routes():
        yield


@pytest.fixture(params=["body", "cookie"])
def transport(request):
    return request.param


@pytest.fixture
def settings(request):
    """What @pytest.mark.settings(NAME=value) chose."""
    marker = request.node.get_closest_marker("settings")
    return {} if marker is None else marker.kwargs


@pytest.fixture
def make_app(database):
    made = []

    def make(**overrides):
        app = create_app(configured(database, **overrides))
        made.append((app, described.hold(app)))
        return app

    yield make
    for app, _ in made:
        close(app)
    assert [sentence for _, wrong in made for sentence in wrong] == []


@pytest.fixture
def app(make_app, settings):
    """The service; flows that take `device` run it once with each transport instead."""
    return make_app(**settings)


@pytest.fixture
def transported_app(make_app, settings, transport):
    return make_app(TRANSPORT=transport, **settings)


@pytest.fixture
def client(app):
    return app.test_client()


@pytest.fixture
def make_device(transported_app, transport):
    """Something that signs in: a browser in cookie transport, a script in body transport."""

    def make():
        return DEVICES[transport](transported_app)

    return make


@pytest.fixture
def account(make_device):
    """A registered user."""
    return register(make_device())


@pytest.fixture
def device(make_device, account):
    """A device on which the user is signed in."""
    device = make_device()
    device.sign_in(account)
    return device


def register(device, **more):
    account = Account(f"user{next(counter)}@example.com", "a quiet harbour at dawn")
    answer = device.post("/auth/register", email=account.email, password=account.password, **more)
    assert answer.status_code == 201, answer.json
    account.id = answer.json["data"]["user"]["id"]
    return account


@pytest.fixture
def age(request):
    """Put a sign-in into the past: as if this much time had gone by since all that ever happened to it."""

    def shift(app, refresh_token_id, **by):
        columns = ("created_at", "rotated_at", "idle_expires_at", "expires_at")
        with app.app_context(), transaction() as session:
            from authsvc.models import RefreshToken

            row = session.get(RefreshToken, refresh_token_id)
            for column in columns:
                if getattr(row, column) is not None:
                    setattr(row, column, getattr(row, column) - timedelta(**by))

    return shift


@pytest.fixture
def rows():
    """Ask the database itself."""

    def ask(app, statement, **parameters):
        with app.app_context(), transaction() as session:
            return session.execute(text(statement), parameters).all()

    return ask


@pytest.fixture
def walled(app):
    """Two tenants with a row of every kind in each: (ours, theirs), each an id and its rows."""
    with app.app_context():
        yield two_walled_in()


@pytest.fixture(scope="session")
def worker_id(request):
    return getattr(request.config, "workerinput", {}).get("workerid", "alone")
