"""Carrying a sign-in on at the token endpoint: the same step as at /jwt/refresh, for the client that it belongs to."""

from datetime import timedelta

import pytest

from tests.claims import claims_of
from tests.drivers import HOST, Browser
from tests.flows.administering import UNKNOWN, change_application
from tests.flows.oauth import Client, add_client, me, no, post, yes
from tests.flows.people import told


@pytest.fixture
def person(make_person):
    return make_person("guests:read", "guests:write", "auth:refresh", roles=["member"])


@pytest.fixture
def at_office(office, person, sign_in_to):
    """The person's tokens, got at the confidential client."""
    return sign_in_to(office, person)


@pytest.fixture
def on_phone(phone, person, sign_in_to):
    return sign_in_to(phone, person)


@pytest.fixture
def row(app, rows):
    def read(device):
        [found] = rows(app, "SELECT * FROM refresh_tokens WHERE id = :id", id=device.refresh_token_id)
        return found

    return read


def test_a_sign_in_goes_on_for_its_client(app, office, phone, at_office, on_phone, row):
    for client, device in ((office, at_office), (phone, on_phone)):
        answer = yes(client.refresh(device.refresh_token))
        assert set(answer) == {"access_token", "token_type", "expires_in", "refresh_token", "scope"}
        assert (answer["token_type"], answer["expires_in"]) == ("Bearer", 900)
        held = "api-tokens:write auth:refresh guests:read guests:write"
        assert answer["scope"] == claims_of(answer["access_token"])["scope"] == held
        for token in (answer["access_token"], answer["refresh_token"]):
            assert (claims_of(token)["sid"], claims_of(token)["gen"]) == (device.refresh_token_id, 1)
        assert me(app, answer["access_token"]).status_code == 200
        assert row(device).generation == 1
        # It is one sign-in, whichever door it goes on at.
        assert device.refresh(held=answer["refresh_token"]).json["data"]["refreshToken"] == answer["refresh_token"]


def test_a_public_client_has_to_name_itself_and_a_confidential_one_to_prove_itself(app, office, at_office, on_phone):
    for device in (at_office, on_phone):
        before = device.refresh_token
        form = {"grant_type": "refresh_token", "refresh_token": before}
        no(post(app, "/oauth/token", form), 401, "invalid_client")
        no(post(app, "/oauth/token", {**form, "client_id": office.id}), 401, "invalid_client")
        no(post(app, "/oauth/token", {**form, "client_id": UNKNOWN}), 401, "invalid_client")
        assert device.refresh().status_code == 200


def test_another_clients_refresh_token_is_refused_and_still_works(app, admin, office, phone, at_office, on_phone, row):
    others = [add_client(admin, name="Other", confidential=True), add_client(admin, name="Another")]
    for device, own in ((at_office, office), (on_phone, phone)):
        before = row(device)
        for client in (*others, {office: phone, phone: office}[own]):
            no(client.refresh(device.refresh_token), 400, "invalid_grant")
        assert row(device) == before
        assert yes(own.refresh(device.refresh_token))
    # Spent ones too: who has no business with a sign-in can't end it.
    for client in others:
        no(client.refresh(at_office.refresh_token), 400, "invalid_grant")
    assert row(at_office).revoked_at is None


def test_the_rules_of_rotation_are_the_same(app, office, at_office, age, row):
    first = at_office.refresh_token
    second = yes(office.refresh(first, {"Idempotency-Key": "k1"}))["refresh_token"]
    # Within the leeway, and with the same key at any later time, the same answer.
    assert yes(office.refresh(first))["refresh_token"] == yes(office.refresh(second))["refresh_token"] == second
    age(app, at_office.refresh_token_id, hours=1)
    answer = yes(office.refresh(first, {"Idempotency-Key": "k1"}))
    assert claims_of(answer["refresh_token"])["gen"] == 1
    assert yes(office.refresh(answer["refresh_token"]))["expires_in"] == 900
    # A spent one ends the sign-in, for good and for both doors.
    third = row(at_office).generation
    assert third == 2
    no(office.refresh(first), 400, "invalid_grant")
    assert row(at_office).revoke_reason == "reused"
    no(office.refresh(second), 400, "invalid_grant")
    assert at_office.me().status_code == 401


def test_a_key_that_is_too_long_is_refused_before_anything_is_done(office, at_office, row):
    before = row(at_office)
    no(office.refresh(at_office.refresh_token, {"Idempotency-Key": "k" * 256}), 400, "invalid_request")
    assert row(at_office) == before


def test_what_is_no_good_refresh_token_is_an_invalid_grant(app, admin, office, person, sign_in_to, age, told_apart):
    device, idle, killed = (sign_in_to(office, person) for _ in range(3))
    age(app, idle.refresh_token_id, days=8)
    admin.ask("DELETE", f"/jwt/refresh/{killed.refresh_token_id}")
    genuine = device.refresh_token
    texts = [idle.refresh_token, killed.refresh_token, device.access_token, office.access_token()]
    texts += ["x", "é", "\0", "a.b.c", "x" * 9000, genuine[:-2], genuine.replace(".", ".."), f" {genuine}"]
    for text in texts:
        told_apart(office.refresh(text))
    no(office.ask("/oauth/token", grant_type="refresh_token"), 400, "invalid_request")
    no(office.refresh(""), 400, "invalid_request")
    assert yes(office.refresh(genuine))


@pytest.fixture
def told_apart():
    """Nothing in an answer tells one bad refresh token from another."""
    seen = []

    def check(answer):
        seen.append(no(answer, 400, "invalid_grant").json)
        assert seen[0] == answer.json

    return check


def test_one_that_travelled_in_a_cookie_does_not_travel_here(app, admin, person):
    pages = add_client(admin, name="Pages", transport="cookie")
    browser = Browser(app)
    browser.sign_in(person.account, applicationId=pages.id)
    token, _ = browser.held()
    no(pages.refresh(token), 400, "invalid_grant")
    assert browser.refresh().status_code == 200
    # Nor does a cookie count that a browser adds by itself.
    form = {"grant_type": "refresh_token", "client_id": pages.id}
    headers = {"X-CSRF-TOKEN": browser.held()[1]}
    no(browser.client.post("/oauth/token", data=form, headers=headers, base_url=HOST), 400, "invalid_request")


def test_who_lacks_the_permission_does_not_refresh(app, office, person, at_office, admin, rows, row):
    before = row(at_office)
    for role in ("member", f"own-{person.account.id}"):
        rows(app, "UPDATE roles SET permissions = 'guests:read' WHERE name = :name RETURNING 1", name=role)
    no(office.refresh(at_office.refresh_token), 400, "unauthorized_client")
    assert row(at_office) == before
    assert told(app, "permission.denied")[-1].detail == {"permission": "auth:refresh"}
    rows(app, "UPDATE roles SET permissions = 'auth:refresh' WHERE name = 'member' RETURNING 1")
    assert yes(office.refresh(at_office.refresh_token))["scope"] == "auth:refresh guests:read"


# Scope


def test_a_narrower_scope_narrows_the_access_token_and_not_the_sign_in(app, office, at_office):
    answer = yes(office.refresh(at_office.refresh_token, scope="guests:read"))
    assert answer["scope"] == claims_of(answer["access_token"])["scope"] == "guests:read"
    assert me(app, answer["access_token"]).json["data"]["permissions"] == ["guests:read"]
    held = "api-tokens:write auth:refresh guests:read guests:write"
    assert yes(office.refresh(answer["refresh_token"]))["scope"] == held
    assert yes(office.refresh(answer["refresh_token"], scope=""))["scope"] == held


def test_a_scope_beyond_the_sign_in_is_refused_before_anything_advances(office, at_office, row, age, app):
    before = row(at_office)
    for scope in ("users:write", "guests:read users:write", "*", "guests", "guests:read\nguests:write", "a:b " * 400):
        no(office.refresh(at_office.refresh_token, scope=scope), 400, "invalid_scope")
    assert row(at_office) == before
    spent = at_office.refresh_token
    assert yes(office.refresh(spent, scope="guests:read"))
    age(app, at_office.refresh_token_id, hours=1)
    # A spent one is a replay, whatever it asks for.
    no(office.refresh(spent, scope="users:write"), 400, "invalid_grant")
    assert row(at_office).revoke_reason == "reused"


def test_who_holds_every_custom_permission_may_ask_for_any_by_name(app, admin, office, sign_in_to, make_person):
    device = sign_in_to(office, make_person(roles=["member", "admin"]))
    assert (
        yes(office.refresh(device.refresh_token, scope="oysters:eat users:read"))["scope"] == "oysters:eat users:read"
    )
    no(office.refresh(device.refresh_token, scope="tenants:write"), 400, "invalid_scope")
    no(office.refresh(device.refresh_token, scope='oysters:"eat"'), 400, "invalid_scope")


# Other settings


@pytest.mark.settings(REFRESH_LEEWAY=timedelta(0))
def test_without_a_leeway_every_predecessor_is_reuse_here_too(office, at_office):
    first = at_office.refresh_token
    assert yes(office.refresh(first))
    no(office.refresh(first), 400, "invalid_grant")
    assert at_office.me().status_code == 401


def test_an_application_that_does_not_rotate_keeps_its_refresh_token(admin, person, sign_in_to):
    client = add_client(admin, name="Old", rotate=False, confidential=True)
    device = sign_in_to(client, person)
    for _ in range(3):
        assert yes(client.refresh(device.refresh_token))["refresh_token"] == device.refresh_token


def test_a_sign_in_made_before_its_application_became_confidential_goes_on_with_proof(admin, phone, on_phone):
    secret = change_application(admin, phone.application, confidential=True)["clientSecret"]
    no(phone.refresh(on_phone.refresh_token), 401, "invalid_client")
    proven = Client(phone.app, {**phone.application, "clientSecret": secret})
    assert yes(proven.refresh(on_phone.refresh_token))
