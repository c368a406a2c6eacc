"""The refresh token in a cookie: its looks, what must be proven beside it, and that bodies and cookies never mix."""

from urllib.parse import urlsplit

import pytest

from authsvc import clock, opaque
from authsvc.models import AllowedOrigin, Application, Tenant
from authsvc.models.engine import transaction
from authsvc.services import installation
from tests.claims import claims_of
from tests.conftest import register
from tests.drivers import HOST, Browser, Script

CSRF = "csrf_refresh_token"
ACCESS_COOKIE = "__Host-access_token"
STRONG_SECRET = "q7Vw2xN9pLr4Kd8sZt3Ym6Hb1Gc5Jf0Ae"

browsers_only = pytest.mark.parametrize("transport", ["cookie"])
scripts_only = pytest.mark.parametrize("transport", ["body"])


@pytest.fixture
def database_kind():
    """One is enough: what is tried here is said between browser and service."""
    return "sqlite"


def code(answer):
    return answer.json["error"]["code"]


def cookies_set(answer):
    """The cookies that an answer sets: name to (value, attributes)."""
    found = {}
    for line in answer.headers.getlist("Set-Cookie"):
        pair, *attributes = line.split("; ")
        name, _, value = pair.partition("=")
        parted = (attribute.partition("=") for attribute in attributes)
        found[name] = (value, {key: content or True for key, _, content in parted})
    return found


def attributes_of(answer, name):
    return {key: value for key, value in cookies_set(answer)[name][1].items() if key not in ("Max-Age", "Expires")}


@pytest.fixture
def add_application(rows):
    """A further application of the default tenant, with the origins that it allows; answers its id."""

    def add(app, slug, origins=(), **more):
        with app.app_context(), transaction() as session:
            tenant_id = session.query(Tenant).filter_by(slug="default").one().id
            made = Application(
                id=opaque.new_id(),
                tenant_id=tenant_id,
                slug=slug,
                name=slug,
                active=True,
                rotate=True,
                confidential=False,
                created_at=clock.utcnow(),
                **more,
            )
            session.add(made)
            session.flush()
            for origin in origins:
                session.add(AllowedOrigin(tenant_id=tenant_id, application_id=made.id, origin=origin))
        return made.id

    return add


@pytest.fixture
def allow(rows):
    def allow(app, origin):
        statement = (
            "INSERT INTO allowed_origins (tenant_id, application_id, origin) "
            "SELECT tenant_id, id, :origin FROM applications WHERE slug = 'default' RETURNING 1"
        )
        assert rows(app, statement, origin=origin)

    return allow


@pytest.fixture
def refused(device, row):
    """Refreshing and signing out with these headers is refused before anything changed, and takes no cookie away."""

    def check(held=None, **headers):
        before = row()
        token, csrf = held or device.held()
        for path in ("/jwt/refresh", "/auth/logout"):
            answer = device.present(path, (token, csrf), headers)
            assert (answer.status_code, code(answer)) == (401, "csrf_failed"), path
            assert answer.headers["WWW-Authenticate"].startswith("Bearer ")
            assert not answer.headers.getlist("Set-Cookie")
        assert row() == before

    return check


# What they look like


@pytest.mark.parametrize(
    "stage", [{}, {"ENV": "production", "SECRET_KEY": STRONG_SECRET}], ids=["testing", "production"]
)
def test_with_tls_the_names_and_attributes_make_the_browser_insist(make_app, rows, stage):
    app = make_app(TRANSPORT="cookie", **stage)
    assert rows(app, "DELETE FROM signing_keys RETURNING 1")  # sealed with another stage's secret
    with app.app_context():
        installation.complete(clock.utcnow())
    device = Browser(app)
    account = register(device)
    for answer in (device.sign_in(account), device.refresh()):
        assert set(cookies_set(answer)) == {"__Host-refresh_token", CSRF}
        shared = {"Path": "/", "Secure": True, "SameSite": "Strict"}
        assert attributes_of(answer, "__Host-refresh_token") == {**shared, "HttpOnly": True}
        assert attributes_of(answer, CSRF) == shared
        assert all(len(line) < 4096 for line in answer.headers.getlist("Set-Cookie"))


@pytest.mark.settings(TRANSPORT="cookie", BASE_URL="http://127.0.0.1:8000", ENV="development")
def test_without_tls_the_same_cookies_go_by_plain_names(client):
    body = {"email": "plain@example.com", "password": "a quiet harbour at dawn"}
    base = "http://127.0.0.1:8000"
    first = client.post("/auth/register", json=body, base_url=base)
    csrf = {"X-CSRF-TOKEN": first.json["data"]["csrfToken"]}
    for answer in (first, client.post("/jwt/refresh", headers=csrf, base_url=base)):
        assert answer.status_code in (200, 201)
        assert set(cookies_set(answer)) == {"refresh_token", CSRF}
        shared = {"Path": "/", "SameSite": "Strict"}
        assert attributes_of(answer, "refresh_token") == {**shared, "HttpOnly": True}
        assert attributes_of(answer, CSRF) == shared


@browsers_only
def test_the_plain_name_is_not_read_where_there_is_tls(device, row):
    token, csrf = device.held()
    before = row()
    headers = {"Cookie": f"refresh_token={token}", "X-CSRF-TOKEN": csrf}
    answer = device.app.test_client(use_cookies=False).post("/jwt/refresh", headers=headers, base_url=HOST)
    assert code(answer) == "credentials_missing"
    assert row() == before


@browsers_only
@pytest.mark.parametrize(
    ("chosen", "expected"),
    [
        ("Lax", {"SameSite": "Lax"}),
        ("None", {"SameSite": "None", "Partitioned": True}),
        ("Strict", {"SameSite": "Strict"}),
    ],
)
def test_an_application_chooses_its_same_site(device, account, rows, chosen, expected):
    assert rows(device.app, "UPDATE applications SET cookie_same_site = :chosen RETURNING 1", chosen=chosen)
    device = Browser(device.app)
    for answer in (device.sign_in(account), device.refresh()):
        shared = {"Path": "/", "Secure": True, **expected}
        assert attributes_of(answer, "__Host-refresh_token") == {**shared, "HttpOnly": True}
        assert attributes_of(answer, CSRF) == shared


@browsers_only
@pytest.mark.settings(COOKIE_SAME_SITE="Lax")
def test_the_setting_decides_where_the_application_does_not(make_device, account):
    assert attributes_of(make_device().sign_in(account), CSRF)["SameSite"] == "Lax"


@browsers_only
def test_a_cookie_lives_as_long_as_its_sign_in_really_will(device, account, age):
    answer = device.sign_in(account)
    data = answer.json["data"]
    assert data["refreshExpiresIn"] in range(7 * 24 * 3600 - 5, 7 * 24 * 3600 + 1)
    for _ in range(5):
        for name in ("__Host-refresh_token", CSRF):
            assert cookies_set(answer)[name][1]["Max-Age"] == str(data["refreshExpiresIn"])
        age(device.app, device.refresh_token_id, days=5, hours=23)
        answer = device.refresh()
        data = answer.json["data"]
    assert data["refreshExpiresIn"] <= 5 * 3600
    assert cookies_set(answer)["__Host-refresh_token"][1]["Max-Age"] == str(data["refreshExpiresIn"])


@browsers_only
def test_the_refresh_token_is_in_its_cookie_and_nowhere_else(device, account):
    for step in (lambda: device.sign_in(account), device.refresh):
        answer = step()
        token, csrf = device.held()
        assert token not in answer.text
        assert "refreshToken" not in answer.json["data"]
        assert answer.json["data"]["csrfToken"] == csrf == claims_of(token)["csrf"]
        assert (cookies_set(answer)[Browser.cookie][0], cookies_set(answer)[CSRF][0]) == (token, csrf)
        assert answer.headers["Cache-Control"] == "no-store"


@browsers_only
@pytest.mark.parametrize("same_site", ["Strict", "Lax", "None"])
def test_a_cookie_is_taken_away_with_the_attributes_it_was_set_with(device, account, rows, same_site):
    assert rows(device.app, "UPDATE applications SET cookie_same_site = :chosen RETURNING 1", chosen=same_site)
    signed_in = device.sign_in(account)
    out = device.present("/auth/logout", device.held())
    assert out.json["data"] == {"revoked": 1}
    assert set(cookies_set(out)) == set(cookies_set(signed_in))
    for name, (value, attributes) in cookies_set(out).items():
        assert (value, attributes["Max-Age"]) == ("", "0")
        assert attributes_of(out, name) == attributes_of(signed_in, name)


@browsers_only
def test_no_answer_takes_away_a_cookie_that_the_request_did_not_bring(device, account):
    stranger = device.app.test_client(use_cookies=False)
    for headers in ({}, {"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}, device.bearer()):
        answer = stranger.post("/auth/logout", headers=headers, base_url=HOST)
        assert answer.status_code == 200
        assert not answer.headers.getlist("Set-Cookie")


# What must be proven beside them


@browsers_only
@pytest.mark.parametrize("csrf", ["", " ", "wrong", "é", "\xff" * 50, "x" * 10_000, "null", "=", "a,b"])
def test_a_wrong_csrf_value_is_refused(device, refused, csrf):
    refused((device.held()[0], csrf))
    assert device.refresh().status_code == 200


@browsers_only
def test_the_csrf_value_counts_in_its_header_alone(device, row):
    before = row()
    _, csrf = device.held()
    ways = {
        "cookie only": {},
        "query": {"query_string": {"X-CSRF-TOKEN": csrf}},
        "json": {"json": {"csrfToken": csrf}},
        "form": {"data": {"csrf_token": csrf}},
        "text": {"data": f"X-CSRF-TOKEN={csrf}", "content_type": "text/plain"},
        "other header": {"headers": {"X-XSRF-TOKEN": csrf}},
    }
    for path in ("/jwt/refresh", "/auth/logout"):
        for name, sent in ways.items():
            answer = device.client.post(path, base_url=HOST, **sent)
            assert answer.status_code in (401, 415, 422), (path, name)
            assert not answer.headers.getlist("Set-Cookie")
    assert row() == before


@browsers_only
@pytest.mark.parametrize(
    "content_type", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
def test_what_a_form_can_send_is_refused_even_with_the_csrf_value(device, row, content_type):
    before = row()
    for path in ("/jwt/refresh", "/auth/logout"):
        answer = device.client.post(
            path,
            data='{"everywhere": true}',
            content_type=content_type,
            headers={"X-CSRF-TOKEN": device.held()[1]},
            base_url=HOST,
        )
        assert (answer.status_code, code(answer)) == (415, "unsupported_media_type")
    assert row() == before


@browsers_only
def test_the_csrf_value_of_another_user_is_refused(device, make_device, refused):
    other = make_device()
    other.sign_in(register(other))
    refused((device.held()[0], other.held()[1]))


@browsers_only
def test_the_csrf_value_of_another_sign_in_of_the_same_user_is_refused(device, account, make_device, refused):
    other = make_device()
    other.sign_in(account)
    refused((device.held()[0], other.held()[1]))


@browsers_only
def test_a_planted_csrf_cookie_proves_nothing(device, refused):
    device.client.set_cookie(CSRF, "planted", domain="auth.example.org", secure=True)
    refused((device.held()[0], "planted"))


@browsers_only
def test_every_step_has_a_csrf_value_of_its_own(device, refused, age):
    older_token, older = device.held()
    device.refresh()
    token, newer = device.held()
    assert newer != older
    refused((token, older))
    refused((older_token, newer))
    age(device.app, device.refresh_token_id, seconds=11)
    refused((older_token, newer))  # wrong in two ways: a stranger's guess must not end the sign-in


@browsers_only
@pytest.mark.parametrize(
    "headers",
    [
        {"Sec-Fetch-Site": "cross-site"},
        {"Origin": "https://evil.example"},
        {"Origin": "null"},
        {"Origin": ""},
        {"Origin": "https://evil.example", "Sec-Fetch-Site": "same-origin"},
        {"Origin": "http://auth.example.org"},
        {"Origin": "https://auth.example.org:444"},
        {"Origin": "https://auth.example.org.evil.example"},
        {"Origin": "https://auth.example.org/"},
        {"Origin": "https://AUTH.example.org"},
        {"Origin": "https://sub.auth.example.org"},
        {"Origin": "https://example.org"},
        {"Origin": "https://auth.example.org, https://evil.example"},
        {"Origin": "é"},
        {"Origin": "https://" + "a" * 9000},
    ],
    ids=str,
)
def test_a_page_of_another_site_is_refused_even_with_the_csrf_value(device, refused, headers):
    refused(**headers)
    assert device.refresh().status_code == 200


@browsers_only
@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_a_page_of_another_site_signs_nobody_in(device, account, rows, headers):
    count = "SELECT count(*) FROM refresh_tokens"
    before = rows(device.app, count)
    stranger = Browser(device.app)
    body = {"email": account.email, "password": account.password}
    for path, sent in (("/auth/login", body), ("/auth/register", body | {"email": "new@example.com"})):
        answer = stranger.post(path, headers, **sent)
        assert (answer.status_code, code(answer)) == (401, "csrf_failed")
        assert not answer.headers.getlist("Set-Cookie")
    assert rows(device.app, count) == before
    assert rows(device.app, "SELECT 1 FROM users WHERE email = 'new@example.com'") == []


@browsers_only
@pytest.mark.parametrize("site", ["same-origin", "same-site", "none"])
def test_our_own_pages_are_allowed(device, account, site):
    headers = {"Origin": HOST, "Sec-Fetch-Site": site}
    assert device.refresh(headers=headers).status_code == 200
    assert device.present("/auth/logout", device.held(), headers).json["data"] == {"revoked": 1}
    assert device.post("/auth/login", headers, email=account.email, password=account.password).status_code == 200


@browsers_only
def test_an_allowed_origin_is_allowed_across_sites(device, account, allow):
    allow(device.app, "https://shop.example.com")
    headers = {"Origin": "https://shop.example.com", "Sec-Fetch-Site": "cross-site"}
    assert device.refresh(headers=headers).status_code == 200
    assert device.present("/auth/logout", device.held(), headers).json["data"] == {"revoked": 1}
    assert device.post("/auth/login", headers, email=account.email, password=account.password).status_code == 200


@browsers_only
def test_a_listed_page_elsewhere_is_told_the_csrf_value_that_it_lost_and_nobody_else(device, allow, add_application):
    """It can't read the cookie. Without this, one lost answer would lock it out with a good sign-in."""
    allow(device.app, "https://shop.example.com")
    add_application(device.app, "office", ["https://office.example.com"])
    token, csrf = device.held()
    for path in ("/jwt/refresh", "/auth/logout"):
        for wrong in ("", "wrong"):
            for origin, told in (
                ({"Origin": "https://shop.example.com"}, csrf),
                ({"Origin": "https://office.example.com"}, None),
                ({"Origin": "https://evil.example"}, None),
                ({"Origin": HOST}, None),
                ({"Origin": "null"}, None),
                ({}, None),
            ):
                answer = device.present(path, (token, wrong), origin)
                assert (answer.status_code, code(answer)) == (401, "csrf_failed")
                assert answer.headers.get("X-CSRF-TOKEN") == told, (origin, path)
                if told:
                    assert answer.headers["Access-Control-Allow-Origin"] == origin["Origin"]
                    assert "X-CSRF-TOKEN" in answer.headers["Access-Control-Expose-Headers"]
    forged = device.present("/jwt/refresh", (token[:-8] + "AAAAAAAA", "wrong"), {"Origin": "https://shop.example.com"})
    assert (code(forged), forged.headers.get("X-CSRF-TOKEN")) == ("token_invalid", None)
    assert device.refresh(held=(token, csrf)).status_code == 200


@browsers_only
def test_an_origin_is_allowed_for_its_own_application_alone(device, account, refused, add_application):
    origin = {"Origin": "https://office.example.com"}
    office_id = add_application(device.app, "office", ["https://office.example.com"])
    refused(**origin)
    answer = device.post("/auth/login", origin, email=account.email, password=account.password)
    assert code(answer) == "csrf_failed"
    office = Browser(device.app)
    assert office.sign_in(account, applicationId=office_id).status_code == 200
    assert office.refresh(headers=origin).status_code == 200
    answer = office.post("/auth/login", origin, email=account.email, password=account.password, applicationId="office")
    assert answer.status_code == 200


@browsers_only
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH"])
def test_no_other_method_carries_a_sign_in_on_or_ends_it(device, row, method):
    before = row()
    headers = {"X-CSRF-TOKEN": device.held()[1]}
    for path in ("/jwt/refresh", "/auth/logout"):
        answer = device.client.open(path, method=method, headers=headers, base_url=HOST)
        looks_up = path == "/jwt/refresh" and method in ("GET", "HEAD")
        assert answer.status_code == (401 if looks_up else 405)
        assert looks_up or "POST" in answer.headers["Allow"]
        assert not answer.headers.getlist("Set-Cookie")
    assert row() == before


@browsers_only
@pytest.mark.parametrize("path", ["/jwt/refresh", "/jwt/refresh/", "/auth/logout", "/auth/logout/"])
def test_a_trailing_slash_asks_for_the_same_proof(device, path):
    answer = device.client.post(path, base_url=HOST)
    assert (answer.status_code, code(answer)) == (401, "csrf_failed")
    assert device.present(path, device.held()).status_code == 200


# Bodies and cookies do not mix


@scripts_only
def test_body_transport_never_sets_a_cookie(device, account, age):
    answers = [device.sign_in(account), device.refresh(), device.refresh()]
    held = device.held()
    age(device.app, device.refresh_token_id, seconds=11)
    answers += [device.refresh(), device.refresh(held=held), device.me()]
    answers += [device.present("/auth/logout", device.held()), device.refresh(), register_again(device)]
    assert [cookies_set(answer) for answer in answers] == [{}] * len(answers)


def register_again(device):
    return device.post("/auth/register", email="again@example.com", password="a quiet harbour at dawn")


@pytest.fixture
def both(make_app, add_application):
    """One user, signed in with a browser and with a script, each at an application of its kind."""
    app = make_app(TRANSPORT="body")
    add_application(app, "page", transport="cookie")
    browser, script = Browser(app), Script(app)
    account = register(script)
    browser.sign_in(account, applicationId="page")
    script.sign_in(account)
    return browser, script


def test_an_applications_transport_goes_before_the_setting(both):
    browser, script = both
    assert browser.refresh().status_code == 200
    assert script.refresh().status_code == 200
    assert "refreshToken" not in browser.refresh().json["data"]
    assert "csrfToken" not in script.refresh().json["data"]


def test_the_token_of_a_body_is_refused_in_a_cookie(both, rows):
    browser, script = both
    before = rows(script.app, "SELECT * FROM refresh_tokens ORDER BY id")
    for csrf in (browser.held()[1], "x"):
        answer = browser.present("/jwt/refresh", (script.held(), csrf))
        assert (answer.status_code, code(answer)) == (401, "token_invalid")
    assert rows(script.app, "SELECT * FROM refresh_tokens ORDER BY id") == before


def test_the_token_of_a_cookie_is_refused_in_a_body(both, rows):
    browser, script = both
    before = rows(script.app, "SELECT * FROM refresh_tokens ORDER BY id")
    token, csrf = browser.held()
    for headers in ({}, {"X-CSRF-TOKEN": csrf}):
        answer = script.present("/jwt/refresh", token, headers)
        assert (answer.status_code, code(answer)) == (401, "token_invalid")
    assert rows(script.app, "SELECT * FROM refresh_tokens ORDER BY id") == before


def test_a_token_in_the_body_hides_the_cookie(both, rows):
    browser, script = both
    answer = browser.post("/jwt/refresh", refreshToken=script.held())
    assert answer.status_code == 200
    assert answer.json["data"]["refreshTokenId"] == script.refresh_token_id
    assert "refreshToken" in answer.json["data"]
    assert cookies_set(answer) == {}
    generation = "SELECT generation FROM refresh_tokens WHERE id = :id"
    assert rows(browser.app, generation, id=browser.refresh_token_id) == [(0,)]


def test_a_bad_token_in_the_body_does_not_fall_back_to_the_cookie(both, rows):
    browser, _ = both
    answer = browser.post("/jwt/refresh", {"X-CSRF-TOKEN": browser.held()[1]}, refreshToken="bad")
    assert (answer.status_code, code(answer)) == (401, "token_invalid")
    generation = "SELECT generation FROM refresh_tokens WHERE id = :id"
    assert rows(browser.app, generation, id=browser.refresh_token_id) == [(0,)]


def test_signing_in_ignores_the_cookie_of_somebody_else(both, rows):
    browser, script = both
    planted = browser.held()
    account = register(script)
    victim = Browser(script.app)
    victim.client.set_cookie(Browser.cookie, planted[0], domain="auth.example.org", secure=True)
    victim.sign_in(account, applicationId="page")
    assert victim.held()[0] != planted[0]
    assert victim.refresh_token_id != browser.refresh_token_id
    assert claims_of(victim.held()[0])["sub"] == account.id
    assert browser.refresh(held=planted).status_code == 200


# The access token in a cookie too


@pytest.fixture
def page(make_app):
    """A browser that holds nothing itself: both tokens are in cookies."""
    app = make_app(TRANSPORT="cookie", ACCESS_TOKEN_IN_COOKIE=True)
    device = Page(app)
    account = register(device)
    device.sign_in(account)
    return device


class Page(Browser):
    def keep(self, answer):
        self.refresh_token_id = answer.json["data"]["refreshTokenId"]
        self.answer = answer

    def access_cookie(self):
        return self.client.get_cookie(ACCESS_COOKIE, urlsplit(HOST).hostname).value


def test_the_access_token_is_in_its_cookie_and_not_in_the_answer(page):
    for answer in (page.answer, page.refresh()):
        data = answer.json["data"]
        assert "accessToken" not in data
        assert page.access_cookie() not in answer.text
        value, attributes = cookies_set(answer)[ACCESS_COOKIE]
        assert attributes_of(answer, ACCESS_COOKIE) == {
            "Path": "/",
            "Secure": True,
            "SameSite": "Strict",
            "HttpOnly": True,
        }
        assert attributes["Max-Age"] == str(data["expiresIn"])
        assert claims_of(value)["csrf"] == data["csrfToken"]


def test_looking_needs_no_csrf_value(page):
    answer = page.client.get("/auth/me", base_url=HOST)
    assert (answer.status_code, answer.json["data"]["via"]) == (200, "access_token")


def test_changing_needs_the_csrf_value(page):
    csrf = page.held()[1]
    for headers in ({}, {"X-CSRF-TOKEN": "wrong"}, {"X-CSRF-TOKEN": "é"}, {"X-CSRF-TOKEN": csrf[:-1]}):
        answer = page.send("PATCH", "/auth/me", {"name": "Eve"}, headers)
        assert (answer.status_code, code(answer)) == (401, "csrf_failed")
    assert page.client.get("/auth/me", base_url=HOST).json["data"]["user"]["name"] is None
    answer = page.send("PATCH", "/auth/me", {"name": "Mix"}, {"X-CSRF-TOKEN": csrf})
    assert answer.json["data"]["user"]["name"] == "Mix"


@pytest.mark.parametrize(
    "headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}], ids=str
)
def test_changing_from_another_site_is_refused_even_with_the_csrf_value(page, headers):
    answer = page.send("PATCH", "/auth/me", {"name": "Eve"}, {"X-CSRF-TOKEN": page.held()[1], **headers})
    assert (answer.status_code, code(answer)) == (401, "csrf_failed")
    assert not answer.headers.getlist("Set-Cookie")


def test_changing_from_the_page_of_another_application_is_refused(page, add_application):
    add_application(page.app, "office", ["https://office.example.com"])
    headers = {"X-CSRF-TOKEN": page.held()[1], "Origin": "https://office.example.com"}
    assert code(page.send("PATCH", "/auth/me", {"name": "Eve"}, headers)) == "csrf_failed"


def test_a_refresh_renews_the_csrf_value_of_both_cookies(page):
    older = page.held()[1]
    page.refresh()
    assert code(page.send("PATCH", "/auth/me", {"name": "Eve"}, {"X-CSRF-TOKEN": older})) == "csrf_failed"
    assert page.send("PATCH", "/auth/me", {"name": "Mix"}, {"X-CSRF-TOKEN": page.held()[1]}).status_code == 200


def test_a_header_goes_before_the_cookie_and_does_not_fall_back_to_it(page):
    answer = page.client.get("/auth/me", headers={"Authorization": "Bearer bad"}, base_url=HOST)
    assert code(answer) == "token_invalid"


def test_the_refresh_cookie_is_no_access_cookie(page):
    client = page.app.test_client(use_cookies=False)
    headers = {"Cookie": f"{ACCESS_COOKIE}={page.held()[0]}"}
    assert code(client.get("/auth/me", headers=headers, base_url=HOST)) == "token_invalid"


def test_signing_out_takes_all_cookies_away(page):
    access = page.access_cookie()
    answer = page.present("/auth/logout", page.held())
    assert answer.json["data"] == {"revoked": 1}
    assert set(cookies_set(answer)) == {ACCESS_COOKIE, Browser.cookie, CSRF}
    assert page.client.get_cookie(ACCESS_COOKIE, "auth.example.org") is None
    client = page.app.test_client(use_cookies=False)
    headers = {"Cookie": f"{ACCESS_COOKIE}={access}"}
    assert code(client.get("/auth/me", headers=headers, base_url=HOST)) == "token_revoked"


def test_without_that_setting_an_access_cookie_is_not_read(page, make_app):
    client = make_app(TRANSPORT="cookie").test_client(use_cookies=False)
    headers = {"Cookie": f"{ACCESS_COOKIE}={page.access_cookie()}"}
    assert code(client.get("/auth/me", headers=headers, base_url=HOST)) == "credentials_missing"
