"""Base URLs with a slash at their end: what clients that join by hand make of them."""

import pytest
from flask import Flask

from authsvc import init_app
from tests.conftest import close, configured
from tests.dialects.fusionauth import BASE, client_with, ok
from tests.dialects.in_process import HOST
from tests.dialects.test_bodies import LOGINS
from tests.flows.people import PASSWORD


@pytest.fixture
def database_kind():
    return "sqlite"


def doubled(path):
    """/laravel/api/signin as /laravel//api//signin//."""
    return f"/{path.strip('/').replace('/', '//')}//"


def test_several_slashes_are_one_below_a_dialect_and_nowhere_else(app):
    client = app.test_client()
    for path in LOGINS:
        plain, joined = client.post(path, json={}), client.post(doubled(path), json={})
        assert (joined.status_code, joined.data) == (plain.status_code, plain.data), path
        assert joined.status_code in (400, 422), path
        assert client.get(doubled(path)).status_code == 405, path
    assert client.post("/fusionauth//api//nowhere").status_code == 404
    for path in ("/auth//login", "/fusionauthx//api/login"):
        assert client.post(path, json={}).status_code == 404, path


def test_fusionauths_client_may_have_a_slash_at_the_end(fusionauth, keyed, mix):
    slashed = client_with(keyed.api_key, f"{HOST}{BASE}/")
    held = ok(slashed.login({"loginId": mix.account.email, "password": PASSWORD}))
    assert ok(slashed.retrieve_refresh_token_by_id(held["refreshTokenId"]))["refreshToken"]["userId"] == mix.account.id


@pytest.mark.settings(DIALECTS=("fusionauth=/old/auth",))
def test_wherever_the_dialect_is(app):
    assert app.test_client().post("/old/auth//api/login", json={}).status_code == 400
    assert app.test_client().post("/old//auth/api/login", json={}).status_code == 404


def test_also_in_another_app(database):
    for prefix in ("", "/accounts"):
        host = Flask("host")
        service = init_app(host, configured(database), prefix)
        assert host.test_client().post(f"{prefix}/strapi//api/auth//local", json={}).status_code == 400, prefix
        assert host.test_client().post(f"{prefix}/auth//login", json={}).status_code == 404, prefix
        close(service)
