"""When the database or our own code fails, everybody is told so, nothing is half done and nobody is signed out."""

import logging
import sqlite3
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import event, select, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError

from authsvc import public
from authsvc.extensions import db
from tests.answers import refused
from tests.claims import claims_of
from tests.conftest import ADMIN_EMAIL, close, on_postgresql
from tests.drivers import HOST, Script
from tests.flows.test_input import ADMIN, BODIES, send_json


@contextmanager
def outage(app):
    """The database is gone: the file, or the server's will to let us in."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "sqlite":
        close(app)
        place, aside = Path(url.database), Path(f"{url.database}.aside")
        place.rename(aside)
        place.mkdir()
        yield
        close(app)
        place.rmdir()
        aside.rename(place)
    else:
        on_postgresql(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS false")
        with pytest.raises(OperationalError), app.app_context(), db.engine.connect() as connection:
            connection.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        yield
        on_postgresql(f"ALTER DATABASE {url.database} ALLOW_CONNECTIONS true")


@contextmanager
def nobody_can_write(app):
    """Another holds what we need for writing, longer than we wait."""
    url = make_url(app.config["SQLALCHEMY_DATABASE_URI"])
    if url.get_backend_name() == "sqlite":
        other = sqlite3.connect(url.database, isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
    else:
        other = psycopg.connect(f"host={url.host} port={url.port} user={url.username} dbname={url.database}")
        other.execute("LOCK TABLE refresh_tokens, users, roles, attempts IN EXCLUSIVE MODE")
    yield
    other.rollback()
    other.close()


def at_work(device):
    """Requests that, one by one, would change something."""
    return BODIES | {
        ("PATCH", "/auth/me"): {"name": "x"},
        ("POST", "/jwt/refresh"): {"refreshToken": device.refresh_token},
    }


@pytest.mark.parametrize("headers", [{}, {"Origin": "https://page.example"}])
def test_without_its_database_every_route_says_so_and_nobody_is_signed_out(admin, headers):
    with outage(admin.app):
        for route, body in (at_work(admin) | {("GET", "/auth/me"): {}, ("GET", "/readyz"): {}}).items():
            refused(send_json(admin, route, body, headers=headers), 503, "unavailable")
        wrong = {"identifier": ADMIN_EMAIL, "password": "a wrong harbour at dawn"}
        refused(send_json(admin, ("POST", "/auth/login"), wrong), 503, "unavailable")
        assert admin.get("/healthz").status_code == 200
    assert admin.me().status_code == 200
    assert admin.refresh().status_code == 200
    assert claims_of(admin.access_token)["gen"] == 1
    Script(admin.app).sign_in(ADMIN)


@pytest.mark.settings(DATABASE_TIMEOUT=timedelta(milliseconds=200))
def test_while_nobody_can_write_what_must_write_says_so_and_what_reads_goes_on(admin):
    with nobody_can_write(admin.app):
        for route, body in at_work(admin).items():
            refused(send_json(admin, route, body), 503, "unavailable")
        assert admin.me().status_code == 200
    assert admin.me().json["data"]["user"]["name"] == "Administrator"
    assert admin.refresh().status_code == 200
    assert claims_of(admin.access_token)["gen"] == 1
    Script(admin.app).sign_in(ADMIN)


@pytest.mark.settings(DATABASE_TIMEOUT=timedelta(milliseconds=200), DATABASE_POOL=1)
def test_when_every_connection_is_taken_that_is_said(admin):
    with admin.app.app_context(), db.engine.connect():
        refused(admin.me(), 503, "unavailable")
    assert admin.me().status_code == 200


def test_what_can_not_be_committed_did_not_happen(admin, rows):
    def everything():
        with admin.app.app_context():
            return [rows(admin.app, str(select(table))) for table in db.metadata.sorted_tables]

    before = everything()

    def lose(connection):
        raise OperationalError("COMMIT", {}, Exception("connection lost"))

    with admin.app.app_context():
        engine = db.engine
    event.listen(engine, "commit", lose)
    for route, body in at_work(admin).items():
        if route[1] != "/jwt/refresh":  # one statement, which commits itself
            refused(send_json(admin, route, body), 503, "unavailable")
    event.remove(engine, "commit", lose)
    assert everything() == before


def test_our_own_mistakes_tell_the_caller_nothing_but_the_request_id(app, caplog):
    @public
    def broken():
        raise RuntimeError("SELECT secret FROM /etc/passwd")

    app.view_functions["auth.me"] = broken
    logger = logging.getLogger("authsvc")
    logger.addHandler(caplog.handler)
    answer = app.test_client().get("/auth/me", base_url=HOST)
    logger.removeHandler(caplog.handler)
    refused(answer, 500, "internal_error")
    assert set(answer.json["error"]) == {"code", "requestId"}
    for secret in ("secret", "passwd", "RuntimeError", "Traceback", ".py", "flask", "sqlalchemy"):
        assert secret.lower() not in answer.text.lower()
    [record] = caplog.records
    assert record.request_id == answer.json["error"]["requestId"]
    assert record.exc_info
