"""The browser client: when it refreshes, and what it does with a 401."""

import json
import time

import pytest

from tests.browser.tabs import ask

TRANSPORTS = ("cookie", "body")


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
