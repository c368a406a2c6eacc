"""With KEY_ROTATION, the signing key is replaced by itself: once, behind the requests, without one that fails."""

from datetime import timedelta

import pytest
from sqlalchemy.exc import OperationalError

from authsvc import clock
from authsvc.models import SigningKey
from authsvc.models.engine import transaction
from tests.conftest import finish_writing
from tests.flows.keys import at, in_state, kid_of, someone
from tests.flows.people import told

EVERY_HOUR = {"KEY_ROTATION": timedelta(hours=1), "KEY_REREAD": timedelta(microseconds=1)}


def make_active_since(app, **ago):
    with app.app_context(), transaction() as session:
        [row] = session.query(SigningKey).filter_by(state="active")
        row.activated_at = clock.utcnow() - timedelta(**ago)
        return row.kid


@pytest.mark.settings(**EVERY_HOUR)
def test_a_key_that_has_signed_for_long_enough_is_replaced_once(app, make_app, operator):
    device = someone(app)
    [following] = in_state(operator, "next")
    before = make_active_since(app, minutes=59)
    assert device.refresh().status_code == 200
    finish_writing(app)
    assert in_state(operator, "active") == [before]

    make_active_since(app, minutes=61)
    others = [make_app(**EVERY_HOUR) for _ in range(2)]
    for worker in (app, *others):
        assert at(worker, device).refresh().status_code == 200
    for worker in (app, *others):
        finish_writing(worker)
    assert in_state(operator, "active") == [following]
    assert in_state(operator, "previous") == [before]
    [event] = told(app, "key.rotated")
    assert (event.user_agent, event.actor_id, event.detail) == ("schedule", None, {"kid": following})
    # Nobody notices: the old tokens are good, the next ones are signed with the key that was published before.
    assert device.me().status_code == 200
    assert device.refresh().status_code == 200
    assert kid_of(device) == following


@pytest.mark.settings(KEY_REREAD=timedelta(microseconds=1))
def test_without_a_schedule_a_key_signs_for_ever(app, operator):
    before = make_active_since(app, days=3650)
    assert someone(app).refresh().status_code == 200
    finish_writing(app)
    assert in_state(operator, "active") == [before]


@pytest.mark.settings(**EVERY_HOUR)
def test_a_rotation_that_fails_is_tried_again_and_no_request_notices(app, operator, monkeypatch):
    device = someone(app)
    before = make_active_since(app, hours=2)

    def failing(*_):
        raise OperationalError("no", {}, Exception())

    with monkeypatch.context() as patch:
        patch.setattr("authsvc.services.key_rotation._rotate", failing)
        assert device.refresh().status_code == 200
        finish_writing(app)
    assert told(app, "key.rotated") == []
    assert device.refresh().status_code == 200
    finish_writing(app)
    assert in_state(operator, "previous") == [before]
