"""Servers are dear, so the tests share them: one with a leeway, one without, each on each database.

An application of each transport is there, so one server serves browsers and scripts. A test that kills a server
starts it again.
"""

import itertools

import pytest
from sqlalchemy import create_engine, text

from tests.conftest import counter, on_postgresql, postgresql_url
from tests.live.devices import Device
from tests.servers.gunicorn import Gunicorn

ADD_COOKIE_APPLICATION = """
    INSERT INTO applications (id, tenant_id, slug, name, active, transport, rotate, confidential, scopes, generation,
        created_at)
    SELECT '00000000-0000-7000-8000-000000000001', tenant_id, 'cookie', 'Pages', active, 'cookie', rotate,
        confidential, scopes, generation, created_at
    FROM applications
"""


class Server(Gunicorn):
    add_application = True

    def __init__(self, url, log, **options):
        self.devices = []
        super().__init__(url, log, app="tests.live.crashing:app", **options)
        self.engine = create_engine(url)
        if self.add_application:
            self.ask(ADD_COOKIE_APPLICATION)

    def ask(self, statement, **parameters):
        """Ask the database behind the server's back."""
        with self.engine.begin() as connection:
            result = connection.execute(text(statement), parameters)
            return result.all() if result.returns_rows else None

    def device(self, transport):
        device = Device(self, transport)
        self.devices.append(device)
        return device

    def stop(self):
        super().stop()
        while self.devices:
            self.devices.pop().connection.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def kind(request):
    return request.param


def served(kind, folder, worker_id, **settings):
    name = f"live_{worker_id}_{next(counter)}"
    if kind == "postgresql":
        on_postgresql(f"CREATE DATABASE {name}")
    url = postgresql_url(name) if kind == "postgresql" else f"sqlite:///{folder / name}.db"
    server = Server(url, folder / f"{name}.log", **settings)
    yield server
    server.stop()
    server.engine.dispose()
    if kind == "postgresql":
        on_postgresql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="session")
def lenient(kind, folder, worker_id):
    """Leeway enough for a crowd on a slow machine."""
    yield from served(kind, folder, worker_id, REFRESH_LEEWAY="60", HASHING_QUEUE="64")


@pytest.fixture(scope="session")
def strict(kind, folder, worker_id):
    """Every refresh advances; keys are read again twice a second."""
    yield from served(kind, folder, worker_id, REFRESH_LEEWAY="0", KEY_REREAD="0.5")


@pytest.fixture(scope="session")
def busy(kind, folder, worker_id):
    """Hashing as slow as in production, and a short queue."""
    hashing = {"ARGON2_MEMORY": "19456", "ARGON2_TIME": "2", "HASHING_QUEUE": "4"}
    yield from served(kind, folder, worker_id, workers=2, RATE_LIMITS="off", **hashing)


def pytest_collection_modifyitems(items):
    """All that share servers run in one process."""
    for item in items:
        if "kind" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group(f"live-{item.callspec.params['kind']}"))


@pytest.fixture
def signed_in(transport):
    """Make a device of this kind, signed in."""
    return _signing_in(itertools.repeat(transport))


@pytest.fixture
def signed_in_either_way():
    """Make devices that are signed in, of both kinds by turns."""
    return _signing_in(itertools.cycle(("body", "cookie")))


def _signing_in(transports):
    def make(server):
        device = server.device(next(transports))
        answer = device.register()
        assert answer.status == 201, answer.text
        return device

    return make
