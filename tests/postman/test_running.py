"""A newcomer runs the whole collection, in either environment; afterwards the service is as it was."""

import subprocess
from datetime import UTC, datetime

import pytest
from sqlalchemy import create_engine, text

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, counter, on_postgresql, postgresql_url
from tests.postman import newman
from tests.servers.gunicorn import Gunicorn

LEFT = {
    "users": "SELECT count(*) FROM users",
    "applications": "SELECT count(*) FROM applications",
    "tenants": "SELECT count(*) FROM tenants",
    "roles": "SELECT count(*) FROM roles",
    "API tokens": "SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL AND expires_at > :now",
    "sign-ins": "SELECT count(*) FROM refresh_tokens WHERE revoked_at IS NULL",
}


@pytest.fixture
def database_url(kind, tmp_path, worker_id):
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path}/authsvc.db"
        return
    name = f"postman_{worker_id}_{next(counter)}"
    on_postgresql(f"CREATE DATABASE {name}")
    yield postgresql_url(name)
    on_postgresql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def server(database_url, tmp_path):
    server = Gunicorn(database_url, tmp_path / "server.log", workers=2)
    yield server
    server.stop()


@pytest.fixture
def left(database_url):
    def count():
        engine = create_engine(database_url)
        with engine.connect() as connection:
            found = {what: connection.scalar(text(ask), {"now": datetime.now(UTC)}) for what, ask in LEFT.items()}
        engine.dispose()
        return found

    return count


@pytest.mark.parametrize(("transport", "kind"), [("body", "sqlite"), ("cookie", "postgresql")])
def test_from_top_to_bottom(server, transport, left, tmp_path):
    before = left()
    command = newman.command(server.url, transport, ADMIN_EMAIL, ADMIN_PASSWORD, "--color", "off")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr + server.log.read_text()
    assert left() == before == {"users": 1, "applications": 1, "tenants": 1, "roles": 3, "API tokens": 0, "sign-ins": 0}


@pytest.mark.parametrize("kind", ["sqlite"])
def test_without_a_password_filled_in_it_stops_before_anything_is_asked_of_the_administrator(server, left):
    command = newman.command(server.url, "body", ADMIN_EMAIL, "", "--color", "off")
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 1
    assert "fill these in: expected [ 'adminPassword' ]" in done.stdout
    assert "/auth/login" not in done.stdout
