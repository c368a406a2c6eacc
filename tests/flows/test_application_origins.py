"""An application's list of origins: which may stand in it, and that the next request follows it."""

import pytest

from tests.answers import refused
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.drivers import HOST, Account, Browser
from tests.flows.administering import add_application, change_application, joined
from tests.flows.people import log_in

SHOP, OFFICE = "https://shop.example.com", "https://office.example.com"
NO_ORIGIN = [
    "",
    "*",
    "null",
    "https://",
    "https://*",
    "https://*.example.org",
    "example.org",
    "//example.org",
    "ftp://example.org",
    "https://example.org/",
    "https://example.org/path",
    "https://example.org?x",
    "https://example.org#x",
    "https://user@example.org",
    "https://user:password@example.org",
    "https://Example.org",
    "HTTPS://example.org",
    "https://exämple.org",
    "https://example.org:",
    "https://example.org:0",
    "https://example.org:0443",
    "https://example.org:65536",
    "https://example.org:８",
    "https://example.org:x",
    "https://example..org",
    "https://.example.org",
    "https://example.org.",
    "https://-example.org",
    "https://example-.org",
    " https://example.org",
    "https://example.org\n",
    "https://example.org https://example.com",
    "https://1.2.3",
    "https://1.2.3.04",
    "https://1.2.3.256",
    "https://0x7f.1",
    "https://example.0x1",
    "https://2130706433",
    "https://[::1",
    "https://[::1%25lo]",
    "https://[0:0:0:0:0:0:0:1]",
    "https://[127.0.0.1]",
    "https://::1",
    "https://" + "a" * 64 + ".org",
    "https://" + "a." * 126 + "org",
]
ORIGINS = {
    "https://example.org": "https://example.org",
    "https://example.org:443": "https://example.org",
    "http://example.org:80": "http://example.org",
    "https://example.org:80": "https://example.org:80",
    "http://example.org:443": "http://example.org:443",
    "http://localhost:3000": "http://localhost:3000",
    "http://127.0.0.1:65535": "http://127.0.0.1:65535",
    "http://[::1]:8080": "http://[::1]:8080",
    "https://xn--exmple-cua.org": "https://xn--exmple-cua.org",
    "https://my_own.a-b.example.org": "https://my_own.a-b.example.org",
}


def post(admin, **fields):
    return admin.ask("POST", "/admin/applications", {"name": "Shop", **fields})


@pytest.mark.parametrize("database_kind", ["sqlite"])
def test_an_origin_that_no_browser_sends_is_refused_and_named(admin):
    for origin in NO_ORIGIN:
        if origin:
            answer = post(admin, corsOrigins=["https://example.org", origin])
            refused(answer, 422, "validation_failed", ["corsOrigins"])
            [sentence] = answer.json["error"]["fields"]["corsOrigins"]
            assert sentence.startswith(f'"{origin[:100]}"')
    answer = refused(post(admin, corsOrigins=["https://example.org", "", 1]), 422, "validation_failed", ["corsOrigins"])
    assert [one.split(":")[0] for one in answer.json["error"]["fields"]["corsOrigins"]] == ["Number 2", "Number 3"]


def test_an_origin_is_kept_as_browsers_send_it(admin):
    for given, kept in ORIGINS.items():
        assert add_application(admin, corsOrigins=[given])["corsOrigins"] == [kept]
    assert add_application(admin, corsOrigins=list(ORIGINS))["corsOrigins"] == sorted(set(ORIGINS.values()))


def test_a_list_has_at_most_fifty_origins_and_is_replaced_as_a_whole(admin):
    fifty = [f"https://{number:02}.example.org" for number in range(50)]
    made = add_application(admin, corsOrigins=fifty[::-1])
    assert made["corsOrigins"] == fifty
    refused(post(admin, corsOrigins=[*fifty, "https://x.org"]), 422, "validation_failed", ["corsOrigins"])
    assert change_application(admin, made, corsOrigins=["https://x.org", fifty[3]])["corsOrigins"] == [
        fifty[3],
        "https://x.org",
    ]
    assert change_application(admin, made, name="y")["corsOrigins"] == [fifty[3], "https://x.org"]
    assert change_application(admin, made, corsOrigins=[])["corsOrigins"] == []
    assert admin.get(f"/admin/applications/{made['id']}").json["data"]["corsOrigins"] == []


# Followed


def preflight(app, origin, path="/jwt/refresh"):
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,x-csrf-token",
    }
    return app.test_client().options(path, headers=headers, base_url=HOST)


def may_read(answer, origin):
    told = answer.headers.getlist("Access-Control-Allow-Origin")
    assert told in ([], [origin])
    return bool(told)


def from_page(origin):
    return {"Origin": origin, "Sec-Fetch-Site": "cross-site"}


@pytest.fixture
def shop(admin):
    return add_application(admin, name="Shop", transport="cookie", cookieSameSite="None")


@pytest.fixture
def browser(app, shop):
    """Signed in to the shop, on a page of our own."""
    return joined(app, "cookie", applicationId="shop")


def test_a_page_may_refresh_by_cookie_while_its_origin_is_listed_and_no_longer(app, admin, shop, browser):
    for listed, allowed in (
        ([], False),
        ([OFFICE, SHOP], True),
        ([OFFICE], False),
        ([f"{SHOP}:443"], True),
        ([], False),
    ):
        change_application(admin, shop, corsOrigins=listed)
        assert may_read(preflight(app, SHOP), SHOP) == allowed
        answer = browser.refresh(headers=from_page(SHOP))
        if allowed:
            assert answer.status_code == 200
            assert may_read(answer, SHOP)
            assert browser.me().status_code == 200
        else:
            refused(answer, 401, "csrf_failed")
            assert not may_read(answer, SHOP)
    # Nothing of that signed anybody out.
    assert browser.refresh().status_code == 200


def test_a_page_may_sign_in_by_cookie_while_its_origin_is_listed(app, admin, shop, browser):
    named = {"email": browser.account.email, "applicationId": shop["id"]}
    refused(log_in(Browser(app), headers=from_page(SHOP), **named), 401, "csrf_failed")
    change_application(admin, shop, corsOrigins=[SHOP])
    answer = log_in(Browser(app), headers=from_page(SHOP), **named)
    assert (answer.status_code, may_read(answer, SHOP)) == (200, True)


def test_the_list_is_the_applications_own(app, admin, shop, browser):
    add_application(admin, name="Office", transport="cookie", corsOrigins=[OFFICE])
    answer = browser.refresh(headers=from_page(OFFICE))
    refused(answer, 401, "csrf_failed")
    change_application(admin, shop, corsOrigins=[SHOP])
    refused(browser.refresh(headers=from_page(OFFICE)), 401, "csrf_failed")
    assert browser.refresh(headers=from_page(SHOP)).status_code == 200


def test_in_body_transport_the_list_decides_who_may_read(app, admin):
    own = add_application(admin, name="Phone", transport="body")
    script = joined(app, "body", applicationId="phone")
    for listed in ([], [SHOP], []):
        change_application(admin, own, corsOrigins=listed)
        answers = [script.refresh(headers=from_page(SHOP)), script.get("/auth/me", headers=from_page(SHOP))]
        assert [(answer.status_code, may_read(answer, SHOP)) for answer in answers] == [(200, bool(listed))] * 2


def test_a_deleted_applications_list_is_gone(app, admin, shop):
    change_application(admin, shop, corsOrigins=[SHOP])
    assert may_read(preflight(app, SHOP), SHOP)
    admin.ask("DELETE", f"/admin/applications/{shop['id']}")
    assert not may_read(preflight(app, SHOP), SHOP)


# Transports and cookies


def test_another_transport_is_for_new_sign_ins_and_those_that_exist_go_on_as_they_began(app, admin, shop, browser):
    change_application(admin, shop, transport="body")
    for _ in range(2):
        answer = browser.refresh()
        assert answer.status_code == 200
        assert "refreshToken" not in answer.json["data"]
        assert len(answer.headers.getlist("Set-Cookie")) == 2
    answer = log_in(Browser(app), email=browser.account.email, applicationId="shop")
    assert answer.json["data"]["refreshToken"]
    assert not answer.headers.getlist("Set-Cookie")


@pytest.mark.settings(TRANSPORT="cookie", COOKIE_SAME_SITE="Lax")
def test_what_an_application_gives_back_the_settings_decide(app, admin_of_pages):
    admin = admin_of_pages
    made = add_application(admin, transport="body")
    person = joined(app, "body", applicationId="shop")
    change_application(admin, made, transport=None)
    answer = log_in(Browser(app), email=person.account.email, applicationId="shop")
    assert "refreshToken" not in answer.json["data"]
    assert all("SameSite=Lax" in line for line in answer.headers.getlist("Set-Cookie"))
    for same_site in ("Strict", "None", "Lax"):
        change_application(admin, made, cookieSameSite=same_site)
        answer = log_in(Browser(app), email=person.account.email, applicationId="shop")
        for line in answer.headers.getlist("Set-Cookie"):
            assert f"SameSite={same_site}" in line
            assert ("Partitioned" in line) == (same_site == "None")


@pytest.fixture
def admin_of_pages(app):
    """The first administrator, where the settings say cookie."""
    browser = Browser(app)
    browser.sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD))
    return browser
