"""The tenants' pages: what operators make, turn off, delete and look at."""

import re

from tests.conftest import ADMIN_EMAIL
from tests.console.browsing import title
from tests.console.test_users import said


def test_tenants_are_made_renamed_turned_off_and_deleted(console, make_person):
    taken = console.send("/console/tenants/new", name="Acme & Co", slug="default")
    assert (taken.status_code, 'value="Acme &amp; Co"' in taken.text) == (409, True)
    assert "slug-hint" in console.send("/console/tenants/new", name="Acme", slug="A B").text
    page = console.send("/console/tenants/new", name="Acme & Co", slug="acme").location
    assert said(console, page) == "The tenant Acme &amp; Co was made."
    person = make_person("auth:refresh", tenant="acme")
    assert re.search("1 user, 1 application.*1 sign-in, 0 API tokens", console.get(page).text, re.S)

    console.send("/console/tenant", tenant="acme")
    console.send(f"{page}/edit", name="Acme", slug="acme-two")
    users = console.get("/console/users").text
    assert person.account.email in users, "one goes on looking at it"
    assert ADMIN_EMAIL not in users

    question = console.get(f"{page}/turn-off").text
    assert "1 live sign-in and 0 API tokens end at once" in question
    assert person.me().status_code == 200
    console.send(f"{page}/turn-off")
    assert person.me().status_code == 401
    assert "acme-two" in console.get("/console/tenants?active=false").text
    console.send(f"{page}/turn-on")
    assert "acme-two" in console.get("/console/tenants?active=true").text

    assert "1 user, 1 application, 0 live sign-ins and 0 API tokens are gone" in console.get(f"{page}/delete").text
    for typed in ("", "acme"):
        refused = console.send(f"{page}/delete", typed=typed)
        assert (refused.status_code, "Nothing was done" in refused.text) == (422, True)
    assert console.get(page).status_code == 200
    console.send(f"{page}/delete", typed="acme-two")
    assert console.get(page).status_code == 404
    assert ADMIN_EMAIL in console.get("/console/users").text, "they are back in their own"


def test_the_operators_own_tenant_stays(console, rows, app):
    [(own,)] = rows(app, "SELECT id FROM tenants")
    page = f"/console/tenants/{own}"
    assert not re.search("Turn off …|Delete …", console.get(page).text)
    for path, fields in ((f"{page}/turn-off", {}), (f"{page}/delete", {"typed": "default"})):
        refused = console.send(path, **fields)
        assert refused.status_code == 409
        assert "own: it can&#39;t be disabled" in refused.text
    renamed = console.send(f"{page}/edit", name="Home", slug="home")
    assert (renamed.status_code, title(renamed)) == (409, "Change Default")
    assert console.get("/console/users").status_code == 200


def test_what_is_counted_of_a_tenant_stops_somewhere(console, make_tenant, make_person, app, monkeypatch):
    monkeypatch.setattr("authsvc.models.paging.MOST_COUNTED", 1)
    monkeypatch.setattr("authsvc.console.spelling.MOST_COUNTED", 1)
    path = f"/console/tenants/{make_tenant(app, 'acme')}"
    for expected in ("1 user,", "more than 1 user,"):
        make_person("auth:refresh", tenant="acme")
        assert f"<dd>{expected}" in console.get(path).text
