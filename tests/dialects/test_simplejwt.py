"""Ours beside djangorestframework-simplejwt itself, answer by answer."""

import json

import pytest

from authsvc.models import RefreshToken
from authsvc.models.engine import transaction
from tests.dialects.rest_framework import RestFramework
from tests.drivers import Script
from tests.flows.people import PASSWORD

USERNAME = "mix"
# Behind what each is asked; `A` and `R` stand for the tokens of the sign-in, `A2` and `R2` for those of the refresh.
CONVERSATION = [
    ("", {"username": USERNAME, "password": PASSWORD}),
    ("verify/", {"token": "A"}),
    ("verify/", {"token": "R"}),
    ("refresh/", {"refresh": "A"}),
    ("blacklist/", {"refresh": "A"}),
    ("refresh/", {"refresh": "R"}),
    ("verify/", {"token": "A2"}),
    ("verify/", {"token": "R2"}),
    ("blacklist/", {"refresh": "R2"}),
    ("verify/", {"token": "R2"}),
    ("refresh/", {"refresh": "R2"}),
    ("blacklist/", {"refresh": "R2"}),
]
MISTAKES = [
    ("", {"username": USERNAME, "password": "wrong"}),
    ("", {"username": "nobody", "password": PASSWORD}),
    ("", {}),
    ("", {"username": USERNAME}),
    ("", {"username": "", "password": None}),
    ("", {"username": ["a"], "password": {"a": 1}}),
    ("", {"username": True, "password": False}),
    ("", {"username": 12, "password": 1.5}),
    ("", {"username": USERNAME, "password": PASSWORD + " "}),
    *(
        (path, body)
        for path, name in (("refresh/", "refresh"), ("verify/", "token"), ("blacklist/", "refresh"))
        for body in ({}, {name: ""}, {name: None}, {name: []}, {name: "junk"}, {name: "a.b.c"}, {name: 12})
    ),
]


@pytest.fixture(scope="session")
def oracle():
    return RestFramework(USERNAME, PASSWORD)


@pytest.fixture
def ours(app):
    device = Script(app)
    joined = {"email": "mix@example.com", "username": USERNAME, "password": PASSWORD}
    assert device.post("/auth/register", **joined).status_code == 201
    return Ours(app)


class Ours:
    def __init__(self, app):
        self.app, self.client = app, app.test_client()

    def post(self, path, body, content_type="application/json"):
        sent = body if isinstance(body, str | bytes) else json.dumps(body)
        answer = self.client.post(f"/simplejwt{path}", data=sent, content_type=content_type)
        return answer.status_code, answer.json, dict(answer.headers)


def told(answer):
    """What both have to say alike: tokens are each one's own."""
    status, body, headers = answer
    if status == 200 and body:
        body = {name: "a token" if value.count(".") == 2 else value for name, value in body.items()}
    return status, body, headers.get("WWW-Authenticate") if status == 401 else None


def conversation(server, held, path, body):
    """Ask with the tokens that this server gave, and keep what it gives."""
    said = {name: held.get(value, value) if isinstance(value, str) else value for name, value in body.items()}
    answer = server.post(f"/api/token/{path}", said)
    if answer[0] == 200 and answer[1]:
        again = "2" if path else ""
        held[f"A{again}"], held[f"R{again}"] = answer[1]["access"], answer[1]["refresh"]
    return answer


def test_a_conversation_goes_as_with_the_original(oracle, ours):
    theirs_held, ours_held = {}, {}
    for path, body in CONVERSATION:
        theirs = conversation(oracle, theirs_held, path, body)
        mine = conversation(ours, ours_held, path, body)
        assert told(mine) == told(theirs), (path, body)


def test_mistakes_are_answered_as_by_the_original(oracle, ours):
    for path, body in MISTAKES:
        theirs, mine = (server.post(f"/api/token/{path}", body) for server in (oracle, ours))
        assert told(mine) == told(theirs), (path, body)


def test_forms_and_paths_without_a_slash_work(ours):
    form = f"username=mix&password={PASSWORD.replace(' ', '+')}"
    status, body, _ = ours.post("/api/token", form, "application/x-www-form-urlencoded")
    assert (status, set(body)) == (200, {"access", "refresh"})
    assert ours.post("/api/token/verify", json.dumps({"token": body["access"]}), "text/plain")[:2] == (200, {})
    status, body, _ = ours.post("/api/token/", '{"username": ')
    assert (status, set(body)) == (400, {"detail"})
    answer = ours.client.get("/simplejwt/api/token/?x=1")
    assert (answer.status_code, answer.json) == (405, {"detail": 'Method "GET" not allowed.'})
    assert ours.client.post("/simplejwt/nowhere").json == {"detail": "Not found."}


def test_what_it_gives_is_good_everywhere_and_our_rules_hold(app, ours, rows):
    _, first, headers = ours.post("/api/token/", {"username": "mix@example.com", "password": PASSWORD})
    assert headers["Cache-Control"] == "no-store"
    device = Script(app)
    device.access_token = first["access"]
    assert device.me().status_code == 200
    assert device.refresh(held=first["refresh"]).status_code == 200
    with app.app_context(), transaction() as session:
        session.query(RefreshToken).update({"generation": 2})
    # Two steps behind, it is a replay: the sign-in ends, as anywhere.
    answer = ours.post("/api/token/refresh/", {"refresh": first["refresh"]})
    assert answer[:2] == (401, {"detail": "Token is blacklisted", "code": "token_not_valid"})
    assert device.me().status_code == 401
    assert rows(app, "SELECT revoke_reason FROM refresh_tokens WHERE revoked_at IS NOT NULL") == [("reused",)]


def test_a_disabled_user_and_a_foreign_tenant_get_nothing(app, ours, make_tenant, admin):
    _, first, _ = ours.post("/api/token/", {"username": USERNAME, "password": PASSWORD})
    [user] = admin.get("/admin/users?username=mix").json["data"]["items"]
    make_tenant(app, "elsewhere")
    there = {"X-Tenant-Id": "elsewhere"}
    wrong = ours.client.post("/simplejwt/api/token/refresh/", json={"refresh": first["refresh"]}, headers=there)
    assert wrong.status_code == 403
    nobody = {"username": USERNAME, "password": PASSWORD}
    assert ours.client.post("/simplejwt/api/token/", json=nobody, headers=there).status_code == 401
    admin.ask("PATCH", f"/admin/users/{user['id']}", {"active": False})
    assert ours.post("/api/token/refresh/", {"refresh": first["refresh"]})[0] == 401
    assert ours.post("/api/token/", nobody)[0] == 401
