"""The browser client: answers get lost, networks and servers go away, and nobody is signed out but a thief."""

import json

import pytest

from tests.browser.tabs import ask, serve_on

TRANSPORTS = ("cookie", "body")
DAY = 86_400
JSON = {"Content-Type": "application/json"}


def refusal(code):
    return json.dumps({"success": False, "message": "No.", "data": None, "error": {"code": code}})


def answered(where):
    """What every refresh from there is answered: to be filled in."""
    answer = {}
    where.route("**/jwt/refresh", lambda route: route.fulfill(**answer))
    return answer


class Lossy:
    """The way from a tab to its server: answers to refreshes get lost on it, after the server did what was asked."""

    def __init__(self, tab, server):
        self.server = server
        self.is_broken = True
        self.keys = []
        self.context = tab.page.context
        tab.page.route("**/jwt/refresh", self)

    def __call__(self, route):
        headers = route.request.headers
        self.keys.append(headers["idempotency-key"])
        if not self.is_broken:
            route.continue_()
            return
        cookies = "; ".join(f"{one['name']}={one['value']}" for one in self.context.cookies(self.server.url))
        sent = {"Cookie": cookies, "X-CSRF-TOKEN": headers.get("x-csrf-token", ""), "Idempotency-Key": self.keys[-1]}
        status, _ = ask(self.server, "/jwt/refresh", json.loads(route.request.post_data), headers=sent)
        assert status == 200
        route.abort()


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_lost_answer_is_given_again_however_late(open_strict_tab, strict_office, strict, transport):
    """Here is no leeway, so a spent token without its key would be a thief's."""
    account = strict_office.add_account()
    for goes_on in ("in the same page", "after a reload", "in another tab"):
        tab = open_strict_tab(transport)
        tab.login(account)
        line = Lossy(tab, strict)
        tab.later(DAY)
        assert tab.me() == [0, "unreachable"]
        assert tab.me() == [0, "unreachable"]
        assert len(line.keys) == 1, "a dead line is left in peace"
        assert tab.state() == [True, account["email"]]
        line.is_broken = False
        if goes_on == "in the same page":
            tab.later(DAY)
        elif goes_on == "after a reload":
            tab.reload()
        else:
            closed, tab = tab, open_strict_tab(transport)
            closed.page.close()
            tab.page.route("**/jwt/refresh", line)
        assert tab.run("client.start()")["email"] == account["email"]
        assert strict_office.generation(tab)[0] == 1
        tab.later(DAY)
        assert tab.me() == 200
        assert strict_office.generation(tab)[0] == 2
        first, again, after = line.keys
        assert first == again != after
        tab.run("client.logout()")
    assert strict_office.alarms(account) == []


def test_a_key_is_for_one_token_alone(open_strict_tab, strict_office):
    """The cookie of the next token came, and the page went away before it could forget the key."""
    tab, keys = open_strict_tab(), []
    account = strict_office.add_account()
    tab.login(account)
    tab.page.on("request", lambda request: keys.append(request.headers.get("idempotency-key")))
    tab.lose_next_answer()
    tab.later(DAY)
    assert tab.me() == [0, "unreachable"]
    tab.reload()
    assert tab.run("client.start()")["email"] == account["email"]
    first, second = filter(None, keys)
    assert first != second
    assert strict_office.generation(tab)[0] == 2


def test_a_copied_cookie_jar_ends_the_sign_in_and_is_told_of(open_strict_tab, strict_office, strict, context, browser):
    account = strict_office.add_account()
    ours, beside = open_strict_tab(), open_strict_tab()
    ours.login(account)
    beside.hears(True)
    thief = browser.new_context()
    thief.add_cookies(context.cookies())
    serve_on(thief, strict.url)
    theirs = open_strict_tab(within=thief)
    assert theirs.run("client.start()")["email"] == account["email"]
    assert theirs.me() == 200
    ours.later(DAY)
    assert ours.me() == 401
    for tab in (ours, beside):
        tab.hears(False)
    assert theirs.me() == 401
    assert theirs.state() == [False, None]
    assert strict_office.alarms(account) == ["refresh_token.reused"]
    ours.login(account)
    assert ours.me() == 200
    thief.close()


def test_nobody_is_signed_out_by_a_failure(open_tab, office):
    html = {"Content-Type": "text/html"}
    failures = [
        (503, JSON, refusal("unavailable"), [503, "unavailable"]),
        (429, JSON, refusal("too_many_attempts"), [429, "too_many_attempts"]),
        (500, JSON, refusal("internal_error"), [500, "internal_error"]),
        (403, JSON, refusal("permission_denied"), [403, "permission_denied"]),
        (403, JSON, refusal("tenant_mismatch"), [403, "tenant_mismatch"]),
        (401, JSON, refusal("csrf_failed"), [401, "csrf_failed"]),
        (502, html, "<h1>Bad gateway</h1>", [502, "unreachable"]),
        (401, html, "<h1>The proxy wants a password</h1>", [401, "unreachable"]),
        (200, html, "<h1>Welcome to the hotel</h1>", [0, "unreachable"]),
        (200, JSON, '{"success": true, "data": {}}', [0, "unexpected_answer"]),
    ]
    for transport in TRANSPORTS:
        tab = open_tab(transport)
        account = office.add_account()
        tab.login(account)
        told = answered(tab.page)
        for status, headers, body, heard in failures:
            told |= {"status": status, "headers": headers, "body": body}
            tab.later(DAY)
            assert tab.me() == heard
            assert tab.state() == [True, account["email"]]
        tab.page.unroute("**/jwt/refresh")
        tab.later(DAY)
        assert tab.me() == 200
        assert office.generation(tab) == (1, 1)


def test_a_token_that_still_works_is_used_while_the_service_is_away(open_tab, office):
    tab = open_tab()
    tab.login(office.add_account())
    tab.page.route("**/jwt/refresh", lambda route: route.abort())
    tab.later(14.75 * 60)
    assert tab.me() == 200
    assert tab.refreshes() == 1


def test_a_service_that_is_away_is_left_in_peace_by_every_tab(open_tab, office, context):
    tab, beside = open_tab(), open_tab()
    tab.login(office.add_account())
    beside.hears(True)
    answer = answered(context)
    answer |= {"status": 503, "headers": JSON | {"Retry-After": "120"}, "body": refusal("unavailable")}
    tab.later(DAY)
    beside.later(DAY)
    error = "client.accessToken().catch(error => [error.status, error.code, error.retryAfter])"
    beside.page.evaluate("""() => {
        window.told = new Promise(done => { new BroadcastChannel(`authsvc ${location.origin}`).onmessage = done; });
    }""")
    assert tab.run(error) == [503, "unavailable", 120]
    beside.page.wait_for_function("told.then(() => true)")
    assert beside.run(error) == [503, "unavailable", 120]
    for seconds, refreshes in ((0, 1), (119, 1), (2, 2)):
        tab.later(seconds)
        tab.run("client.accessToken()")
        assert tab.refreshes() == refreshes
    assert beside.refreshes() == 0
    del answer["headers"]["Retry-After"]
    tab.later(DAY)
    tab.asked.clear()
    tab.run("""(async () => {
        for (let second = 0; second < 600; second++) {
            const wall = Date.now() + 1000, steady = performance.now() + 1000;
            Date.now = () => wall;
            performance.now = () => steady;
            await client.accessToken().catch(() => {});
        }
    })()""")
    assert 8 < tab.refreshes() < 25, "600 wishes in ten minutes"


def test_the_network_goes_and_comes_back(open_tab, office, context):
    for transport in TRANSPORTS:
        tab = open_tab(transport)
        account = office.add_account()
        tab.login(account)
        tab.later(DAY)
        context.set_offline(True)
        for _ in range(3):
            assert tab.me() == [0, "unreachable"]
        assert tab.state() == [True, account["email"]]
        context.set_offline(False)
        assert tab.me() == 200, "at once: the browser says that it is back"
        tab.reload()
        context.set_offline(True)
        assert tab.run("client.start()") == [0, "unreachable"]
        assert tab.state()[0] is None, "not asked is not signed out"
        context.set_offline(False)
        assert tab.run("client.start()")["email"] == account["email"]


def test_a_frozen_tab_holds_nobody_up(open_tab, office, context):
    context.add_init_script("""
        const patience = AbortSignal.timeout;
        AbortSignal.timeout = ms => patience.call(AbortSignal, ms / 10);
    """)
    frozen, tab = open_tab(), open_tab()
    tab.login(office.add_account())
    frozen.page.evaluate("""() => new Promise(held => {
        navigator.locks.request(`authsvc ${location.origin}`, () => new Promise(held));
    })""")
    assert frozen.page.evaluate("navigator.locks.query().then(found => found.held.length)") == 1
    tab.later(DAY)
    assert tab.me() == 200
    assert office.generation(tab) == (1, 1)
