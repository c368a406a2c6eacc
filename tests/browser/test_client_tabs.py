"""The browser client: a crowd of tabs is one sign-in, whatever overtakes what."""

import time

import pytest

from tests.browser.tabs import serve_on

TRANSPORTS = ("cookie", "body")
NO_LOCKS = "Object.defineProperty(navigator, 'locks', {value: undefined})"
NO_CHANNELS = "delete window.BroadcastChannel"
ALL_AT_ONCE = "new Promise(done => setTimeout(done, argument - Date.now())).then(() => client.accessToken())"
# Requests to refresh wait, or their answers do, until the page is told to go on.
GATE = """isAnswer => {
    const send = window.fetch;
    const open = new Promise(go => { window.go = go; });
    window.fetch = async (...sent) => {
        if (!String(sent[0]).endsWith("/jwt/refresh")) return send(...sent);
        window.fetch = send;
        window.isAtGate = true;
        if (!isAnswer) await open;
        const answer = await send(...sent);
        if (isAnswer) { window.hasAnswer = true; await open; }
        return answer;
    };
}"""


@pytest.mark.parametrize(("number", "missing"), [(10, ""), (4, f"{NO_LOCKS}; {NO_CHANNELS}")])
def test_a_crowd_of_tabs_is_one_sign_in(open_tab, office, applications, context, number, missing):
    if missing:
        context.add_init_script(missing)
    tabs = [open_tab() for _ in range(number)]
    for transport in TRANSPORTS:
        for tab in tabs:
            tab.become(transport=transport, applicationId=applications[transport])
        tabs[0].login(office.add_account())
        for _ in range(2):  # the second time, within the leeway
            for tab in tabs:
                tab.later(86_400)
                tab.asked.clear()
                tab.page.evaluate(f"argument => {{ window.begun = {ALL_AT_ONCE}; }}", time.time() * 1000 + 150)
            assert None not in {tab.finish() for tab in tabs}
            assert any(tab.refreshes() for tab in tabs)
        assert office.generation(tabs[0]) == (1, 1)
        for tab in tabs:
            assert (tab.me(), tab.state()[0]) == (200, True)


def test_tabs_that_poll_by_the_clock_go_on_for_ever(open_tab, office, server, context):
    """Access tokens of a second, tabs that ask five times a second, at a server where a refresh steps at most once."""
    context.add_init_script(f"if (Math.random() < 0.5) {{ {NO_LOCKS} }}")
    application = office.add_application(transport="cookie", accessLifetime=1)
    account = office.add_account()
    tabs = [open_tab(applicationId=application) for _ in range(3)]
    tabs[0].login(account)
    for tab in tabs:
        tab.page.evaluate(
            """address => {
            window.statuses = [];
            const poll = async () => {
                statuses.push((await client.fetch(address)).status);
                if (statuses.length < 12) setTimeout(poll, 150);
            };
            poll();
        }""",
            f"{server.url}/auth/me",
        )
    for tab in tabs:
        tab.page.wait_for_function("statuses.length === 12")
        assert set(tab.page.evaluate("statuses")) == {200}
    generation, sign_ins = office.generation(tabs[0])
    assert generation <= 1
    assert sign_ins == 1
    assert office.alarms(account) == []


def test_a_tab_that_was_overtaken_reads_the_csrf_cookie_again(open_tab, office, context):
    context.add_init_script(NO_LOCKS)
    context.add_init_script(NO_CHANNELS)
    quick = open_tab()
    quick.login(office.add_account())
    slow, held = open_tab(), []
    slow.page.route("**/jwt/refresh", lambda route: route.continue_() if held else held.append(route))
    with slow.page.expect_request("**/jwt/refresh"):
        slow.begin("client.accessToken()")
    while not held:
        slow.page.evaluate("0")  # the route is told of it next
    quick.later(86_400)
    assert quick.me() == 200  # the cookies are those of the next generation now
    statuses = []
    slow.page.on("response", lambda answer: statuses.append(answer.status))
    held[0].continue_()
    assert isinstance(slow.finish(), str)
    assert statuses == [401, 200]
    assert office.generation(slow) == (1, 1)


def test_every_tab_follows_whoever_signed_in_last(open_tab, office, applications):
    one, other = open_tab(), open_tab()
    who = "client.fetch(argument).then(answer => answer.json()).then(answer => answer.data.user.email)"
    for transport in TRANSPORTS:
        for tab in (one, other):
            tab.become(transport=transport, applicationId=applications[transport])
        ours, theirs = office.add_account(), office.add_account()
        one.login(ours)
        other.hears(True)
        assert other.state() == [True, ours["email"]]
        other.run("client.logout()")
        one.hears(False)
        assert one.me() == 401
        other.login(theirs)
        one.hears(True)
        assert one.state() == [True, theirs["email"]]
        assert one.run(who, f"{one.service()}/auth/me") == theirs["email"]


def test_signing_out_is_seen_in_every_tab_without_channels_too(open_tab, office, applications, browser, server):
    without = browser.new_context()
    without.add_init_script(NO_CHANNELS)
    serve_on(without, server.url)
    one, other = open_tab(within=without), open_tab(within=without)
    for transport in TRANSPORTS:
        for tab in (one, other):
            tab.become(transport=transport, applicationId=applications[transport])
        assert other.run("client.start()") is None
        one.login(office.add_account())
        other.hears(True)
        assert other.me() == 200
        one.run("client.logout()")
        other.hears(False)
        assert other.me() == 401
        assert other.page.evaluate("heard.at(-1)") == [False, None]
    without.close()


def test_tabs_that_spend_one_token_do_so_under_one_key(open_strict_tab, strict_office, context):
    """Without locks, and at the server where only the key tells a second tab from a thief."""
    context.add_init_script(f"{NO_LOCKS}; {NO_CHANNELS}")
    for transport in TRANSPORTS:
        account = strict_office.add_account()
        quick = open_strict_tab(transport)
        quick.login(account)
        slow = open_strict_tab(transport)
        slow.page.evaluate(GATE, False)
        slow.begin("client.accessToken()")
        slow.page.wait_for_function("window.isAtGate")
        quick.later(86_400)
        assert quick.me() == 200
        slow.page.evaluate("go()")
        assert isinstance(slow.finish(), str)
        assert (quick.me(), slow.me()) == (200, 200)
        assert strict_office.alarms(account) == []


def test_an_answer_that_was_overtaken_does_not_put_a_spent_token_back(open_strict_tab, strict_office, context):
    """Without locks, and at the server that takes a spent token for a thief's."""
    context.add_init_script(f"{NO_LOCKS}; {NO_CHANNELS}")
    account = strict_office.add_account()
    quick = open_strict_tab("body")
    quick.login(account)
    slow = open_strict_tab("body")
    slow.page.evaluate(GATE, True)
    slow.begin("client.accessToken()")
    slow.page.wait_for_function("window.hasAnswer")
    for _ in range(2):
        quick.later(86_400)
        assert quick.me() == 200  # the first time as the slow one's attempt, the second beyond it
    slow.page.evaluate("go()")
    assert isinstance(slow.finish(), str)
    for tab in (quick, slow):
        tab.later(86_400)
        assert tab.me() == 200
    assert strict_office.alarms(account) == []


def test_a_refusal_of_a_sign_in_that_is_over_does_not_end_the_next(open_strict_tab, strict_office, context):
    context.add_init_script(f"{NO_LOCKS}; {NO_CHANNELS}")
    ours, theirs = strict_office.add_account(), strict_office.add_account()
    for transport in TRANSPORTS:
        quick = open_strict_tab(transport)
        quick.login(ours)
        slow = open_strict_tab(transport)
        slow.page.evaluate(GATE, False)
        slow.begin("client.accessToken()")
        slow.page.wait_for_function("window.isAtGate")
        quick.run("client.logout()")
        quick.login(theirs)
        slow.page.evaluate("go()")
        slow.finish()
        slow.hears(True)
        assert slow.run("client.start()")["email"] == theirs["email"]
        assert (quick.me(), slow.me()) == (200, 200)
