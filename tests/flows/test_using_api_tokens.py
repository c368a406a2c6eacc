"""Every way to send an API token, from where, and what it may do."""

from datetime import UTC, datetime, timedelta

from tests.flows.api_tokens import by, code, make_api_token, set_expiry, use
from tests.flows.people import told

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


def test_it_expires_to_the_second(app, owner):
    made = make_api_token(owner, expiresIn=3600)
    assert use(owner, made["token"]).status_code == 200
    almost = datetime.now(UTC) + timedelta(seconds=30)
    over = datetime.now(UTC) - timedelta(milliseconds=1)
    for ends, expected in ((almost, (200, None)), (over, (401, "token_expired"))):
        set_expiry(app, made["id"], ends)
        assert code(use(owner, made["token"])) == expected


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
