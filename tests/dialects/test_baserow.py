"""Baserow's token routes, and an Appsmith page that never learns of a second refresh token."""

import json
import subprocess
from datetime import timedelta

import pytest

from authsvc.models import RefreshToken
from authsvc.models.engine import transaction
from tests.claims import claims_of
from tests.drivers import Script
from tests.flows.people import PASSWORD

CREDENTIALS = (401, "ERROR_INVALID_CREDENTIALS", "No active account found with the given credentials.")
REFRESH_TOKEN = (401, "ERROR_INVALID_REFRESH_TOKEN", "Refresh token is expired or invalid.")
# As a page reads when its token ends; this base64 throws at the letters of the URL-safe one.
ATOB = "process.stdout.write(String(JSON.parse(atob(process.argv[1].split('.')[1])).exp))"


@pytest.fixture(params=["/baserow", "/appsmith"])
def post(app, request):
    device = Script(app)
    joined = {"email": "mix@example.com", "username": "mix", "name": "Mïx ~ > ?", "password": PASSWORD}
    assert device.post("/auth/register", **joined).status_code == 201
    client = app.test_client()

    def ask(path, body, headers=None):
        return client.post(f"{request.param}/api/user/{path}/", json=body, headers=headers)

    return ask


@pytest.fixture
def held(post):
    answer = post("token-auth", {"email": "mix@example.com", "password": PASSWORD})
    assert answer.status_code == 200
    return answer.json


def told(answer):
    return answer.status_code, answer.json["error"], answer.json["detail"]


def aged(app, **by):
    """As if this much time had gone by since all that ever happened."""
    with app.app_context(), transaction() as session:
        for row in session.query(RefreshToken):
            for name in ("created_at", "rotated_at", "idle_expires_at", "expires_at"):
                if getattr(row, name) is not None:
                    setattr(row, name, getattr(row, name) - timedelta(**by))


def test_signing_in_answers_both_names_of_the_access_token_and_the_user(app, post, held):
    assert set(held) == {"token", "access_token", "refresh_token", "user_session", "user"}
    assert held["token"] == held["access_token"]
    user = held["user"]
    assert (user["username"], user["first_name"], user["is_staff"]) == ("mix@example.com", "Mïx ~ > ?", False)
    device = Script(app)
    device.access_token = held["access_token"]
    assert device.me().json["data"]["user"]["id"] == user["id"]
    by_name = post("token-auth", {"username": "mix", "password": PASSWORD})
    assert by_name.status_code == 200


def test_the_first_refresh_token_works_again_and_again_until_the_sign_in_ends(app, post, held):
    seen = {held["access_token"]}
    for days in (0, 6, 6, 6, 6):
        aged(app, days=days)
        answer = post("token-refresh", {"refresh_token": held["refresh_token"]})
        assert answer.status_code == 200, answer.json
        assert set(answer.json) == {"token", "access_token", "user"}
        seen.add(answer.json["access_token"])
        assert claims_of(answer.json["access_token"])["gen"] == 0
    assert len(seen) == 6
    assert post("token-refresh", {"token": held["refresh_token"]}).status_code == 200
    # Six days more are past the thirty that a sign-in may have in all.
    aged(app, days=6)
    assert told(post("token-refresh", {"refresh_token": held["refresh_token"]})) == REFRESH_TOKEN


def test_idle_for_longer_than_it_may_be_it_is_over(app, post, held):
    aged(app, days=7, seconds=1)
    assert told(post("token-refresh", {"refresh_token": held["refresh_token"]})) == REFRESH_TOKEN
    assert told(post("token-verify", {"refresh_token": held["refresh_token"]})) == REFRESH_TOKEN


def test_an_appsmith_page_reads_when_its_token_ends(held):
    done = subprocess.run(["node", "-e", ATOB, held["access_token"]], capture_output=True, text=True, check=True)
    assert int(done.stdout) == claims_of(held["access_token"])["exp"]


def test_verifying_and_ending(post, held):
    body = {"refresh_token": held["refresh_token"]}
    verified = post("token-verify", body)
    assert (verified.status_code, verified.json["user"]) == (200, held["user"])
    ended = post("token-blacklist", body)
    assert (ended.status_code, ended.data) == (204, b"")
    again = post("token-blacklist", body)
    assert (again.status_code, again.json["error"]) == (400, "ERROR_REFRESH_TOKEN_ALREADY_BLACKLISTED")
    for path in ("token-refresh", "token-verify"):
        assert told(post(path, body)) == REFRESH_TOKEN


def test_what_is_wrong_is_said_in_baserows_words(post, held):
    for body in ({"email": "mix@example.com", "password": "wrong"}, {"email": "nobody@x.org", "password": PASSWORD}):
        assert told(post("token-auth", body)) == CREDENTIALS
    for token in ("junk", "a.b.c", held["access_token"], f"{held['refresh_token']}="):
        for path in ("token-refresh", "token-verify", "token-blacklist"):
            answer = post(path, {"refresh_token": token})
            assert told(answer) == REFRESH_TOKEN, (path, token)
            assert answer.headers["WWW-Authenticate"] == 'JWT realm="api"'
    for path, body, *fields in (
        ("token-auth", {}, "email", "password"),
        ("token-auth", {"email": "mix@example.com"}, "password"),
        ("token-auth", {"email": ["a"], "password": "a"}, "email"),
        ("token-refresh", {}, "refresh_token"),
        ("token-blacklist", {"token": held["refresh_token"]}, "refresh_token"),
    ):
        answer = post(path, body)
        assert (answer.status_code, answer.json["error"]) == (400, "ERROR_REQUEST_BODY_VALIDATION"), (path, body)
        assert list(answer.json["detail"]) == fields
    assert post("nowhere", {}).json["error"] == "URL_NOT_FOUND"


def test_natively_the_same_token_follows_the_application(app, post, held):
    """Who refreshes it natively gets the next one; then Baserow's is a replay like any other."""
    device = Script(app)
    with app.app_context(), transaction() as session:
        session.query(RefreshToken).update({"generation": 2})
    assert told(post("token-refresh", {"refresh_token": held["refresh_token"]})) == REFRESH_TOKEN
    device.access_token = held["access_token"]
    assert device.me().json["error"]["code"] == "token_revoked"


def test_the_other_tenants_header_is_refused(app, post, held, make_tenant):
    make_tenant(app, "elsewhere")
    answer = post("token-refresh", {"refresh_token": held["refresh_token"]}, {"X-Tenant-Id": "elsewhere"})
    assert (answer.status_code, answer.json["error"]) == (403, "ERROR_TENANT_MISMATCH")
    assert json.dumps(answer.json)
