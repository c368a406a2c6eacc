"""Behind pgbouncer in transaction mode, as the documentation has it, with fewer connections than there are workers."""

import json
import re
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import psycopg
import pytest

from tests.claims import header_of
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, counter, on_postgresql, postgresql_url
from tests.live.conftest import Server
from tests.live.test_crashes import until_answered
from tests.live.test_crowds import at_once
from tests.servers.pgbouncer import DOCS, FEW, Pgbouncer

pytestmark = pytest.mark.xdist_group("pgbouncer")


@pytest.fixture(scope="module")
def name(worker_id):
    """Of a database, and of a role to whom it belongs."""
    name = f"pooled_{worker_id}_{next(counter)}"
    on_postgresql(f"CREATE ROLE {name} LOGIN")
    on_postgresql(f"CREATE DATABASE {name} OWNER {name}")
    yield name
    on_postgresql(f"DROP DATABASE {name} WITH (FORCE)")
    on_postgresql(f"DROP ROLE {name}")


@pytest.fixture(scope="module")
def pgbouncer(name):
    port = re.search(r":(\d+)/", postgresql_url(name))[1]
    between = Pgbouncer(port, name)
    yield between
    between.stop()


@pytest.fixture(scope="module")
def server(pgbouncer, name, tmp_path_factory):
    url = f"postgresql+psycopg://{name}@127.0.0.1:{pgbouncer.port}/{name}"
    log = tmp_path_factory.mktemp("pooled") / "log"
    settings = {"REFRESH_LEEWAY": "60", "KEY_REREAD": "0.5", "RATE_LIMITS": "off"}
    server = Server(url, log, workers=3, DATABASE_POOLER="on", **settings)
    yield server
    server.stop()
    server.engine.dispose()


@pytest.fixture
def signed_in(server):
    """Devices of both kinds by turns."""

    def make(count):
        devices = [server.device(("body", "cookie")[number % 2]) for number in range(count)]
        for answer in at_once([device.register for device in devices]):
            assert answer.status == 201, answer.text
        return devices

    return make


@pytest.fixture
def admin(server):
    device = server.device("body")
    body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    assert device.keep(device.send("POST", "/auth/login", body)).status == 200
    return device


def ask(device, method, path, body=None):
    return device.send(method, path, body, {"Authorization": f"Bearer {device.access}"})


def past_pgbouncer(name, statement):
    with psycopg.connect(postgresql_url(name).replace("+psycopg", ""), autocommit=True) as connection:
        return connection.execute(statement).fetchall()


def test_everything_works_when_many_do_it_at_once(server, name, admin, signed_in):
    devices = signed_in(12)
    # On each of its few connections, more often than psycopg leaves a statement unprepared.
    for _ in range(4):
        assert {answer.status for answer in at_once([device.twin().me for device in devices * 3])} == {200}
    for device in devices:
        answers = at_once([device.twin().refresh for _ in range(8)])
        assert {answer.status for answer in answers} == {200}
        device.keep(answers[0])
        assert device.generation == 1
    made = [ask(device, "POST", "/api-tokens", {"name": "script", "scopes": []}).json["data"] for device in devices]
    uses = [
        partial(device.twin().send, "GET", "/auth/me", headers={"X-Api-Key": one["token"]})
        for device, one in zip(devices, made, strict=True)
    ]
    assert {answer.status for answer in at_once(uses)} == {200}
    assert ask(devices[0], "DELETE", f"/api-tokens/{made[0]['apiToken']['id']}").status == 200
    assert uses[0]().code == "token_revoked"
    user_id = devices[0].me().json["data"]["user"]["id"]
    assert ask(admin, "DELETE", f"/jwt/refresh?userId={user_id}").json["data"]["revoked"] == 1
    assert {answer.code for answer in at_once([devices[0].twin().me for _ in range(8)])} == {"token_revoked"}
    assert FEW >= len(past_pgbouncer(name, f"SELECT pid FROM pg_stat_activity WHERE usename = '{name}'")) > 0
    assert past_pgbouncer(name, "SELECT name FROM pg_prepared_statements") == []


def test_commands_and_the_console_work_and_keys_rotate(server, signed_in):
    [device, other] = signed_in(2)
    server.flask("prepare")
    new = server.flask("keys", "rotate").split()[0]
    device.keep(device.refresh())
    assert header_of(device.access)["kid"] == new
    assert other.me().status == 200
    assert "1" in server.flask("tokens", "revoke", device.id, "--yes")
    assert device.me().code == device.refresh().code == "token_revoked"
    page = server.device("body")
    page.connection.request("GET", "/console/sign-in")
    answer = page.connection.getresponse()
    assert (answer.status, "<form" in answer.read().decode()) == (200, True)


def test_a_pgbouncer_that_is_restarted_costs_nobody_anything_afterwards(server, pgbouncer, signed_in):
    devices = signed_in(8)
    for _ in range(3):
        pgbouncer.halt()
        away = devices[0].me()
        assert (away.status, away.code) == (503, "unavailable")
        pgbouncer.start()
        answers = at_once([device.twin().me for device in devices * 4])
        assert {answer.status for answer in answers} == {200}
    assert {device.refresh().status for device in devices} == {200}


def test_nobody_is_signed_out_by_restarts_under_way(server, pgbouncer, signed_in):
    devices, over = signed_in(6), threading.Event()

    def live(device):
        steps = 0
        while not over.is_set():
            attempt = uuid.uuid4().hex
            answer = until_answered(lambda: device.refresh(attempt=attempt))  # noqa: B023
            assert answer.status == 200, answer.text
            device.keep(answer)
            steps += 1
        return steps

    with ThreadPoolExecutor(len(devices)) as crowd:
        lives = [crowd.submit(live, device) for device in devices]
        try:
            for _ in range(3):
                time.sleep(0.3)
                pgbouncer.halt()
                pgbouncer.start()
            time.sleep(0.3)
        finally:
            over.set()
        assert all(one.result() > 0 for one in lives)
    assert {device.me().status for device in devices} == {200}


def test_the_doctor_says_how_to_have_limits(server, pgbouncer, name):
    def found():
        said = json.loads(server.flask("doctor", "--json"))
        return next(one for one in said if one["check"] == "limits")

    assert found()["verdict"] == "warning"
    [documented] = re.findall(r"(?:^ALTER ROLE .*\n)+", DOCS.read_text(), re.M)
    for statement in documented.splitlines():
        assert (
            statement.split(" SET ")[1].startswith("idle_")
            or f"SET {statement.split(' SET ')[1]}"[:-1] in (found()["advice"])
        )
        on_postgresql(statement.replace("authsvc", name))
    pgbouncer.halt()
    pgbouncer.start()
    assert found()["verdict"] == "fine"
