"""What a token is worth at this moment, told to who may ask; and the one answer to everything that is worth nothing."""

from datetime import timedelta

import pytest

from tests.claims import claims_of
from tests.conftest import BASE_URL, finish_writing, register
from tests.drivers import HOST, Browser
from tests.flows.administering import change_application, change_tenant, tenant_id
from tests.flows.api_tokens import make_api_token
from tests.flows.oauth import DEAD, add_client, bearer, me, no, post, yes
from tests.flows.people import PASSWORD, told
from tests.security.forgery import active_key, compact, signer

HELD = ("guests:read", "guests:write", "auth:refresh", "api-tokens:write")
SHARED = {"active", "scope", "client_id", "token_type", "exp", "iat", "nbf", "sub", "aud", "iss", "jti", "tid"}


@pytest.fixture
def person(make_person):
    return make_person(*HELD)


@pytest.fixture
def device(office, person, sign_in_to):
    return sign_in_to(office, person)


@pytest.fixture
def dead(office):
    """It is worth nothing, and nothing says why."""

    def check(*tokens, asks=office):
        for token in tokens:
            answer = asks.introspect(token)
            assert (answer.status_code, answer.get_data()) == (200, DEAD), (token, answer.text)
            assert (answer.headers["Cache-Control"], answer.mimetype) == ("no-store", "application/json")
        return True

    return check


# What is told of a live one


def test_an_access_token_of_a_users_is_told_with_all_that_it_says(app, office, device, person, rows):
    token = device.access_token
    claims = claims_of(token)
    same = ("exp", "iat", "nbf", "sub", "aud", "iss", "jti", "tid", "sid", "client_id")
    facts = yes(office.introspect(token))
    assert facts == {name: claims[name] for name in same} | {
        "active": True,
        "token_type": "Bearer",
        "scope": " ".join(sorted(HELD)),
    }
    assert set(facts) == SHARED | {"sid"}
    assert (facts["sub"], facts["aud"], facts["iss"]) == (person.account.id, office.id, BASE_URL)
    assert (facts["tid"], facts["sid"]) == (tenant_id(rows, app), device.refresh_token_id)
    # What the user holds now counts, not only what the token says.
    rows(app, "UPDATE roles SET permissions = 'guests:read users:read' WHERE name LIKE 'own-%' RETURNING 1")
    assert yes(office.introspect(token))["scope"] == "guests:read"


def test_a_clients_own_access_token_names_nobody_but_the_client(admin, office):
    token = office.access_token("guests:read tokens:read")
    facts = yes(office.introspect(token))
    assert set(facts) == SHARED | {"sid"}
    assert facts["scope"] == "guests:read tokens:read"
    assert facts["token_type"] == "Bearer"
    assert {facts[name] for name in ("sub", "client_id", "aud", "sid")} == {office.id}
    change_application(admin, office.application, scopes=["tokens:read", "users:read"])
    assert yes(office.introspect(token))["scope"] == "tokens:read"


def test_a_refresh_token_is_told_apart_from_what_opens_doors(office, device, person):
    facts = yes(office.introspect(device.refresh_token))
    assert set(facts) == SHARED | {"sid"}
    assert (facts["token_type"], facts["scope"]) == ("refresh_token", "auth:refresh")
    assert (facts["aud"], facts["client_id"], facts["sub"]) == (BASE_URL, office.id, person.account.id)
    claims = claims_of(device.refresh_token)
    assert [facts[name] for name in ("exp", "iat", "jti")] == [claims[name] for name in ("exp", "iat", "jti")]


def test_one_that_lies_in_a_cookie_is_told_too(app, admin, office):
    pages = add_client(admin, name="Pages", transport="cookie")
    browser = Browser(app)
    browser.sign_in(register(browser), applicationId=pages.id)
    facts = yes(office.introspect(browser.held()[0]))
    assert (facts["active"], facts["client_id"]) == (True, pages.id)


def test_an_api_token_is_told_with_what_only_its_receiver_can_judge(app, office, person, rows):
    made = make_api_token(person, "guests:read", allowedIps=["192.0.2.0/24", "2001:db8::/32"], allowInQuery=True)
    facts = yes(office.introspect(made["token"]))
    assert set(facts) == (SHARED - {"client_id"}) | {"allow_in_query", "allowed_ips"}
    assert (facts["allow_in_query"], facts["allowed_ips"]) == (True, ["192.0.2.0/24", "2001:db8::/32"])
    assert (facts["sub"], facts["jti"], facts["scope"]) == (person.account.id, made["id"], "guests:read")
    assert (facts["token_type"], facts["iss"], facts["aud"]) == ("Bearer", BASE_URL, BASE_URL)
    assert facts["exp"] - facts["iat"] == 90 * 86400
    assert facts["nbf"] == facts["iat"]
    bound = yes(office.introspect(make_api_token(person, applicationId=office.id)["token"]))
    assert (bound["client_id"], bound["aud"], bound["scope"]) == (office.id, office.id, "")
    assert (bound["allow_in_query"], bound["allowed_ips"]) == (False, [])
    finish_writing(app)
    assert rows(app, "SELECT 1 FROM api_tokens WHERE last_used_at IS NOT NULL") == []
    assert told(app, "api_token.first_used", "permission.denied") == []


def test_a_hint_is_a_hint(office, device, person):
    tokens = [device.access_token, device.refresh_token, office.access_token(), make_api_token(person)["token"]]
    for token in tokens:
        plain = yes(office.introspect(token))
        for hint in ("access_token", "refresh_token", "nonsense", ""):
            assert yes(office.introspect(token, token_type_hint=hint)) == plain


# Who may ask


def test_whoever_holds_the_permission_may_ask_and_nobody_else(app, admin, office, device, make_person):
    reader = make_person("tokens:read", "api-tokens:write", "auth:refresh")
    script = make_api_token(reader, "tokens:read")["token"]
    right = [
        bearer(script),
        {"Authorization": f"Token {script}"},
        {"X-Api-Key": script},
        bearer(reader.access_token),
        bearer(office.access_token("tokens:read")),
        office.header(),
    ]
    form = {"token": device.access_token}
    for headers in right:
        assert yes(post(app, "/oauth/introspect", form, headers))["active"] is True
    lesser = [make_api_token(reader)["token"], device.access_token, office.access_token("guests:read")]
    for text in lesser:
        answer = no(post(app, "/oauth/introspect", form, bearer(text)), 403, "insufficient_scope")
        assert answer.headers["WWW-Authenticate"].endswith('error="insufficient_scope", scope="tokens:read"')
    denied = [event.detail for event in told(app, "permission.denied")]
    assert denied == [{"permission": "tokens:read"}] * 3
    no(post(app, "/oauth/introspect", form), 401, "invalid_client")
    wrong = [device.refresh_token, script[:-1], "x", "a.b.c", device.access_token[:-3]]
    for text in wrong:
        answer = no(post(app, "/oauth/introspect", form, bearer(text)), 401, "invalid_token")
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authsvc", error="invalid_token"'
    no(post(app, "/oauth/introspect", form, {**bearer(script), "X-Api-Key": script}), 400, "invalid_request")
    distant = make_api_token(reader, "tokens:read", allowedIps=["192.0.2.1"])["token"]
    for headers in ({**bearer(script), "X-Tenant-Id": "east"}, bearer(distant)):
        no(post(app, "/oauth/introspect", form, headers), 403, "access_denied")
    # The token that is asked about proves nothing by itself.
    no(post(app, "/oauth/introspect", {"token": script}), 401, "invalid_client")


def test_it_is_asked_by_post_alone_and_about_something(app, office, phone):
    client = app.test_client()
    for method in ("GET", "PUT", "DELETE"):
        answer = client.open("/oauth/introspect?token=x", method=method, headers=office.header(), base_url=HOST)
        no(answer, 405, "invalid_request")
        assert "POST" in answer.headers["Allow"]
    for form in ({}, {"token": ""}, {"token_type_hint": "access_token"}):
        no(post(app, "/oauth/introspect", form, office.header()), 400, "invalid_request")


# What is worth nothing


def test_everything_else_is_one_and_the_same_answer(app, admin, office, device, dead, make_person, make_tenant, age):
    make_tenant(app, "east")
    stranger = make_person(*HELD, tenant="east")
    theirs = add_client(admin, stranger.tenant, confidential=True, scopes=["tokens:read"])
    others = [
        stranger.access_token,
        stranger.refresh_token,
        make_api_token(stranger)["token"],
        theirs.access_token("tokens:read"),
    ]
    assert dead(*others)
    for token in others:
        assert yes(theirs.introspect(token))["active"] is True
    genuine, key = device.access_token, active_key(app)
    claims = claims_of(genuine)

    def signed(typ="at+jwt", **changes):
        header = {"alg": key.algorithm, "kid": key.kid, "typ": typ}
        return compact(header, {**claims, **changes}, signer(key.algorithm, key.private))

    assert dead(
        "x",
        "é",
        "\0",
        "a.b.c",
        "." * 200,
        "e" * 9000,
        office.secret,
        office.id,
        device.refresh_token_id,
        PASSWORD,
        genuine[:-3],
        f"Bearer {genuine}",
        make_api_token(device, "guests:read")["token"][:-1] + "!",
        f"asvc_{'0' * 36}",
        signed(exp=claims["iat"]),
        signed(typ="JWT"),
        signed(typ="rt+jwt"),
        signed(type="refresh"),
        signed(type="reset"),
        signed(type=["access"]),
        signed(type=None),
        signed(iss="https://auth.example.com"),
        signed(aud=theirs.id),
        signed(sub=stranger.account.id),
        signed(tid=theirs.application["tenantId"]),
        signed(sid=office.id),
    )
    assert yes(office.introspect(signed()))["active"] is True


def test_it_is_right_immediately_after_any_kill(app, admin, office, person, sign_in_to, dead, rows, make_tenant):
    def kill_by_sign_out(device):
        device.ask("POST", "/auth/logout")

    def kill_by_admin(device):
        assert admin.ask("DELETE", f"/jwt/refresh/{device.refresh_token_id}").status_code == 200

    def kill_by_password(_device):
        body = {"currentPassword": PASSWORD, "newPassword": "another harbour at dusk"}
        assert person.ask("POST", "/auth/password", body).status_code == 200
        person.account.password = body["newPassword"]

    def kill_by_reuse(device):
        first = device.refresh_token
        for _ in range(2):
            rows(app, "UPDATE refresh_tokens SET rotated_at = '2020-01-01 00:00:00' RETURNING 1")
            device.refresh()
        assert device.refresh(held=first).status_code == 401

    def kill_by_revocation(device):
        assert office.revoke(device.refresh_token).status_code == 200

    for kill in (kill_by_sign_out, kill_by_admin, kill_by_password, kill_by_reuse, kill_by_revocation):
        device = sign_in_to(office, person)
        kept = device.access_token
        assert yes(office.introspect(kept))["active"]
        assert yes(office.introspect(device.refresh_token))["active"]
        kill(device)
        assert dead(kept, device.access_token, device.refresh_token), kill.__name__
    device = sign_in_to(office, person)
    script = make_api_token(device, "guests:read")["token"]
    tokens = (device.access_token, device.refresh_token, script)
    for token in tokens:
        assert yes(office.introspect(token))["active"]
    admin.ask("PATCH", f"/admin/users/{person.account.id}", {"active": False})
    assert dead(*tokens)
    admin.ask("PATCH", f"/admin/users/{person.account.id}", {"active": True})
    assert dead(*tokens)


def test_what_hangs_on_an_application_or_a_tenant_ends_with_it(app, admin, make_person, make_tenant, sign_in_to, dead):
    tenant = {"id": make_tenant(app, "east")}
    east = {"X-Tenant-Id": "east"}
    asks, till = (add_client(admin, east, name=name, confidential=True) for name in ("Asks", "Till"))
    person = make_person(*HELD, tenant="east")
    bound = make_api_token(person, applicationId=till.id)["token"]
    tokens = (till.access_token(), bound)
    for token in tokens:
        assert yes(asks.introspect(token))["active"]
    change_application(admin, till.application, east, active=False)
    assert dead(*tokens, asks=asks)
    change_tenant(admin, tenant, active=False)
    no(asks.introspect(person.access_token), 401, "invalid_client")
    change_tenant(admin, tenant, active=True)
    assert dead(person.access_token, person.refresh_token, *tokens, asks=asks)


def test_a_revoked_key_takes_all_that_it_signed_with_it(app, office, device, dead, operator):
    tokens = [device.access_token, device.refresh_token, office.access_token()]
    assert operator.ask("POST", f"/admin/keys/{active_key(app).kid}/revoke").status_code == 200
    assert dead(*tokens)


@pytest.mark.settings(REVOCATION_LAG=timedelta(hours=1))
def test_it_never_answers_from_memory(app, admin, office, device, dead):
    assert me(app, device.access_token).status_code == 200
    assert yes(office.introspect(device.access_token))["active"]
    admin.ask("DELETE", f"/jwt/refresh/{device.refresh_token_id}")
    assert me(app, device.access_token).status_code == 200, "the lag that was asked for"
    assert dead(device.access_token)


# Refresh tokens, generation by generation


def test_only_the_refresh_token_of_now_is_worth_something_and_asking_changes_nothing(
    app, office, device, dead, rows, age
):
    def row():
        return rows(app, "SELECT * FROM refresh_tokens WHERE id = :id", id=device.refresh_token_id)

    first = device.refresh_token
    device.refresh(attempt="k1")
    second = device.refresh_token
    before = row()
    # The predecessor could still be repeated, within the leeway or with its key: it was replaced all the same.
    assert dead(first)
    assert yes(office.introspect(second))["active"]
    age(app, device.refresh_token_id, hours=1)
    between = row()
    assert dead(first)
    assert yes(office.introspect(second))["active"]
    assert row() == between
    assert between[0].revoked_at is None
    assert before[0].generation == 1
    assert told(app, "refresh_token.reused") == []
    assert device.refresh().status_code == 200
    assert dead(first, second)
    assert device.me().status_code == 200


def test_a_restored_database_does_not_make_the_latest_one_worth_less(app, office, device, rows, dead):
    device.refresh()
    long_ago = "UPDATE refresh_tokens SET generation = 0, idle_expires_at = '2020-01-01 00:00:00' WHERE id = :id"
    rows(app, f"{long_ago} RETURNING 1", id=device.refresh_token_id)
    assert yes(office.introspect(device.refresh_token))["active"]
    assert dead(device.access_token)
    rows(
        app,
        "UPDATE refresh_tokens SET expires_at = '2020-01-01 00:00:00' WHERE id = :id RETURNING 1",
        id=device.refresh_token_id,
    )
    assert dead(device.refresh_token)


def test_one_that_would_not_be_accepted_is_worth_nothing(app, office, device, rows, dead, age):
    rows(app, "UPDATE roles SET permissions = 'guests:read' WHERE name LIKE 'own-%' RETURNING 1")
    assert dead(device.refresh_token)
    assert yes(office.introspect(device.access_token))["scope"] == "guests:read"
    rows(app, "UPDATE roles SET permissions = 'auth:refresh' WHERE name LIKE 'own-%' RETURNING 1")
    assert yes(office.introspect(device.refresh_token))["active"]
    age(app, device.refresh_token_id, days=8)
    assert dead(device.refresh_token, device.access_token)
