"""The overview counts what happened, on the day on which it did."""

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from authsvc.models import Event
from authsvc.models.engine import transaction
from authsvc.services import overview
from tests.conftest import ADMIN_EMAIL
from tests.drivers import HOST


def put_back(app, kind, days):
    """As if all that is of this kind had happened so many days ago."""
    with app.app_context(), transaction() as session:
        for row in session.scalars(select(Event).where(Event.kind == kind)):
            row.at -= timedelta(days=days)


def days(console):
    """Signed in, failed, last used and alarms of each day, today first; and the number of live sign-ins."""
    text = console.get("/console/overview").text
    rows = re.findall(r"</th>((?:<td[^>]*>[\d,+–]+</td>){4})", text)
    live = re.search(r"Live sign-ins</dt><dd>.*?([\d,]+)<", text)[1]
    return [tuple(map(int, re.findall(r">(\d+)<", row))) for row in rows], int(live)


@pytest.mark.parametrize("database_kind", ["sqlite", "postgresql"])
def test_sign_ins_failures_and_alarms_are_counted_by_the_day(app, console, admin, make_person, make_tenant, age):
    make_tenant(app, "acme")
    make_person("auth:refresh", tenant="acme")  # nobody's business here
    put_back(app, "user.signed_in", days=20)
    ann = make_person("auth:refresh")
    for _ in range(2):
        app.test_client().post("/auth/login", base_url=HOST, json={"email": ADMIN_EMAIL, "password": "wrong"})
    put_back(app, "user.sign_in_failed", days=13)
    age(app, admin.refresh_token_id, days=2)
    spent = ann.refresh_token
    ann.refresh()
    age(app, ann.refresh_token_id, seconds=11)
    assert ann.refresh(held=spent).json["error"]["code"] == "refresh_token_reused"
    by_day, live = days(console)
    assert len(by_day) == 14
    assert {number: day for number, day in enumerate(by_day) if any(day)} == {
        0: (1, 0, 1, 1),
        2: (0, 0, 1, 0),
        13: (0, 2, 0, 0),
    }
    assert live == 2
    assert f"/console/sign-ins/{ann.refresh_token_id}" in console.get("/console/overview").text


def test_of_very_many_only_the_newest_are_counted_and_the_page_says_so(app, console, monkeypatch):
    for _ in range(3):
        app.test_client().post("/auth/login", base_url=HOST, json={"email": ADMIN_EMAIL, "password": "wrong"})
    put_back(app, "user.sign_in_failed", days=1)
    assert "not counted" not in console.get("/console/overview").text
    monkeypatch.setattr(overview, "MOST_ROWS", 2)
    text = console.get("/console/overview").text
    assert "only the newest 2 events" in text
    figures = [re.findall(r">([\d,+–]+)</td>", row) for row in re.findall(r"<tr><th scope=\"row\".*", text)]
    assert figures[1] == ["–", "–", "0", "–"]
    assert figures[0][0].endswith("+")
