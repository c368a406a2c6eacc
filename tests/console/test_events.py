"""The events' pages: what happened is found, told in full, and linked to whom it is about."""

import re
from datetime import timedelta
from urllib.parse import urlencode

from sqlalchemy import select

from authsvc import clock
from authsvc.models import Event
from authsvc.models.engine import transaction
from tests.console.browsing import title
from tests.drivers import HOST

PAGE = "/console/events"
EVIL = "<script>alert(1)</script>"


def listed(browser, **query):
    """What stands on the page, newest first: the kind in words, who did it and to whom."""
    answer = browser.get(f"{PAGE}?{urlencode(query)}")
    assert answer.status_code == 200, answer.text
    rows = re.search(r'<section id="rows".*?</section>', answer.text, re.S)[0]
    return re.findall(rf'href="({PAGE}/[0-9a-f-]{{36}})">(.*?)</a>', rows)


def kinds(browser, **query):
    return [words for _, words in listed(browser, **query)]


def put_back(app, kind, days):
    with app.app_context(), transaction() as session:
        for row in session.scalars(select(Event).where(Event.kind == kind)):
            row.at -= timedelta(days=days)


def test_they_are_found_by_all_that_they_have(app, console, make_person, make_tenant, somebody):
    make_tenant(app, "acme")
    stranger = somebody("events:read", tenant="acme")
    ann = make_person("auth:refresh")
    wrong = {"email": ann.account.email, "password": "wrong"}
    far = app.test_client()
    far.environ_base = {"REMOTE_ADDR": "192.0.2.7", "HTTP_USER_AGENT": EVIL}
    far.post("/auth/login", base_url=HOST, json=wrong, headers={"X-Request-Id": "try-1"})
    name = {"name": "Ann", "username": "", "roles": ["member"]}
    console.send(f"/console/users/{ann.account.id}/edit", **name)
    [default] = re.findall(r'<option value="([0-9a-f-]+)">Default<', console.get(PAGE).text)
    hers = ["User roles changed", "User updated", "User sign in failed", "User signed in"]
    today = clock.utcnow()
    assert sorted(kinds(console, user=ann.account.email)) == sorted(hers)
    assert kinds(console, user=ann.account.id, kind="user.updated") == ["User updated"]
    for query, found in (
        ({"kind": "user.sign_in_failed"}, ["User sign in failed"]),
        ({"outcome": "failure"}, ["User sign in failed"]),
        ({"outcome": "alarm"}, []),
        ({"ip": "192.0.2.7"}, ["User sign in failed"]),
        ({"user": ann.account.id, "applicationId": default, "outcome": "success"}, ["User signed in"]),
        ({"refreshTokenId": ann.refresh_token_id}, ["User signed in"]),
    ):
        assert kinds(console, **query) == found, query
    put_back(app, "user.sign_in_failed", days=3)
    long_ago = f"{today - timedelta(days=2):%Y-%m-%dT%H:%M}"
    assert kinds(console, before=long_ago) == ["User sign in failed"]
    assert "User sign in failed" not in kinds(console, after=long_ago)
    assert console.get(f"{PAGE}?kind=nonsense").status_code == 422
    assert console.get(f"{PAGE}?user=nobody@example.com").status_code == 404
    # One page after the other, with the filters.
    first = console.get(f"{PAGE}?limit=2&user={ann.account.id}").text
    following = re.search(r'href="([^"]+cursor[^"]+)">Older', first)[1].replace("&amp;", "&")
    assert "User signed in" in console.get(following).text
    # One event, with all that it has. Who is gone is an id, which is still searched for.
    [(path, _)] = listed(console, kind="user.sign_in_failed")
    text = console.get(path).text
    for wanted in ("192.0.2.7", "user.sign_in_failed", ann.account.email, "&lt;script&gt;", path[-36:]):
        assert wanted in text
    assert EVIL not in text
    assert EVIL not in console.get(PAGE).text
    assert f"/console/users/{ann.account.id}" in text
    assert stranger.get(path).status_code == 404
    assert ann.account.email not in stranger.get(PAGE).text
    console.send(f"/console/users/{ann.account.id}/delete")
    assert sorted(kinds(console, user=ann.account.id)) == sorted([*hers, "User deleted"])
    text = console.get(path).text
    assert f"<code>{ann.account.id}</code>" in text
    assert f"/console/users/{ann.account.id}" not in text


def test_a_stolen_sign_in_is_an_alarm_that_tells_of_both(app, console, age, make_person, somebody):
    ann = make_person("auth:refresh")
    spent = ann.refresh_token
    ann.refresh()
    age(app, ann.refresh_token_id, seconds=11)
    ann.client.environ_base["REMOTE_ADDR"] = "192.0.2.66"
    assert ann.refresh(held=spent).json["error"]["code"] == "refresh_token_reused"
    [(path, words)] = listed(console, outcome="alarm")
    assert words == "Refresh token reused"
    assert re.search(r'<tr class="alarm">(?:(?!</tr>).)*Refresh token reused', console.get(PAGE).text, re.S)
    alarm = console.get(path)
    assert title(alarm) == "Refresh token reused"
    assert "It was sent from 192.0.2.66; whoever refreshed last did so from 127.0.0.1." in alarm.text
    assert f"/console/sign-ins/{ann.refresh_token_id}" in alarm.text
    assert path in console.get("/console/overview").text
    # Who may read events and nothing else is led nowhere that would be closed to them.
    reader = somebody("events:read")
    text = reader.get(path).text
    assert f"<code>{ann.account.id}</code>" in text
    assert not re.search(r'href="/console/(users|sign-ins|applications|api-tokens)', text)
