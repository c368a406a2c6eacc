"""Sign-ins: started, carried on, ended. docs/rotation.md draws the table that `_judge` is."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum

from sqlalchemy import ColumnElement, Connection
from sqlalchemy.orm import Session

from authsvc import counting, opaque
from authsvc.caller import Caller
from authsvc.errors import (
    CredentialsInvalid,
    InvalidScope,
    PermissionDenied,
    RefreshTokenReused,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
    Unavailable,
)
from authsvc.logs import logger
from authsvc.models import RefreshToken, refresh_token
from authsvc.models.application import held
from authsvc.models.engine import single_statements, transaction
from authsvc.models.refresh_token import Standing
from authsvc.permissions import allows
from authsvc.services import events, standings
from authsvc.services.standings import Proof
from authsvc.settings import settings

REFRESH = "auth:refresh"
MOST_TRIES = 5
MOST_NAMED = 100


@dataclass(frozen=True, slots=True)
class Ended:
    """How many refresh tokens a sign-out ended, and the one that asked for it, if its row is still there."""

    count: int
    standing: Standing | None


@dataclass(frozen=True, slots=True)
class Killed:
    """How many sign-ins died, and the ids of the first of them."""

    count: int
    ids: list[str]

    @property
    def only(self) -> str | None:
        """The one, if it was just one."""
        return self.ids[0] if self.count == 1 else None


class Step(Enum):
    ADVANCE = "advance"
    REPEAT = "repeat"
    LATE = "late"
    REUSE = "reuse"
    EXPIRED = "expired"


def start(
    session: Session,
    user_id: str,
    application_id: str,
    *,
    caller: Caller,
    now: datetime,
    device_name: str | None = None,
) -> Standing:
    """A new row, in the transaction of the sign-in that it stands for, which holds the user's row.

    The application's and the tenant's are held too: whoever disables one of them either is waited for or finds the new
    row and kills it. Raises CredentialsInvalid where one of them is not active, Unavailable where no key signs.
    """
    application = session.scalars(held(application_id)).one_or_none()
    if application is None:
        raise CredentialsInvalid
    idle = standings.lifetime(application.refresh_idle_lifetime, settings.REFRESH_IDLE_LIFETIME)
    whole = standings.lifetime(application.refresh_lifetime, settings.REFRESH_LIFETIME)
    row = RefreshToken(
        id=opaque.new_id(),
        tenant_id=application.tenant_id,
        user_id=user_id,
        application_id=application.id,
        generation=0,
        created_at=now,
        idle_expires_at=now + min(idle, whole),
        expires_at=now + whole,
        ip=caller.ip,
        user_agent=caller.user_agent[: events.LONGEST_USER_AGENT],
        device_name=device_name,
    )
    session.add(row)
    session.flush()
    if application.max_refresh_tokens is not None:
        _end_surplus(session, row, application.max_refresh_tokens, caller, now)
    standing = refresh_token.standing(session, row.id, kid="")
    if standing is None or not standing.owners_active:
        raise CredentialsInvalid
    if standing.signing_kid is None:
        logger.error("There is no signing key yet: run `flask --app wsgi prepare`.")
        raise Unavailable
    return standing


@counting.refusals("refreshes")
def rotate(
    proof: Proof,
    *,
    tenant_name: str | None,
    attempt: str | None,
    caller: Caller,
    now: datetime,
    scope: frozenset[str] = frozenset(),
    keeps_token: bool = False,
    once: bool = False,
) -> Standing:
    """One step, or the same answer again, or the end. Raises what the table in docs/rotation.md says.

    InvalidScope, and no step, where the sign-in does not hold all of the `scope` that is asked for. Whatever its
    application says, with `keeps_token` the client can't take another refresh token, and with `once` it gets another
    each time, and no answer again.
    """
    attempt_digest = None if attempt is None else opaque.digest(attempt)
    for _ in range(MOST_TRIES):
        with single_statements() as connection:
            found = refresh_token.standing(connection, proof.refresh_token_id, proof.kid)
            standing = standings.owned(found, proof, tenant_name)
            if keeps_token or once:
                standing = standing._replace(rotate=once)
            step = _judge(standing, proof, attempt_digest, now, settings.REFRESH_LEEWAY, once=once)
            may_refresh = allows(standing.permissions, REFRESH)
            holds_all = all(allows(standing.permissions, one) for one in scope)
            if step is Step.ADVANCE and may_refresh and holds_all:
                stepped = _advance(connection, standing, proof, attempt_digest, caller, now)
                if stepped is None:
                    continue  # somebody was quicker, or the row was killed: look again
                counting.count("refreshes", "advanced")
                return stepped
        if step is Step.EXPIRED:
            raise TokenExpired
        if step is Step.LATE:
            raise TokenRevoked
        if step is Step.REUSE:
            _end_reused(standing, proof, caller, now)
            raise RefreshTokenReused
        if not may_refresh:
            denied = {"permission": REFRESH}
            about = _about(standing) | {"actor_id": standing.user_id}
            events.tell("permission.denied", now=now, caller=caller, outcome="failure", detail=denied, **about)
            raise PermissionDenied(REFRESH)
        if not holds_all:
            raise InvalidScope
        counting.count("refreshes", "repeated")
        return standing
    raise Unavailable


def _judge(
    standing: Standing,
    proof: Proof,
    attempt_digest: str | None,
    now: datetime,
    leeway: timedelta,
    *,
    once: bool = False,
) -> Step:
    """What a token of generation p means to a live row at generation G.

    One that is taken `once` steps whenever it is the last. It may be past its own expiry, since it is an access token:
    how long it may be exchanged, its row says.
    """
    presented, current = proof.generation, standing.generation
    if presented > current:
        # The row came back from an older copy of the database. Our signature proves that p was given out, and the
        # token's own expiry that it isn't idle: the row's was forgotten with the rest.
        return Step.ADVANCE if proof.expires_at > now and standing.expires_at > now else Step.EXPIRED
    if standings.is_over(standing, now):
        return Step.EXPIRED
    # Without a leeway nothing is fresh, not even for a request that began before the step it lost to was taken.
    is_fresh = bool(leeway) and standing.rotated_at is not None and now < standing.rotated_at + leeway
    if presented == current:
        # Whoever has no other token keeps the first one, also past the expiry that it got when there was to be another.
        if standing.rotate and not once and proof.expires_at <= now:
            return Step.EXPIRED
        return Step.REPEAT if is_fresh and not once else Step.ADVANCE
    same_attempt = attempt_digest is not None and attempt_digest == standing.attempt_digest
    if presented == current - 1 and (is_fresh or same_attempt):
        return Step.LATE if once else Step.REPEAT
    # RFC 9700 section 4.14.2: one of two holders is a thief, and nobody can say which.
    return Step.REUSE


def _advance(
    connection: Connection,
    standing: Standing,
    proof: Proof,
    attempt_digest: str | None,
    caller: Caller,
    now: datetime,
) -> Standing | None:
    # Where an application does not rotate, the token stays the same, and the step just says that it was used: the
    # attempt that led to this generation still heals a lost answer.
    to = max(standing.generation, proof.generation) + standing.rotate
    if to == standing.generation:
        attempt_digest = standing.attempt_digest
    idle = standings.lifetime(standing.refresh_idle_lifetime, settings.REFRESH_IDLE_LIFETIME)
    idle_until = min(now + idle, standing.expires_at)
    done = refresh_token.advance(
        connection,
        standing.id,
        signing_kid=standing.signing_kid,
        seen=standing.generation,
        to=to,
        now=now,
        idle_until=idle_until,
        attempt_digest=attempt_digest,
        ip=caller.ip,
        user_agent=caller.user_agent[: events.LONGEST_USER_AGENT],
    )
    return standing._replace(generation=to, rotated_at=now, idle_expires_at=idle_until) if done else None


def standing_of_current(proof: Proof, *, now: datetime, keeps_token: bool = False) -> Standing:
    """The live row of which this is the refresh token now, and none that was replaced. Nothing happens to either.

    Raises TokenExpired, TokenRevoked, TokenInvalid.
    """
    standing = standings.owned(standings.read(proof, now), proof, tenant_name=None)
    if keeps_token:
        standing = standing._replace(rotate=False)
    if _judge(standing, proof, None, now, settings.REFRESH_LEEWAY) is Step.EXPIRED:
        raise TokenExpired
    if proof.generation < standing.generation or not allows(standing.permissions, REFRESH):
        raise TokenRevoked
    return standing


def end(proof: Proof, *, everywhere: bool, tenant_name: str | None, caller: Caller, now: datetime) -> Ended:
    """Sign out: this sign-in or, everywhere, all of its user's. A sign-in that is over already ends nothing."""
    standing = standings.read(proof, now)
    try:
        own = standings.owned(standing, proof, tenant_name)
    except (TokenInvalid, TokenRevoked):
        return Ended(0, standing)
    if standings.is_over(own, now):
        return Ended(0, standing)
    which = RefreshToken.user_id == own.user_id if everywhere else RefreshToken.id == own.id
    with transaction() as session:
        killed = kill(session, which, reason="signed_out", now=now)
        if killed.count:
            detail = {"revoked": killed.count, "everywhere": everywhere}
            about = _about(own) | {"actor_id": own.user_id}
            events.record(session, "user.signed_out", now=now, caller=caller, detail=detail, **about)
    return Ended(killed.count, standing)


def kill(
    session: Session, which: ColumnElement[bool], *, reason: str, now: datetime, at_most: int | None = None
) -> Killed:
    """Every live row that this names dies in the caller's transaction; or `at_most` so many, the oldest first."""
    doomed = refresh_token.doomed(now).where(which)
    wanted = at_most or MOST_NAMED
    ids = list(session.scalars(doomed.limit(wanted)))
    if not ids:
        return Killed(0, ids)
    # Those are held by now: they are the first of all, and if they are fewer than asked for, they are all.
    named = RefreshToken.id.in_(ids if at_most or len(ids) < wanted else doomed)
    return Killed(refresh_token.revoke(session, named, now, reason), ids[:MOST_NAMED])


def _end_surplus(session: Session, newest: RefreshToken, most: int, caller: Caller, now: datetime) -> None:
    """Leave this many of the user's sign-ins to the application; the oldest go. The user's row is held: none comes."""
    others = refresh_token.of_user_at(newest.user_id, newest.application_id, now).where(RefreshToken.id != newest.id)
    surplus = RefreshToken.id.in_(others.order_by(RefreshToken.id.desc()).offset(most - 1))
    killed = kill(session, surplus, reason="limit", now=now)
    if killed.count:
        events.record(
            session,
            "refresh_token.revoked",
            tenant_id=newest.tenant_id,
            now=now,
            caller=caller,
            subject_id=newest.user_id,
            application_id=newest.application_id,
            refresh_token_id=killed.only,
            detail={"reason": "limit", "revoked": killed.count, "ids": killed.ids},
        )


def _end_reused(standing: Standing, proof: Proof, caller: Caller, now: datetime) -> None:
    """Commit the end before anybody hears of it: the answer is an error, and an error must not undo it."""
    with transaction() as session:
        if not kill(session, RefreshToken.id == standing.id, reason="reused", now=now).count:
            return
        detail = {
            "presented": proof.generation,
            "generation": standing.generation,
            "lastIp": standing.ip,
            "lastUserAgent": standing.user_agent,
        }
        about = _about(standing)
        events.record(session, "refresh_token.reused", now=now, caller=caller, outcome="alarm", detail=detail, **about)
    logger.warning("A spent refresh token was presented; its sign-in %s was ended.", standing.id)


def _about(standing: Standing) -> dict[str, str]:
    """What every event about a sign-in names."""
    return {
        "tenant_id": standing.tenant_id,
        "subject_id": standing.user_id,
        "application_id": standing.application_id,
        "refresh_token_id": standing.id,
    }
