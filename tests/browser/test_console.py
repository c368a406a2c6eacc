"""The console as a person meets it: with a mouse, a keyboard, a phone, at night, and without scripts."""

import re
import sqlite3
from contextlib import closing
from datetime import datetime, timedelta
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import violations
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD

PASSWORD = "a quiet harbour at dawn"
EVERYWHERE = (
    "overview",
    "users",
    "users/new",
    "users?search=nobody-at-all",
    "users/{user}",
    "users/{user}/edit",
    "users/{user}/block",
    "sign-ins",
    "sign-ins/end?user={user}",
    "roles/new",
    "{tenants}",
    "{tenants}/delete",
    "keys",
    "{keys}",
    "applications",
    "applications/new",
    "events",
    "account",
    "account/api-tokens/new",
    "account/password",
    "tenant",
    "there-is-no-such-page",
)


class People:
    """Those whom the tests register, by e-mail address; the server keeps them from one test to the next."""

    def __init__(self, server, request):
        self.server, self.request, self.count = server, request, 0

    def register(self, name, **headers):
        email = f"{name}-{self.count}@example.com"
        self.count += 1
        body = {"email": email, "password": PASSWORD, "name": name.title()}
        answer = self.request.post(f"{self.server.url}/auth/register", data=body, headers=headers)
        assert answer.status == 201, answer.text()
        return answer.json()["data"]["user"] | {"accessToken": answer.json()["data"]["accessToken"]}

    def is_in(self, person):
        return self.may("auth/me", person["accessToken"])

    def may_read_users(self, token):
        return self.may("admin/users", token)

    def may(self, path, token):
        bearer = {"Authorization": f"Bearer {token}"}
        return self.request.get(f"{self.server.url}/{path}", headers=bearer).status == 200


def put_back(folder, person, **by):
    """As if this much more time had gone by since the person's sign-ins were made and refreshed."""
    with closing(sqlite3.connect(folder / "server.db", timeout=10)) as database, database:
        for column in ("created_at", "rotated_at"):
            theirs = f"SELECT id, {column} FROM refresh_tokens WHERE user_id = ? AND {column} IS NOT NULL"
            for row_id, text in database.execute(theirs, (person["id"],)).fetchall():
                at = datetime.fromisoformat(text) - timedelta(**by)
                database.execute(f"UPDATE refresh_tokens SET {column} = ? WHERE id = ?", (f"{at}", row_id))


@pytest.fixture(scope="module")
def people(server, browser):
    context = browser.new_context()
    yield People(server, context.request)
    context.close()


@pytest.fixture
def complaints(page):
    """What the browser has to say against the pages: above all, what the policy forbids."""
    found = []
    page.on("pageerror", lambda error: found.append(str(error)))
    page.on("console", lambda said: found.append(said.text) if said.type in ("error", "warning") else None)
    return found


def sign_in(page, server, email=ADMIN_EMAIL, password=ADMIN_PASSWORD, to=""):
    page.goto(f"{server.url}/console/{to}")
    page.get_by_label("E-mail address or user name").fill(email)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Sign in").click()


def test_signing_in_reloading_and_signing_out(server, page, complaints):
    sign_in(page, server, password="wrong", to="users")
    expect(page.get_by_role("alert")).to_have_text("The name or the password is wrong.")
    complaints.clear()  # that it was a 401, the browser says too
    page.get_by_label("Password").fill(ADMIN_PASSWORD)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{server.url}/console/users")
    page.reload()
    expect(page.get_by_role("heading", name="Users")).to_be_visible()
    assert page.evaluate("document.cookie") == ""
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("status")).to_have_text("You have signed out.")
    page.go_back()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    assert complaints == []


def test_a_blocked_user_is_out_everywhere(server, page, people, browser, complaints):
    person = people.register("blocked")
    theirs = browser.new_context()
    phone = theirs.new_page()
    sign_in(phone, server, person["email"], PASSWORD)
    expect(phone.get_by_role("heading", name="My account")).to_be_visible()
    expect(phone.get_by_role("navigation", name="Sections").get_by_role("link")).to_have_text(["My account"])
    sign_in(page, server, to="users")
    page.get_by_label("Name or e-mail").press_sequentially(person["email"])  # the list follows, by itself
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    # Until it is typed to its end, the list is another with each letter.
    expect(page).to_have_url(re.compile(f"search={re.escape(quote(person['email']))}"))
    page.get_by_role("link", name=person["email"]).click()
    page.get_by_role("link", name="Block …").click()
    expect(page.get_by_role("heading")).to_have_text(f"Block {person['email']}?")
    assert people.is_in(person)
    page.get_by_role("button", name="Block").click()
    expect(page.get_by_role("status")).to_contain_text("is blocked")
    assert not people.is_in(person)
    phone.reload()
    expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()
    theirs.close()
    assert complaints == []


def test_those_that_fit_the_filters_are_shown_and_then_ended(server, page, people, complaints):
    doomed, spared = (people.register(name, **{"User-Agent": f"{name}-agent"}) for name in ("doomed", "spared"))
    sign_in(page, server, to="sign-ins")
    page.get_by_label("Address").fill("127.0")  # as somebody types it
    expect(page.locator("#rows")).to_contain_text("This is no IP address.")
    page.get_by_label("Address").fill("127.0.0.1")
    page.get_by_label("Browser").press_sequentially("doomed-agent")
    expect(page.locator("#rows tbody tr")).to_have_count(1)
    page.get_by_role("button", name="End all that fit …").click()
    expect(page.get_by_role("heading")).to_have_text("End 1 sign-in?")
    expect(page.locator("tbody tr")).to_contain_text(doomed["email"])
    assert people.is_in(doomed)
    page.get_by_role("button", name="End them").click()
    expect(page.get_by_role("status")).to_have_text("1 sign-in ended.")
    assert (people.is_in(doomed), people.is_in(spared)) == (False, True)
    assert [one for one in complaints if "422" not in one] == []


def test_without_scripts_everything_is_there(server, browser, people):
    person = people.register("quiet")
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    sign_in(page, server, to="users")
    page.get_by_label("Name or e-mail").fill(person["email"])
    page.get_by_role("button", name="Search").click()
    page.get_by_role("link", name=person["email"]).click()
    page.get_by_role("link", name="Where they are signed in").click()
    page.get_by_role("button", name="End all that fit …").click()
    expect(page.get_by_role("heading")).to_have_text("End 1 sign-in?")
    page.get_by_role("button", name="End them").click()
    expect(page.get_by_role("status")).to_have_text("1 sign-in ended.")
    assert not people.is_in(person)
    context.close()


def test_the_overview_is_drawn_for_whoever_looks_and_written_for_whoever_reads(server, page, complaints):
    sign_in(page, server)
    expect(page).to_have_url(f"{server.url}/console/overview")
    expect(page.locator("canvas")).to_be_visible()
    expect(page.locator("table[data-chart] tbody tr")).to_have_count(14)
    assert complaints == []


def test_an_api_token_is_copied_by_a_button_and_selected_where_there_is_none(server, page, people, browser, complaints):
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    sign_in(page, server, to="account/api-tokens")
    page.get_by_role("link", name="New API token").click()
    page.get_by_label("Name").fill("nightly backup")
    page.get_by_label("users:read").check()
    page.get_by_role("button", name="Make the API token").click()
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert people.may_read_users(copied)
    assert violations(page) == []
    page.get_by_role("link", name="I have copied it").click()
    expect(page.get_by_role("heading", name="nightly backup")).to_be_visible()
    assert copied not in page.content()
    assert violations(page) == []
    assert complaints == []
    quiet = browser.new_context(java_script_enabled=False, storage_state=page.context.storage_state())
    bare = quiet.new_page()
    bare.goto(f"{page.url}/rotate")
    bare.get_by_label("The old one works").select_option("for one more hour")
    bare.get_by_role("button", name="Replace it").click()
    expect(bare.get_by_role("button", name="Copy")).to_be_hidden()
    successor = bare.locator("#once").text_content()
    bare.get_by_role("link", name="I have copied it").click()
    bare.get_by_role("link", name="Revoke …").click()
    expect(bare.get_by_role("heading")).to_have_text("Revoke the API token nightly backup?")
    bare.get_by_role("button", name="Revoke").click()
    assert (people.may_read_users(copied), people.may_read_users(successor)) == (True, False)
    quiet.close()


def test_a_stolen_sign_in_that_comes_back_is_an_alarm(server, page, people, browser, folder):
    person = people.register("robbed")
    theirs = browser.new_context()
    phone = theirs.new_page()
    sign_in(phone, server, person["email"], PASSWORD)
    expect(phone.get_by_role("heading", name="My account")).to_be_visible()
    stolen = theirs.storage_state()
    put_back(folder, person, minutes=16)
    phone.reload()  # the step is taken, and what was stolen is spent
    expect(phone.get_by_role("heading", name="My account")).to_be_visible()
    put_back(folder, person, minutes=1)
    thiefs = browser.new_context(storage_state=stolen)
    thief = thiefs.new_page()
    thief.goto(f"{server.url}/console/account")
    expect(thief.get_by_role("heading", name="Sign in")).to_be_visible()
    phone.reload()
    expect(phone.get_by_role("heading", name="Sign in")).to_be_visible()
    sign_in(page, server, to="overview")
    expect(page.locator(".tiles .alarm")).to_contain_text("Reuse alarms")
    page.locator(".tiles .alarm").get_by_role("link").click()
    row = page.locator("tr.alarm", has_text=person["email"])
    expect(row).to_contain_text("alarm")
    assert violations(page) == []
    row.get_by_role("link").click()
    expect(page.get_by_role("heading", name="Refresh token reused")).to_be_visible()
    expect(page.locator("main")).to_contain_text("One of the two may have stolen it")
    assert violations(page) == []
    page.locator("dt:text-is('Sign-in') + dd a").click()
    expect(page.get_by_role("heading", name=f"Sign-in of {person['email']}")).to_be_visible()
    theirs.close()
    thiefs.close()


def test_by_keyboard_alone(server, page, people):
    sign_in(page, server, to="account")
    expect(page.get_by_role("heading", name="My account")).to_be_visible()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Change my names")).to_be_focused()
    outline = "getComputedStyle(document.activeElement).outlineStyle"
    assert page.evaluate(outline) == "solid"
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="My names")).to_be_visible()


def test_a_role_that_was_not_taken_is_put_right_by_keyboard(server, page, complaints):
    sign_in(page, server, to="roles/new")
    page.get_by_label("Name").fill("Night shift")
    page.get_by_label("users:read").check()
    page.get_by_label("Permissions of your own APIs").fill("orders:read\nOrders")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    own = page.get_by_label("Permissions of your own APIs")
    expect(own).to_be_focused()
    expect(own).to_have_accessible_description(re.compile("Orders is no permission"))
    page.keyboard.press("Control+End")
    for _ in "Orders":
        page.keyboard.press("Backspace")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    said = page.get_by_role("status")
    expect(said).to_have_text("The role Night shift was made.")
    expect(said).to_be_focused()
    expect(page.locator("dl.meanings dt")).to_have_text(["users:read", "orders:read"])
    assert [one for one in complaints if "422" not in one] == []


def test_a_tenant_is_looked_at_and_deleted_and_a_list_says_what_it_has(server, page, context, complaints):
    sign_in(page, server, to="tenants/new")
    page.get_by_label("Name").fill("Short-lived")
    page.get_by_label("Slug").fill("short-lived")
    page.get_by_role("button", name="Make the tenant").click()
    page.get_by_role("button", name="Look at it").click()
    page.get_by_role("link", name="Users").click()
    expect(page.locator("#rows")).to_have_text("No user fits.")
    page.get_by_role("link", name="Tenants").click()
    page.get_by_label("State").select_option("true")
    page.get_by_label("Slug").press_sequentially("short-lived")
    expect(page.locator("[data-told]")).to_have_text("1 shown.")
    context.set_offline(True)
    page.get_by_label("Slug").press_sequentially("er")
    expect(page.get_by_text("The service can't be reached.")).to_be_visible()
    context.set_offline(False)
    complaints.clear()  # that there was no way to the service, the browser says too
    page.get_by_role("link", name="Short-lived", exact=True).click()
    page.get_by_role("link", name="Delete …").click()
    expect(page.get_by_role("heading", name="Delete Short-lived?")).to_be_focused()
    page.keyboard.press("Tab")
    page.keyboard.type("short-lived")
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("The tenant Short-lived was deleted")
    expect(page.get_by_text("which is not your own")).to_have_count(0)
    assert complaints == []


def test_every_page_is_readable_for_everybody(server, page, people):
    person = people.register("shown")
    wrong = []

    def look(path):
        """On a desk by day, and on a phone at night."""
        page.goto(f"{server.url}/console/{path}")
        for scheme, width in (("light", 1280), ("dark", 375)):
            page.emulate_media(color_scheme=scheme, reduced_motion="reduce")  # no colour on its way
            page.set_viewport_size({"width": width, "height": 800})
            wrong.extend(f"{path}, {scheme}, {width}: {one}" for one in violations(page))
            if page.evaluate("document.documentElement.scrollWidth") > width:
                wrong.append(f"{path}, {width}: it has to be scrolled sideways")

    look("sign-in")
    sign_in(page, server, to="users")
    found = {"user": person["id"]}
    for name in ("tenants", "keys"):
        page.goto(f"{server.url}/console/{name}")
        found[name] = page.locator("#rows td a").first.get_attribute("href").removeprefix("/console/")
    for path in EVERYWHERE:
        look(path.format(**found))
    assert wrong == []
