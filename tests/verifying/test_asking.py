"""What a verifier asks the real authsvc about: API tokens, and access tokens where a recheck is wanted."""

from datetime import timedelta

import pytest

from authsvc import opaque
from authsvc.errors import (
    AddressNotAllowed,
    AmbiguousRequest,
    TenantMismatch,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
    Unavailable,
)
from tests.flows.api_tokens import make_api_token, set_expiry
from tests.flows.people import told
from tests.verifying.conftest import JWKS, bearing

VERIFY = "/auth/verify"
NOWHERE = "0190a5b0-0000-7000-8000-000000000000"


def in_query(token, **environ):
    """As QueryTokens leaves it to the guard."""
    return {"authsvc.query_tokens": (token,), "REMOTE_ADDR": "192.0.2.1", **environ}


def test_an_api_token_is_good_wherever_it_may_stand(verifiers, service, owner):
    verifier = verifiers(service.url)
    plain = make_api_token(owner, "restaurants:read")
    queried = make_api_token(owner, "restaurants:read", allowInQuery=True)
    for environ in (
        bearing(plain["token"]),
        {"HTTP_AUTHORIZATION": f"tOkEn {plain['token']}"},
        {"HTTP_X_API_KEY": plain["token"]},
        in_query(queried["token"]),
        bearing(queried["token"]),
    ):
        who = verifier.principal(environ)
        assert (who.user_id, who.via, who.permissions) == (owner.account.id, "api_token", {"restaurants:read"})
        assert who.tenant_id
        assert (who.may("restaurants:read"), who.may("restaurants:write")) == (True, False)
    refused = [in_query(plain["token"]), in_query(owner.access_token), {"HTTP_X_API_KEY": owner.access_token}]
    refused += [in_query(owner.refresh_token), in_query(""), bearing(""), {"HTTP_X_API_KEY": ""}]
    for environ in refused:
        with pytest.raises(TokenInvalid):
            pytest.fail(f"{environ}: {verifier.principal(environ)}")
    assert verifier.principal({}) is None
    assert verifier.principal({"HTTP_AUTHORIZATION": "Basic x", "HTTP_COOKIE": f"access_token={plain}"}) is None
    twice = [in_query(plain["token"], HTTP_X_API_KEY="x"), bearing("x", HTTP_X_API_KEY="x"), bearing("x, Bearer y")]
    for environ in (*twice, {"authsvc.query_tokens": ("x", "x")}):
        with pytest.raises(AmbiguousRequest):
            verifier.principal(environ)


def test_a_verifier_that_leaves_token_to_the_app_takes_none_from_there(verifiers, service, owner):
    token = make_api_token(owner, allowInQuery=True)["token"]
    verifier = verifiers(service.url, query_token=False)
    assert verifier.principal(in_query(token)) is None
    assert verifier.principal(bearing(token)).via == "api_token"


def test_junk_costs_no_request(verifiers, service):
    verifier = verifiers(service.url)
    token = opaque.new_api_token()
    wrong = token[:-1] + ("a" if token[-1] != "a" else "b")
    made_up = ("asvc_", wrong, f"{token}a", f" {token}x", token.upper(), "asvc_" + "é" * 36, "junk", "a.b.c")
    for junk in made_up:
        for environ in (bearing(junk), {"HTTP_X_API_KEY": junk}, in_query(junk)):
            with pytest.raises(TokenInvalid):
                pytest.fail(f"{environ}: {verifier.principal(environ)}")
    assert [path for _, path, _ in service.asked if path != JWKS] == []
    assert service.count(JWKS) <= 1


def test_what_authsvc_refuses_is_refused_in_its_own_words(verifiers, service, app, owner, admin):
    verifier = verifiers(service.url)
    over, ended, orphan = (make_api_token(owner) for _ in range(3))
    set_expiry(app, over["id"], opaque.made_at(over["id"]))
    owner.ask("DELETE", f"/api-tokens/{ended['id']}")
    expected = {over["token"]: TokenExpired, ended["token"]: TokenRevoked, opaque.new_api_token(): TokenInvalid}
    for token, refusal in expected.items():
        with pytest.raises(refusal) as refused:
            verifier.principal(bearing(token))
        assert refused.value.text == refusal.message
    assert verifier.principal(bearing(orphan["token"])).user_id == owner.account.id
    admin.ask("PATCH", f"/admin/users/{owner.account.id}", {"active": False})
    with pytest.raises(TokenRevoked):
        verifier.principal(bearing(orphan["token"]))


def test_the_address_is_the_callers_and_its_trail_is_written_by_authsvc(verifiers, service, app, owner):
    verifier = verifiers(service.url)
    made = make_api_token(owner, allowedIps=["192.0.2.0/24"])
    who = {"HTTP_USER_AGENT": "a script", "HTTP_X_REQUEST_ID": "mine-1"}
    assert verifier.principal(bearing(made["token"], **who)).user_id == owner.account.id
    for address in ("198.51.100.7", "127.0.0.1", "2001:db8::1"):
        with pytest.raises(AddressNotAllowed):
            verifier.principal(bearing(made["token"], **who, REMOTE_ADDR=address))
    [first, *_] = told(app, "permission.denied")
    assert (first.ip, first.user_agent, first.request_id) == ("198.51.100.7", "a script", "mine-1")
    # What can't stand in a header is left out, and harms nothing.
    for strange in ({"HTTP_USER_AGENT": "é\r\nX-Evil: 1"}, {"HTTP_X_REQUEST_ID": "a\r\nb"}, {"REMOTE_ADDR": "unix:\n"}):
        with pytest.raises(AddressNotAllowed):
            verifier.principal({**bearing(made["token"], REMOTE_ADDR="198.51.100.7"), **strange})


def test_a_token_for_another_application_is_refused(verifiers, service, owner, admin):
    shop = admin.ask("POST", "/admin/applications", {"name": "Shop"}).json["data"]["id"]
    bound, free = make_api_token(owner, applicationId=shop)["token"], make_api_token(owner)["token"]
    at_shop, elsewhere = verifiers(service.url, application=shop), verifiers(service.url, application=NOWHERE)
    assert at_shop.principal(bearing(bound)).application_id == shop
    assert at_shop.principal(bearing(free)).application_id is None
    assert elsewhere.principal(bearing(free)).application_id is None
    for verifier, token in ((elsewhere, bound), (at_shop, owner.access_token)):
        with pytest.raises(TokenInvalid):
            verifier.principal(bearing(token))


def test_the_tenant_header_selects_and_never_authorizes(verifiers, service, make_tenant, app, owner):
    verifier = verifiers(service.url)
    other = make_tenant(app, "elsewhere")
    api_token, access_token = make_api_token(owner)["token"], owner.access_token
    own = verifier.principal(bearing(access_token)).tenant_id
    for token in (api_token, access_token):
        for named in ("default", own):
            assert verifier.principal(bearing(token, HTTP_X_TENANT_ID=named)).tenant_id == own
        for named in (other, "elsewhere", "nowhere", "", f"{own},{own}", "a\r\nb", "é", "x" * 5000):
            with pytest.raises(TenantMismatch):
                pytest.fail(f"{named}: {verifier.principal(bearing(token, HTTP_X_TENANT_ID=named))}")
        with pytest.raises(TenantMismatch):
            verifier.principal(bearing(token, HTTP_X_TENANT_ID=own, HTTP_X_STENCIL_TENANTID=other))
    # Only what a tenant is called has to be asked.
    before = service.count(VERIFY)
    verifier.principal(bearing(access_token, HTTP_X_TENANT_ID=own))
    assert service.count(VERIFY) == before


def test_without_a_recheck_an_access_token_is_good_until_it_ends(verifiers, service, owner):
    verifier = verifiers(service.url)
    owner.post("/auth/logout", owner.bearer())
    who = verifier.principal(bearing(owner.access_token))
    assert (who.user_id, who.roles) == (owner.account.id, frozenset({f"own-{owner.account.id}"}))
    assert (who.refresh_token_id, who.api_token_id) == (owner.refresh_token_id, None)
    assert service.count(VERIFY) == 0


def test_a_recheck_of_nothing_asks_each_time(verifiers, service, owner, admin):
    verifier = verifiers(service.url, recheck=timedelta(0))
    assert verifier.principal(bearing(owner.access_token)).may("restaurants:read")
    [role] = [r for r in admin.get("/admin/roles?limit=200").json["data"]["items"] if owner.account.id in r["name"]]
    admin.ask("PATCH", f"/admin/roles/{role['id']}", {"permissions": ["restaurants:write", "auth:refresh"]})
    who = verifier.principal(bearing(owner.access_token))
    assert (who.permissions, who.refresh_token_id) == ({"restaurants:write", "auth:refresh"}, owner.refresh_token_id)
    owner.post("/auth/logout", owner.bearer())
    with pytest.raises(TokenRevoked):
        verifier.principal(bearing(owner.access_token))
    assert service.count(VERIFY) == 3
    # What is no good token of authsvc is not asked about.
    for junk in (owner.refresh_token, owner.access_token[:-4] + "AAAA"):
        with pytest.raises(TokenInvalid):
            verifier.principal(bearing(junk))
    assert service.count(VERIFY) == 3


def test_what_was_said_is_believed_for_as_long_as_it_is_told_to(verifiers, service, owner):
    verifier = verifiers(service.url, recheck=timedelta(hours=1))
    made, queried = make_api_token(owner), make_api_token(owner, allowInQuery=True)
    texts = [made["token"], queried["token"], owner.access_token]
    for _ in range(3):
        assert [verifier.principal(bearing(text)).user_id for text in texts] == [owner.account.id] * 3
    assert service.count(VERIFY) == 3
    # Another place and another address are another question.
    for environ in (in_query(queried["token"]), bearing(made["token"], REMOTE_ADDR="198.51.100.7")):
        assert verifier.principal(environ).user_id == owner.account.id
    with pytest.raises(TokenInvalid):
        verifier.principal(in_query(made["token"]))
    assert service.count(VERIFY) == 6
    owner.ask("DELETE", f"/api-tokens/{made['id']}")
    assert verifier.principal(bearing(made["token"])).user_id == owner.account.id
    # A refusal is not remembered.
    for _ in range(2):
        with pytest.raises(TokenRevoked):
            verifier.principal(bearing(made["token"], REMOTE_ADDR="198.51.100.8"))
    assert service.count(VERIFY) == 8
    remembered = repr(vars(verifier._recall))
    assert not any(text[5:17] in remembered for text in texts)


def test_when_authsvc_is_away_nobody_is_refused_for_it(verifiers, service, owner):
    api_token = make_api_token(owner)["token"]
    verifier, rechecking = verifiers(service.url), verifiers(service.url, recheck=timedelta(0))
    for one in (verifier, rechecking):
        assert one.principal(bearing(owner.access_token)).user_id == owner.account.id
        assert one.principal(bearing(api_token)).user_id == owner.account.id
    service.stop()
    assert verifier.principal(bearing(owner.access_token)).user_id == owner.account.id
    for one, token in ((verifier, api_token), (rechecking, owner.access_token), (rechecking, api_token)):
        with pytest.raises(Unavailable) as refused:
            one.principal(bearing(token))
        assert refused.value.headers == {"Retry-After": "1"}
    service.start()
    assert rechecking.principal(bearing(api_token)).user_id == owner.account.id
