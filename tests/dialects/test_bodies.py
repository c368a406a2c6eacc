"""People try a login with whatever is at hand: curl, HTTPie, Postman. Every dialect takes what they send."""

import json

import pytest

from tests.drivers import Script
from tests.flows.people import PASSWORD

EMAIL = "mix@example.com"
LOGINS = {
    "/appsmith/api/user/token-auth/": ("email", "password", "access_token"),
    "/baserow/api/user/token-auth/": ("username", "password", "access_token"),
    "/fusionauth/api/login": ("loginId", "password", "token"),
    "/laravel/api/auth/login": ("email", "password", "access_token"),
    "/laravel/api/signin": ("email", "password", "access_token"),
    "/simplejwt/api/token/": ("username", "password", "access"),
    "/strapi/api/auth/local": ("identifier", "password", "jwt"),
}
# Where a sign-in is carried on and where it ends, and what its token is called in answers and in bodies.
JOURNEYS = {
    "/appsmith/api/user/token-auth/": ("token-refresh/", "token-blacklist/", "refresh_token", "refresh_token"),
    "/baserow/api/user/token-auth/": ("token-refresh/", "token-blacklist/", "refresh_token", "refresh_token"),
    "/fusionauth/api/login": ("jwt/refresh", "logout", "refreshToken", "refreshToken"),
    "/laravel/api/auth/login": ("refresh", "logout", "access_token", "token"),
    "/laravel/api/signin": ("refresh", "signout", "access_token", "token"),
    "/simplejwt/api/token/": ("refresh/", "blacklist/", "refresh", "refresh"),
    "/strapi/api/auth/local": ("refresh", "logout", "refreshToken", "refreshToken"),
}
JSON, FORM = "application/json", "application/x-www-form-urlencoded"


@pytest.fixture
def database_kind():
    """A body is read before any database is asked."""
    return "sqlite"


@pytest.fixture
def client(app):
    answer = Script(app).post("/auth/register", email=EMAIL, password=PASSWORD)
    assert answer.status_code == 201
    return app.test_client()


def ways(body):
    """curl with JSON and with -d, HTTPie, a page's fetch without a type, Postman's form-data."""
    text = json.dumps(body)
    yield "JSON", {"data": text, "content_type": JSON}
    yield "JSON in UTF-8", {"data": text, "content_type": f"{JSON}; charset=utf-8"}
    yield "JSON as text", {"data": text, "content_type": "text/plain;charset=UTF-8"}
    yield "JSON as nothing", {"data": text, "content_type": "application/octet-stream"}
    yield "JSON as a form", {"data": text, "content_type": FORM}
    yield "form", {"data": body, "content_type": FORM}
    yield "form-data", {"data": body, "content_type": "multipart/form-data"}


def test_a_login_is_taken_in_every_way_it_is_sent(client):
    for path, (name, password, token) in LOGINS.items():
        for way, how in ways({name: EMAIL, password: PASSWORD}):
            for address in (path.rstrip("/"), f"{path.rstrip('/')}/"):
                answer = client.post(address, **how)
                assert answer.status_code == 200, (address, way, answer.text)
                assert answer.json[token].count(".") == 2, (address, way)


def test_so_are_a_refresh_and_a_sign_out(client):
    for path, (refresh, out, told, name) in JOURNEYS.items():
        identifier, password, _ = LOGINS[path]
        place = path if path.endswith("/token/") else path.rstrip("/").rpartition("/")[0] + "/"
        number = len(list(ways({})))
        for at in range(number):
            held = client.post(path, json={identifier: EMAIL, password: PASSWORD}).json
            way, how = list(ways({name: held[told]}))[at]
            answer = client.post(place + refresh, **how)
            assert answer.status_code == 200, (path, way, answer.text)
            way, how = list(ways({name: answer.json.get(told, held[told])}))[at]
            assert client.post(place + out, **how).status_code in (200, 204), (path, way)
            over = client.post(place + refresh, **how)
            assert over.status_code in (400, 401), (path, way, over.text)


def test_what_is_no_body_at_all_is_refused_in_json(client):
    broken = (b'{"email": ', b"[]", b'"text"', b"\xff\xfe", b'{"a": 1, "a": 2}', b"")
    for path in LOGINS:
        for body in broken:
            answer = client.post(path, data=body, content_type=JSON)
            assert answer.status_code in (400, 401, 404, 422), (path, body)
            assert answer.headers["Content-Type"].startswith("application/json") or not answer.data, (path, body)
            assert "<" not in answer.text, (path, body)
