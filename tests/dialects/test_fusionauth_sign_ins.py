"""FusionAuth's Python client signs in, refreshes, asks and signs out."""

import jwt
import pytest

from tests.claims import claims_of
from tests.dialects.fusionauth import BASE, client_with, codes, empty, ok
from tests.dialects.in_process import HOST
from tests.drivers import Script
from tests.flows.api_tokens import make_api_token
from tests.flows.oauth import add_client
from tests.flows.people import PASSWORD, told


def credentials(person, **more):
    return {"loginId": person.account.email, "password": PASSWORD, **more}


def works(app, token):
    device = Script(app)
    device.access_token = token
    return device.me().status_code == 200


def test_signing_in_to_an_application(app, admin, anonymous, mix):
    phone = add_client(admin, name="Phone", slug="phone")
    device = {"device": {"name": "My phone", "type": "MOBILE"}}
    for name in (phone.id, "phone"):
        answer = ok(anonymous.login(credentials(mix, applicationId=name, metaData=device)))
        claims = claims_of(answer["token"])
        assert (claims["aud"], claims["sub"], claims["sid"]) == (phone.id, mix.account.id, answer["refreshTokenId"])
        assert answer["tokenExpirationInstant"] == claims["exp"] * 1000
        assert claims_of(answer["refreshToken"])["sid"] == answer["refreshTokenId"]
    again, user = ok(anonymous.login(credentials(mix, applicationId="phone"))), answer["user"]
    assert (user["id"], user["email"], user["active"]) == (mix.account.id, mix.account.email, True)
    [here] = user["registrations"]
    assert (here["applicationId"], here["lastLoginInstant"]) == (phone.id, user["lastLoginInstant"])
    assert here["id"] == again["user"]["registrations"][0]["id"] not in (phone.id, user["id"])
    assert not {"password", "salt", "password_hash"} & user.keys()
    assert admin.get(f"/jwt/refresh/{answer['refreshTokenId']}").json["data"]["deviceName"] == "My phone"


def test_without_an_application_it_is_default_and_without_a_jwt_nothing_is_left(app, anonymous, mix):
    answer = ok(anonymous.login(credentials(mix)))
    assert works(app, answer["token"])
    before = len(mix.get("/jwt/refresh").json["data"]["items"])
    assert ok(anonymous.login(credentials(mix, noJWT=True))).keys() == {"user"}
    assert len(mix.get("/jwt/refresh").json["data"]["items"]) == before


def test_a_wrong_name_or_password_is_an_empty_404(app, anonymous, mix):
    for wrong in ({"password": "wrong"}, {"loginId": "nobody@example.com"}, {"password": "x" * 5000}):
        assert empty(anonymous.login(credentials(mix) | wrong)) == 404
    assert [event.subject_id for event in told(app, "user.sign_in_failed")] == [mix.account.id, None]
    assert codes(anonymous.login({})) == {"loginId": ["[blank]loginId"]}
    assert codes(anonymous.login({"loginId": "a"})) == {"password": ["[blank]password"]}
    assert codes(anonymous.login({"loginId": ["a"], "password": "a"})) == {"loginId": ["[couldNotConvert]loginId"]}
    assert codes(anonymous.login(credentials(mix, applicationId="none"))) == {
        "applicationId": ["[invalid]applicationId"]
    }


def test_the_tenant_is_the_headers_or_the_keys(app, keyed, anonymous, make_tenant, make_person):
    tenant_id = make_tenant(app, "elsewhere")
    away = make_person("api-tokens:write", "auth:refresh", tenant="elsewhere")
    assert empty(anonymous.login(credentials(away))) == 404
    assert ok(client_with(make_api_token(away)["token"]).login(credentials(away)))["user"]["tenantId"] == tenant_id
    anonymous.set_tenant_id("nowhere")
    assert codes(anonymous.login(credentials(away))) == ["[unknown_tenant]"]
    anonymous.set_tenant_id(tenant_id)
    held = ok(anonymous.login(credentials(away)))
    assert ok(anonymous.exchange_refresh_token_for_jwt(held))["refreshTokenId"] == held["refreshTokenId"]
    keyed.set_tenant_id(tenant_id)
    assert empty(keyed.retrieve_refresh_tokens(away.account.id)) == 401
    bad = client_with("asvc_nonsense").login(credentials(away))
    assert (empty(bad), bad.response.headers["WWW-Authenticate"]) == (401, 'Bearer realm="authsvc"')
    for headers, status in (
        ({"X-FusionAuth-TenantId": ""}, 404),
        ({"X-FusionAuth-TenantId": tenant_id, "X-Tenant-Id": tenant_id}, 200),
        ({"X-FusionAuth-TenantId": tenant_id, "X-Tenant-Id": "default"}, 400),
    ):
        answer = app.test_client().post(f"{BASE}/api/login", json=credentials(away), headers=headers, base_url=HOST)
        assert answer.status_code == status, headers


def test_refreshing_keeps_the_id_and_kills_what_comes_back(app, anonymous, mix, age):
    held = ok(anonymous.login(credentials(mix)))
    following = ok(anonymous.exchange_refresh_token_for_jwt({"refreshToken": held["refreshToken"]}))
    assert following.keys() == {"token", "refreshToken", "refreshTokenId"}
    assert following["refreshTokenId"] == held["refreshTokenId"]
    assert following["refreshToken"] != held["refreshToken"]
    assert works(app, following["token"])
    age(app, held["refreshTokenId"], minutes=1)
    reused = anonymous.exchange_refresh_token_for_jwt({"refreshToken": held["refreshToken"]})
    assert codes(reused) == {"refreshToken": ["[invalid]refreshToken"]}
    assert not works(app, following["token"])
    assert len(told(app, "refresh_token.reused")) == 1


def test_a_refresh_token_that_is_none_is_a_400_with_errors(app, anonymous, mix, rows):
    held = ok(anonymous.login(credentials(mix)))
    for text in ("junk", "a.b.c", held["token"], held["refreshToken"] + "A"):
        answer = anonymous.exchange_refresh_token_for_jwt({"refreshToken": text})
        assert codes(answer) == {"refreshToken": ["[invalid]refreshToken"]}, text
    for body in ({}, {"refreshToken": ""}, {"refreshToken": None}):
        assert codes(anonymous.exchange_refresh_token_for_jwt(body)) == {"refreshToken": ["[blank]refreshToken"]}
    assert rows(app, "SELECT max(generation) FROM refresh_tokens") == [(0,)]


def test_an_access_token_may_live_shorter_than_its_application_says_and_no_longer(anonymous, mix, app, rows):
    text = ok(anonymous.login(credentials(mix)))["refreshToken"]
    for asked, given in ((60, 60), (10**9, 900)):
        answer = ok(anonymous.exchange_refresh_token_for_jwt({"refreshToken": text, "timeToLiveInSeconds": asked}))
        claims, text = claims_of(answer["token"]), answer["refreshToken"]
        assert claims["exp"] - claims["iat"] == given
    for asked in (0, -1, "60", True, 1.5):
        answer = anonymous.exchange_refresh_token_for_jwt({"refreshToken": text, "timeToLiveInSeconds": asked})
        assert codes(answer) == {"timeToLiveInSeconds": ["[invalid]timeToLiveInSeconds"]}
    assert rows(app, "SELECT max(generation) FROM refresh_tokens") == [(1,)]


def test_signing_out_is_always_an_empty_200(app, anonymous, mix):
    def out(token):
        return not works(app, token)

    first, second, third = (ok(anonymous.login(credentials(mix))) for _ in range(3))
    for silent in ("junk", first["token"], None):
        assert empty(anonymous.logout(True, silent)) == 200
    assert not out(first["token"])
    for _ in range(2):
        assert empty(anonymous.logout(False, first["refreshToken"])) == 200
        assert (out(first["token"]), out(second["token"])) == (True, False)
    assert empty(anonymous.logout_with_request({"refreshToken": second["refreshToken"]})) == 200
    assert (out(second["token"]), out(third["token"])) == (True, False)
    fourth = ok(anonymous.login(credentials(mix)))
    assert empty(anonymous.logout_with_request({"global": True, "refreshToken": third["refreshToken"]})) == 200
    assert out(third["token"])
    assert out(fourth["token"])


def test_an_access_token_is_validated(app, anonymous, mix, keeper):
    held = ok(anonymous.login(credentials(mix)))
    assert ok(anonymous.validate_jwt(held["token"]))["jwt"] == claims_of(held["token"])
    for bad in ("junk", held["refreshToken"], make_api_token(keeper, "users:read")["token"]):
        assert empty(anonymous.validate_jwt(bad)) == 401
    client = app.test_client()
    alias = {"Authorization": f"JWT {held['token']}"}
    assert client.get(f"{BASE}/api/jwt/validate/", headers=alias, base_url=HOST).status_code == 200
    anonymous.logout(False, held["refreshToken"])
    assert empty(anonymous.validate_jwt(held["token"])) == 401


def test_its_keys_check_our_tokens(anonymous, mix):
    token = ok(anonymous.login(credentials(mix)))["token"]
    kid = jwt.get_unverified_header(token)["kid"]
    keys = ok(anonymous.retrieve_json_web_key_set())["keys"]
    checks = [jwt.PyJWK(one).key for one in keys if one["kid"] == kid]
    checks += [ok(anonymous.retrieve_jwt_public_keys())["publicKeys"][kid]]
    checks += [ok(anonymous.retrieve_jwt_public_key(kid))["publicKey"]]
    checks += [ok(anonymous.retrieve_jwt_public_key_by_application_id(claims_of(token)["aud"]))["publicKey"]]
    for key in checks:
        assert jwt.decode(token, key, ["ES256"], audience=claims_of(token)["aud"])["sub"] == mix.account.id
    assert empty(anonymous.retrieve_jwt_public_key("nobody's")) == 404


def test_what_is_not_there_is_told_without_a_page(app):
    client = app.test_client()
    assert (client.get(f"{BASE}/api/nowhere").status_code, client.get(f"{BASE}/api/nowhere").data) == (404, b"")
    for method, path, body, status in (
        ("PUT", "/api/login", b"", 405),
        ("POST", "/api/login", b"{", 400),
        ("POST", "/api/login", b"x" * 2_000_000, 413),
    ):
        answer = client.open(BASE + path, method=method, data=body)
        assert answer.status_code == status
        assert answer.json["generalErrors"], path


@pytest.mark.settings(GUESSES_PER_ACCOUNT_AND_SOURCE=2)
def test_who_guesses_too_often_is_told_to_wait(anonymous, mix):
    for _ in range(2):
        assert empty(anonymous.login(credentials(mix, password="wrong"))) == 404
    answer = anonymous.login(credentials(mix))
    assert (answer.status, "Retry-After" in answer.response.headers) == (429, True)
    assert answer.response.json()["generalErrors"][0]["code"] == "[too_many_attempts]"
