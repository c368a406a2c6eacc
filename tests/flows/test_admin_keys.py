"""Signing keys over HTTP: who may, what they show, how they are rotated, and when one retires."""

import re
from datetime import datetime, timedelta

import pytest

from authsvc import clock
from authsvc.models import Application, RefreshToken, SigningKey
from authsvc.models.engine import transaction
from tests.answers import refused
from tests.flows.keys import (
    SHAPE,
    at,
    change,
    in_state,
    kid_of,
    listed,
    long_ago,
    published,
    put,
    rotate,
    someone,
    told,
)

NO_KIDS = ["x", "0190a5b0-0000-7000-8000-000000000000", "%00", "a%00b", "é", "%ff", "x" * 3000, "..", "'; --", "a%20b"]


# Seen


def test_keys_are_shown_newest_first_with_nothing_private(operator, rows):
    for _ in range(2):
        rotate(operator)
    keys = listed(operator)
    assert [key["state"] for key in keys] == ["next", "active", "previous", "previous"]
    assert [key["kid"] for key in keys] == sorted((key["kid"] for key in keys), reverse=True)
    for key in keys:
        assert set(key) == SHAPE
        assert set(key["publicJwk"]) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert operator.ask("GET", f"/admin/keys/{key['kid']}").json["data"] == key
        assert (key["activatedAt"] is None) == (key["state"] == "next")
        assert (key["replacedAt"] is None) == (key["state"] != "previous")
    assert {key["publicJwk"]["kid"] for key in keys} == set(published(operator.app))
    text = operator.ask("GET", "/admin/keys").text
    assert not any(sealed in text for (sealed,) in rows(operator.app, "SELECT sealed_private_key FROM signing_keys"))


def test_keys_come_by_the_page(operator):
    for _ in range(3):
        rotate(operator)
    seen, cursor = [], ""
    while cursor is not None:
        answer = operator.ask("GET", "/admin/keys?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        seen += [key["kid"] for key in answer.json["data"]["items"]]
        cursor = answer.json["data"]["nextCursor"]
    assert seen == [key["kid"] for key in listed(operator)]
    for bad in ("x", "%00", "0190a5b0-0000-7000-8000-000000000000", "a" * 100):
        refused(operator.ask("GET", f"/admin/keys?cursor={bad}"), 422, "validation_failed", ["cursor"])


@pytest.mark.parametrize("kid", NO_KIDS)
def test_a_name_that_no_key_has_is_not_found(operator, kid):
    for method, path in (("GET", ""), ("POST", "/retire"), ("POST", "/revoke")):
        refused(operator.ask(method, f"/admin/keys/{kid}{path}"), 404, "not_found")


def test_only_who_may_rotate_keys_sees_or_changes_them(make_person, rows):
    lesser = make_person("tenants:write", roles=("admin",))
    before = rows(lesser.app, "SELECT * FROM signing_keys ORDER BY kid")
    kid = kid_of(lesser)
    for method, path in (
        ("GET", ""),
        ("GET", f"/{kid}"),
        ("POST", "/rotate"),
        ("POST", f"/{kid}/retire"),
        ("POST", f"/{kid}/revoke"),
    ):
        answer = refused(lesser.ask(method, f"/admin/keys{path}"), 403, "permission_denied")
        assert "keys:rotate" in answer.json["message"]
    assert rows(lesser.app, "SELECT * FROM signing_keys ORDER BY kid") == before


def test_a_body_with_anything_in_it_is_refused(operator):
    kid = kid_of(operator)
    for path in ("rotate", f"{kid}/retire", f"{kid}/revoke"):
        answer = operator.ask("POST", f"/admin/keys/{path}", {"force": True})
        refused(answer, 422, "validation_failed", ["force"])
    assert operator.me().status_code == 200


def test_keys_are_the_same_whatever_tenant_they_are_asked_from(app, make_tenant, make_person, rows):
    make_tenant(app, "elsewhere")
    device = make_person("keys:rotate", tenant="elsewhere")
    assert {key["state"] for key in listed(device)} == {"active", "next"}
    signing = rotate(device)
    found = rows(
        app, "SELECT t.slug, e.actor_id FROM events e JOIN tenants t ON t.id = e.tenant_id WHERE kind = 'key.rotated'"
    )
    assert [(slug, str(actor)) for slug, actor in found] == [("default", device.account.id)]
    assert in_state(device, "active") == [signing]


# Rotated


def test_rotating_answers_the_key_that_signs_now_and_signs_nobody_out(operator, stale_worker, rows):
    app = operator.app
    devices = [someone(app), someone(stale_worker)]
    [following] = in_state(operator, "next")
    answer = change(operator, "rotate")
    assert answer.json["data"]["kid"] == following
    assert answer.json["data"]["state"] == "active"
    for device in devices:
        for worker in (app, stale_worker):
            here = at(worker, device)
            assert here.me().status_code == 200
            assert here.refresh().status_code == 200
            assert kid_of(here) == following
    assert told(app, rows, "key.rotated") == [{"kid": following}]


def test_a_rotation_retires_what_is_over_unless_somebody_still_holds_it(operator, rows):
    app, device = operator.app, someone(operator.app)
    first = kid_of(device)
    second = rotate(operator)
    rotate(operator)
    for one in (device, operator):
        assert one.refresh().status_code == 200
    long_ago(app, first, days=40)
    long_ago(app, second, days=31)
    # A row that lives longer than any setting says now, such as one from before the settings were changed.
    now = clock.utcnow()
    created = now - timedelta(days=40)
    put(app, RefreshToken, device.refresh_token_id, rotated_at=None, created_at=created, generation=0)
    rotate(operator)
    assert in_state(operator, "retired") == [second]
    assert told(app, rows, "key.retired") == [{"kid": second}]
    put(app, RefreshToken, device.refresh_token_id, revoked_at=now)
    rotate(operator)
    assert set(in_state(operator, "retired")) == {first, second}
    [key] = [key for key in listed(operator) if key["kid"] == first]
    assert key["retiredAt"]


# Retired


def test_only_a_replaced_key_can_retire(operator, rows):
    before = listed(operator)
    for state in ("active", "next"):
        answer = change(operator, "retire", in_state(operator, state)[0])
        assert "Rotate first" in refused(answer, 409, "conflict").json["message"]
    assert listed(operator) == before
    assert told(operator.app, rows, "key.retired") == []


def test_a_key_retires_when_nobody_holds_anything_of_it_and_signs_nobody_out(operator, admin, stale_worker, rows):
    app, device = operator.app, someone(operator.app)
    first = kid_of(device)
    long_ago(app, first, hours=1)
    rotate(operator)
    answer = refused(change(operator, "retire", first), 409, "conflict")
    assert answer.json["message"].startswith("3 live sign-ins may still hold")
    until = re.search(r"until (\S+) at", answer.json["message"])[1]
    assert abs(datetime.fromisoformat(until) - clock.utcnow() - timedelta(days=7)) < timedelta(minutes=5)
    assert device.me().status_code == 200

    # All but one went on to the next key.
    now = clock.utcnow()
    for one in (operator, device):
        assert one.refresh().status_code == 200
        put(app, RefreshToken, one.refresh_token_id, rotated_at=now + timedelta(minutes=2))
    answer = refused(change(operator, "retire", first), 409, "conflict")
    assert answer.json["message"].startswith("1 live sign-in may still hold")
    assert admin.refresh().status_code == 200
    put(app, RefreshToken, admin.refresh_token_id, rotated_at=now + timedelta(minutes=2))
    retired = change(operator, "retire", first)
    assert retired.status_code == 200
    assert (retired.json["data"]["state"], bool(retired.json["data"]["retiredAt"])) == ("retired", True)
    for worker in (app, stale_worker):
        assert first not in published(worker)
        for one in (operator, device, admin):
            assert at(worker, one).refresh().status_code == 200
    assert change(operator, "retire", first).json == retired.json
    assert told(app, rows, "key.retired") == [{"kid": first}]


def window(app, kid):
    """The first and the last moment at which a sign-in's last step makes it one that may hold a token of the key."""
    with app.app_context(), transaction() as session:
        row = session.get_one(SigningKey, kid)
        return row.activated_at - timedelta(seconds=70), row.replaced_at + timedelta(seconds=60)


@pytest.mark.parametrize("how", ["created", "rotated", "not rotating", "with an attempt key"])
def test_who_may_hold_a_token_of_a_key_follows_from_time_to_the_microsecond(operator, admin, how):
    """The margins: CLOCK_SKEW and the longest request on both sides, and the leeway before."""
    app, device = operator.app, someone(operator.app)
    first = kid_of(device)
    rotate(operator)
    second = in_state(operator, "active")[0]
    rotate(operator)
    long_ago(app, first, second, days=1)
    for one in (operator, admin):
        assert one.refresh().status_code == 200
        put(app, RefreshToken, one.refresh_token_id, rotated_at=clock.utcnow() + timedelta(days=1), attempt_digest=None)
        put(app, RefreshToken, one.refresh_token_id, created_at=clock.utcnow() + timedelta(days=1))
    since, until = window(app, second)
    tick = timedelta(microseconds=1)
    before, within, after = (since - tick,), (since, until), (until + tick,)
    if how == "with an attempt key":
        before, within = (), (*within, since - tick, since - timedelta(days=5))
    if how == "not rotating":
        with app.app_context(), transaction() as session:
            for application in session.query(Application):
                application.rotate = False
    for moments, held in ((before, False), (within, True), (after, False)):
        for moment in moments:
            values = {"created_at": moment, "rotated_at": None, "generation": 0}
            if how in ("rotated", "with an attempt key"):
                values = {"created_at": since - timedelta(days=9), "rotated_at": moment, "generation": 3}
            if how == "not rotating":
                # It was created then and has been used since.
                used = moment if moment < since else until + timedelta(hours=1)
                values = {"created_at": moment, "rotated_at": used, "generation": 3}
            if how == "with an attempt key":
                values["attempt_digest"] = "0" * 64
            put(app, RefreshToken, device.refresh_token_id, **values)
            answer = change(operator, "retire", second)
            assert (answer.status_code == 409) == held, (how, moment, answer.text)
            put(app, SigningKey, second, state="previous", retired_at=None)
