"""What other pages can make a browser do: nothing. And what others wrote is text, wherever it is shown."""

import re

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.console.browsing import Browser, title
from tests.drivers import HOST

FOREIGN = (
    {"Origin": "https://evil.example.com"},
    {"Origin": "null"},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Origin": "https://other.auth.example.org", "Sec-Fetch-Site": "same-site"},
)
EVIL = '"><script>alert(1)</script>{{7*7}}'
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
)


def name_of(console):
    return console.get("/console/account").text


def test_a_change_without_the_csrf_value_of_this_sign_in_changes_nothing(console, app, somebody):
    strangers = somebody().csrf()
    for csrf in ("", "wrong", "é", strangers):
        answer = console.send("/console/account/edit", _csrf=csrf, name="Forged")
        assert (answer.status_code, title(answer)) == (401, "This form is out of date")
    assert "Forged" not in name_of(console)
    assert console.cookie() is not None


def test_a_change_that_another_page_asks_for_changes_nothing(console):
    for headers in FOREIGN:
        answer = console.send("/console/account/edit", _headers=headers, name="Forged")
        assert answer.status_code == 401, headers
    assert "Forged" not in name_of(console)
    for headers in ({"Origin": HOST}, {"Origin": HOST, "Sec-Fetch-Site": "same-origin"}):
        assert console.send("/console/account/edit", _headers=headers, name="Mine").status_code == 303


def test_no_other_page_signs_anybody_in(app):
    """A browser that is signed in to the attacker's account would tell it what its owner does."""
    fields = {"identifier": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    for headers in FOREIGN:
        browser = Browser(app)
        answer = browser.client.post("/console/sign-in", base_url=HOST, data=fields, headers=headers)
        assert answer.status_code == 401
        assert browser.cookie() is None


def test_listed_origins_are_for_their_own_pages_and_not_for_the_console(console, admin):
    admin.ask("POST", "/admin/applications", {"name": "Shop", "corsOrigins": ["https://shop.example.com"]})
    answer = console.send("/console/account/edit", _headers={"Origin": "https://shop.example.com"}, name="Forged")
    assert answer.status_code == 401


def test_reading_changes_nothing_but_the_step_that_is_due(console, app):
    for rule in app.url_map.iter_rules():
        if rule.rule.startswith("/console") and rule.methods >= {"POST"} and "GET" not in rule.methods:
            answer = console.get(re.sub("<[^>]+>", "0190a5b0-0000-7000-8000-000000000000", rule.rule))
            assert answer.status_code == 405, rule.rule


def test_every_page_has_the_policy_and_none_has_anything_that_it_forbids(console):
    pages = ("/console/users", "/console/sign-ins", "/console/account", "/console/users/new", "/console/nothing")
    for path in (*pages, "/console/sign-ins?ip=nonsense", "/console"):
        answer = console.get(path)
        assert answer.headers.getlist("Content-Security-Policy") == [POLICY], path
        assert answer.headers.getlist("Referrer-Policy") == ["same-origin"], path
        assert answer.headers["Cache-Control"] == "no-store", path
        assert not re.search(r"<style|\sstyle=|\son\w+=|javascript:|<script(?![^>]* src=)", answer.text), path


def test_what_others_wrote_is_text(console, app, admin):
    made = admin.ask("POST", "/admin/users", {"email": "ann@example.com", "name": EVIL, "password": "a quiet harbour"})
    body = {"email": "ann@example.com", "password": "a quiet harbour", "deviceName": EVIL}
    app.test_client().post("/auth/login", base_url=HOST, json=body, headers={"User-Agent": EVIL})
    user_id = made.json["data"]["id"]
    sign_ins = console.get(f"/console/sign-ins?user={user_id}")
    [sign_in] = re.findall(r"/console/sign-ins/([0-9a-f-]{36})", sign_ins.text)
    for path in (
        "/console/users",
        f"/console/users/{user_id}",
        f"/console/users/{user_id}/edit",
        f"/console/sign-ins?user={user_id}",
        f"/console/sign-ins/{sign_in}",
        f"/console/sign-ins/end?user={user_id}",
    ):
        text = console.get(path).text
        assert "&lt;script&gt;alert(1)&lt;/script&gt;{{7*7}}" in text, path
        assert "<script>alert" not in text, path
    assert (
        "<script>alert" not in console.client.get("/console/users", query_string={"search": EVIL}, base_url=HOST).text
    )


def test_files_are_kept_for_good_under_the_digest_of_what_is_in_them(console):
    addresses = set(re.findall(r'(?:href|src)="(/console/assets/[^"]+)"', console.get("/console/users").text))
    assert {address.rpartition("/")[2] for address in addresses} >= {"pico.css", "htmx.js", "console.css", "console.js"}
    for address in addresses:
        answer = console.get(address)
        assert (answer.status_code, answer.headers["Cache-Control"]) == (200, "public, max-age=31536000, immutable")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
    for wrong in ("0" * 16 + "/console.css", "0" * 16 + "/../pages.py", "x/%2e%2e/pages.py"):
        assert console.get(f"/console/assets/{wrong}").status_code == 404
