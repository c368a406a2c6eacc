"""API tokens: made by their owners, shown once, used, narrowed, replaced, ended."""

import re
from datetime import UTC, datetime, timedelta

import pytest

from authsvc import opaque
from tests.conftest import finish_writing
from tests.flows.api_tokens import by, code, eventually, make_api_token, use
from tests.flows.people import told

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
OWN = ("restaurants:read", "restaurants:write", "api-tokens:write", "auth:refresh")


@pytest.fixture
def owner(make_person):
    return make_person(*OWN)


@pytest.fixture
def other(make_person):
    return make_person(*OWN)


@pytest.fixture
def keeper(make_person):
    return make_person("api-tokens:admin", "auth:refresh")


def moment(text):
    return datetime.fromisoformat(text)


def lived(made):
    return moment(made["expiresAt"]) - moment(made["createdAt"])


# Making one


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


# Using one


def test_it_says_who_its_owner_is_and_does_no_more_than_its_scopes(owner, admin):
    admin.tenant = {}
    nothing, some = make_api_token(admin), make_api_token(admin, "users:read")
    for made, permissions in ((nothing, []), (some, ["users:read"])):
        data = use(admin, made["token"]).json["data"]
        assert (data["user"]["email"], data["permissions"], data["via"]) == (
            "admin@example.com",
            permissions,
            "api_token",
        )
    assert code(use(admin, nothing["token"], "/admin/users")) == (403, "permission_denied")
    assert code(use(admin, some["token"], "/admin/users")) == (200, None)
    assert code(use(admin, some["token"], "/admin/events")) == (403, "permission_denied")


def test_every_way_to_send_it(owner):
    plain = make_api_token(owner)["token"]
    in_query = make_api_token(owner, allowInQuery=True)["token"]
    for headers in (by(plain), {"Authorization": f"Token {plain}"}, {"Authorization": f"bEaReR {plain}"}):
        assert use(owner, plain, headers=headers).status_code == 200
    assert use(owner, plain, headers={"X-Api-Key": plain}).status_code == 200
    assert use(owner, plain, f"/auth/me?token={in_query}", headers={}).status_code == 200
    assert use(owner, plain, f"/auth/me?%74oke%6E={in_query}", headers={}).status_code == 200
    # An access token travels in its header alone; another name is no name.
    access = owner.access_token
    for path in (
        f"?token={plain}",
        f"?token={access}",
        "?token=",
        f"?TOKEN={in_query}",
        f"?token={owner.refresh_token}",
    ):
        assert code(use(owner, plain, f"/auth/me{path}", headers={})) == (401, "token_invalid"), path
    assert code(use(owner, plain, headers={"X-Api-Key": access})) == (401, "token_invalid")
    for path in (f"?access_token={plain}", f"?jwt={plain}", f"?api_key={plain}"):
        assert use(owner, plain, f"/auth/me{path}", headers={}).status_code in (401, 422)


def test_two_credentials_are_one_too_many(owner):
    token = make_api_token(owner, allowInQuery=True)["token"]
    twice = [
        (f"?token={token}&token={token}", {}),
        (f"?token={token}&%74oken=", {}),
        (f"?token={token}", by(token)),
        (f"?token={token}", owner.bearer()),
        (f"?token={token}", {"X-Api-Key": token}),
        ("", by(token) | {"X-Api-Key": token}),
    ]
    for query, headers in twice:
        answer = use(owner, token, f"/auth/me{query}", headers=headers)
        assert code(answer) == (400, "ambiguous_request"), (query, headers)


def test_an_answer_to_a_token_in_the_address_is_private(app, owner):
    token = make_api_token(owner, allowInQuery=True)["token"]
    for path, status in (("/auth/me", 200), ("/.well-known/jwks.json", 200), ("/nowhere", 404)):
        answer = use(owner, token, f"{path}?token={token}", headers={})
        assert answer.status_code == status
        assert answer.headers.getlist("Cache-Control") == ["no-store, private"]
        assert answer.headers.getlist("Referrer-Policy") == ["no-referrer"]


def test_junk_is_refused_before_the_database_is_asked(app, owner, monkeypatch):
    token = make_api_token(owner)["token"]
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
    junk = ["asvc_", "asvc_x", wrong, token + "a", token.upper(), "asvc_" + "0" * 8000, f"asvc_{'0' * 36}", "asvc_%00"]
    asked = []
    monkeypatch.setattr("authsvc.services.api_tokens.single_statements", lambda: asked.append(1))
    for text in (*junk, "asvc_" + "é" * 36, "asvc_" + "0" * 35 + "٣"):
        answer = use(owner, token, headers={"X-Api-Key": text.encode().decode("latin-1")})
        assert code(answer) == (401, "token_invalid"), text
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert asked == []


def test_it_expires_to_the_second(app, owner, rows):
    made = make_api_token(owner, expiresIn=3600)
    assert use(owner, made["token"]).status_code == 200
    almost = datetime.now(UTC) + timedelta(seconds=30)
    over = datetime.now(UTC) - timedelta(milliseconds=1)
    for ends, expected in ((almost, (200, None)), (over, (401, "token_expired"))):
        set_expiry(rows, app, made["id"], ends)
        assert code(use(owner, made["token"])) == expected


def set_expiry(rows, app, api_token_id, ends):
    from authsvc.models import ApiToken
    from authsvc.models.engine import transaction

    with app.app_context(), transaction() as session:
        session.get(ApiToken, api_token_id).expires_at = ends


def test_what_its_owner_may_no_more_it_may_no_more(admin, owner):
    made = make_api_token(owner, "restaurants:read", "restaurants:write")
    [role] = [r for r in admin.get("/admin/roles?limit=200").json["data"]["items"] if owner.account.id in r["name"]]
    admin.ask("PATCH", f"/admin/roles/{role['id']}", {"permissions": ["restaurants:write", "auth:refresh"]})
    assert use(owner, made["token"]).json["data"]["permissions"] == ["restaurants:write"]


def test_from_where_it_may_be_used(owner):
    for networks, allowed, refused in (
        (["127.0.0.1"], ["127.0.0.1", "::ffff:127.0.0.1"], ["127.0.0.2", "::1", "", "junk"]),
        (["10.0.0.0/8", "2001:db8::/32"], ["10.255.0.1", "2001:db8:ffff::1"], ["11.0.0.1", "2001:db9::1", "127.0.0.1"]),
        (["::ffff:192.0.2.7"], ["192.0.2.7"], ["192.0.2.8"]),
    ):
        token = make_api_token(owner, allowedIps=networks)["token"]
        for addresses, expected in ((allowed, (200, None)), (refused, (403, "address_not_allowed"))):
            for address in addresses:
                answer = use(owner, token, environ_overrides={"REMOTE_ADDR": address})
                assert code(answer) == expected, (networks, address)


def test_a_refusal_because_of_the_address_is_told(app, owner):
    made = make_api_token(owner, allowedIps=["10.0.0.0/8"])
    use(owner, made["token"])
    [event] = told(app, "permission.denied")
    assert (event.api_token_id, event.actor_id, event.detail) == (
        made["id"],
        owner.account.id,
        {"address": "127.0.0.1"},
    )


def test_the_tenant_header_beside_it_names_its_own_tenant(owner, make_tenant, app):
    make_tenant(app, "elsewhere")
    token = make_api_token(owner)["token"]
    for name, expected in (("default", (200, None)), ("elsewhere", (403, "tenant_mismatch"))):
        assert code(use(owner, token, headers=by(token) | {"X-Tenant-Id": name})) == expected


# What no API token may do


def test_whatever_its_scopes_it_makes_no_credentials_and_changes_none(app, admin, rows):
    admin.tenant = {}
    everything = [p for p in admin.me().json["data"]["permissions"] if ":" in p and not p.startswith("api-tokens")]
    everything.remove("auth:refresh")
    made = make_api_token(admin, *everything)
    before = rows(app, "SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL"), told_count(app)
    tried = [
        ("POST", "/api-tokens", {"name": "a", "scopes": []}),
        ("GET", "/api-tokens", None),
        ("GET", f"/api-tokens/{made['id']}", None),
        ("PATCH", f"/api-tokens/{made['id']}", {"name": "b"}),
        ("DELETE", f"/api-tokens/{made['id']}", None),
        ("POST", f"/api-tokens/{made['id']}/rotate", {}),
        ("POST", "/auth/password", {"currentPassword": "correct horse battery staple", "newPassword": "x" * 20}),
        ("PATCH", "/auth/me", {"name": "b"}),
        ("POST", "/auth/logout", {"everywhere": True}),
    ]
    for method, path, body in tried:
        answer = admin.client.open(path, method=method, json=body, headers=by(made["token"]))
        assert code(answer) == (403, "permission_denied"), path
        assert 'error="insufficient_scope"' in answer.headers["WWW-Authenticate"]
    assert code(admin.send("POST", "/jwt/refresh", {"refreshToken": made["token"]})) == (401, "token_invalid")
    assert code(admin.send("POST", "/jwt/refresh", {}, by(made["token"]))) == (401, "credentials_missing")
    assert (rows(app, "SELECT count(*) FROM api_tokens WHERE revoked_at IS NULL"), told_count(app)) == before
    assert admin.me().status_code == 200


def told_count(app):
    return len(told(app, "api_token.created", "api_token.updated", "api_token.revoked", "user.password_changed"))


def test_sign_ins_are_not_its_own_unless_a_scope_says_so(admin):
    admin.tenant = {}
    plain = make_api_token(admin)["token"]
    reader = make_api_token(admin, "tokens:read")["token"]
    killer = make_api_token(admin, "tokens:revoke")["token"]
    own = f"/jwt/refresh/{admin.refresh_token_id}"
    for token, listed, seen in ((plain, 403, 404), (reader, 200, 200), (killer, 403, 200)):
        assert use(admin, token, "/jwt/refresh").status_code == listed
        assert use(admin, token, own).status_code == (seen if token is not killer else 403)
    for token in (plain, reader):
        for path in (own, f"/jwt/refresh?userId={admin.get('/auth/me').json['data']['user']['id']}"):
            answer = admin.client.delete(path, headers=by(token))
            assert answer.status_code in (403, 404), path
    assert admin.me().status_code == 200
    assert admin.client.delete(own, headers=by(killer)).json["data"]["revoked"] == 1
    assert admin.me().status_code == 401


def test_it_administers_like_an_operators_script_and_the_trail_has_its_name(app, admin):
    admin.tenant = {}
    made = make_api_token(admin, "users:write", "users:read")
    body = {"email": "made@example.com", "roles": []}
    assert admin.client.post("/admin/users", json=body, headers=by(made["token"])).status_code == 201
    [event] = told(app, "user.created")
    assert (event.api_token_id, event.actor_id) == (made["id"], admin.me().json["data"]["user"]["id"])
    # It grants no more than its scopes: the admin's own permissions are not its.
    grown = {"email": "grown@example.com", "roles": ["admin"]}
    assert code(admin.client.post("/admin/users", json=grown, headers=by(made["token"]))) == (403, "permission_denied")


# Seeing them


def test_a_list_has_ones_own_newest_first(owner, other):
    mine = [make_api_token(owner)["id"] for _ in range(3)]
    make_api_token(other)
    owner.ask("DELETE", f"/api-tokens/{mine[0]}")
    first = owner.get("/api-tokens?limit=2").json["data"]
    rest = owner.get(f"/api-tokens?limit=2&cursor={first['nextCursor']}").json["data"]
    assert [item["id"] for item in first["items"] + rest["items"]] == mine[::-1]
    assert rest["nextCursor"] is None
    for state, expected in (("live", mine[:0:-1]), ("revoked", mine[:1]), ("expired", []), ("all", mine[::-1])):
        items = owner.get(f"/api-tokens?state={state}").json["data"]["items"]
        assert [item["id"] for item in items] == expected, state


def test_others_are_seen_and_ended_with_the_permission_alone(owner, other, keeper):
    made = make_api_token(owner)
    hers, nobodys = f"/api-tokens/{made['id']}", "/api-tokens/0190a5b0-0000-7000-8000-000000000000"
    for method, body in (("GET", None), ("PATCH", {"name": "b"}), ("DELETE", None)):
        answers = [other.ask(method, path, body) for path in (hers, nobodys)]
        for answer in answers:
            assert code(answer) == (404, "not_found")
        assert answers[0].json["message"] == answers[1].json["message"]
    for query in (f"?userId={owner.account.id}", "?all=true"):
        assert code(other.get(f"/api-tokens{query}")) == (403, "permission_denied")
        assert [item["id"] for item in keeper.get(f"/api-tokens{query}").json["data"]["items"]] == [made["id"]]
    assert keeper.get("/api-tokens").json["data"]["items"] == []
    assert keeper.ask("PATCH", hers, {"name": "renamed"}).json["data"]["name"] == "renamed"
    # Whoever got the new text would act as its owner.
    assert code(keeper.ask("POST", f"{hers}/rotate", {})) == (403, "permission_denied")
    assert keeper.ask("DELETE", hers).json["data"] == {"id": made["id"], "revoked": 1}
    assert code(use(owner, made["token"])) == (401, "token_revoked")


def test_another_tenants_is_not_there(app, owner, make_tenant, make_person, admin):
    make_tenant(app, "elsewhere")
    stranger = make_person(*OWN, tenant="elsewhere")
    made = make_api_token(stranger)
    path = f"/api-tokens/{made['id']}"
    for person in (owner, admin):
        for method, body in (("GET", None), ("PATCH", {"name": "b"}), ("DELETE", None)):
            assert code(person.ask(method, path, body)) == (404, "not_found")
    assert made["id"] not in admin.get("/api-tokens?all=true").text
    # The operator reaches it in its own tenant.
    there = {"X-Tenant-Id": "elsewhere"}
    assert admin.ask("GET", path, headers=there).json["data"]["id"] == made["id"]
    assert admin.ask("DELETE", path, headers=there).json["data"]["revoked"] == 1


def test_a_list_is_asked_for_by_nothing_that_a_token_holds(owner):
    for query in ("q=asvc", "digest=0", "hint=asvc", "sort=digest", "state=dead", "limit=0", "all=yes"):
        assert code(owner.get(f"/api-tokens?{query}")) == (422, "validation_failed"), query


# Narrowing, replacing, ending


def test_it_is_narrowed_and_never_widened(owner):
    made = make_api_token(
        owner, "restaurants:read", "restaurants:write", allowInQuery=True, allowedIps=["10.0.0.0/8", "2001:db8::/32"]
    )
    path = f"/api-tokens/{made['id']}"
    narrowed = {"scopes": ["restaurants:read"], "allowInQuery": False, "allowedIps": ["10.1.0.0/16"], "name": "b"}
    changed = owner.ask("PATCH", path, narrowed).json["data"]
    assert {name: changed[name] for name in narrowed} == narrowed
    for wider, field in (
        ({"scopes": ["restaurants:read", "restaurants:write"]}, "scopes"),
        ({"allowInQuery": True}, "allowInQuery"),
        ({"allowedIps": []}, "allowedIps"),
        ({"allowedIps": ["10.0.0.0/15"]}, "allowedIps"),
        ({"allowedIps": ["10.1.0.1", "2001:db8::1"]}, "allowedIps"),
        ({"expiresIn": 5}, "expiresIn"),
        ({"userId": owner.account.id}, "userId"),
    ):
        answer = owner.ask("PATCH", path, {"name": "c", **wider})
        assert (code(answer), list(answer.json["error"]["fields"])) == ((422, "validation_failed"), [field]), wider
    assert owner.get(path).json["data"] == changed
    assert owner.ask("PATCH", path, {"scopes": []}).json["data"]["scopes"] == []


def test_a_successor_is_like_it_and_the_old_one_lives_on_for_the_overlap(app, owner, rows):
    made = make_api_token(owner, "restaurants:read", expiresIn=864000, allowInQuery=True, allowedIps=["127.0.0.0/8"])
    answer = owner.ask("POST", f"/api-tokens/{made['id']}/rotate", {"overlap": 3600})
    assert answer.status_code == 201
    data = answer.json["data"]
    alike = ("name", "scopes", "allowInQuery", "allowedIps", "userId", "applicationId")
    assert {name: data["apiToken"][name] for name in alike} == {name: made[name] for name in alike}
    assert abs(lived(data["apiToken"]) - timedelta(days=10)) < timedelta(milliseconds=2)
    old = owner.get(f"/api-tokens/{made['id']}").json["data"]
    assert old["successorId"] == data["apiToken"]["id"]
    left = moment(old["expiresAt"]) - datetime.now(UTC)
    assert timedelta(seconds=3590) < left <= timedelta(seconds=3600)
    assert [use(owner, token).status_code for token in (made["token"], data["token"])] == [200, 200]
    again = owner.ask("POST", f"/api-tokens/{made['id']}/rotate", {})
    assert code(again) == (409, "conflict")


def test_the_overlap_is_a_day_unless_it_is_given_and_never_lengthens(owner):
    for expires_in, body, left in ((864000, {}, 86400), (60, {}, 60), (60, {"overlap": 3600}, 60)):
        made = make_api_token(owner, expiresIn=expires_in)
        owner.ask("POST", f"/api-tokens/{made['id']}/rotate", body)
        ends = moment(owner.get(f"/api-tokens/{made['id']}").json["data"]["expiresAt"])
        assert abs(ends - datetime.now(UTC) - timedelta(seconds=left)) < timedelta(seconds=5)


def test_without_an_overlap_the_old_one_dies_at_once(owner):
    made = make_api_token(owner)
    data = owner.ask("POST", f"/api-tokens/{made['id']}/rotate", {"overlap": 0}).json["data"]
    assert code(use(owner, made["token"])) == (401, "token_revoked")
    assert use(owner, data["token"]).status_code == 200
    assert owner.get(f"/api-tokens/{made['id']}").json["data"]["revokeReason"] == "rotated"
    assert code(owner.ask("POST", f"/api-tokens/{made['id']}/rotate", {})) == (409, "conflict")


def test_what_is_ended_is_dead_at_once_and_for_good(app, owner):
    made = make_api_token(owner)
    path = f"/api-tokens/{made['id']}"
    assert owner.ask("DELETE", path).json["data"] == {"id": made["id"], "revoked": 1}
    assert code(use(owner, made["token"])) == (401, "token_revoked")
    assert owner.ask("DELETE", path).json["data"] == {"id": made["id"], "revoked": 0}
    assert code(owner.ask("POST", f"{path}/rotate", {})) == (409, "conflict")
    assert owner.get(path).json["data"]["revokeReason"] == "revoked"
    assert [event.kind for event in told(app, "api_token.created", "api_token.revoked")] == [
        "api_token.created",
        "api_token.revoked",
    ]


# When what it hangs on goes


def test_with_its_owner_it_is_disabled_for_good_and_deleted(app, admin, owner):
    made = make_api_token(owner)
    user = f"/admin/users/{owner.account.id}"
    admin.ask("PATCH", user, {"active": False})
    assert code(use(owner, made["token"])) == (401, "token_revoked")
    admin.ask("PATCH", user, {"active": True})
    assert code(use(owner, made["token"])) == (401, "token_revoked")
    [event] = told(app, "user.disabled")
    assert event.detail["apiTokens"] == 1
    admin.ask("DELETE", user)
    assert code(use(owner, made["token"])) == (401, "token_invalid")


def test_with_its_application_it_is_disabled_for_good_and_deleted(admin, owner):
    shop = admin.ask("POST", "/admin/applications", {"name": "Shop"}).json["data"]["id"]
    bound, free = make_api_token(owner, applicationId="shop"), make_api_token(owner)
    assert bound["applicationId"] == shop
    for active in (False, True):
        admin.ask("PATCH", f"/admin/applications/{shop}", {"active": active})
        assert code(use(owner, bound["token"])) == (401, "token_revoked")
    again = make_api_token(owner, applicationId=shop)
    admin.ask("DELETE", f"/admin/applications/{shop}")
    assert code(use(owner, again["token"])) == (401, "token_invalid")
    assert use(owner, free["token"]).status_code == 200


def test_with_its_tenant_it_is_disabled_for_good(app, admin, make_tenant, make_person):
    tenant = make_tenant(app, "elsewhere")
    stranger = make_person(*OWN, tenant="elsewhere")
    made = make_api_token(stranger)
    for active in (False, True):
        admin.ask("PATCH", f"/admin/tenants/{tenant}", {"active": active})
        assert code(use(stranger, made["token"])) == (401, "token_revoked")


def test_a_new_password_leaves_api_tokens_as_they_are(owner):
    made = make_api_token(owner)
    body = {"currentPassword": owner.account.password, "newPassword": "another harbour at dusk"}
    assert owner.ask("POST", "/auth/password", body).status_code == 200
    assert use(owner, made["token"]).status_code == 200


# When it was used


def test_the_last_use_is_written_behind_and_once_a_minute(app, owner, rows):
    made = make_api_token(owner)
    path = f"/api-tokens/{made['id']}"
    assert owner.get(path).json["data"]["lastUsedAt"] is None
    use(owner, made["token"], environ_overrides={"REMOTE_ADDR": "192.0.2.1"})
    first = eventually(lambda: owner.get(path).json["data"], lambda data: data["lastUsedAt"])
    assert first["lastUsedIp"] == "192.0.2.1"
    for _ in range(3):
        use(owner, made["token"], environ_overrides={"REMOTE_ADDR": "192.0.2.2"})
    finish_writing(app)
    assert owner.get(path).json["data"] == first
    [event] = told(app, "api_token.first_used")
    assert (event.api_token_id, event.ip, event.subject_id) == (made["id"], "192.0.2.1", owner.account.id)


def test_two_workers_write_one_use_a_minute(app, make_app, owner, rows):
    made = make_api_token(owner)
    for worker, address in ((app, "192.0.2.1"), (make_app(), "192.0.2.2")):
        worker.test_client().get(
            "/auth/me",
            headers=by(made["token"]),
            base_url="https://auth.example.org",
            environ_overrides={"REMOTE_ADDR": address},
        )
        finish_writing(worker)
    assert rows(app, "SELECT last_used_ip FROM api_tokens") == [("192.0.2.1",)]
    assert len(told(app, "api_token.first_used")) == 1
    # A minute later the next one is written.
    set_last_use(app, made["id"], datetime.now(UTC) - timedelta(minutes=1))
    use_at = make_app().test_client()
    use_at.get("/auth/me", headers=by(made["token"]), base_url="https://auth.example.org")
    eventually(lambda: rows(app, "SELECT last_used_ip FROM api_tokens"), lambda found: found == [("127.0.0.1",)])


def set_last_use(app, api_token_id, at):
    from authsvc.models import ApiToken
    from authsvc.models.engine import transaction

    with app.app_context(), transaction() as session:
        session.get(ApiToken, api_token_id).last_used_at = at


def test_a_use_that_cannot_be_written_harms_nothing(app, owner, monkeypatch):
    from sqlalchemy.exc import OperationalError

    made = make_api_token(owner)

    def failing(*_, **__):
        raise OperationalError("no", {}, Exception())

    with monkeypatch.context() as patch:
        patch.setattr("authsvc.models.api_token.note_use", failing)
        assert use(owner, made["token"]).status_code == 200
        assert use(owner, made["token"]).status_code == 200
    path = f"/api-tokens/{made['id']}"
    assert eventually(lambda: owner.get(path).json["data"]["lastUsedAt"])
