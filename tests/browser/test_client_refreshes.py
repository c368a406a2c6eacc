"""The browser client: when it refreshes, what it does with a 401, and that a crowd of tabs is one sign-in."""

import json
import time

import pytest

from tests.browser.tabs import ask, serve_on

TRANSPORTS = ("cookie", "body")
NO_LOCKS = "Object.defineProperty(navigator, 'locks', {value: undefined})"
NO_CHANNELS = "delete window.BroadcastChannel"
ALL_AT_ONCE = "new Promise(done => setTimeout(done, argument - Date.now())).then(() => client.accessToken())"


def run_out(server, token):
    """Wait until the service itself says so."""
    deadline = time.monotonic() + 10
    while ask(server, "/auth/me", token=token)[0] == 200:
        assert time.monotonic() < deadline
        time.sleep(0.05)


@pytest.fixture(scope="module")
def short(office):
    """Applications whose access tokens live for a second."""
    return {transport: office.add_application(transport=transport, accessLifetime=1) for transport in TRANSPORTS}


def test_a_token_that_will_soon_run_out_is_replaced_before_the_request(open_tab, office, server):
    for transport in TRANSPORTS:
        tab = open_tab(transport)
        tab.login(office.add_account())
        for minutes, paths in ((14, ["/auth/me"]), (0.75, ["/jwt/refresh", "/auth/me"]), (14, ["/auth/me"])):
            tab.later(minutes * 60)
            tab.asked.clear()
            assert tab.me() == 200
            assert [url.removeprefix(server.url) for url in tab.asked] == paths


def test_a_request_that_was_refused_for_its_token_goes_again_once_with_its_body(open_tab, office, short, server):
    bodies = {
        "cookie": {
            "text": "client.fetch(argument, {method: 'PATCH', headers, body})",
            "blob": "client.fetch(argument, {method: 'PATCH', headers, body: new Blob([body])})",
        },
        "body": {"request": "client.fetch(new Request(argument, {method: 'PATCH', headers, body}))"},
    }
    for transport in TRANSPORTS:
        tab = open_tab(transport, applicationId=short[transport])
        tab.login(office.add_account())
        tab.later(0)  # its clocks stand still: it takes for good what has long run out
        token = tab.run("client.accessToken()")
        run_out(server, token)
        assert tab.run("client.accessToken()") == token, "this page must not know"
        for name, call in bodies[transport].items():
            run_out(server, tab.run("client.accessToken()"))
            tab.asked.clear()
            sent = json.dumps({"name": name})
            answer = tab.page.evaluate(
                f"""async ([argument, body]) => {{
                    const headers = {{"Content-Type": "application/json"}};
                    return (await (await {call}).json()).data.user.name;
                }}""",
                [f"{server.url}/auth/me", sent],
            )
            assert answer == name
            assert [url.removeprefix(server.url) for url in tab.asked] == ["/auth/me", "/jwt/refresh", "/auth/me"]


def test_a_clock_that_was_set_and_a_laptop_that_slept_cost_one_refresh_at_most(open_tab, office):
    tab = open_tab()
    tab.login(office.add_account())
    day = 86_400_000
    for moved, refreshes in (
        (f"const now = Date.now.bind(Date); Date.now = () => now() + {day}", 1),  # slept, with its steady clock too
        (f"const now = Date.now.bind(Date); Date.now = () => now() - 2 * {day}", 0),  # set back: the steady one counts
        (f"const now = performance.now.bind(performance); performance.now = () => now() + {day}", 1),
    ):
        tab.asked.clear()
        tab.page.evaluate(f"() => {{ {moved} }}")
        assert (tab.me(), tab.me()) == (200, 200)
        assert tab.refreshes() == refreshes, moved
    assert tab.state()[0] is True


@pytest.mark.parametrize(
    ("number", "missing"), [(10, ""), (10, f"{NO_LOCKS}; {NO_CHANNELS}"), (3, NO_LOCKS), (3, NO_CHANNELS)]
)
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
                if (statuses.length < 20) setTimeout(poll, 150);
            };
            poll();
        }""",
            f"{server.url}/auth/me",
        )
    for tab in tabs:
        tab.page.wait_for_function("statuses.length === 20")
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


def test_what_is_stored_in_memory_alone_is_one_tabs_alone(open_tab, office):
    one, other = open_tab("body", store="memory"), open_tab("body", store="memory")
    account = office.add_account()
    one.login(account)
    assert other.run("client.start()") is None
    other.login(account)
    assert one.page.evaluate("localStorage.length") == 0
    assert office.generation(one) == (0, 2)
    one.run("client.logout()")
    assert (other.me(), other.state()[0]) == (200, True)


def test_sessions_of_two_people_follow_whoever_signed_in_last(open_tab, office):
    for transport in TRANSPORTS:
        ours, theirs = office.add_account(), office.add_account()
        one, other = open_tab(transport), open_tab(transport)
        one.login(ours)
        other.hears(True)
        assert other.state() == [True, ours["email"]]
        other.run("client.logout()")
        one.hears(False)
        other.login(theirs)
        one.hears(True)
        assert one.state() == [True, theirs["email"]]
        assert (
            one.run(
                "client.fetch(argument).then(a => a.json()).then(a => a.data.user.email)", f"{one.service()}/auth/me"
            )
            == theirs["email"]
        )


def test_signing_out_is_seen_in_every_tab_without_channels_too(open_tab, office, context, browser, server):
    without = browser.new_context()
    without.add_init_script(NO_CHANNELS)
    serve_on(without, server.url)
    for within in (context, without):
        for transport in TRANSPORTS:
            one, other = open_tab(transport, within=within), open_tab(transport, within=within)
            other.run("client.start()")
            one.login(office.add_account())
            other.hears(True)
            assert other.me() == 200
            one.run("client.logout()")
            other.hears(False)
            assert other.me() == 401
            assert other.page.evaluate("heard.at(-1)") == [False, None]
    without.close()
