"""FusionAuth's Python client at the OAuth routes, which are told no in the words of RFC 6749."""

import pytest

from tests.claims import claims_of
from tests.dialects.fusionauth import codes, empty, ok
from tests.flows.oauth import add_client
from tests.flows.people import PASSWORD


@pytest.fixture
def phone(admin):
    return add_client(admin, name="Phone")


@pytest.fixture
def office(admin):
    return add_client(admin, name="Office", confidential=True)


@pytest.fixture
def sign_in(anonymous, mix):
    def make(application):
        body = {"loginId": mix.account.email, "password": PASSWORD, "applicationId": application.id}
        return ok(anonymous.login(body))

    return make


def refused(answer):
    return answer.status, answer.response.json()["error"]


def test_a_client_refreshes_the_sign_ins_to_it(anonymous, phone, office, sign_in, mix):
    for client in (phone, office):
        held = sign_in(client)
        secret = client.secret or None
        told = ok(anonymous.exchange_refresh_token_for_access_token(held["refreshToken"], client.id, secret))
        assert (told["refresh_token_id"], told["userId"]) == (held["refreshTokenId"], mix.account.id)
        assert (told["token_type"], told["expires_in"]) == ("Bearer", 900)
        assert claims_of(told["access_token"])["gen"] == claims_of(told["refresh_token"])["gen"] == 1
    exchange = anonymous.exchange_refresh_token_for_access_token
    assert refused(exchange("junk", phone.id)) == (400, "invalid_grant")
    assert refused(exchange(sign_in(office)["refreshToken"], phone.id)) == (400, "invalid_grant")
    assert refused(exchange(sign_in(office)["refreshToken"], office.id, "wrong")) == (401, "invalid_client")


def test_a_password_buys_tokens_and_a_refresh_token_only_for_offline_access(app, anonymous, phone, office, mix):
    buy = anonymous.exchange_user_credentials_for_access_token
    name = mix.account.email
    for client, scope in ((phone, None), (office, "openid offline_access")):
        told = ok(buy(name, PASSWORD, client.id, client.secret or None, scope))
        claims = claims_of(told["access_token"])
        assert (claims["aud"], claims["sub"], told["userId"]) == (client.id, mix.account.id, mix.account.id)
        assert (told["token_type"], told["expires_in"]) == ("Bearer", 900)
        assert ("refresh_token" in told) is ("refresh_token_id" in told) is (scope is not None)
        assert ("offline_access" in told["scope"].split()) is (scope is not None)
    exchange = anonymous.exchange_refresh_token_for_access_token
    assert ok(exchange(told["refresh_token"], office.id, office.secret))["refresh_token_id"] == claims["sid"]
    narrow = ok(buy(name, PASSWORD, phone.id, None, "auth:refresh"))
    assert claims_of(narrow["access_token"])["scope"] == narrow["scope"] == "auth:refresh"
    before = len(mix.get("/jwt/refresh").json["data"]["items"])
    for answer, said in (
        (buy(name, "wrong", phone.id), (400, "invalid_grant", "invalid_user_credentials")),
        (buy("nobody@example.com", PASSWORD, phone.id), (400, "invalid_grant", "invalid_user_credentials")),
        (buy("a\0b", PASSWORD, phone.id), (400, "invalid_grant", "invalid_user_credentials")),
        (buy(name, "x" * 5000, phone.id), (400, "invalid_grant", "invalid_user_credentials")),
        (buy(name, PASSWORD, office.id, "wrong"), (401, "invalid_client", "invalid_client_authentication")),
        (buy(name, PASSWORD, office.id), (401, "invalid_client", "invalid_client_authentication")),
        (buy(name, PASSWORD, None), (401, "invalid_client", "invalid_client_authentication")),
        (buy(name, None, phone.id), (400, "invalid_request", None)),
        (buy(name, PASSWORD, phone.id, None, "no scope"), (400, "invalid_scope", None)),
        (buy(name, PASSWORD, phone.id, None, "keys:rotate"), (400, "invalid_scope", None)),
        (exchange("junk", phone.id), (400, "invalid_grant", "refresh_token_not_found")),
    ):
        assert (*refused(answer), answer.response.json().get("error_reason")) == said
        assert answer.response.headers["Cache-Control"] == "no-store"
    assert len(mix.get("/jwt/refresh").json["data"]["items"]) == before
    form = {"grant_type": "password", "username": name, "password": PASSWORD, "client_id": phone.id}
    in_address = app.test_client().post("/fusionauth/oauth2/token?scope=openid", data=form)
    assert (in_address.status_code, in_address.json["error"]) == (400, "invalid_request")
    other = app.test_client().post("/fusionauth/oauth2/token", data=form | {"grant_type": "implicit"})
    assert (other.status_code, other.json["error"]) == (400, "unsupported_grant_type")
    assert "password" in other.json["error_description"]


def test_an_access_token_is_issued_for_its_own_application_and_none_made_up(anonymous, keyed, phone, office, sign_in):
    held = sign_in(phone)
    issued = ok(anonymous.issue_jwt(phone.id, held["token"], held["refreshToken"]))
    assert issued.keys() == {"token"}
    old, new = claims_of(held["token"]), claims_of(issued["token"])
    assert {name for name in old if old[name] != new[name]} - {"iat", "nbf", "exp"} == {"jti"}
    assert ok(anonymous.issue_jwt("phone", issued["token"]))
    for other in (office.id, "nowhere", "0190a5b0-0000-7000-8000-000000000000"):
        assert empty(anonymous.issue_jwt(other, held["token"])) == 404
    assert codes(anonymous.issue_jwt(None, held["token"])) == {"applicationId": ["[blank]applicationId"]}
    for bad in ("junk", held["refreshToken"]):
        assert empty(anonymous.issue_jwt(phone.id, bad)) == 401
    for client in (keyed, anonymous):
        assert empty(client.vend_jwt({"claims": {"sub": "anybody"}, "timeToLiveInSeconds": 60})) == 401
    anonymous.logout(False, held["refreshToken"])
    assert empty(anonymous.validate_jwt(issued["token"])) == 401


def test_a_token_is_introspected_for_its_own_application(anonymous, phone, office, sign_in):
    held = sign_in(phone)
    facts = ok(anonymous.introspect_access_token(phone.id, held["token"]))
    assert facts.items() >= {"active": True, "sub": claims_of(held["token"])["sub"], "aud": phone.id}.items()
    assert ok(anonymous.introspect_access_token(phone.id, held["refreshToken"]))["token_type"] == "refresh_token"
    assert refused(anonymous.introspect_access_token(office.id, held["token"])) == (401, "invalid_client")
    anonymous.logout(False, held["refreshToken"])
    for dead in (held["token"], held["refreshToken"], "junk"):
        assert ok(anonymous.introspect_access_token(phone.id, dead)) == {"active": False}
    assert refused(anonymous.introspect_access_token(phone.id, None)) == (400, "invalid_request")


def test_an_introspection_stays_within_the_tenant_of_the_header(app, anonymous, phone, sign_in, make_tenant):
    held = sign_in(phone)
    anonymous.set_tenant_id(make_tenant(app, "elsewhere"))
    assert refused(anonymous.introspect_access_token(phone.id, held["token"])) == (403, "access_denied")
    anonymous.set_tenant_id(claims_of(held["token"])["tid"])
    assert ok(anonymous.introspect_access_token(phone.id, held["token"]))["active"] is True


def test_who_somebody_is_as_claims(app, anonymous, phone, sign_in, mix):
    answer = app.test_client().get("/fusionauth/oauth2/userinfo")
    assert (answer.status_code, answer.json["error"]) == (401, "invalid_token")
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")
    told = ok(anonymous.retrieve_user_info_from_access_token(sign_in(phone)["token"]))
    assert (told["sub"], told["email"], told["applicationId"]) == (mix.account.id, mix.account.email, phone.id)
    assert refused(anonymous.retrieve_user_info_from_access_token("junk")) == (401, "invalid_token")
