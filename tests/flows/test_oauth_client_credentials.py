"""A client that signs in for itself: what it gets, what that opens, and what ends it."""

from datetime import timedelta

import pytest

from tests.claims import claims_of, header_of
from tests.conftest import BASE_URL
from tests.drivers import HOST
from tests.flows.administering import add_application, change_application, change_tenant, tenant_id, told
from tests.flows.api_tokens import make_api_token
from tests.flows.oauth import Client, add_client, bearer, me, no, post, yes
from tests.security.forgery import active_key, compact, signer


def opens(app, token, path="/jwt/refresh?all=true"):
    return app.test_client(use_cookies=False).get(path, headers=bearer(token), base_url=HOST)


def code(answer):
    return (answer.status_code, None if answer.json["success"] else answer.json["error"]["code"])


# What it gets


def test_it_gets_an_access_token_that_names_nobody_but_itself_and_nothing_else(app, office, rows):
    answer = yes(office.token("guests:read tokens:read"))
    token = answer.pop("access_token")
    assert answer == {"token_type": "Bearer", "expires_in": 900, "scope": "guests:read tokens:read"}
    assert header_of(token)["typ"] == "at+jwt"
    claims = claims_of(token)
    assert len(claims.pop("jti")) == 36
    assert claims.pop("fresh") is False
    issued = claims["iat"]
    assert claims == {
        "iss": BASE_URL,
        **dict.fromkeys(("aud", "client_id", "sub", "sid"), office.id),
        "tid": tenant_id(rows, app),
        "gen": 0,
        "iat": issued,
        "nbf": issued,
        "exp": issued + 900,
        "type": "access",
        "scope": "guests:read tokens:read",
        "roles": [],
    }
    assert len({claims_of(office.access_token())["jti"] for _ in range(5)}) == 5
    assert rows(app, "SELECT 1 FROM refresh_tokens WHERE application_id = :id", id=office.id) == []
    tenant, actor, application, detail = told(rows, app, "application.signed_in")[0][1:]
    assert (tenant, actor, application) == (tenant_id(rows, app), office.id, office.id)
    assert detail == {"scope": ["guests:read", "tokens:read"]}


def test_it_lives_as_long_as_its_application_says(admin):
    client = add_client(admin, confidential=True, accessLifetime=7, refreshLifetime=5)
    assert yes(client.token())["expires_in"] == 7


def test_whoever_asks_for_nothing_gets_nothing_and_nobody_gets_more_than_is_registered(app, office):
    for scope in (None, "", " "):
        answer = yes(office.token(scope))
        assert (answer["scope"], claims_of(answer["access_token"])["scope"]) == ("", "")
    assert yes(office.token("guests:read guests:read"))["scope"] == "guests:read"
    beyond = ["users:write", "guests:read users:write", "*", "guests:*", "guests", 'guests:read"', "auth:refresh"]
    for scope in (*beyond, "guests:read\ttokens:read", "guests:read\0", "Guests:read", "x:y " * 300):
        no(office.token(scope), 400, "invalid_scope")


def test_only_a_confidential_client_signs_in_for_itself(app, admin, phone):
    no(phone.token(), 400, "unauthorized_client")
    change_application(admin, phone.application, scopes=["guests:read"])
    no(phone.token("guests:read"), 400, "unauthorized_client")


# What it opens


def test_it_opens_what_its_scope_says_and_nothing_that_is_a_users(app, office):
    token = office.access_token("tokens:read")
    assert opens(app, token).status_code == 200
    assert code(opens(app, office.access_token())) == (403, "permission_denied")
    assert code(opens(app, office.access_token("guests:read"))) == (403, "permission_denied")
    client = app.test_client(use_cookies=False)
    of_a_user = [
        ("GET", "/auth/me", None),
        ("PATCH", "/auth/me", {"name": "mine"}),
        ("POST", "/auth/password", {"currentPassword": "a quiet harbour", "newPassword": "another harbour"}),
        ("POST", "/auth/logout", None),
        ("GET", "/api-tokens", None),
        ("POST", "/api-tokens", {"name": "mine", "scopes": []}),
    ]
    for method, path, body in of_a_user:
        answer = client.open(path, method=method, json=body, headers=bearer(token), base_url=HOST)
        assert code(answer) == (403, "permission_denied"), path
    # Nor is it any other kind of token.
    assert code(client.post("/jwt/refresh", json={"refreshToken": token}, base_url=HOST)) == (401, "token_invalid")
    no(office.refresh(token), 400, "invalid_grant")
    for how in ({"headers": {"X-Api-Key": token}}, {"query_string": {"token": token}}):
        assert code(client.get("/auth/me", base_url=HOST, **how)) == (401, "token_invalid")


@pytest.mark.settings(ACCESS_TOKEN_IN_COOKIE=True)
def test_it_is_nothing_in_a_cookie(app, office):
    client = app.test_client()
    client.set_cookie("__Host-access_token", office.access_token("tokens:read"), domain="auth.example.org", secure=True)
    assert code(client.get("/jwt/refresh?all=true", base_url=HOST)) == (401, "token_invalid")


def test_what_a_client_does_is_told_as_its_own(app, admin, rows):
    client = add_client(admin, confidential=True, scopes=["applications:read", "applications:write"])
    scope = "applications:read applications:write"
    door = app.test_client(use_cookies=False)
    body = {"name": "Till", "scopes": ["applications:read"]}
    made = door.post("/admin/applications", json=body, headers=bearer(client.access_token(scope)), base_url=HOST)
    assert made.status_code == 201, made.text
    assert told(rows, app, "application.created")[-1][2] == client.id
    # Nobody gives what they lack: what counts is the token's scope, not what the client could have asked for.
    lesser = bearer(client.access_token("applications:write"))
    assert code(door.post("/admin/applications", json=body, headers=lesser, base_url=HOST)) == (
        403,
        "permission_denied",
    )


def test_a_scope_that_is_taken_from_the_application_is_gone_at_the_next_request(app, admin, office):
    token = office.access_token("guests:read tokens:read")
    assert opens(app, token).status_code == 200
    change_application(admin, office.application, scopes=["guests:read", "users:read"])
    assert code(opens(app, token)) == (403, "permission_denied")
    no(office.token("tokens:read"), 400, "invalid_scope")
    # What is given comes with the next token.
    assert code(opens(app, token, "/admin/users")) == (403, "permission_denied")
    assert opens(app, office.access_token("users:read"), "/admin/users").status_code == 200


def test_it_stays_in_its_tenant(app, admin, make_tenant):
    make_tenant(app, "east")
    east = {"X-Tenant-Id": "east"}
    client = add_client(admin, east, confidential=True, scopes=["tokens:read"])
    token = client.access_token("tokens:read")
    assert opens(app, token).json["data"]["items"] == []
    door = app.test_client(use_cookies=False)
    elsewhere = door.get("/jwt/refresh?all=true", headers={**bearer(token), "X-Tenant-Id": "default"}, base_url=HOST)
    assert code(elsewhere) == (403, "tenant_mismatch")


# What ends it


def test_each_kill_ends_it_at_the_next_request_and_none_brings_it_back(app, admin, make_tenant):
    east = {"id": make_tenant(app, "east")}
    header = {"X-Tenant-Id": "east"}
    client = add_client(admin, header, confidential=True, scopes=["tokens:read"])
    path = f"/admin/applications/{client.id}/secret"

    def changed(**changes):
        answer = change_application(admin, client.application, header, **changes)
        client.secret = answer.get("clientSecret", client.secret)

    def next_secret(overlap):
        client.secret = admin.ask("POST", path, {"overlap": overlap}, header).json["data"]["clientSecret"]

    kills = [
        (lambda: changed(active=False), lambda: changed(active=True)),
        (lambda: change_tenant(admin, east, active=False), lambda: change_tenant(admin, east, active=True)),
        (lambda: changed(confidential=False), lambda: changed(confidential=True)),
        (lambda: next_secret(0), lambda: None),
    ]
    for kill, undo in kills:
        token = client.access_token("tokens:read")
        assert opens(app, token).status_code == 200
        kill()
        assert code(opens(app, token)) == (401, "token_revoked")
        undo()
        assert code(opens(app, token)) == (401, "token_revoked")
        assert opens(app, client.access_token("tokens:read")).status_code == 200
    # With an overlap, nothing was stolen: what was got before goes on.
    token = client.access_token("tokens:read")
    next_secret(60)
    assert opens(app, token).status_code == 200
    assert admin.ask("DELETE", f"/admin/applications/{client.id}", headers=header).status_code == 200
    assert code(opens(app, token)) == (401, "token_revoked")


def test_a_new_application_under_the_old_ones_id_does_not_inherit_its_tokens(app, admin):
    client = add_client(admin, confidential=True, scopes=["tokens:read"])
    token = client.access_token("tokens:read")
    admin.ask("DELETE", f"/admin/applications/{client.id}")
    again = add_client(admin, confidential=True, scopes=["tokens:read"], id=client.id)
    assert code(opens(app, token)) == (401, "token_revoked")
    assert opens(app, again.access_token("tokens:read")).status_code == 200


@pytest.mark.settings(REVOCATION_LAG=timedelta(hours=1))
def test_no_revocation_lag_delays_its_end(app, admin, office):
    token = office.access_token("tokens:read")
    assert opens(app, token).status_code == 200
    change_application(admin, office.application, active=False)
    assert code(opens(app, token)) == (401, "token_revoked")


# What only looks like one


def test_a_good_signature_under_other_claims_opens_nothing(app, admin, office, make_person):
    token, key = office.access_token("tokens:read"), active_key(app)
    person = make_person("tokens:read", "auth:refresh")
    other = add_client(admin, name="Other", confidential=True)
    own, header = claims_of(token), header_of(token)

    def signed(**changes):
        return compact(header, {**own, **changes}, signer(key.algorithm, key.private))

    assert opens(app, signed()).status_code == 200
    users = claims_of(person.access_token)
    forgeries = [
        {"sub": person.account.id},
        {"sub": other.id},
        {"sid": users["sid"]},
        {"sid": users["sid"], "sub": users["sub"]},
        {"client_id": other.id, "aud": other.id},
        {"client_id": other.id, "aud": other.id, "sid": other.id},
        {"tid": other.id},
        {"gen": 1},
        {"type": "refresh"},
    ]
    for changes in forgeries:
        assert opens(app, signed(**changes)).status_code == 401, changes
    # What a token says of its scope and roles counts for no more than its application has.
    wide = signed(scope="tokens:read tokens:revoke users:read * auth:refresh", roles=["admin", "operator"])
    assert opens(app, wide).status_code == 200
    assert code(opens(app, wide, "/admin/users")) == (403, "permission_denied")


def test_no_application_has_the_id_of_a_user_nor_a_user_that_of_an_application(app, admin, office, make_tenant):
    make_tenant(app, "east")
    somebody = admin.ask("POST", "/admin/users", {"email": "mix@example.com", "username": "mix"}).json["data"]
    for header in ({}, {"X-Tenant-Id": "east"}):
        for chosen in (somebody["id"], somebody["id"].upper(), office.id):
            answer = admin.ask("POST", "/admin/applications", {"name": "Till", "id": chosen}, header)
            assert code(answer) == (409, "already_exists")
            assert list(answer.json["error"]["fields"]) == ["id"]
        for chosen in (office.id, office.id.upper(), somebody["id"]):
            answer = admin.ask("POST", "/admin/users", {"email": "nix@example.com", "id": chosen}, header)
            assert code(answer) == (409, "already_exists")
            assert list(answer.json["error"]["fields"]) == ["id"]
    # A slug may be anybody's name: tokens have the id.
    named = Client(app, add_application(admin, name="Mix", slug="mix", confidential=True))
    assert claims_of(named.access_token())["sub"] == named.id != somebody["id"]
    assert me(app, named.access_token()).status_code == 403


def test_an_api_token_is_bound_to_no_client_credentials(app, office, make_person):
    """It proves a user, so it is no client's proof, and gets none of its tokens."""
    text = make_api_token(make_person("tokens:read", "api-tokens:write"), "tokens:read")["token"]
    form = {"grant_type": "client_credentials", "client_id": office.id}
    no(post(app, "/oauth/token", form, bearer(text)), 401, "invalid_client")
    no(post(app, "/oauth/token", {**form, "client_secret": text}), 401, "invalid_client")
