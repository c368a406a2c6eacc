"""How a client says who it is, and all the ways in which that is refused alike."""

import base64
import hashlib
import re
from datetime import timedelta

import pytest

from tests.answers import lasting
from tests.flows.administering import UNKNOWN, add_application, change_application, tenant_id, told
from tests.flows.oauth import add_client, basic, bearer, no, post, raw_basic, yes
from tests.statements import watched

DOORS = ("/oauth/token", "/oauth/introspect", "/oauth/revoke")
# Whatever a door needs to say yes, once it knows the client.
WANTED = {"grant_type": "client_credentials", "token": "nothing"}


@pytest.fixture
def other(admin):
    return add_client(admin, name="Other", confidential=True)


def knock(app, door, headers=None, path="", **form):
    return post(app, door + path, {**WANTED, **form}, headers)


def in_body(client):
    return {"client_id": client.id, "client_secret": client.secret}


def test_each_way_to_say_it_is_taken_at_every_door(app, office, rows):
    slug = office.application["slug"]
    tenant = tenant_id(rows, app)
    for door in DOORS:
        ways = [
            (basic(office.id, office.secret), {}),
            (basic(slug, office.secret), {}),
            (basic(office.id, office.secret), {"client_id": office.id}),
            (basic(office.id, office.secret), {"client_secret": ""}),
            ({"Authorization": basic(office.id, office.secret)["Authorization"].replace("Basic", "bAsIc ")}, {}),
            # Percent-encoded all through, as a careful client may write it.
            (raw_basic(f"{office.id.replace('-', '%2D')}:{''.join(f'%{ord(c):02x}' for c in office.secret)}"), {}),
            ({}, in_body(office)),
            ({}, {**in_body(office), "client_id": slug}),
            ({"X-Tenant-Id": "default"}, in_body(office)),
            ({"X-Tenant-Id": tenant}, {**in_body(office), "client_id": slug}),
        ]
        for headers, form in ways:
            assert knock(app, door, headers, **form).status_code == 200, (door, headers, form)


def test_every_wrong_way_is_refused_alike(app, admin, office, other, phone):
    digest = hashlib.sha256(office.secret.encode()).hexdigest()
    good, secret = basic(office.id, office.secret), office.secret
    encoded = good["Authorization"].removeprefix("Basic ")
    wrong = {
        "nothing": ({}, {}),
        "a wrong secret": (basic(office.id, "asvcs_wrong"), {}),
        "another's secret": (basic(office.id, other.secret), {}),
        "the digest": (basic(office.id, digest), {}),
        "a secret in other letters": (basic(office.id, secret.swapcase()), {}),
        "a longer secret": (basic(office.id, secret + "A"), {}),
        "an empty secret": (basic(office.id, ""), {}),
        "no secret": ({}, {"client_id": office.id}),
        "an empty one in the body": ({}, {"client_id": office.id, "client_secret": ""}),
        "a secret alone": ({}, {"client_secret": secret}),
        "unknown": (basic(UNKNOWN, secret), {}),
        "unknown slug": (basic("nobody", secret), {}),
        "no name": (basic("", secret), {}),
        "its id in other letters": (basic(office.id.upper(), secret), {}),
        "its name": (basic(office.application["name"], secret), {}),
        "NUL in its name": (basic(f"{office.id}\0", secret), {}),
        "letters that nobody has": (basic("ｏffice", "sécret"), {}),
        "in both ways": (good, in_body(office)),
        "one way for each of two": (good, in_body(other)),
        "one way for each half": (basic(office.id, ""), {"client_secret": secret}),
        "two names": (good, {"client_id": other.id}),
        "its id and its slug": (good, {"client_id": office.application["slug"]}),
        "a percent sign alone": (raw_basic(f"{office.id}:{secret}%"), {}),
        "a percent sign that encodes nothing": (raw_basic(f"{office.id}:%zz{secret}"), {}),
        "percent-encoded latin-1": (raw_basic(f"{office.id}:%e9{secret}"), {}),
        "a colon in the secret": (raw_basic(f"{office.id}:{secret[:9]}:{secret[9:]}"), {}),
        "no colon": (raw_basic(office.id), {}),
        "no base64": ({"Authorization": f"Basic {office.id}:{secret}"}, {}),
        "base64 with a guest": ({"Authorization": f"Basic {encoded[:8]}!{encoded[8:]}"}, {}),
        "no UTF-8": ({"Authorization": "Basic " + base64.b64encode(b"\xff:\xff").decode()}, {}),
        "the scheme alone": ({"Authorization": "Basic"}, {}),
        "two headers": ({"Authorization": f"{good['Authorization']}, {good['Authorization']}"}, {}),
        "another scheme": ({"Authorization": f"Digest {encoded}"}, {}),
        "another scheme beside the body": ({"Authorization": f"Digest {encoded}"}, in_body(office)),
        "a bearer token beside the body": (bearer(admin.access_token), in_body(office)),
        "a public client with a secret": (basic(phone.id, secret), {}),
        "a public client with any secret": ({}, {"client_id": phone.id, "client_secret": "x"}),
        "another tenant": ({**good, "X-Tenant-Id": "east"}, {}),
        "another tenant's name for its slug": ({**basic("office", secret), "X-Tenant-Id": UNKNOWN}, {}),
        "two tenants": ({**good, "X-Tenant-Id": "default", "X-Stencil-TenantId": "east"}, {}),
        "no tenant's name": ({**good, "X-Tenant-Id": "No Such\tTenant"}, {}),
    }
    shapes = set()
    for name, (headers, form) in wrong.items():
        for door in DOORS:
            answer = no(knock(app, door, headers, **form), 401, "invalid_client")
            shapes.add(str(lasting(answer)))
            assert secret[:12] not in answer.text, name
    # Not a word, not a header tells one from another.
    assert len(shapes) == 1
    assert knock(app, "/oauth/introspect", good).status_code == 200


def test_nothing_is_taken_from_the_query(app, office, phone):
    for door in DOORS:
        for query in (f"?client_id={office.id}&client_secret={office.secret}", f"?client_id={phone.id}", "?token=x"):
            no(knock(app, door, path=query), 401, "invalid_client")
        for query in ("?token=x", "?scope=guests:read", "?callback=run", "?grant_type=refresh_token", "?x", "?%ff"):
            no(knock(app, door, office.header(), path=query), 400, "invalid_request")
            no(knock(app, door, path=query, **in_body(office)), 400, "invalid_request")
    # Nor does it spoil anything to have tried.
    assert yes(office.token())["scope"] == ""


def test_a_public_client_names_itself_and_that_opens_no_more_than_that(app, phone):
    for headers, form in (({}, {"client_id": phone.id}), (basic(phone.id, ""), {}), ({}, {"client_id": "phone"})):
        no(knock(app, "/oauth/token", headers, **form), 400, "unauthorized_client")
        assert knock(app, "/oauth/revoke", headers, **form).status_code == 200
        no(knock(app, "/oauth/introspect", headers, **form), 401, "invalid_client")


def test_a_client_is_found_by_its_id_in_any_tenant_and_by_its_slug_in_the_one_that_is_meant(app, admin, make_tenant):
    make_tenant(app, "east")
    east = {"X-Tenant-Id": "east"}
    theirs = add_client(admin, east, name="Till", confidential=True)
    ours = add_client(admin, name="Till", confidential=True)
    token = "/oauth/token"
    for headers, secret in ((basic(theirs.id, theirs.secret), theirs), (basic("till", ours.secret), ours)):
        assert yes(knock(app, token, headers))["expires_in"] == 900, secret.id
    assert yes(knock(app, token, {**basic("till", theirs.secret), **east}))
    no(knock(app, token, basic("till", theirs.secret)), 401, "invalid_client")
    no(knock(app, token, {**basic("till", ours.secret), **east}), 401, "invalid_client")
    no(knock(app, token, {**basic(ours.id, ours.secret), **east}), 401, "invalid_client")


def test_what_is_turned_off_deleted_or_replaced_proves_nothing_any_more(app, admin, office, other):
    first = office.header()
    admin.ask("POST", f"/admin/applications/{office.id}/secret", {"overlap": 0})
    change_application(admin, other.application, active=False)
    public = add_client(admin, name="Public")
    change_application(admin, public.application, active=False)
    for door in DOORS:
        no(knock(app, door, first), 401, "invalid_client")
        no(knock(app, door, other.header()), 401, "invalid_client")
        no(knock(app, door, client_id=public.id), 401, "invalid_client")
    admin.ask("DELETE", f"/admin/applications/{other.id}")
    no(knock(app, "/oauth/token", other.header()), 401, "invalid_client")


# What it costs


def statements_of(app, ask):
    """What the database is asked, without the values."""
    found = []
    with watched(app, lambda statement: found.append(re.sub(r"\s+", " ", statement))):
        ask()
    return found


def test_an_unknown_client_costs_exactly_what_a_wrong_secret_costs(app, office):
    """So no clock tells which names exist."""

    def cost(name):
        return statements_of(app, lambda: knock(app, "/oauth/token", basic(name, "asvcs_wrong")))

    by_id = cost(office.id)
    assert len(by_id) >= 4  # looked at the source, at the client, counted, told
    assert cost(UNKNOWN) == by_id
    by_slug = cost("office")
    assert cost("nobody") == cost("no client's name!") == by_slug
    assert len(by_slug) == len(by_id)


def test_a_right_secret_writes_nothing(app, office):
    statements = statements_of(app, lambda: knock(app, "/oauth/introspect", office.header()))
    assert len(statements) == 2
    assert all(statement.startswith("SELECT") for statement in statements)


# Guessing


@pytest.mark.settings(GUESSES_PER_SOURCE=3)
def test_wrong_secrets_are_guesses_of_their_source_at_all_doors_together(app, office, phone, rows):
    # Right ones, and requests that prove nothing, are none.
    for _ in range(5):
        assert yes(office.token())
        no(knock(app, "/oauth/token"), 401, "invalid_client")
        no(knock(app, "/oauth/token", client_id=office.id), 401, "invalid_client")
    for door, name in zip(DOORS, (office.id, "office", "nobody"), strict=True):
        no(knock(app, door, basic(name, "asvcs_wrong")), 401, "invalid_client")
    for door in DOORS:
        for secret in ("asvcs_wrong", office.secret):
            answer = no(knock(app, door, basic(office.id, secret)), 429, "temporarily_unavailable")
            assert 0 < int(answer.headers["Retry-After"]) <= 900
    # Who has no secret to guess is not asked how often it guessed, and another source is another matter.
    assert phone.revoke("nothing").status_code == 200
    elsewhere = app.test_client(use_cookies=False).post(
        "/oauth/token",
        data=WANTED,
        headers=office.header(),
        environ_base={"REMOTE_ADDR": "198.51.100.7"},
        base_url="https://auth.example.org",
    )
    assert elsewhere.status_code == 200
    # A try that is refused unheard is neither counted nor told.
    failures = told(rows, app, "application.sign_in_failed")
    assert [(tenant, actor, about) for _, tenant, actor, about, _ in failures] == [
        (tenant_id(rows, app), None, office.id),
        (tenant_id(rows, app), None, office.id),
        (tenant_id(rows, app), None, None),
    ]
    assert rows(app, "SELECT count FROM attempts") == [(3,)]


@pytest.mark.settings(GUESSES_PER_SOURCE=1, GUESS_WINDOW=timedelta(minutes=15))
def test_a_source_that_was_stopped_is_heard_again_when_its_window_is_over(app, office, rows):
    no(knock(app, "/oauth/token", basic(office.id, "asvcs_wrong")), 401, "invalid_client")
    no(office.token(), 429, "temporarily_unavailable")
    rows(app, "UPDATE attempts SET expires_at = '2020-01-01 00:00:00' RETURNING 1")
    assert yes(office.token())


def test_a_failure_is_told_where_the_client_is(app, admin, make_tenant, rows):
    make_tenant(app, "east")
    client = add_client(admin, {"X-Tenant-Id": "east"}, confidential=True)
    no(knock(app, "/oauth/token", basic(client.id, "asvcs_wrong")), 401, "invalid_client")
    no(knock(app, "/oauth/token", {**basic("nobody", "asvcs_wrong"), "X-Tenant-Id": "east"}), 401, "invalid_client")
    no(knock(app, "/oauth/token", {**basic("nobody", "asvcs_wrong"), "X-Tenant-Id": "west"}), 401, "invalid_client")
    east = tenant_id(rows, app, "east")
    failures = [line[1:] for line in told(rows, app, "application.sign_in_failed")]
    assert failures == [(east, None, client.id, {}), (east, None, None, {})]
    assert {outcome for (outcome,) in rows(app, "SELECT outcome FROM events WHERE kind LIKE '%failed'")} == {"failure"}


def test_no_secret_is_kept_or_told(app, admin, rows):
    client = add_application(admin, confidential=True)
    wrong = "asvcs_a_wrong_secret_of_somebodys"
    for secret in (client["clientSecret"], wrong):
        knock(app, "/oauth/token", basic(client["id"], secret))
    kept = "".join(str(rows(app, f"SELECT * FROM {table}")) for table in ("events", "client_secrets", "applications"))
    assert client["clientSecret"][:12] not in kept
    assert wrong[:12] not in kept
