"""FusionAuth's cookies, for pages that were written for it: they know no CSRF value and send `credentials: include`."""

import pytest

from tests.claims import claims_of
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.dialects.fusionauth import BASE, ok
from tests.dialects.page import Page, set_by
from tests.drivers import HOST, Account, Browser, Script
from tests.flows.api_tokens import make_api_token
from tests.flows.oauth import add_client
from tests.flows.people import NEW, PASSWORD, join

BOTH = {"access_token", "refresh_token"}
ELSEWHERE = "https://evil.example.net"
pytestmark = pytest.mark.settings(TRANSPORT="cookie")


@pytest.fixture
def database_kind():
    return "sqlite"


@pytest.fixture
def admin(app):
    device = Browser(app)
    device.sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD))
    return device


@pytest.fixture
def mix(app):
    device = Browser(app)
    device.keep(join(device))
    device.tenant = {}
    return device


def login(page, headers=None, **more):
    return page.ask("POST", "/api/login", {"loginId": "mix@example.com", "password": PASSWORD, **more}, **headers or {})


@pytest.fixture
def page(app, mix):
    page = Page(app, BASE)
    assert login(page).status_code == 200
    return page


def is_in(app, token):
    device = Script(app)
    device.access_token = token
    return device.me().status_code == 200


def test_signing_in_sets_both_and_the_refresh_token_stands_nowhere_else(app, mix):
    answer = login(Page(app, BASE))
    assert answer.json.keys() == {"token", "tokenExpirationInstant", "refreshTokenId", "user"}
    cookies = set_by(answer)
    assert cookies.keys() == BOTH
    fixed = {"Secure": True, "HttpOnly": True, "Path": "/", "SameSite": "Strict"}
    assert cookies["access_token"] == fixed | {"value": answer.json["token"]}
    lasting = cookies["refresh_token"]
    assert 7 * 86400 - 5 < int(lasting["Max-Age"]) <= 7 * 86400
    assert claims_of(lasting["value"])["sid"] == answer.json["refreshTokenId"]
    assert answer.headers["Cache-Control"] == "no-store"
    assert lasting.items() >= fixed.items()
    silent = login(Page(app, BASE), noJWT=True)
    assert (silent.status_code, silent.json.keys(), set_by(silent)) == (200, {"user"}, {})


def test_refreshing_takes_the_cookie_before_the_body_and_sets_both_again(page):
    first = page.held("refresh_token")
    answer = page.ask("POST", "/api/jwt/refresh", {"refreshToken": "junk"})
    assert (answer.status_code, answer.json.keys()) == (200, {"token", "refreshTokenId"})
    assert set_by(answer).keys() == BOTH
    assert page.held("access_token") == answer.json["token"]
    assert claims_of(page.held("refresh_token"))["gen"] == claims_of(first)["gen"] + 1
    # Without its cookie a page has nothing; a cookie that is none of ours is none.
    page.hold("refresh_token", "junk")
    missing = page.ask("POST", "/api/jwt/refresh")
    assert (missing.status_code, list(missing.json["fieldErrors"])) == (400, ["refreshToken"])


def test_a_spent_cookie_that_comes_back_ends_its_sign_in(app, page, age):
    first = page.held("refresh_token")
    token = page.ask("POST", "/api/jwt/refresh").json["token"]
    age(app, claims_of(first)["sid"], minutes=1)
    page.hold("refresh_token", first)
    answer = page.ask("POST", "/api/jwt/refresh")
    assert (answer.status_code, set_by(answer)) == (400, {})
    assert not is_in(app, token)


def test_each_kind_is_refused_where_the_other_belongs(app, page, mix):
    ours, (native, csrf) = page.held("refresh_token"), mix.held()
    bare = Page(app, BASE)
    assert bare.ask("POST", "/api/jwt/refresh", {"refreshToken": ours}).status_code == 400
    assert Script(app).post("/jwt/refresh", refreshToken=ours).status_code == 401
    assert Browser(app).present("/jwt/refresh", (ours, csrf)).status_code == 401
    bare.hold("refresh_token", native)
    assert bare.ask("POST", "/api/jwt/refresh").status_code == 400
    assert bare.ask("POST", "/api/logout").status_code == 200
    assert mix.refresh().status_code == 200
    assert page.ask("POST", "/api/jwt/refresh").status_code == 200


def test_pages_elsewhere_can_not_use_them(app, page):
    before = page.held("refresh_token")
    for foreign in ({"Origin": ELSEWHERE}, {"Origin": "null"}, {"Origin": None, "Sec_Fetch_Site": "cross-site"}):
        for method, path, body in (
            ("POST", "/api/jwt/refresh", None),
            ("POST", "/api/logout", {"global": True}),
            ("POST", "/api/login", {"loginId": "mix@example.com", "password": PASSWORD}),
            ("POST", "/api/user/change-password", {"currentPassword": PASSWORD, "password": NEW}),
            ("DELETE", f"/api/jwt/refresh/{claims_of(before)['sid']}", None),
        ):
            answer = page.ask(method, path, body, **foreign)
            assert (answer.status_code, answer.data, set_by(answer)) == (401, b"", {}), (path, foreign)
    assert page.held("refresh_token") == before
    # Nor can a cookie that a sibling host planted beside ours.
    other = Page(app, BASE)
    login(other)
    planted = f"refresh_token={other.held('refresh_token')}; refresh_token={before}"
    bare = app.test_client(use_cookies=False)
    answer = bare.post(f"{BASE}/api/jwt/refresh", headers={"Cookie": planted}, base_url=HOST)
    assert answer.status_code == 401
    planted = f"access_token={other.held('access_token')}; access_token={page.held('access_token')}"
    assert bare.get(f"{BASE}/api/user", headers={"Cookie": planted}, base_url=HOST).status_code == 401
    assert page.ask("POST", "/api/jwt/refresh").status_code == 200


def test_signing_out_takes_the_body_before_the_cookie_and_clears_what_was_brought(app, page):
    other = Page(app, BASE)
    assert set_by(other.ask("POST", "/api/logout")) == {}
    token = page.held("access_token")
    keyed = login(other, {"Authorization": f"Bearer {token}"}).json
    answer = page.ask("POST", "/api/logout?refreshToken=" + keyed["refreshToken"])
    assert (answer.status_code, answer.data) == (200, b"")
    cleared = set_by(answer)
    assert cleared.keys() == BOTH
    assert {one["value"] for one in cleared.values()} == {""}
    assert (is_in(app, token), is_in(app, keyed["token"])) == (True, False)
    login(page)
    token = page.held("access_token")
    assert set_by(page.ask("POST", "/api/logout", {"refreshToken": "junk"})).keys() == BOTH
    assert not is_in(app, token)
    assert page.held("refresh_token") is None


def test_the_access_cookie_counts_where_an_access_token_does_and_a_key_before_it(app, page, mix):
    for path in ("/api/jwt/validate", "/api/user", "/oauth2/userinfo", "/api/jwt/refresh"):
        assert page.ask("GET", path).status_code == 200, path
        assert page.ask("GET", path, Authorization="asvc_junk").status_code == 401, path
    key = make_api_token(mix)["token"]
    assert page.ask("GET", "/api/jwt/validate", Authorization=key).status_code == 401
    body = {"currentPassword": PASSWORD, "password": NEW}
    assert page.ask("POST", "/api/user/change-password", body).status_code == 200
    assert page.ask("GET", "/api/user").json["user"]["email"] == "mix@example.com"
    page.hold("access_token", "junk")
    assert page.ask("GET", "/api/user").status_code == 401
    # An API token is nothing that a browser holds.
    page.hold("access_token", key)
    assert page.ask("GET", "/api/user").status_code == 401


def test_a_program_with_a_key_and_an_application_of_the_other_transport_get_bodies(app, admin, fusionauth, mix):
    script = fusionauth(make_api_token(mix)["token"])
    held = ok(script.login({"loginId": "mix@example.com", "password": PASSWORD}))
    assert ok(script.exchange_refresh_token_for_jwt(held)).keys() == {"token", "refreshToken", "refreshTokenId"}
    phone = add_client(admin, name="Phone", transport="body")
    page = Page(app, BASE)
    answer = login(page, {"Origin": ELSEWHERE}, applicationId=phone.id)
    assert (answer.status_code, set_by(answer)) == (200, {})
    again = page.ask("POST", "/api/jwt/refresh", {"refreshToken": answer.json["refreshToken"]})
    assert (again.status_code, set_by(again)) == (200, {})


@pytest.mark.settings(ACCESS_TOKEN_IN_COOKIE=True, TRANSPORT="cookie")
def test_an_access_token_that_is_bound_to_a_csrf_value_is_not_taken_without_it(app):
    mix = Browser(app)
    join(mix)
    bound = mix.client.get_cookie("__Host-access_token", "auth.example.org").value
    page = Page(app, BASE)
    page.hold("access_token", bound)
    assert page.ask("GET", "/api/user").status_code == 401
    body = {"currentPassword": PASSWORD, "password": NEW}
    assert page.ask("POST", "/api/user/change-password", body).status_code == 401


def test_a_listed_page_elsewhere_may_read_and_refresh(app, admin, mix):
    shop = {"name": "Shop", "corsOrigins": [ELSEWHERE], "cookieSameSite": "None"}
    made = add_client(admin, **shop)
    page = Page(app, BASE)
    answer = login(page, {"Origin": ELSEWHERE}, applicationId=made.id)
    assert answer.headers["Access-Control-Allow-Origin"] == ELSEWHERE
    cookie = set_by(answer)["refresh_token"]
    assert (cookie["SameSite"], cookie["Partitioned"]) == ("None", True)
    assert page.ask("POST", "/api/jwt/refresh", Origin=ELSEWHERE).status_code == 200
    asked = {"Access_Control_Request_Method": "POST", "Access_Control_Request_Headers": "x-fusionauth-tenantid"}
    preflight = page.ask("OPTIONS", "/api/login", Origin=ELSEWHERE, **asked)
    assert "X-FusionAuth-TenantId" in preflight.headers["Access-Control-Allow-Headers"]
    out = page.ask("POST", "/api/logout", Origin=ELSEWHERE)
    assert set_by(out)["refresh_token"]["Partitioned"] is True
