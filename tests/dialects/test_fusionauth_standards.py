"""FusionAuth's Python client at the OAuth routes, which are told no in the words of RFC 6749."""

import pytest

from tests.claims import claims_of
from tests.dialects.fusionauth import ok
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


def test_who_somebody_is_as_claims(anonymous, phone, sign_in, mix):
    told = ok(anonymous.retrieve_user_info_from_access_token(sign_in(phone)["token"]))
    assert (told["sub"], told["email"], told["applicationId"]) == (mix.account.id, mix.account.email, phone.id)
    assert refused(anonymous.retrieve_user_info_from_access_token("junk")) == (401, "invalid_token")
