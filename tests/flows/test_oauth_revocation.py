"""Ending a token by its text: one's own, with all that came of it, and nobody else's; and never a false yes."""

import pytest

from tests.drivers import HOST, Browser
from tests.flows.administering import told as told_of
from tests.flows.api_tokens import code, make_api_token, use
from tests.flows.oauth import add_client, bearer, me, no, post, yes
from tests.flows.people import told
from tests.flows.test_breakdowns import outage

HELD = ("guests:read", "auth:refresh", "api-tokens:write")


@pytest.fixture
def person(make_person):
    return make_person(*HELD)


@pytest.fixture
def at_office(office, person, sign_in_to):
    return sign_in_to(office, person)


@pytest.fixture
def on_phone(phone, person, sign_in_to):
    return sign_in_to(phone, person)


def done(answer):
    """RFC 7009 section 2.2: whatever the token was, the answer is the same."""
    assert (answer.status_code, answer.get_data()) == (200, b""), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    assert "Content-Type" not in answer.headers
    return True


def is_over(device):
    return device.me().status_code == device.refresh(held=device.held()).status_code == 401


def test_a_refresh_token_of_any_generation_ends_its_sign_in(app, office, phone, person, sign_in_to, age):
    for client in (office, phone):
        for steps in (0, 1, 2):
            device = sign_in_to(client, person)
            shown = device.refresh_token
            for _ in range(steps):
                age(app, device.refresh_token_id, minutes=1)
                device.refresh()
            assert done(client.revoke(shown))
            assert is_over(device)
            event = told(app, "refresh_token.revoked")[-1]
            assert (event.actor_id, event.application_id) == (client.id, client.id)
            assert (event.subject_id, event.refresh_token_id) == (person.account.id, device.refresh_token_id)
            assert event.detail == {"revoked": 1, "ids": [device.refresh_token_id]}
    assert told(app, "refresh_token.reused") == []
    assert person.me().status_code == 200


def test_one_past_its_own_expiry_ends_a_sign_in_that_went_on_without_it(app, office, at_office, age, rows):
    shown = at_office.refresh_token
    age(app, at_office.refresh_token_id, days=6)
    at_office.refresh()
    age(app, at_office.refresh_token_id, days=2)
    assert done(office.revoke(shown))
    assert is_over(at_office)


def test_an_access_token_ends_its_sign_in_too(office, phone, at_office, on_phone):
    for client, device in ((office, at_office), (phone, on_phone)):
        assert done(client.revoke(device.access_token))
        assert is_over(device)


def test_one_that_lies_in_a_cookie_can_be_ended(app, admin, person):
    pages = add_client(admin, name="Pages", transport="cookie")
    browser = Browser(app)
    browser.sign_in(person.account, applicationId=pages.id)
    assert done(pages.revoke(browser.held()[0]))
    assert is_over(browser)


def test_a_clients_own_access_token_ends_with_all_that_it_got_for_itself(app, office, admin, rows):
    tokens = [office.access_token("tokens:read") for _ in range(3)]
    assert done(office.revoke(tokens[1]))
    for token in tokens:
        assert code(use_list(app, token)) == (401, "token_revoked")
    # Dead already: nothing more ends, and nothing is told twice.
    later = office.access_token("tokens:read")
    assert done(office.revoke(tokens[0]))
    assert use_list(app, later).status_code == 200
    [(_, _, actor, about, detail)] = told_of(rows, app, "application.tokens_revoked")
    assert (actor, about, detail) == (office.id, office.id, {"slug": "office"})


def use_list(app, token):
    return app.test_client().get("/jwt/refresh?all=true", headers=bearer(token), base_url=HOST)


def test_a_confidential_client_ends_what_is_its_tenants(app, admin, office, on_phone, person):
    other = add_client(admin, name="Other", confidential=True)
    own = other.access_token()
    made = make_api_token(person, "guests:read")
    for token in (on_phone.refresh_token, own, made["token"]):
        assert done(office.revoke(token))
    assert is_over(on_phone)
    assert code(me(app, own)) == (401, "token_revoked")
    assert code(use(person, made["token"])) == (401, "token_revoked")
    [event] = told(app, "api_token.revoked")
    assert (event.actor_id, event.api_token_id, event.detail) == (office.id, made["id"], {"reason": "revoked"})


def test_a_public_client_ends_nothing_but_the_sign_ins_to_itself(app, admin, phone, at_office, office, person, rows):
    made, own = make_api_token(person, "guests:read", applicationId=phone.id), office.access_token("tokens:read")
    first = at_office.refresh_token
    at_office.refresh()
    for token in (first, at_office.refresh_token, at_office.access_token, own, made["token"], person.refresh_token):
        assert done(phone.revoke(token))
    assert at_office.me().status_code == person.me().status_code == 200
    assert use_list(app, own).status_code == 200
    assert use(person, made["token"]).status_code == 200
    assert rows(app, "SELECT 1 FROM refresh_tokens WHERE revoked_at IS NOT NULL") == []
    assert told(app, "refresh_token.revoked", "api_token.revoked", "application.tokens_revoked") == []


def test_nobody_ends_another_tenants(app, admin, make_tenant, office, at_office, person, rows):
    make_tenant(app, "east")
    east = {"X-Tenant-Id": "east"}
    theirs = add_client(admin, east, name="Theirs", confidential=True)
    own, made = office.access_token("tokens:read"), make_api_token(person, "guests:read")["token"]
    for token in (at_office.refresh_token, at_office.access_token, own, made):
        assert done(theirs.revoke(token))
        assert done(theirs.revoke(token, headers=east))
    assert at_office.me().status_code == use_list(app, own).status_code == use(person, made).status_code == 200
    assert told(app, "refresh_token.revoked", "api_token.revoked", "application.tokens_revoked") == []


def test_what_is_no_token_or_a_dead_one_is_ended_already(app, office, at_office, person, rows):
    made = make_api_token(person, "guests:read")["token"]
    spent = [at_office.refresh_token, at_office.access_token, made]
    for token in spent:
        assert done(office.revoke(token))
    before = rows(app, "SELECT * FROM refresh_tokens ORDER BY id"), rows(app, "SELECT * FROM api_tokens")
    garbage = ["x", "é", "\0", "a.b.c", "x" * 9000, f"asvc_{'0' * 36}", at_office.refresh_token[:-3], office.secret]
    for token in (*spent, *garbage):
        assert done(office.revoke(token))
    assert (rows(app, "SELECT * FROM refresh_tokens ORDER BY id"), rows(app, "SELECT * FROM api_tokens")) == before
    assert len(told(app, "refresh_token.revoked")) == len(told(app, "api_token.revoked")) == 1


def test_a_wrong_hint_finds_it_all_the_same(app, office, person, sign_in_to):
    for hint in ("access_token", "refresh_token", "nonsense"):
        device = sign_in_to(office, person)
        assert done(office.revoke(device.refresh_token, token_type_hint=hint))
        assert is_over(device)
        device = sign_in_to(office, person)
        assert done(office.revoke(device.access_token, token_type_hint=hint))
        assert is_over(device)
        made = make_api_token(person)["token"]
        assert done(office.revoke(made, token_type_hint=hint))
        assert code(use(person, made)) == (401, "token_revoked")


def test_without_a_client_nothing_ends(app, office, admin, at_office):
    form = {"token": at_office.refresh_token}
    for headers in ({}, bearer(admin.access_token), {"X-Api-Key": at_office.access_token}):
        no(post(app, "/oauth/revoke", form, headers), 401, "invalid_client")
    no(post(app, "/oauth/revoke", {**form, "client_id": office.id}), 401, "invalid_client")
    no(post(app, "/oauth/revoke", {}, office.header()), 400, "invalid_request")
    for query in ("?callback=run", f"?token={at_office.refresh_token}"):
        no(post(app, f"/oauth/revoke{query}", form, office.header()), 400, "invalid_request")
    client = app.test_client()
    for path in ("/oauth/revoke", f"/oauth/revoke?token={at_office.refresh_token}&callback=run"):
        no(client.get(path, headers=office.header(), base_url=HOST), 405, "invalid_request")
    assert at_office.me().status_code == at_office.refresh().status_code == 200


def test_without_its_database_no_door_says_yes_and_nothing_ends(app, office, phone, at_office, on_phone):
    before = office.access_token("tokens:read")
    with outage(app):
        answers = [
            office.revoke(at_office.refresh_token),
            phone.revoke(on_phone.refresh_token),
            office.revoke(before),
            office.introspect(before),
            post(app, "/oauth/introspect", {"token": before}, bearer(at_office.access_token)),
            office.token(),
            phone.refresh(on_phone.refresh_token),
        ]
        for answer in answers:
            no(answer, 503, "temporarily_unavailable")
    assert use_list(app, before).status_code == 200
    for client, device in ((office, at_office), (phone, on_phone)):
        assert device.me().status_code == 200
        assert yes(client.refresh(device.refresh_token))
