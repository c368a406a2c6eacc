"""Strapi's sign-ins, over ours."""

import json

import pytest

from authsvc.models import RefreshToken
from authsvc.models.engine import transaction
from tests.claims import claims_of
from tests.dialects.strapi import FORBIDDEN, JOINING, UNAUTHENTICATED, USER, Program, refused
from tests.drivers import Script
from tests.flows.api_tokens import make_api_token
from tests.flows.people import NEW, PASSWORD
from tests.flows.test_breakdowns import outage

WRONG = (400, "ValidationError", "Invalid identifier or password")
NOT_REFRESHED = (401, "UnauthorizedError", "Invalid refresh token")


@pytest.fixture
def program(app):
    return Program(app).sign_in("/api/auth/local/register", **JOINING)


@pytest.fixture
def other(app, program):
    """The same user, signed in elsewhere."""
    return Program(app).sign_in()


def at_generation(app, number):
    with app.app_context(), transaction() as session:
        session.query(RefreshToken).update({"generation": number})


def test_registering_and_signing_in_answer_for_both_login_modes(app, program):
    for identifier in ("mix", "MIX@example.com"):
        program.sign_in(identifier=identifier, password=PASSWORD)
        assert set(program.held) == {"jwt", "refreshToken", "user"}
        me = program.ask("GET", "/api/users/me?populate=*")
        assert (me.status_code, me.json) == (200, program.held["user"])
    user = me.json
    assert set(user) == USER
    assert user["id"] == user["documentId"] == claims_of(program.held["jwt"])["sub"]
    assert (user["username"], user["email"], user["provider"], user["blocked"]) == (
        "mix",
        "mix@example.com",
        "local",
        False,
    )
    device = Script(app)
    device.access_token = program.held["jwt"]
    assert device.me().json["data"]["user"]["id"] == user["id"]


def test_what_is_wrong_is_said_in_strapis_envelope(app, program, make_tenant):
    ask = program.ask
    for identifier, password in (("mix", "wrong"), ("nobody", PASSWORD), ("mix@example.com", "wrong"), ("a b", "c")):
        assert refused(ask("POST", "/api/auth/local", {"identifier": identifier, "password": password})) == WRONG
    two = ask("POST", "/api/auth/local", {"password": ["a"]})
    assert refused(two) == (400, "ValidationError", "2 errors occurred")
    assert [error["path"] for error in two.json["error"]["details"]["errors"]] == [["identifier"], ["password"]]
    one = ask("POST", "/api/auth/local", {"identifier": "mix"})
    assert refused(one) == (400, "ValidationError", "password is a required field")
    taken = (400, "ApplicationError", "Email or Username are already taken")
    joining = "/api/auth/local/register"
    for again in ({"username": "mix2"}, {"email": "mix2@example.com"}):
        assert refused(ask("POST", joining, JOINING | again)) == taken
    more = refused(ask("POST", joining, JOINING | {"role": "admin", "confirmed": True}))
    assert more == (400, "ValidationError", "Invalid parameters: role, confirmed")
    weak = ask("POST", joining, {"username": "other", "email": "other@example.com", "password": "short"})
    assert refused(weak)[:2] == (400, "ValidationError")
    assert weak.json["error"]["details"]["errors"][0]["path"] == ["password"]
    assert refused(ask("GET", "/api/auth/local")) == (405, "MethodNotAllowedError", "Method Not Allowed")
    assert refused(ask("GET", "/api/nowhere"))[:2] == (404, "NotFoundError")
    broken = program.client.post("/strapi/api/auth/local", data='{"identifier": ', content_type="text/plain")
    assert refused(broken)[:2] == (400, "BadRequestError")
    for jwt in ("junk", program.held["refreshToken"], "asvc_junk"):
        answer = ask("GET", "/api/users/me", jwt=jwt)
        assert refused(answer) == UNAUTHENTICATED
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    assert refused(program.client.get("/strapi/api/users/me")) == UNAUTHENTICATED
    make_tenant(app, "elsewhere")
    assert refused(ask("GET", "/api/users/me", headers={"X-Tenant-Id": "elsewhere"}))[:2] == (403, "ForbiddenError")
    for _ in range(10):
        answer = ask("POST", "/api/auth/local", {"identifier": "mix", "password": "wrong"})
    assert refused(answer) == (429, "RateLimitError", "Too many requests, please try again later.")
    assert int(answer.headers["Retry-After"]) > 0


def test_what_fails_on_our_side_is_said_in_the_same_envelope(app, program):
    big = program.client.post("/strapi/api/auth/local", data=b" " * (app.config["MAX_CONTENT_LENGTH"] + 1))
    assert refused(big)[:2] == (413, "PayloadTooLargeError")
    with outage(app):
        for answer in (program.refresh(), program.ask("GET", "/api/users/me")):
            assert refused(answer)[:2] == (503, "ServiceUnavailableError")
            assert answer.headers["Retry-After"] == "1"
    assert program.is_in()
    assert program.refresh().status_code == 200


@pytest.mark.settings(REGISTRATION="closed")
def test_where_registration_is_closed_it_is_disabled(app):
    answer = Program(app).ask("POST", "/api/auth/local/register", JOINING)
    assert refused(answer) == (400, "ApplicationError", "Register action is currently disabled")


def test_refreshing_rotates_by_our_rules_whatever_authorization_comes_along(app, program):
    first = program.held["refreshToken"]
    stale = {"Authorization": "Bearer of.old.times", "Idempotency-Key": "one"}
    ask = program.client.post
    answer = ask("/strapi/api/auth/refresh/", data=json.dumps({"refreshToken": first}), headers=stale)
    assert (answer.status_code, set(answer.json)) == (200, {"jwt", "refreshToken"})
    assert claims_of(answer.json["refreshToken"])["gen"] == 1
    assert (
        ask("/strapi/api/auth/local", json={"identifier": "mix", "password": PASSWORD}, headers=stale).status_code
        == 200
    )
    for nothing in ({}, {"refreshToken": ""}, {"refreshToken": None}):
        answer = program.ask("POST", "/api/auth/refresh", nothing)
        assert refused(answer) == (400, "BadRequestError", "Missing refresh token")
    for junk in ("junk", ["a"], program.held["jwt"], f"{first}x"):
        assert refused(program.ask("POST", "/api/auth/refresh", {"refreshToken": junk})) == NOT_REFRESHED
    assert program.is_in()
    at_generation(app, 3)
    assert refused(program.refresh(first)) == NOT_REFRESHED
    assert not program.is_in()


def test_a_good_access_token_buys_another_of_its_sign_in_and_no_more(app, program, owner, rows):
    answer = program.ask("POST", "/api/auth/refreshToken")
    assert (answer.status_code, set(answer.json)) == (200, {"newJwt"})
    old, new = claims_of(program.held["jwt"]), claims_of(answer.json["newJwt"])
    assert {name for name in old if old[name] != new[name]} - {"iat", "nbf", "exp"} == {"jti"}
    assert program.ask("GET", "/api/users/me", jwt=answer.json["newJwt"]).status_code == 200
    assert rows(app, "SELECT generation FROM refresh_tokens WHERE rotated_at IS NOT NULL OR generation > 0") == []
    # What an OAuth client was given to do, it keeps to.
    held = {"grant_type": "refresh_token", "client_id": new["aud"], "refresh_token": program.held["refreshToken"]}

    def exchanged(scope):
        narrowed = program.client.post("/oauth/token", data=held | {"scope": scope}).json["access_token"]
        return program.ask("POST", "/api/auth/refreshToken", jwt=narrowed)

    assert claims_of(exchanged("auth:refresh").json["newJwt"])["scope"] == "auth:refresh"
    assert refused(exchanged("api-tokens:write")) == FORBIDDEN
    made = make_api_token(owner)
    assert refused(program.ask("POST", "/api/auth/refreshToken", jwt=made["token"])) == FORBIDDEN
    assert program.ask("POST", "/api/auth/logout").json == {"ok": True}
    assert refused(program.ask("POST", "/api/auth/refreshToken")) == UNAUTHENTICATED


def test_signing_out_ends_this_sign_in_or_all(app, program, other):
    assert refused(program.ask("POST", "/api/auth/logout", {"scope": "some"}))[0] == 400
    assert program.is_in()
    # The refresh token says which sign-in is meant, also where the access token has run out.
    held = {"refreshToken": other.held["refreshToken"]}
    assert program.ask("POST", "/api/auth/logout", held, jwt="of.old.times").json == {"ok": True}
    assert (other.is_in(), program.is_in()) == (False, True)
    assert refused(other.refresh()) == NOT_REFRESHED
    other.sign_in()
    assert program.ask("POST", "/api/auth/logout", {"refreshToken": "junk"}).json == {"ok": True}
    assert (other.is_in(), program.is_in()) == (True, False)
    program.sign_in()
    assert other.ask("POST", "/api/auth/logout", {"scope": "all"}).json == {"ok": True}
    assert (other.is_in(), program.is_in()) == (False, False)
    for jwt in ("", "junk"):
        assert refused(program.ask("POST", "/api/auth/logout", jwt=jwt)) == UNAUTHENTICATED


def test_a_device_is_signed_out_by_its_name(app, program, other, owner):
    named = {"identifier": "mix", "password": PASSWORD, "deviceId": "phone"}
    phone, again = Program(app).sign_in(**named), Program(app).sign_in(**named)
    theirs = Program(app).sign_in(**named | {"identifier": owner.account.email})
    listed = program.ask("GET", "/api/auth/sessions").json["data"]
    assert [one["deviceName"] for one in listed[:2]] == ["phone", "phone"]
    for wrong in (["phone"], "x" * 257, "a\0"):
        assert refused(program.ask("POST", "/api/auth/logout", {"deviceId": wrong}))[:2] == (400, "ValidationError")
    held = {"deviceId": "phone", "refreshToken": program.held["refreshToken"]}
    assert program.ask("POST", "/api/auth/logout", held).json == {"ok": True}
    assert [one.is_in() for one in (phone, again, program, other, theirs)] == [False, False, True, True, True]
    assert program.ask("POST", "/api/auth/logout", {"deviceId": "tablet"}).json == {"ok": True}
    assert refused(program.ask("POST", "/api/auth/logout", {"deviceId": "phone"}, jwt="junk")) == UNAUTHENTICATED
    assert program.is_in()


def test_sign_ins_are_listed_and_ended_one_by_one(app, program, other, admin):
    listed = program.ask("GET", "/api/auth/sessions").json["data"]
    assert [set(one) for one in listed] == [{"id", "deviceName", "loginAt", "current"}] * 2
    assert {one["id"]: one["current"] for one in listed} == {
        claims_of(program.held["jwt"])["sid"]: True,
        claims_of(other.held["jwt"])["sid"]: False,
    }
    missing = (404, "NotFoundError", "Session not found")
    for unknown in (admin.refresh_token_id, "0190a5b0-0000-7000-8000-000000000000", "12"):
        assert refused(program.ask("DELETE", f"/api/auth/sessions/{unknown}")) == missing
    # Not even who may end everybody's does so here.
    path = f"/api/auth/sessions/{claims_of(other.held['jwt'])['sid']}"
    assert refused(program.ask("DELETE", path, jwt=admin.access_token)) == missing
    answer = program.ask("DELETE", path)
    assert (answer.status_code, answer.json) == (200, {"data": {}})
    assert refused(program.ask("DELETE", path)) == missing
    assert (other.is_in(), program.is_in()) == (False, True)
    assert len(program.ask("GET", "/api/auth/sessions").json["data"]) == 1


def test_changing_the_password_answers_a_pair_and_ends_all_other_sign_ins(app, program, other):
    def change(current=PASSWORD, new=NEW, again=NEW):
        body = {"currentPassword": current, "password": new, "passwordConfirmation": again}
        return program.ask("POST", "/api/auth/change-password", body)

    for answer, message in (
        (change(current="wrong"), "The provided current password is invalid"),
        (change(again="other"), "Passwords do not match"),
        (change(new=PASSWORD, again=PASSWORD), "Your new password must be different than your current password"),
    ):
        assert refused(answer) == (400, "ValidationError", message)
    weak = change(new="short", again="short")
    assert weak.json["error"]["details"]["errors"][0]["path"] == ["password"]
    assert other.is_in()
    answer = change()
    assert (answer.status_code, set(answer.json)) == (200, {"jwt", "refreshToken", "user"})
    assert answer.json["user"] == program.held["user"]
    assert not other.is_in()
    program.held = answer.json
    assert program.is_in()
    assert program.refresh().status_code == 200
    program.sign_in(identifier="mix", password=NEW)
