"""Rotation against a model: any order of refreshes, replays, lost answers, kills, restores, waiting and crowds.

The model is the table of docs/rotation.md, written out a second time as plainly as can be. Time is an argument.
"""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test
from sqlalchemy import select

from authsvc.caller import Caller
from authsvc.errors import RefreshTokenReused, TokenExpired, TokenRevoked, Unauthenticated
from authsvc.models import Application, Event, RefreshToken, User
from authsvc.models.engine import reading, transaction
from authsvc.services import refresh_tokens, signing_keys
from authsvc.services.standings import Proof

LEEWAY = timedelta(seconds=10)
IDLE = timedelta(days=7)
WHOLE = timedelta(days=30)
ATTEMPTS = st.sampled_from([None, "a", "b"])
COLUMNS = ("generation", "rotated_at", "idle_expires_at", "attempt_digest")


class Rotation(RuleBasedStateMachine):
    """`given` holds every refresh token that was ever given out: its generation and its expiry."""

    app = None

    def __init__(self):
        super().__init__()
        self.context = self.app.app_context()
        self.context.push()
        self.now = datetime(2030, 1, 1, tzinfo=UTC)
        self.kid = signing_keys.active(self.now).kid
        with transaction() as session:
            user = session.scalars(select(User)).first()
            application = session.scalars(select(Application)).first()
            standing = refresh_tokens.start(session, user.id, application.id, caller=Caller("192.0.2.1"), now=self.now)
        self.id, self.user_id, self.tenant_id = standing.id, standing.user_id, standing.tenant_id
        self.generation, self.rotated_at, self.attempt, self.revoked = 0, None, None, False
        self.idle_until, self.ends = self.now + IDLE, self.now + WHOLE
        self.given = {0: self.idle_until}
        self.alarms = 0
        self.copies = []

    def teardown(self):
        self.context.pop()

    # what the table says

    def expected(self, presented, attempt):
        """An error, or the generation that is answered."""
        if self.revoked:
            return TokenRevoked
        if presented > self.generation:
            return presented + 1 if self.now < min(self.given[presented], self.ends) else TokenExpired
        if self.now >= min(self.idle_until, self.ends):
            return TokenExpired
        within = self.rotated_at is not None and self.now - self.rotated_at < LEEWAY
        if presented == self.generation:
            if self.now >= self.given[presented]:
                return TokenExpired
            return self.generation if within else self.generation + 1
        if presented == self.generation - 1 and (within or (attempt is not None and attempt == self.attempt)):
            return self.generation
        return RefreshTokenReused

    def follow(self, expected, attempt):
        """What has changed in the model when that was the answer."""
        if expected is RefreshTokenReused:
            self.revoked = True
            self.alarms += 1
        elif isinstance(expected, int) and expected != self.generation:
            self.generation, self.rotated_at, self.attempt = expected, self.now, attempt
            self.idle_until = min(self.now + IDLE, self.ends)
            self.given[expected] = self.idle_until

    # what the service does

    def proof(self, presented):
        return Proof(self.id, presented, self.user_id, self.tenant_id, self.kid, self.given[presented])

    def present(self, presented, attempt):
        try:
            standing = refresh_tokens.rotate(
                self.proof(presented), tenant_name=None, attempt=attempt, caller=Caller("192.0.2.2"), now=self.now
            )
        except Unauthenticated as error:
            return type(error)
        # A repeated answer ends when the first one did; a step ends as long after now as may be.
        is_repeated = standing.generation == self.generation
        ends = self.idle_until if is_repeated else min(self.now + IDLE, self.ends)
        assert min(standing.idle_expires_at, standing.expires_at) == min(ends, self.ends)
        return standing.generation

    def refresh(self, presented, attempt):
        expected = self.expected(presented, attempt)
        assert self.present(presented, attempt) == expected
        self.follow(expected, attempt)

    # the rules

    @rule(attempt=ATTEMPTS)
    def refresh_with_the_current_token(self, attempt):
        self.refresh(max(self.given), attempt)

    @rule(attempt=ATTEMPTS, back=st.integers(0, 3))
    def present_an_older_token(self, attempt, back):
        generations = sorted(self.given)
        self.refresh(generations[max(0, len(generations) - 1 - back)], attempt)

    @rule(seconds=st.sampled_from([1, 9, 10, 11, 3600]))
    def wait_a_little(self, seconds):
        self.now += timedelta(seconds=seconds)

    @rule(days=st.sampled_from([1, 6, 7]))
    def wait_for_days(self, days):
        self.now += timedelta(days=days)

    @rule()
    def copy_the_database(self):
        self.copies.append((self.row(), self.generation, self.rotated_at, self.attempt, self.idle_until, self.revoked))

    @precondition(lambda self: self.copies)
    @rule(which=st.integers(0, 9))
    def restore_a_copy(self, which):
        row, self.generation, self.rotated_at, self.attempt, self.idle_until, self.revoked = self.copies[
            which % len(self.copies)
        ]
        with transaction() as session:
            stored = session.get(RefreshToken, self.id)
            for column, value in zip((*COLUMNS, "revoked_at"), row, strict=True):
                setattr(stored, column, value)

    @rule()
    def kill(self):
        with transaction() as session:
            killed = refresh_tokens.kill(session, RefreshToken.id == self.id, reason="revoked", now=self.now)
        is_live = not self.revoked and self.now < min(self.idle_until, self.ends)
        assert killed.ids == ([self.id] if is_live else [])
        self.revoked = self.revoked or is_live

    @rule(attempts=st.lists(ATTEMPTS, min_size=4, max_size=8), older=st.integers(0, 255))
    def a_crowd_refreshes_at_once(self, attempts, older):
        """Some hold the current token, some its predecessor if that is still within the leeway."""
        current = max(self.given)
        before = current - 1 if current - 1 in self.given else current
        within = self.generation == current and self.rotated_at is not None and self.now - self.rotated_at < LEEWAY
        held = [before if within and older >> n & 1 else current for n in range(len(attempts))]
        expected = self.expected(current, None)

        def one(presented, attempt):
            with self.app.app_context():
                return self.present(presented, attempt)

        with ThreadPoolExecutor(len(attempts)) as crowd:
            answers = set(crowd.map(one, held, attempts))
        assert answers == {expected}
        self.follow(expected, None)
        with reading() as session:
            digest = session.get(RefreshToken, self.id).attempt_digest
        from authsvc import opaque

        self.attempt = next((a for a in ("a", "b") if opaque.digest(a) == digest), None)

    # what always holds

    def row(self):
        with reading() as session:
            stored = session.get(RefreshToken, self.id)
            return tuple(getattr(stored, column) for column in (*COLUMNS, "revoked_at"))

    @invariant()
    def the_row_is_as_the_model_says(self):
        generation, rotated_at, idle_until, _, revoked_at = self.row()
        assert (generation, rotated_at, idle_until) == (self.generation, self.rotated_at, self.idle_until)
        assert (revoked_at is not None) == self.revoked

    @invariant()
    def each_alarm_is_an_event(self):
        with reading() as session:
            alarms = session.scalars(
                select(Event).where(Event.refresh_token_id == self.id, Event.kind == "refresh_token.reused")
            ).all()
        assert len(alarms) == self.alarms


@pytest.mark.settings(REFRESH_LEEWAY=LEEWAY, REFRESH_IDLE_LIFETIME=IDLE, REFRESH_LIFETIME=WHOLE)
def test_rotation_follows_its_table_whatever_happens(app):
    machine = type("RotationHere", (Rotation,), {"app": app})
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=100,
            stateful_step_count=30,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=False,
            database=None,
        ),
    )
