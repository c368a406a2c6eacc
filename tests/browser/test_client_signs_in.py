"""The browser client: in, out, and what a script can see of it."""

import pytest

from tests.browser.tabs import PASSWORD, serve_on
from tests.conftest import counter

TRANSPORTS = ("cookie", "body")
IN, OUT = [True], [False, None]


def test_people_register_sign_in_reload_and_sign_out(open_tab, office):
    for transport in TRANSPORTS:
        email = f"new{next(counter)}@example.com"
        tab = open_tab(transport)
        tab.page.evaluate("client.subscribe(() => { throw new Error('of the page, and no business of the client'); })")
        assert tab.state() == [None, None]
        assert tab.run("client.start()") is None
        assert tab.state() == OUT
        assert tab.refreshes() == 0, "nobody is asked about a token that is not there"
        fields = {"email": email, "password": PASSWORD, "name": "Me"}
        assert tab.run("client.register(argument)", fields)["name"] == "Me"
        assert tab.state() == [True, email]
        assert tab.me() == 200
        tab.reload()
        assert tab.run("client.start()")["email"] == email
        assert tab.page.evaluate("heard") == [[True, None], [True, email]]
        tab.run("client.logout()")
        assert tab.state() == OUT
        assert tab.me() == 401
        tab.reload()
        assert tab.run("client.start()") is None
        assert tab.run("client.login(argument)", {"email": email, "password": "wrong"}) == [401, "credentials_invalid"]
        assert tab.state() == OUT
        assert tab.login({"email": email, "password": PASSWORD})["email"] == email
        assert tab.page.evaluate("heard.at(-1)") == [True, email]


def test_no_script_ever_holds_the_refresh_token_of_a_cookie(open_tab, office, context):
    tab = open_tab()
    tab.page.evaluate("""() => {
        window.seen = [];
        const put = Storage.prototype.setItem;
        Storage.prototype.setItem = function (name, text) { seen.push(text); put.call(this, name, text); };
        BroadcastChannel.prototype.postMessage = text => seen.push(JSON.stringify(text));
        const send = window.fetch;
        window.fetch = async (...sent) => {
            const answer = await send(...sent);
            seen.push(JSON.stringify(sent[1]), await answer.clone().text());
            return answer;
        };
    }""")
    tab.login(office.add_account())
    tab.later(86_400)
    assert tab.me() == 200
    [token] = [cookie["value"] for cookie in context.cookies() if cookie["httpOnly"]]
    seen = tab.page.evaluate("[...seen, JSON.stringify(localStorage), document.cookie].join()")
    assert "attempt" in seen
    assert token not in seen
    assert 'refreshToken"' not in seen
    access = tab.run("client.accessToken()")
    assert access in seen
    assert access not in tab.page.evaluate("JSON.stringify(localStorage) + document.cookie")


def test_signing_out_everywhere_ends_the_other_browsers_too(open_tab, office, browser, server):
    account = office.add_account()
    elsewhere = browser.new_context()
    serve_on(elsewhere, server.url)
    for transport in TRANSPORTS:
        here, there = open_tab(transport), open_tab(transport, within=elsewhere)
        here.login(account)
        there.login(account)
        there.run("client.logout({everywhere: true})")
        assert here.me() == 401
        assert here.state() == OUT
    elsewhere.close()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_sign_out_that_was_not_heard_signs_nobody_out(open_tab, office, context, transport):
    tab = open_tab(transport)
    tab.login(office.add_account())
    context.set_offline(True)
    assert tab.run("client.logout()") == [0, "unreachable"]
    context.set_offline(False)
    assert tab.state()[0] is True
    assert tab.me() == 200


def test_the_access_token_goes_nowhere_else(open_tab, office, context):
    sent = {}

    def keep(route):
        sent[route.request.url] = route.request.headers.get("authorization", "")
        route.fulfill(headers={"Access-Control-Allow-Origin": "*", "Access-Control-Allow-Headers": "*"}, body="")

    context.route("http://*.example/*", keep)
    tab = open_tab(apis=["http://trusted.example"])
    tab.login(office.add_account())
    token = tab.run("client.accessToken()")
    for origin in ("http://trusted.example", "http://other.example"):
        tab.run("client.fetch(argument).then(answer => answer.status)", f"{origin}/x")
    assert sent == {"http://trusted.example/x": f"Bearer {token}", "http://other.example/x": ""}
