"""Dead sign-ins are deleted once they have been dead for long enough, and never one that lives."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import insert, select

from authsvc import clock, opaque
from authsvc.models import Application, RefreshToken, User
from authsvc.models.engine import transaction
from authsvc.services import pruning
from tests.answers import refused
from tests.conftest import register
from tests.drivers import Script
from tests.statements import watched

TICK = timedelta(microseconds=1)
MONTH = timedelta(days=30)


@pytest.fixture
def now():
    return clock.utcnow()


@pytest.fixture
def someone(app):
    device = Script(app)
    device.sign_in(register(device))
    return device


def plant(app, now, *ends, tenant="default"):
    """One row for each of these; answers their ids. What an end leaves out is far away."""
    ids = [opaque.new_id() for _ in ends]
    with app.app_context(), transaction() as session:
        owner = session.scalars(select(User)).first()
        application = session.scalars(select(Application)).first()
        far = {"idle_expires_at": now + MONTH, "expires_at": now + MONTH, "revoked_at": None}
        always = {"tenant_id": owner.tenant_id, "user_id": owner.id, "application_id": application.id}
        always |= {"generation": 0, "created_at": now - timedelta(days=400), "ip": "", "user_agent": ""}
        rows = [always | far | {"id": row_id} | end for row_id, end in zip(ids, ends, strict=True)]
        session.execute(insert(RefreshToken), rows)
    return ids


def left(app, rows):
    return {row for (row,) in rows(app, "SELECT CAST(id AS VARCHAR(36)) FROM refresh_tokens")}


def prune(app, older_than, batch, now):
    """What each slice answered, after the count was told first."""
    with app.app_context():
        expected = pruning.count(older_than, batch, now)
        gone = list(pruning.prune(older_than, batch, now))
    assert sum(gone) == expected
    return gone


@pytest.mark.parametrize("end", ["revoked_at", "idle_expires_at", "expires_at"])
def test_a_row_goes_when_it_has_been_dead_for_longer_than_that_to_the_microsecond(app, rows, now, end):
    edge = now - MONTH
    long_dead, just, later, today = plant(app, now, *({end: at} for at in (edge - TICK, edge, edge + TICK, now)))
    assert prune(app, MONTH, 1000, now) == [1]
    assert {just, later, today} <= left(app, rows)
    assert long_dead not in left(app, rows)


def test_the_first_of_its_ends_is_when_a_row_died(app, rows, now):
    old, new = now - MONTH - TICK, now - timedelta(days=1)
    pairs = [
        {"revoked_at": old, "expires_at": new},
        {"revoked_at": new, "idle_expires_at": old},
        {"revoked_at": new, "idle_expires_at": new, "expires_at": new},
    ]
    first, second, third = plant(app, now, *pairs)
    assert prune(app, MONTH, 1000, now) == [2]
    assert left(app, rows) & {first, second, third} == {third}


def test_nothing_that_lives_goes_whatever_is_asked_for(app, rows, now, someone):
    living, dead = plant(app, now, {}, {"revoked_at": now - TICK})
    assert prune(app, timedelta(0), 1000, now) == [1]
    assert living in left(app, rows)
    assert dead not in left(app, rows)
    with app.app_context():
        for wrong in (lambda: list(pruning.prune(-TICK, 10, now)), lambda: list(pruning.prune(MONTH, 0, now))):
            with pytest.raises(ValueError):
                wrong()
    assert someone.refresh().status_code == 200


@pytest.mark.parametrize("batch", [1, 2, 3, 4, 5, 6])
def test_every_size_of_slice_comes_to_the_same(app, rows, now, batch):
    before = left(app, rows)
    ids = plant(app, now, *([{"revoked_at": now - MONTH - TICK}, {}] * 3))
    gone = prune(app, MONTH, batch, now)
    assert sum(gone) == 3
    assert max(gone) <= batch
    assert left(app, rows) == before | {ids[1], ids[3], ids[5]}
    assert sum(prune(app, MONTH, batch, now)) == 0


def test_thousands_go_in_short_transactions_that_read_the_table_once(app, rows, now):
    dead = plant(app, now, *[{"revoked_at": now - MONTH - TICK}] * 2500)
    alive = plant(app, now, *[{}] * 700)
    statements = []
    with app.app_context(), watched(app, statements.append):
        gone = list(pruning.prune(MONTH, 1000, now))
    assert (sum(gone), max(gone)) == (2500, 1000)
    deletes = [statement for statement in statements if statement.startswith("DELETE")]
    assert len(deletes) == len(gone) == 4
    assert left(app, rows) & {*dead, *alive} == set(alive)


def test_what_was_pruned_is_refused_as_what_was_ended(app, rows, someone, age):
    ended, idle = Script(app), Script(app)
    for device in (ended, idle):
        device.sign_in(register(device))
    assert ended.ask("POST", "/auth/logout", {}).json["data"] == {"revoked": 1}
    age(app, idle.refresh_token_id, days=8)
    before = left(app, rows)
    refused(idle.refresh(), 401, "token_expired")
    prune(app, timedelta(0), 1000, clock.utcnow())
    assert before - left(app, rows) == {ended.refresh_token_id, idle.refresh_token_id}
    for device in (ended, idle):
        refused(device.refresh(), 401, "token_revoked")
        refused(device.me(), 401, "token_revoked")
    assert someone.refresh().status_code == someone.me().status_code == 200


def test_every_tenant_is_pruned(app, rows, make_tenant, make_person, now):
    make_tenant(app, "elsewhere")
    device = make_person(tenant="elsewhere")
    assert device.ask("POST", "/auth/logout", {}).json["data"] == {"revoked": 1}
    assert prune(app, timedelta(0), 1000, clock.utcnow()) == [1]
    assert device.refresh_token_id not in left(app, rows)


def test_who_refreshes_meanwhile_notices_nothing(app, now, someone):
    plant(app, now, *[{"revoked_at": now - MONTH - TICK}] * 600)

    def prune_all():
        with app.app_context():
            return sum(pruning.prune(MONTH, 50, now))

    with ThreadPoolExecutor(2) as crowd:
        pruned = crowd.submit(prune_all)
        answers = [someone.refresh(attempt=f"attempt-{number}") for number in range(20)]
        assert pruned.result() == 600
    assert {answer.status_code for answer in answers} == {200}
