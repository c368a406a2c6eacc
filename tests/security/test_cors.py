"""Which pages may read our answers: those on the list of the application that the answer is about, to the letter."""

import pytest
from sqlalchemy.exc import OperationalError

from authsvc import clock, opaque
from authsvc.models import AllowedOrigin, Application, Tenant
from authsvc.models.engine import transaction
from tests.conftest import register
from tests.drivers import HOST, Browser, Script
from tests.statements import watched

SHOP, OFFICE = "https://shop.example.com", "https://office.example.com"
PREFLIGHT = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type"}


@pytest.fixture
def shop(app):
    """The default application's pages are the shop's; the office has an application of its own."""
    with app.app_context(), transaction() as session:
        tenant_id = session.query(Tenant).filter_by(slug="default").one().id
        default = session.query(Application).filter_by(slug="default").one()
        office = Application(
            id=opaque.new_id(),
            tenant_id=tenant_id,
            slug="office",
            name="x",
            active=True,
            rotate=True,
            confidential=False,
            created_at=clock.utcnow(),
        )
        session.add(office)
        session.flush()
        for application, origin in ((default, SHOP), (office, OFFICE)):
            session.add(AllowedOrigin(tenant_id=tenant_id, application_id=application.id, origin=origin))
    return app


@pytest.fixture
def script(shop):
    return Script(shop)


@pytest.fixture
def user(script):
    return register(script)


def granted(answer):
    """What a browser is told that the page may do."""
    return {name for name, _ in answer.headers if name.startswith("Access-Control-")}


def may_read(answer, origin):
    told = answer.headers.getlist("Access-Control-Allow-Origin")
    assert told in ([], [origin])
    assert answer.headers.get("Access-Control-Allow-Credentials") == ("true" if told else None)
    assert "Origin" in answer.headers["Vary"]
    assert "Access-Control-Allow-Private-Network" not in answer.headers
    return bool(told)


def test_a_listed_page_may_read_the_answers_to_its_application(script, user):
    headers = {"Origin": SHOP}
    signed_in = script.post("/auth/login", headers, email=user.email, password=user.password)
    script.keep(signed_in)
    answers = [signed_in, script.present("/jwt/refresh", script.held(), headers), script.get("/auth/me", headers)]
    assert [answer.status_code for answer in answers] == [200] * 3
    assert all(may_read(answer, SHOP) for answer in answers)
    exposed = answers[0].headers["Access-Control-Expose-Headers"].split(", ")
    assert {"Retry-After", "WWW-Authenticate", "X-Request-Id"} <= set(exposed)


def test_a_listed_page_may_read_why_it_was_refused(script, user):
    answer = script.post("/auth/login", {"Origin": SHOP}, email=user.email, password="wrong")
    assert answer.status_code == 401
    assert may_read(answer, SHOP)


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "",
        "*",
        "https://shop.example.com.evil.example",
        "https://evilshop.example.com",
        "https://evil.example/https://shop.example.com",
        "https://shop.example.com@evil.example",
        "http://shop.example.com",
        "https://shop.example.com:444",
        "https://shop.example.com:443",
        "https://shop.example.com/",
        "https://SHOP.example.com",
        "HTTPS://shop.example.com",
        "https://shop.example.com https://evil.example",
        "https://shop.example.com, https://evil.example",
        "https://shopxexample.com",
        "https://%.example.com",
        "https://sub.shop.example.com",
        "https://example.com",
        "shop.example.com",
        "https://shop.example.com\u00e9",
        "https://" + "a" * 9000,
    ],
)
@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_no_other_origin_may_read_anything(script, user, origin):
    headers = {"Origin": origin}
    signed_in = script.post("/auth/login", headers, email=user.email, password=user.password)
    script.keep(signed_in)
    answers = [
        signed_in,
        script.get("/auth/me", headers),
        script.client.get("/nowhere", headers=headers, base_url=HOST),
        script.client.get("/.well-known/jwks.json", headers=headers, base_url=HOST),
        script.client.options("/auth/login", headers={**headers, **PREFLIGHT}, base_url=HOST),
    ]
    assert signed_in.status_code == 200
    for answer in answers:
        assert answer.status_code < 500
        assert granted(answer) == set()
        assert not may_read(answer, origin)


def test_by_default_nobody_is_listed(app):
    device = Script(app)
    register(device)
    for origin in (SHOP, "null", "https://localhost", "http://localhost:3000"):
        assert granted(device.client.get("/healthz", headers={"Origin": origin}, base_url=HOST)) == set()


def test_the_page_of_another_application_may_not_read(script, user):
    signed_in = script.post("/auth/login", {"Origin": OFFICE}, email=user.email, password=user.password)
    script.keep(signed_in)
    assert not may_read(signed_in, OFFICE)
    assert not may_read(script.get("/auth/me", {"Origin": OFFICE}), OFFICE)
    assert not may_read(script.present("/jwt/refresh", script.held(), {"Origin": OFFICE}), OFFICE)
    at_the_office = Script(script.app)
    at_the_office.sign_in(user, applicationId="office")
    assert may_read(at_the_office.get("/auth/me", {"Origin": OFFICE}), OFFICE)
    assert not may_read(at_the_office.get("/auth/me", {"Origin": SHOP}), SHOP)


def test_signing_out_is_read_by_its_own_application_alone(script, user):
    script.sign_in(user)
    assert not may_read(script.send("POST", "/auth/logout", headers={**script.bearer(), "Origin": OFFICE}), OFFICE)
    script.sign_in(user)
    assert may_read(script.send("POST", "/auth/logout", headers={**script.bearer(), "Origin": SHOP}), SHOP)


def test_a_preflight_of_a_listed_page_is_answered(script):
    for path in ("/auth/login", "/jwt/refresh", "/auth/me", "/auth/logout/"):
        answer = script.client.options(path, headers={"Origin": SHOP, **PREFLIGHT}, base_url=HOST)
        assert answer.status_code in (200, 204)
        assert may_read(answer, SHOP)
        allowed = {word.strip().lower() for word in answer.headers["Access-Control-Allow-Headers"].split(",")}
        assert {"authorization", "content-type", "x-csrf-token", "idempotency-key", "x-tenant-id"} <= allowed
        assert "POST" in answer.headers["Access-Control-Allow-Methods"]
        assert "*" not in "".join(answer.headers[name] for name in granted(answer))
        assert int(answer.headers["Access-Control-Max-Age"]) <= 3600


def test_a_preflight_alone_does_nothing(script, user, rows):
    script.sign_in(user)
    before = rows(script.app, "SELECT * FROM refresh_tokens")
    for path in ("/auth/me", "/jwt/refresh", "/auth/logout", "/auth/password"):
        headers = {"Origin": SHOP, **PREFLIGHT, **script.bearer()}
        answer = script.client.options(path, headers=headers, json={"refreshToken": script.held()}, base_url=HOST)
        assert answer.data == b""
        assert not answer.headers.getlist("Set-Cookie")
    assert rows(script.app, "SELECT * FROM refresh_tokens") == before


def test_our_own_pages_need_no_permission(script):
    assert granted(script.client.get("/healthz", headers={"Origin": HOST}, base_url=HOST)) == set()


@pytest.mark.parametrize("path", ["/healthz", "/nowhere", "/auth/me", "/.well-known/jwks.json", "/jwt/refresh"])
def test_every_answer_depends_on_the_origin_also_without_one(script, path):
    for method in ("GET", "OPTIONS", "POST"):
        answer = script.client.open(path, method=method, base_url=HOST)
        assert "Origin" in answer.headers["Vary"]
        assert granted(answer) == set()


@pytest.mark.settings(TRANSPORT="cookie")
def test_in_cookie_transport_a_listed_page_may_use_and_read(shop):
    account = register(Browser(shop))
    browser = Browser(shop)
    headers = {"Origin": SHOP, "Sec-Fetch-Site": "cross-site"}
    signed_in = browser.post("/auth/login", headers, email=account.email, password=account.password)
    browser.keep(signed_in)
    assert may_read(signed_in, SHOP)
    assert may_read(browser.refresh(headers=headers), SHOP)


def test_without_the_database_a_page_is_told_so_like_everybody(script, user):
    def fail(_statement):
        raise OperationalError("SELECT", {}, Exception("gone"))

    script.sign_in(user)
    headers = {"Origin": SHOP}
    with watched(script.app, fail):
        answers = [
            script.post("/auth/login", headers, email=user.email, password=user.password),
            script.present("/jwt/refresh", script.held(), headers),
            script.get("/auth/me", headers),
        ]
        health = script.client.get("/healthz", headers=headers, base_url=HOST)
    assert [(answer.status_code, answer.json["error"]["code"]) for answer in answers] == [(503, "unavailable")] * 3
    assert all(answer.headers["Retry-After"] for answer in answers)
    assert health.status_code == 200
    assert all("Origin" in answer.headers["Vary"] and not granted(answer) for answer in (*answers, health))
    assert all(answer.headers["X-Request-Id"] for answer in (*answers, health))
