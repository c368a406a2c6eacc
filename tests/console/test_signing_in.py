"""Signing in to the console, staying in, and being out at once when the sign-in is ended."""

import pytest

from tests.claims import claims_of
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.console.browsing import Browser, is_at_the_door, title
from tests.drivers import HOST, Account

SOMEWHERE = ("/console/users?search=a", "/console/account")
ELSEWHERE = (
    "https://evil.example.com/console/",
    "//evil.example.com/console/",
    "/\\evil.example.com",
    "/console/\\..\\..\\evil",
    "\t//evil.example.com",
    "/console/\n//evil",
    "javascript:alert(1)",
    "/consolevil",
    "/jwt/refresh",
    "https:/console/",
)


def events(rows, app, kind):
    return rows(app, "SELECT outcome FROM events WHERE kind = :kind", kind=kind)


def test_who_is_not_signed_in_is_led_to_the_door_and_then_where_they_wanted_to_go(browser):
    for wanted in SOMEWHERE:
        door = browser.get(wanted)
        assert is_at_the_door(door)
        signed_in = browser.client.post(
            door.location, base_url=HOST, data={"identifier": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
        )
        assert (signed_in.status_code, signed_in.location) == (303, wanted)
        assert browser.get(wanted).status_code == 200
        browser.client.delete_cookie("__Host-console", domain="auth.example.org")


def test_next_leads_nowhere_but_to_the_console(browser):
    for place in ELSEWHERE:
        fields = {"identifier": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
        answer = browser.client.post("/console/sign-in", base_url=HOST, query_string={"next": place}, data=fields)
        assert (answer.status_code, answer.location) == (303, "/console/"), place
        browser.client.delete_cookie("__Host-console", domain="auth.example.org")


def test_the_cookie_is_the_consoles_own_and_no_script_sees_it(browser, console):
    for cookie in (console.cookie(),):
        assert (cookie.http_only, cookie.secure, cookie.path, cookie.same_site) == (True, True, "/", "Strict")
        assert cookie.domain == "auth.example.org"
    assert console.cookie("__Host-refresh_token") is None
    assert browser.cookie() is None


def test_a_wrong_password_is_told_and_the_form_shown_again_without_it(browser, app, rows):
    answer = browser.client.post(
        "/console/sign-in", base_url=HOST, data={"identifier": ADMIN_EMAIL, "password": "not-the-password"}
    )
    assert (answer.status_code, title(answer)) == (401, "Sign in")
    assert ADMIN_EMAIL in answer.text
    assert "not-the-password" not in answer.text
    assert browser.cookie() is None
    assert len(events(rows, app, "user.sign_in_failed")) == 1


def test_a_sign_in_that_was_ended_is_out_at_the_next_page(console, app, admin):
    admin.ask("DELETE", f"/jwt/refresh/{console.sign_in_id()}")
    assert is_at_the_door(console.get("/console/account"))
    assert console.cookie() is None


def test_it_is_carried_on_by_the_first_page_after_the_life_of_an_access_token(console, app, age):
    held = console.cookie().value
    assert console.get("/console/account").status_code == 200
    assert console.cookie().value == held
    age(app, console.sign_in_id(), minutes=16)
    other = Browser(app)
    other.hold(held)
    for browser in (console, other):  # two tabs at the same moment
        assert browser.get("/console/account").status_code == 200
        assert claims_of(browser.cookie().value)["gen"] == 1
    assert console.cookie().value == other.cookie().value


def test_a_stolen_cookie_ends_the_sign_in_once_it_is_a_step_behind(console, app, age, rows):
    thief = Browser(app)
    thief.hold(console.cookie().value)
    assert thief.get("/console/account").status_code == 200
    age(app, console.sign_in_id(), minutes=16)
    assert console.get("/console/account").status_code == 200
    age(app, console.sign_in_id(), seconds=11)
    assert is_at_the_door(thief.get("/console/account"))
    assert "used from two places" in thief.get("/console/sign-in").text
    assert is_at_the_door(console.get("/console/account"))
    assert "You have been signed out." in console.get("/console/sign-in").text
    assert events(rows, app, "refresh_token.reused") == [("alarm",)]


def test_a_change_takes_the_step_that_is_due_too(console, app, age):
    csrf = console.csrf()
    age(app, console.sign_in_id(), minutes=16)
    answer = console.send("/console/account/edit", _csrf=csrf, name="Changed after lunch")
    assert (answer.status_code, answer.location) == (303, "/console/account")
    assert claims_of(console.cookie().value)["gen"] == 1
    # A form that was open before the step is as good after it.
    assert console.send("/console/account/edit", _csrf=csrf, name="Changed again").status_code == 303


def test_who_may_not_refresh_is_in_for_as_long_as_an_access_token_lives(app, make_person, age):
    person = make_person("users:read")
    browser = Browser(app).sign_in(person.account)
    assert browser.get("/console/users").status_code == 200
    age(app, browser.sign_in_id(), minutes=16)
    assert is_at_the_door(browser.get("/console/users"))


@pytest.mark.settings(TRANSPORT="cookie")
def test_no_other_refresh_token_opens_the_console_and_the_consoles_own_opens_nothing_else(app, console):
    answer = app.test_client().post(
        "/auth/login", base_url=HOST, json={"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    )
    page = answer.headers.getlist("Set-Cookie")[0].partition("=")[2].partition(";")[0]
    browser = Browser(app)
    browser.hold(page)
    assert is_at_the_door(browser.get("/console/account"))
    held = console.cookie().value
    bearer = {"Authorization": f"Bearer {held}"}
    assert app.test_client().get("/auth/me", base_url=HOST, headers=bearer).status_code == 401
    assert app.test_client().post("/jwt/refresh", base_url=HOST, json={"refreshToken": held}).status_code == 401
    browser.hold(held, name="__Host-refresh_token")
    csrf = {"X-CSRF-TOKEN": claims_of(held)["csrf"]}
    assert browser.client.post("/jwt/refresh", base_url=HOST, headers=csrf).status_code == 401


def test_signing_out_ends_the_sign_in_here_or_everywhere(console, app):
    held = console.cookie().value
    assert is_at_the_door(console.send("/console/sign-out"))
    assert console.cookie() is None
    console.hold(held)
    assert is_at_the_door(console.get("/console/account"))
    here, there = (Browser(app).sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD)) for _ in range(2))
    assert title(here.get("/console/sign-out/everywhere")) == "Sign out everywhere?"
    assert there.get("/console/account").status_code == 200
    assert is_at_the_door(here.send("/console/sign-out/everywhere"))
    assert is_at_the_door(there.get("/console/account"))


def test_an_application_that_is_turned_off_closes_the_console_to_its_tenant(console, app, admin):
    [own] = [one for one in admin.get("/admin/applications").json["data"]["items"] if one["slug"] == "console"]
    assert admin.ask("PATCH", f"/admin/applications/{own['id']}", {"active": False}).status_code == 200
    assert is_at_the_door(console.get("/console/account"))
    fields = {"identifier": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    answer = Browser(app).client.post("/console/sign-in", base_url=HOST, data=fields)
    assert answer.status_code == 403
    assert "The console is turned off here." in answer.text


@pytest.mark.settings(CONSOLE=False)
def test_turned_off_there_is_nothing(client):
    for path in ("/console", "/console/sign-in"):
        answer = client.get(path)
        assert (answer.status_code, answer.json["error"]["code"]) == (404, "not_found")
