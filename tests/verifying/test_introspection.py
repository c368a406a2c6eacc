"""A verifier that is a client of authsvc asks at /oauth/introspect, and judges place and address itself."""

import base64
import json
from datetime import timedelta
from urllib.parse import parse_qs

import pytest

from authsvc import opaque
from authsvc.errors import AddressNotAllowed, TenantMismatch, TokenInvalid, TokenRevoked, Unavailable
from tests.flows.api_tokens import make_api_token
from tests.verifying.conftest import bearing

INTROSPECT = "/oauth/introspect"
USER, TENANT, SHOP, JTI = (f"0190a5b0-0000-7000-8000-00000000000{last}" for last in "abcd")
CLIENT = (SHOP, "asvcs_of:the%shop")


class Introspection:
    """What RFC 7662 asks of authsvc, as a script: tokens that are live, and what is said of each."""

    def __init__(self):
        self.live = {}
        self.asked = []

    def __call__(self, environ):
        form = parse_qs(environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"])).decode(), strict_parsing=True)
        [token] = form["token"]
        self.asked.append((environ["REQUEST_METHOD"], environ["CONTENT_TYPE"], environ["HTTP_AUTHORIZATION"]))
        said = {"active": True, **self.live[token]} if token in self.live else {"active": False}
        return "200 OK", {"Content-Type": "application/json"}, json.dumps(said).encode()


@pytest.fixture
def introspection(scripted):
    scripted.app.answers[INTROSPECT] = Introspection()
    return scripted.app.answers[INTROSPECT]


@pytest.fixture
def make_client(make_verifier, introspection):
    return lambda **options: make_verifier(client=CLIENT, **options)


@pytest.fixture
def live(introspection):
    """Make a live API token of which this is said."""

    def make(**said):
        token = opaque.new_api_token()
        introspection.live[token] = {
            "scope": "restaurants:read",
            "sub": USER,
            "tid": TENANT,
            "jti": JTI,
            "allow_in_query": False,
            "allowed_ips": [],
        } | said
        return token

    return make


def in_query(token, **environ):
    return {"authsvc.query_tokens": (token,), "REMOTE_ADDR": "192.0.2.1", **environ}


def test_it_asks_as_its_client_and_learns_all_there_is(make_client, introspection, live):
    who = make_client().principal(bearing(live(client_id=SHOP)))
    assert (who.user_id, who.tenant_id, who.application_id, who.api_token_id) == (USER, TENANT, SHOP, JTI)
    assert (who.via, who.permissions) == ("api_token", {"restaurants:read"})
    # RFC 6749 section 2.3.1: both halves are encoded before they are joined.
    basic = base64.b64encode(f"{SHOP}:asvcs_of%3Athe%25shop".encode()).decode()
    assert introspection.asked == [("POST", "application/x-www-form-urlencoded", f"Basic {basic}")]


def test_the_place_and_the_address_are_judged_here(make_client, live):
    verifier = make_client(recheck=timedelta(hours=1))
    plain, queried = live(), live(allow_in_query=True)
    bound = live(allowed_ips=["192.0.2.0/24", "2001:db8::/32"])
    for _ in range(2):
        assert verifier.principal(bearing(plain)).user_id == USER
        assert verifier.principal(in_query(queried)).user_id == USER
        for address in ("192.0.2.9", "::ffff:192.0.2.9", "2001:db8::9"):
            assert verifier.principal(bearing(bound, REMOTE_ADDR=address)).user_id == USER
        for place in (plain, live(allow_in_query="yes"), live(allow_in_query=None)):
            with pytest.raises(TokenInvalid):
                verifier.principal(in_query(place))
        for address in ("198.51.100.7", "127.0.0.1", "", "unix:", "2001:db9::9"):
            with pytest.raises(AddressNotAllowed):
                verifier.principal(bearing(bound, REMOTE_ADDR=address))


def test_what_is_not_active_is_refused(make_client, scripted, introspection):
    access_token = scripted.key.sign(scripted.url)
    with pytest.raises(TokenInvalid):
        make_client().principal(bearing(opaque.new_api_token()))
    verifier = make_client(recheck=timedelta(0))
    with pytest.raises(TokenRevoked):
        verifier.principal(bearing(access_token))
    introspection.live[access_token] = {"sub": USER, "tid": TENANT, "client_id": SHOP, "scope": "restaurants:write"}
    who = verifier.principal(bearing(access_token))
    # Who it is, the signature says; what they may do now, authsvc.
    assert (who.user_id, who.permissions) == ("0190a5b0-0000-7000-8000-000000000002", {"restaurants:write"})
    assert who.refresh_token_id == "0190a5b0-0000-7000-8000-000000000004"


def test_what_a_tenant_is_called_is_asked_for_at_the_other_place(make_client, scripted, live):
    verifier, token = make_client(), live()
    assert verifier.principal(bearing(token, HTTP_X_TENANT_ID=TENANT)).tenant_id == TENANT
    with pytest.raises(TenantMismatch):
        verifier.principal(bearing(token, HTTP_X_TENANT_ID=USER))
    assert scripted.count("/auth/verify") == 0
    with pytest.raises(Unavailable):  # nothing is there in this script
        verifier.principal(bearing(token, HTTP_X_TENANT_ID="default"))
    assert scripted.count("/auth/verify") == 1


def test_what_is_no_answer_lets_nobody_in_and_blames_no_credential(make_client, scripted, live):
    verifier = make_client()
    for said in ({"sub": "root"}, {"tid": None}, {"tid": "default"}, {"sub": None}, {"client_id": 1}, {"sub": [USER]},
                 {"allowed_ips": ["everywhere"]}, {"allowed_ips": "192.0.2.1"}, {"allowed_ips": 1}):  # fmt: skip
        with pytest.raises(Unavailable):
            pytest.fail(f"{said}: {verifier.principal(bearing(live(**said)))}")
    no = b'{"error": "invalid_client"}'
    for answer in (
        ("401 Unauthorized", {"WWW-Authenticate": "Basic"}, no),
        ("400 Bad Request", {}, no),
        ("200 OK", {}, no),
        ("200 OK", {}, b"[]"),
        ("200 OK", {}, b"<h1>active</h1>"),
        ("302 Found", {"Location": INTROSPECT}, b'{"active": true}'),
        ("503 Service Unavailable", {}, b'{"active": false}'),
    ):
        scripted.app.answers[INTROSPECT] = answer
        with pytest.raises(Unavailable):
            pytest.fail(f"{answer}: {verifier.principal(bearing(live()))}")
    for active in (b"1", b'"true"', b"null", b"[true]"):
        scripted.app.answers[INTROSPECT] = ("200 OK", {}, b'{"active": %s}' % active)
        with pytest.raises(TokenInvalid):
            verifier.principal(bearing(live()))


def test_the_real_authsvc_says_what_the_script_does(verifiers, service, owner, office):
    """And the guard that asks so judges as the one that asks at the other place."""
    asking = verifiers(service.url, client=(office.id, office.secret), recheck=timedelta(0))
    made = make_api_token(owner, "restaurants:read", allowedIps=["192.0.2.0/24"])
    queried = make_api_token(owner, "restaurants:read", allowInQuery=True)
    who = asking.principal(bearing(made["token"]))
    assert (who.user_id, who.api_token_id, who.via) == (owner.account.id, made["id"], "api_token")
    assert who.permissions == {"restaurants:read"}
    assert asking.principal(in_query(queried["token"])).user_id == owner.account.id
    with pytest.raises(AddressNotAllowed):
        asking.principal(bearing(made["token"], REMOTE_ADDR="198.51.100.7"))
    with pytest.raises(TokenInvalid):
        asking.principal(in_query(made["token"]))
    owner.ask("DELETE", f"/api-tokens/{made['id']}")
    with pytest.raises(TokenInvalid):
        asking.principal(bearing(made["token"]))
    who = asking.principal(bearing(owner.access_token))
    assert (who.user_id, who.refresh_token_id, who.may("restaurants:write")) == (
        owner.account.id,
        owner.refresh_token_id,
        True,
    )
    owner.post("/auth/logout", owner.bearer())
    with pytest.raises(TokenRevoked):
        asking.principal(bearing(owner.access_token))
    stranger = verifiers(service.url, client=(office.id, "asvcs_wrong"))
    with pytest.raises(Unavailable):
        stranger.principal(bearing(queried["token"]))
    assert service.count("/auth/verify") == 0


def test_an_application_that_acts_for_itself_is_nobody_but_itself(verifiers, service, office, admin):
    token = office.access_token("guests:read")
    by_itself, by_asking, as_client = (
        verifiers(service.url),
        verifiers(service.url, recheck=timedelta(0)),
        verifiers(service.url, client=(office.id, office.secret), recheck=timedelta(0)),
    )
    for verifier in (by_itself, by_asking, as_client):
        who = verifier.principal(bearing(token))
        assert (who.user_id, who.application_id, who.actor_id) == (None, office.id, office.id)
        assert (who.via, who.permissions, who.refresh_token_id) == ("client_credentials", {"guests:read"}, None)
    admin.ask("PATCH", f"/admin/applications/{office.id}", {"active": False})
    assert by_itself.principal(bearing(token)).application_id == office.id
    with pytest.raises(TokenRevoked):
        by_asking.principal(bearing(token))
    with pytest.raises(Unavailable):  # the application that asks is off itself
        as_client.principal(bearing(token))
