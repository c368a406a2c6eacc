"""The edges of the leeway and of the lifetimes, to the microsecond: here `now` is an argument."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from authsvc.caller import Caller
from authsvc.errors import PermissionDenied, RefreshTokenReused, TokenExpired, TokenRevoked
from authsvc.models import Application, RefreshToken, Role, User
from authsvc.models.engine import transaction
from authsvc.services import refresh_tokens, signing_keys
from authsvc.services.standings import Proof

START = datetime(2030, 1, 1, tzinfo=UTC)
NEXT = START + timedelta(seconds=1)
INSTANT = timedelta(microseconds=1)
LEEWAY = timedelta(seconds=10)


@pytest.fixture
def sign_in(app):
    with app.app_context():
        with transaction() as session:
            user = session.scalars(select(User)).one()
            application = session.scalars(select(Application)).one()
            standing = refresh_tokens.start(session, user.id, application.id, caller=Caller(), now=START)
        yield standing


def refresh(sign_in, generation, now, attempt=None):
    proof = Proof(
        sign_in.id,
        generation,
        sign_in.user_id,
        sign_in.tenant_id,
        signing_keys.active(now).kid,
        sign_in.expires_at,
    )
    answer = refresh_tokens.rotate(proof, tenant_name=None, attempt=attempt, caller=Caller(), now=now)
    return answer.generation


def test_the_leeway_ends_exactly_when_it_says(sign_in):
    assert refresh(sign_in, 0, NEXT) == 1
    assert refresh(sign_in, 1, NEXT + LEEWAY - INSTANT) == 1
    assert refresh(sign_in, 0, NEXT + LEEWAY - INSTANT) == 1
    assert refresh(sign_in, 1, NEXT + LEEWAY) == 2


def test_the_predecessor_is_reuse_exactly_when_the_leeway_has_ended(sign_in):
    refresh(sign_in, 0, NEXT)
    with pytest.raises(RefreshTokenReused):
        refresh(sign_in, 0, NEXT + LEEWAY)
    with pytest.raises(TokenRevoked):
        refresh(sign_in, 1, NEXT + LEEWAY)


def test_a_repeated_answer_does_not_stretch_the_leeway(sign_in):
    refresh(sign_in, 0, NEXT)
    for second in range(10):
        assert refresh(sign_in, 0, NEXT + timedelta(seconds=second)) == 1
    assert refresh(sign_in, 1, NEXT + LEEWAY) == 2


@pytest.mark.settings(REFRESH_LEEWAY=timedelta(0))
def test_without_a_leeway_whoever_lost_a_race_is_late_even_if_it_began_earlier(sign_in):
    refresh(sign_in, 0, NEXT)
    with pytest.raises(RefreshTokenReused):
        refresh(sign_in, 0, NEXT - INSTANT)


def test_a_sign_in_is_over_exactly_when_it_says(sign_in):
    last = sign_in.idle_expires_at
    with pytest.raises(TokenExpired):
        refresh(sign_in, 0, last)
    assert refresh(sign_in, 0, last - INSTANT) == 1


def test_who_may_not_refresh_is_told_so_and_nothing_changes(sign_in):
    with transaction() as session:
        for role in session.scalars(select(Role)):
            role.permissions -= {"auth:refresh"}
    with pytest.raises(PermissionDenied, match="auth:refresh"):
        refresh(sign_in, 0, NEXT)
    with transaction() as session:
        assert session.get(RefreshToken, sign_in.id).generation == 0


def test_a_thief_is_caught_even_where_refreshing_is_turned_off(sign_in):
    refresh(sign_in, 0, NEXT)
    with transaction() as session:
        for role in session.scalars(select(Role)):
            role.permissions -= {"auth:refresh"}
    with pytest.raises(RefreshTokenReused):
        refresh(sign_in, 0, NEXT + LEEWAY)


@pytest.mark.parametrize("what", ["user", "application", "tenant"])
def test_what_a_sign_in_hangs_on_must_be_active(sign_in, what):
    owner = {"user": User, "application": Application}.get(what)
    with transaction() as session:
        row = session.get(owner, getattr(sign_in, f"{what}_id")) if owner else _tenant(session, sign_in)
        row.active = False
    with pytest.raises(TokenRevoked):
        refresh(sign_in, 0, NEXT)


def _tenant(session, sign_in):
    from authsvc.models import Tenant

    return session.get(Tenant, sign_in.tenant_id)
