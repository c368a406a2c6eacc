"""API tokens are made by their owners, who hold their scopes, and shown once."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from authsvc import opaque
from tests.flows.api_tokens import code, lived, make_api_token, moment, use

FIELDS = {
    "id",
    "userId",
    "applicationId",
    "name",
    "hint",
    "scopes",
    "allowInQuery",
    "allowedIps",
    "createdAt",
    "expiresAt",
    "revokedAt",
    "revokeReason",
    "successorId",
    "lastUsedAt",
    "lastUsedIp",
}


def test_it_is_shown_once_and_only_its_digest_is_kept(app, owner, rows):
    made = make_api_token(owner, "restaurants:read")
    text = made.pop("token")
    assert set(made) == FIELDS
    assert (made["userId"], made["scopes"], made["name"]) == (owner.account.id, ["restaurants:read"], "script")
    assert re.fullmatch(r"asvc_[0-9A-Za-z]{36}", text)
    assert made["hint"] == f"asvc_…{text[-4:]}"
    shown = [owner.get(path).text for path in ("/api-tokens", f"/api-tokens/{made['id']}")]
    kept = [str(rows(app, f"SELECT * FROM {table}")) for table in ("api_tokens", "events")]
    for place in (*shown, *kept):
        assert text[5:17] not in place
    assert opaque.digest(text) in kept[0]
    assert opaque.digest(text) not in "".join(shown)
    assert code(use(owner, opaque.digest(text))) == (401, "token_invalid")


def test_the_checksum_is_the_crc_of_the_thirty_characters():
    # Computed by hand from the form in docs/tokens.md: zlib.crc32(b"0" * 30) is 0x32B5FB2C.
    import zlib

    body = "0" * 30
    rest, digits = zlib.crc32(body.encode()), []
    while rest:
        rest, digit = divmod(rest, 62)
        digits.insert(0, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"[digit])
    whole = f"asvc_{body}{''.join(digits):0>6}"
    assert opaque.is_api_token(whole)
    assert not opaque.is_api_token(whole[:-1] + ("0" if whole[-1] != "0" else "1"))
    assert all(opaque.is_api_token(opaque.new_api_token()) for _ in range(100))


def test_it_lives_for_ninety_days_unless_it_is_told_otherwise(owner):
    assert lived(make_api_token(owner)) == timedelta(days=90)
    assert lived(make_api_token(owner, expiresIn=1)) == timedelta(seconds=1)
    ends = (datetime.now(UTC) + timedelta(days=365)).isoformat(timespec="seconds")
    assert moment(make_api_token(owner, expiresAt=ends)["expiresAt"]) == moment(ends)


@pytest.mark.settings(API_TOKEN_LIFETIME=timedelta(days=7), API_TOKEN_MAX_LIFETIME=timedelta(days=3))
def test_the_longest_life_is_a_setting_and_stands_above_the_usual_one(owner):
    assert lived(make_api_token(owner)) == timedelta(days=3)
    too_long = {"name": "a", "scopes": [], "expiresIn": 3 * 86400 + 1}
    assert code(owner.ask("POST", "/api-tokens", too_long)) == (422, "validation_failed")


def test_what_is_wrong_with_one_is_said_by_name_and_none_is_made(app, owner, rows):
    plain = {"name": "script", "scopes": ["restaurants:read"]}
    past = (datetime.now(UTC) - timedelta(seconds=1)).isoformat()
    wrong = [
        ({"scopes": []}, "name"),
        ({"name": "script"}, "scopes"),
        ({**plain, "name": " "}, "name"),
        ({**plain, "scopes": None}, "scopes"),
        ({**plain, "scopes": "*"}, "scopes"),
        ({**plain, "scopes": ["*"]}, "scopes"),
        ({**plain, "scopes": ["read"]}, "scopes"),
        ({**plain, "scopes": ["restaurants:*"]}, "scopes"),
        ({**plain, "scopes": ["restaurants:read write"]}, "scopes"),
        ({**plain, "expiresIn": 0}, "expiresIn"),
        ({**plain, "expiresIn": -1}, "expiresIn"),
        ({**plain, "expiresIn": 1.5}, "expiresIn"),
        ({**plain, "expiresIn": 366 * 86400 + 1}, "expiresIn"),
        ({**plain, "expiresAt": past}, "expiresAt"),
        ({**plain, "expiresAt": "9999-12-31T23:59:59Z"}, "expiresAt"),
        ({**plain, "expiresAt": None}, "expiresAt"),
        ({**plain, "allowInQuery": "yes"}, "allowInQuery"),
        ({**plain, "allowedIps": ["10.0.0.1/8"]}, "allowedIps"),
        ({**plain, "allowedIps": ["everywhere"]}, "allowedIps"),
        ({**plain, "allowedIps": ["10.0.0.1"] * 51}, "allowedIps"),
        ({**plain, "applicationId": "nowhere"}, "applicationId"),
        ({**plain, "userId": owner.account.id}, "userId"),
        ({**plain, "token": "asvc_mine"}, "token"),
    ]
    for body, field in wrong:
        answer = owner.ask("POST", "/api-tokens", body)
        assert (code(answer), list(answer.json["error"]["fields"])) == ((422, "validation_failed"), [field]), body
    both = owner.ask("POST", "/api-tokens", {**plain, "expiresIn": 5, "expiresAt": "2999-01-01T00:00:00Z"})
    assert code(both) == (400, "ambiguous_request")
    assert rows(app, "SELECT * FROM api_tokens") == []


def test_nobody_gives_a_scope_that_they_lack_or_that_no_api_token_can_have(app, owner, admin, rows):
    admin.tenant = {}
    refused = [(owner, "restaurants:eat"), (owner, "tokens:read"), (admin, "auth:refresh")]
    refused += [(admin, "api-tokens:write"), (admin, "api-tokens:admin")]
    for person, scope in refused:
        answer = person.ask("POST", "/api-tokens", {"name": "a", "scopes": ["restaurants:read", scope]})
        assert code(answer) == (403, "permission_denied")
        assert scope in answer.json["message"]
        assert f'scope="{scope}"' in answer.headers["WWW-Authenticate"]
    assert rows(app, "SELECT * FROM api_tokens") == []
    # Who holds every custom permission may give any, and built-in ones that they hold by name.
    assert make_api_token(admin, "anything:atall", "users:read")["scopes"] == ["anything:atall", "users:read"]


def test_without_the_permission_nobody_makes_or_changes_one_but_everybody_ends_their_own(admin, owner, make_person):
    made = make_api_token(owner, "restaurants:read")
    [role] = [
        role
        for role in admin.get("/admin/roles?limit=200").json["data"]["items"]
        if role["name"] == f"own-{owner.account.id}"
    ]
    admin.ask("PATCH", f"/admin/roles/{role['id']}", {"permissions": ["restaurants:read", "auth:refresh"]})
    for method, path, body in (
        ("POST", "/api-tokens", {"name": "a", "scopes": []}),
        ("PATCH", f"/api-tokens/{made['id']}", {"name": "b"}),
        ("POST", f"/api-tokens/{made['id']}/rotate", {}),
    ):
        answer = owner.ask(method, path, body)
        assert code(answer) == (403, "permission_denied"), path
    assert owner.get(f"/api-tokens/{made['id']}").json["data"]["name"] == "script"
    assert owner.ask("DELETE", f"/api-tokens/{made['id']}").json["data"]["revoked"] == 1
