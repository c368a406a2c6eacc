"""Pages on other hosts than the service: those that are listed, and those of strangers.

*.localhost is this machine, and to a browser app.site.localhost and auth.site.localhost are one site. Nothing is
intercepted here: the tests' own interception would answer the preflights.
"""

import json

import pytest

from tests.browser.tabs import Tab

READ = """address => fetch(address, {method: "POST", credentials: "include", headers: {"X-CSRF-TOKEN": "x"}})
    .then(() => "read", () => "refused")"""
FORM = """path => {
    const form = document.createElement("form");
    Object.assign(form, {method: "POST", action: path, enctype: "text/plain"});
    document.body.append(form);
    form.submit();
}"""


@pytest.fixture(scope="module")
def auth(server):
    return f"http://auth.site.localhost:{server.port}"


@pytest.fixture(scope="module")
def hosts(pages):
    return [f"http://{name}.site.localhost:{pages.port}" for name in ("app", "www", "unlisted")]


@pytest.fixture(scope="module")
def listed(office, hosts):
    origins = hosts[:2]
    return {kind: office.add_application(transport=kind, corsOrigins=origins) for kind in ("cookie", "body")}


@pytest.fixture
def open_elsewhere(context, auth, listed):
    def open_one(origin, transport="cookie"):
        return Tab(context.new_page(), origin, url=auth, transport=transport, applicationId=listed[transport])

    return open_one


def test_a_listed_page_on_another_host_signs_in_reloads_and_signs_out(open_elsewhere, office, hosts, context):
    for transport in ("cookie", "body"):
        account = office.add_account()
        tab = open_elsewhere(hosts[0], transport)
        assert tab.run("client.start()") is None
        tab.login(account)
        tab.later(86_400)
        assert tab.me() == 200
        tab.reload()
        assert tab.run("client.start()")["email"] == account["email"]
        assert tab.page.evaluate("document.cookie") == ""
        tab.run("client.logout()")
        assert context.cookies() == []
        tab.reload()
        tab.asked.clear()
        assert tab.run("client.start()") is None
        assert tab.refreshes() == 0, "whoever signed out is not asked about"


def test_a_csrf_value_that_was_lost_with_its_answer_is_told_again(open_elsewhere, office, hosts):
    """The browser has stored the cookie, and the page went away before it read the answer."""
    tab = open_elsewhere(hosts[0])
    account = office.add_account()
    tab.login(account)
    kept = tab.page.evaluate("JSON.stringify(localStorage)")
    tab.lose_next_answer()
    tab.later(86_400)
    assert tab.me() == [0, "unreachable"]
    assert kept != tab.page.evaluate("JSON.stringify(localStorage)")
    tab.reload()
    assert tab.run("client.start()")["email"] == account["email"]
    other = open_elsewhere(hosts[1])  # the same application and cookies, but a store of its own
    assert other.run("client.start()")["email"] == account["email"]
    assert office.generation(other) == (1, 1)


def test_a_page_that_is_not_listed_gets_nowhere(open_elsewhere, office, hosts, context):
    ours = open_elsewhere(hosts[0])
    account = office.add_account()
    ours.login(account)
    before = context.cookies()
    stranger = open_elsewhere(hosts[2])
    assert stranger.run("client.start()") == [0, "unreachable"]
    assert stranger.login(account) == [0, "unreachable"]
    assert stranger.run("client.logout()") == [0, "unreachable"]
    assert open_elsewhere(hosts[2], "body").login(account) == [0, "unreachable"]
    assert context.cookies() == before
    ours.later(86_400)
    assert ours.me() == 200
    assert office.generation(ours)[0] == 1


def test_another_site_neither_refreshes_nor_signs_out(open_elsewhere, office, auth, hosts, pages, context):
    ours = open_elsewhere(hosts[0])
    ours.login(office.add_account())
    before = context.cookies()
    for evil in (f"http://evil.localhost:{pages.port}", hosts[2]):
        page = context.new_page()
        page.goto(f"{evil}/page#%7B%7D")
        for path in ("/jwt/refresh", "/auth/logout"):
            page.evaluate(
                "address => fetch(address, {method: 'POST', mode: 'no-cors', credentials: 'include', body: '{}'})"
                ".catch(() => {})",
                auth + path,
            )
            assert page.evaluate(READ, auth + path) == "refused"
            page.goto(f"{evil}/page#%7B%7D")
            with page.expect_navigation():
                page.evaluate(FORM, auth + path)
            said = json.loads(page.inner_text("body"))
            assert said["data"] in (None, {"revoked": 0})
            page.goto(f"{evil}/page#%7B%7D")
        page.close()
    assert context.cookies() == before
    assert office.generation(ours)[0] == 0
    ours.later(86_400)
    assert ours.me() == 200
