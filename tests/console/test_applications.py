"""The applications' pages: all that one decides, its secrets, and what ends with it."""

import re

from tests.console.browsing import is_at_the_door, title
from tests.flows.api_tokens import make_api_token
from tests.flows.oauth import basic, post

PAGE = "/console/applications"
EVIL = "<script>alert(1)</script>"
DECIDED = {
    "transport": "cookie",
    "accessLifetime": "300",
    "refreshIdleLifetime": "3600",
    "refreshLifetime": "86400",
    "maxRefreshTokens": "3",
    "corsOrigins": "https://shop.example.com\r\nhttps://till.example.com",
    "cookieSameSite": "Lax",
    "scopes": ["users:read"],
}


def made(console, **fields):
    """The address of its page."""
    answer = console.send(f"{PAGE}/new", **{"name": "Shop", "rotate": "on"} | fields)
    assert answer.status_code == 303, answer.text
    return answer.location


def secret_in(answer):
    assert answer.status_code == 200, answer.text
    return re.search(r'<code id="once">([^<]+)</code>', answer.text)[1]


def got_token(app, page, secret):
    """The status of asking for an access token with that secret."""
    proof = basic(page.rpartition("/")[2], secret)
    return post(app, "/oauth/token", {"grant_type": "client_credentials"}, proof).status_code


def decided(admin, page):
    """What the JSON API says of it."""
    return admin.get(f"/admin/applications/{page[-36:]}").json["data"]


def as_it_stands(form):
    """What a browser would send if nothing were touched."""
    sent = {"scopes": re.findall(r'name="scopes" value="([^"]+)" checked', form)}
    sent |= dict(re.findall(r'<input id="(\w+)" name="\1"[^>]* value="([^"]*)"', form))
    sent |= dict(re.findall(r'<textarea id="(corsOrigins)"[^>]*>([^<]*)</textarea>', form))
    for name, options in re.findall(r'<select id="(\w+)"[^>]*>(.*?)</select>', form, re.S):
        [sent[name]] = re.findall(r'value="([^"]*)" selected', options)
    return sent | ({"rotate": "on"} if 'name="rotate" checked' in form else {})


def test_all_that_one_decides_is_made_shown_changed_and_left_to_the_settings_again(console, admin):
    page = made(console, **DECIDED)
    wanted = {
        "name": "Shop",
        "slug": "shop",
        "transport": "cookie",
        "accessLifetime": 300,
        "refreshIdleLifetime": 3600,
        "refreshLifetime": 86400,
        "rotate": True,
        "maxRefreshTokens": 3,
        "corsOrigins": ["https://shop.example.com", "https://till.example.com"],
        "cookieSameSite": "Lax",
        "confidential": False,
        "scopes": ["users:read"],
        "active": True,
    }
    assert decided(admin, page).items() >= wanted.items()
    text = console.get(page).text
    for words in ("5 minutes", "1 hour", "1 day", "https://till.example.com", "cookie", "Lax", "public"):
        assert words in text
    form = console.get(f"{page}/edit").text
    assert console.send(f"{page}/edit", **as_it_stands(form)).status_code == 303
    assert decided(admin, page).items() >= wanted.items()
    # And what is emptied is left to the settings.
    assert console.send(f"{page}/edit", name="Till", slug="till").status_code == 303
    nothing = dict.fromkeys(("transport", "accessLifetime", "refreshIdleLifetime", "refreshLifetime"))
    nothing |= {"maxRefreshTokens": None, "cookieSameSite": None, "corsOrigins": [], "scopes": [], "rotate": False}
    assert decided(admin, page).items() >= (nothing | {"name": "Till", "slug": "till"}).items()
    assert as_it_stands(console.get(f"{page}/edit").text)["cookieSameSite"] == ""


def test_they_are_found(console):
    made(console, name="Shop")
    till = made(console, name=EVIL, slug="till")
    console.send(f"{till}/turn-off")
    for query, found in (
        ("search=SHO", {"Shop"}),
        ("search=till", {"&lt;script&gt;alert(1)&lt;/script&gt;"}),
        ("active=false", {"&lt;script&gt;alert(1)&lt;/script&gt;"}),
        ("search=%25", set()),
        ("search=sho&active=false", set()),
    ):
        rows = re.search(r'<section id="rows".*?</section>', console.get(f"{PAGE}?{query}").text, re.S)[0]
        assert set(re.findall(r'applications/[0-9a-f-]{36}">(.*?)</a>', rows)) == found, query
    for path in ("", "/edit", "/turn-off", "/delete", "/secret", "/confidential", "/public"):
        assert EVIL not in console.get(till + path).text


def test_what_is_not_taken_comes_back_with_what_is_wrong(console, somebody):
    made(console)
    for fields, sentence in (
        ({"slug": "shop"}, "taken"),
        ({"corsOrigins": "shop.example.com"}, "corsOrigins-hint"),
        ({"accessLifetime": "soon"}, "accessLifetime-hint"),
        ({"refreshLifetime": "0"}, "refreshLifetime-hint"),
        ({"transport": "pigeon"}, "transport-hint"),
        ({"scopes": ["api-tokens:admin"]}, "No application can have the scope"),
    ):
        answer = console.send(f"{PAGE}/new", **{"name": "Kept"} | fields)
        assert answer.status_code in (403, 409, 422), fields
        assert sentence in answer.text, fields
        assert 'value="Kept"' in answer.text
    [default] = re.findall(rf'{PAGE}/([0-9a-f-]+)">Default<', console.get(PAGE).text)
    assert "Delete" not in console.get(f"{PAGE}/{default}").text
    refused = console.send(f"{PAGE}/{default}/delete")
    assert (refused.status_code, "it can&#39;t be deleted" in refused.text) == (409, True)
    assert "Kept" not in console.get(PAGE).text
    # Nobody gives an application more than they hold, nor touches one that holds more.
    clerk = somebody("applications:read", "applications:write")
    mighty = made(console, name="Mighty", scopes=["users:write"])
    for path, fields in (
        ("/new", {"name": "Puppet", "scopes": ["users:write"]}),
        (f"/{mighty[-36:]}/edit", {"name": "Puppet", "slug": "mighty"}),
        (f"/{mighty[-36:]}/confidential", {}),
        (f"/{mighty[-36:]}/delete", {}),
    ):
        answer = clerk.send(PAGE + path, **fields)
        assert (answer.status_code, "users:write" in answer.text) == (403, True), path
    assert "Puppet" not in console.get(PAGE).text


def test_a_confidential_one_has_its_secrets_shown_once(console, app):
    answer = console.send(f"{PAGE}/new", name="Office", confidential="on", scopes=["users:read"])
    first = secret_in(answer)
    page = re.search(rf'href="({PAGE}/[0-9a-f-]{{36}})"', answer.text)[1]
    assert got_token(app, page, first) == 200
    second = secret_in(console.send(f"{page}/secret", overlap="3600"))
    assert [got_token(app, page, one) for one in (first, second)] == [200, 200]
    third = secret_in(console.send(f"{page}/secret", overlap="0"))
    assert [got_token(app, page, one) for one in (first, second, third)] == [401, 401, 200]
    assert not any(one in console.get(page).text for one in (first, second, third))
    assert title(console.get(f"{page}/public")) == "Make Office public?"
    assert got_token(app, page, third) == 200
    assert console.send(f"{page}/public").status_code == 303
    assert got_token(app, page, third) == 401
    assert console.send(f"{page}/secret").status_code == 409
    again = secret_in(console.send(f"{page}/confidential"))
    assert got_token(app, page, again) == 200
    assert console.send(f"{page}/confidential").status_code == 303


def test_what_ends_with_it_is_said_before_and_counted_after(console, somebody, make_person):
    person = somebody("api-tokens:write", "users:read")
    other = make_person("auth:refresh")
    clerk = somebody("applications:read", "applications:write")
    page = made(console)
    for _ in range(2):
        person.device.sign_in(person.account, applicationId=page[-36:])
    make_api_token(person.device, "users:read", applicationId=page[-36:])
    for deed in ("turn-off", "delete"):
        text = clerk.get(f"{page}/{deed}").text
        assert "2 live sign-ins and 1 live API token will end at once" in text
        assert "this very application" not in text
    assert person.device.me().status_code == 200
    assert clerk.send(f"{page}/turn-off").status_code == 303
    assert person.device.me().status_code == 401
    assert "turned off" in clerk.get(page).text
    assert "0 live sign-ins and 0 live API tokens" in clerk.get(f"{page}/delete").text
    assert clerk.send(f"{page}/turn-on").status_code == 303
    person.device.sign_in(person.account, applicationId=page[-36:])
    answer = clerk.send(f"{page}/delete")
    assert (answer.status_code, answer.location) == (303, PAGE)
    assert "Shop was deleted; 1 sign-in ended." in clerk.get(PAGE).text
    assert clerk.get(page).status_code == 404
    assert other.me().status_code == 200
    [own] = re.findall(rf'({PAGE}/[0-9a-f-]+)">Console<', clerk.get(PAGE).text)
    assert "You are signed in to this very application now." in clerk.get(f"{own}/turn-off").text
    assert clerk.send(f"{own}/turn-off").location == own
    assert is_at_the_door(clerk.get(PAGE))


def test_another_tenants_are_unknown_and_readers_only_read(app, console, somebody, make_tenant):
    make_tenant(app, "acme")
    abroad = somebody("applications:read", "applications:write", tenant="acme")
    reader = somebody("applications:read")
    page = made(console)
    for path in ("", "/edit", "/secret", "/confidential", "/public", "/turn-off", "/delete"):
        assert abroad.get(page + path).status_code == 404, path
        if path:
            assert abroad.send(page + path, name="Stolen", slug="stolen").status_code == 404, path
            assert reader.send(page + path, name="Stolen", slug="stolen").status_code == 403, path
    assert "Shop" not in abroad.get(PAGE).text
    text = reader.get(page).text
    assert not re.search("Change<|Make it|Turn off|Delete|Sign-ins to it|API tokens for it", text)
    assert "New application" not in reader.get(PAGE).text
    assert "Shop" in console.get(page).text
