"""Every flow runs on SQLite and on a real PostgreSQL, in body and in cookie transport.

One PostgreSQL serves the whole run. Each test gets a database of its own, cloned from one that is migrated and has its
signing keys, and an app of its own. Time is not moved: what must be old is put into the past in the database.
"""

import itertools
import os
import shutil
from datetime import timedelta

import psycopg
import pytest
from hypothesis.configuration import set_hypothesis_home_dir
from sqlalchemy import text

from authsvc import clock, create_app
from authsvc.models.engine import transaction
from authsvc.services import installation
from config import Testing
from tests.drivers import DEVICES, Account
from tests.planting import two_walled_in
from tests.servers.postgresql import Postgresql

POSTGRESQL = "AUTHSVC_TEST_POSTGRESQL"
BASE_URL = "https://auth.example.org"
ADMIN_EMAIL = "admin@example.com"
ADMIN_PASSWORD = "correct horse battery staple"
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
    from authsvc.extensions import db

    with app.app_context():
        db.engine.dispose()


@pytest.fixture(scope="session")
def templates(tmp_path_factory, worker_id):
    """One migrated database of each kind, to be cloned."""
    lite = tmp_path_factory.mktemp("template") / "authsvc.db"
    migrate(f"sqlite:///{lite}")
    name = f"template_{worker_id}"
    on_postgresql(f"CREATE DATABASE {name}")
    migrate(postgresql_url(name))
    return {"sqlite": lite, "postgresql": name}


@pytest.fixture(params=["sqlite", "postgresql"])
def database_kind(request):
    return request.param


@pytest.fixture
def database(database_kind, templates, tmp_path, worker_id):
    """The address of a fresh database."""
    if database_kind == "sqlite":
        place = tmp_path / "authsvc.db"
        shutil.copy(templates["sqlite"], place)
        yield f"sqlite:///{place}"
    else:
        name = f"test_{worker_id}_{next(counter)}"
        on_postgresql(f"CREATE DATABASE {name} TEMPLATE {templates['postgresql']}")
        yield postgresql_url(name)
        on_postgresql(f"DROP DATABASE {name} WITH (FORCE)")


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
        made.append(app)
        return app

    yield make
    for app in made:
        close(app)


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
