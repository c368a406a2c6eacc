"""Whom the pages are for, and in which tenant."""

import re

from authsvc.credentials.guard import is_open_to
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.console.browsing import Browser, is_at_the_door, sections, title
from tests.drivers import HOST, Account

NOBODY = "0190a5b0-0000-7000-8000-000000000000"


def pages(app):
    """Method, path and permission of every page that is not for everybody."""
    for rule in app.url_map.iter_rules():
        view = app.view_functions[rule.endpoint]
        if view.__module__.startswith("authsvc.console.") and is_open_to(view) != "public":
            for method in sorted(rule.methods & {"GET", "POST"}):
                yield method, re.sub("<[^>]+>", NOBODY, rule.rule), is_open_to(view)


def test_who_is_not_signed_in_sees_nothing(app):
    for method, path, _ in pages(app):
        assert is_at_the_door(app.test_client().open(path, method=method, base_url=HOST)), f"{method} {path}"


def test_who_lacks_the_permission_of_a_page_is_refused_it(app, somebody):
    member = somebody()
    csrf = member.csrf()
    for method, path, permission in pages(app):
        if permission == "signed in":
            continue
        answer = member.client.open(
            path, method=method, base_url=HOST, data={"csrf": csrf} if method == "POST" else None
        )
        assert (answer.status_code, title(answer)) == (403, "You may not do this"), f"{method} {path}"
        assert permission in answer.text
        assert "WWW-Authenticate" not in answer.headers


def test_the_navigation_has_what_somebody_may_open(somebody, console):
    for permissions, expected in (
        ((), ["My account"]),
        (("users:read",), ["Users", "My account"]),
        (("tokens:read",), ["Sign-ins", "My account"]),
    ):
        browser = somebody(*permissions)
        assert sections(browser.get("/console/account")) == expected
        assert browser.get("/console/").location == ("/console/account" if not permissions else SECTION[permissions[0]])
    assert set(sections(console.get("/console/account"))) >= {"Users", "Sign-ins", "My account"}


SECTION = {"users:read": "/console/users", "tokens:read": "/console/sign-ins"}


def test_what_is_shown_to_do_is_what_may_be_done(somebody, make_person):
    other = make_person("auth:refresh")
    reader = somebody("users:read", "tokens:read")
    for path in (f"/console/users/{other.account.id}", "/console/users", "/console/sign-ins"):
        text = reader.get(path).text
        assert not re.search("Block …|Delete …|New user|End all|Password<", text), path
    # Who may not read applications or users reads their ids.
    assert other.account.id in somebody("tokens:read").get("/console/sign-ins").text


def test_nobody_gives_or_ends_more_than_they_hold(somebody, admin, rows, app):
    clerk = somebody("users:read", "users:write")
    [(boss,)] = rows(app, "SELECT id FROM users WHERE email = :email", email=ADMIN_EMAIL)
    for path, fields in (
        (f"/console/users/{boss}/block", {}),
        (f"/console/users/{boss}/delete", {}),
        (f"/console/users/{boss}/password", {"password": "another quiet harbour"}),
        ("/console/users/new", {"email": "puppet@example.com", "roles": ["admin"]}),
    ):
        answer = clerk.send(path, **fields)
        assert answer.status_code == 403, path
        assert "nobody gives, changes or ends more than they hold" in answer.text
    assert admin.me().status_code == 200
    assert "puppet@example.com" not in clerk.get("/console/users").text


def test_the_wall_stands(app, somebody, make_tenant, make_person):
    make_tenant(app, "acme")
    theirs = make_person("auth:refresh", tenant="acme")
    ours = somebody("users:read", "users:write", "tokens:read", "tokens:revoke")
    for path in (
        f"/console/users/{theirs.account.id}",
        f"/console/users/{theirs.account.id}/block",
        f"/console/sign-ins/{theirs.refresh_token_id}",
        f"/console/sign-ins?user={theirs.account.id}",
        f"/console/sign-ins/{theirs.refresh_token_id}/end",
        f"/console/account/devices/{theirs.refresh_token_id}/end",
    ):
        assert ours.get(path).status_code == 404, path
    assert ours.send(f"/console/users/{theirs.account.id}/block").status_code == 404
    assert theirs.account.email not in ours.get("/console/users").text
    assert theirs.me().status_code == 200


def test_a_tenants_own_people_sign_in_there(app, make_tenant, make_person):
    make_tenant(app, "acme")
    person = make_person("auth:refresh", "users:read", tenant="acme")
    browser = Browser(app).sign_in(person.account, tenant="acme")
    assert person.account.email in browser.get("/console/users").text
    assert ADMIN_EMAIL not in browser.get("/console/users").text


def test_an_operator_looks_at_another_tenant_and_keeps_their_own_account(app, console, make_tenant, make_person):
    make_tenant(app, "acme")
    person = make_person("auth:refresh", tenant="acme")
    assert person.account.email not in console.get("/console/users").text
    assert console.send("/console/tenant", tenant="acme").status_code == 303
    users = console.get("/console/users").text
    assert person.account.email in users
    assert "which is not your own" in users
    assert ADMIN_EMAIL in console.get("/console/account").text
    assert console.send(f"/console/users/{person.account.id}/block").status_code == 303
    assert person.me().status_code == 401
    console.send("/console/tenant", tenant="default")
    assert console.cookie("__Host-console_tenant") is None
    assert ADMIN_EMAIL in console.get("/console/users").text


def test_a_tenant_that_was_not_for_them_to_choose_is_forgotten(somebody):
    reader = somebody("users:read")
    for name in ("acme", "default-too"):
        reader.hold(name, name="__Host-console_tenant")
        refused = reader.get("/console/users")
        assert (refused.status_code, title(refused)) == (403, "You may not do this")
        assert reader.get("/console/users").status_code == 200


def test_another_administrators_sign_in_is_nobodys_device(console, app, somebody):
    """Also for whoever may end it elsewhere: my account is about me."""
    other = somebody()
    answer = console.send(f"/console/account/devices/{other.sign_in_id()}/end")
    assert answer.status_code == 404
    assert other.get("/console/account").status_code == 200
    mine = Browser(app).sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD))
    assert console.send(f"/console/account/devices/{mine.sign_in_id()}/end").status_code == 303
    assert is_at_the_door(mine.get("/console/account"))
