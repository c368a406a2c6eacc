"""A newcomer runs the whole collection, in either environment; afterwards the service is as it was."""

import subprocess
from datetime import UTC, datetime

import pytest
from sqlalchemy import NullPool, create_engine, text

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
UNTOUCHED = {"users": 1, "applications": 1, "tenants": 1, "roles": 3, "API tokens": 0, "sign-ins": 0}
KINDS = [pytest.param(kind, marks=pytest.mark.xdist_group(f"postman-{kind}")) for kind in ("sqlite", "postgresql")]
TRANSPORTS = {"sqlite": "body", "postgresql": "cookie"}


@pytest.fixture(scope="module", params=KINDS)
def kind(request):
    return request.param


@pytest.fixture(scope="module")
def database_url(kind, tmp_path_factory, worker_id):
    if kind == "sqlite":
        yield f"sqlite:///{tmp_path_factory.mktemp('postman')}/authsvc.db"
        return
    name = f"postman_{worker_id}_{next(counter)}"
    on_postgresql(f"CREATE DATABASE {name}")
    yield postgresql_url(name)
    on_postgresql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def server(database_url, tmp_path_factory):
    server = Gunicorn(database_url, tmp_path_factory.mktemp("postman") / "server.log", workers=2)
    yield server
    server.stop()


def run(server, transport, password):
    command = newman.command(server.url, transport, ADMIN_EMAIL, password, "--color", "off")
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=300)


def left(database_url):
    with create_engine(database_url, poolclass=NullPool).connect() as connection:
        return {what: connection.scalar(text(ask), {"now": datetime.now(UTC)}) for what, ask in LEFT.items()}


def test_from_top_to_bottom(server, kind, database_url):
    done = run(server, TRANSPORTS[kind], ADMIN_PASSWORD)
    assert done.returncode == 0, done.stdout + done.stderr + server.log.read_text()
    assert left(database_url) == UNTOUCHED


@pytest.mark.parametrize("kind", KINDS[:1], indirect=True)
def test_who_forgets_the_password_or_has_it_wrong_is_told_so_and_no_second_guess_is_made(server, kind):
    for password, said, guesses in (
        ("", "fill these in: expected [ 'adminPassword' ]", 0),
        ("no", "credentials_invalid", 1),
    ):
        done = run(server, "body", password)
        assert done.returncode == 1
        assert said in done.stdout
        assert done.stdout.count("/auth/login") == guesses
        assert "/admin/" not in done.stdout
