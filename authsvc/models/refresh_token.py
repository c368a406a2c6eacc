"""One row per sign-in, and the statements that touch it. The hot ones go past the ORM, built once."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Index,
    Integer,
    Select,
    bindparam,
    case,
    delete,
    func,
    not_,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Mapped, Session, aliased, mapped_column

from authsvc.extensions import Table
from authsvc.models import role, user
from authsvc.models.application import Application
from authsvc.models.columns import (
    ApplicationId,
    Digest,
    Id,
    LongText,
    Moment,
    Name,
    Owned,
    PrimaryId,
    UserId,
    UtcDateTime,
)
from authsvc.models.event import Word
from authsvc.models.prepared import Prepared
from authsvc.models.signing_key import ACTIVE, SigningKey, signing
from authsvc.models.tenant import Tenant
from authsvc.models.user import Account, User


class RefreshToken(Owned, Table):
    """A sign-in. Its id never changes, `generation` goes up by one at each refresh; nothing in it can be replayed."""

    __tablename__ = "refresh_tokens"
    __table_args__ = (
        Index(None, "user_id", "id"),
        Index(None, "application_id", "id"),
        Index(None, "tenant_id", "id"),
        # Room in each page for a row's next version: a refresh then writes one page, and none of an index.
        {"postgresql_with": {"fillfactor": 90}},
    )

    id: Mapped[PrimaryId]
    user_id: Mapped[UserId]
    application_id: Mapped[ApplicationId]
    generation: Mapped[Annotated[int, mapped_column(Integer)]]
    created_at: Mapped[Moment]
    rotated_at: Mapped[Moment | None]
    idle_expires_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    attempt_digest: Mapped[Digest | None]
    revoked_at: Mapped[Moment | None]
    revoke_reason: Mapped[Word | None]
    ip: Mapped[Word]
    user_agent: Mapped[LongText]
    device_name: Mapped[Name | None]

    @property
    def last_used_at(self) -> datetime:
        """When it was made or carried on last."""
        return self.rotated_at or self.created_at


class Standing(NamedTuple):
    """A refresh token's row with all that its life hangs on, as one statement read it."""

    id: str
    tenant_id: str
    tenant_slug: str
    user_id: str
    application_id: str
    generation: int
    created_at: datetime
    rotated_at: datetime | None
    idle_expires_at: datetime
    expires_at: datetime
    attempt_digest: str | None
    revoked_at: datetime | None
    ip: str
    user_agent: str
    email: str
    username: str | None
    name: str | None
    user_active: bool
    confirmed: bool
    user_created_at: datetime
    transport: str | None
    cookie_same_site: str | None
    access_lifetime: int | None
    refresh_idle_lifetime: int | None
    rotate: bool
    owners_active: bool
    signing_kid: str | None
    key_state: str | None
    roles: frozenset[str]
    permissions: frozenset[str]

    @property
    def account(self) -> Account:
        """Whose it is, as others are told."""
        return user.told_in(self)


_Signing = aliased(SigningKey)
_STANDING = Prepared(
    select(
        RefreshToken.id,
        RefreshToken.tenant_id,
        Tenant.slug.label("tenant_slug"),
        RefreshToken.user_id,
        RefreshToken.application_id,
        RefreshToken.generation,
        RefreshToken.created_at,
        RefreshToken.rotated_at,
        RefreshToken.idle_expires_at,
        RefreshToken.expires_at,
        RefreshToken.attempt_digest,
        RefreshToken.revoked_at,
        RefreshToken.ip,
        RefreshToken.user_agent,
        *user.TOLD,
        Application.transport,
        Application.cookie_same_site,
        Application.access_lifetime,
        Application.refresh_idle_lifetime,
        Application.rotate,
        (User.active & Application.active & Tenant.active).label("owners_active"),
        select(_Signing.kid).where(_Signing.state == ACTIVE).scalar_subquery().label("signing_kid"),
        SigningKey.state.label("key_state"),
        role.names_of(User.id).label("roles"),
        role.permissions_of(User.id).label("permissions"),
    )
    .join(User, User.id == RefreshToken.user_id)
    .join(Application, Application.id == RefreshToken.application_id)
    .join(Tenant, Tenant.id == RefreshToken.tenant_id)
    .outerjoin(SigningKey, SigningKey.kid == bindparam("kid"))
    .where(RefreshToken.id == bindparam("id", type_=Id()))
)

_ADVANCE = Prepared(
    update(RefreshToken)
    .where(
        RefreshToken.id == bindparam("of", type_=Id()),
        RefreshToken.generation == bindparam("seen"),
        RefreshToken.revoked_at.is_(None),
        # The step is taken only while the key signs that its answer will be signed with.
        signing().where(SigningKey.kid == bindparam("signing_kid")).exists(),
    )
    .values(
        generation=bindparam("next"),
        rotated_at=bindparam("now", type_=UtcDateTime()),
        idle_expires_at=bindparam("idle_until", type_=UtcDateTime()),
        attempt_digest=bindparam("attempt"),
        ip=bindparam("from_ip"),
        user_agent=bindparam("from_user_agent"),
    )
)


def standing(connection: Connection | Session, refresh_token_id: str, kid: str) -> Standing | None:
    """Read a row by its id, and the state of the key that signed what named it."""
    rows = _STANDING.rows(connection, {"id": refresh_token_id, "kid": kid})
    return Standing._make(rows[0]) if rows else None


def advance(
    connection: Connection,
    refresh_token_id: str,
    *,
    signing_kid: str | None,
    seen: int,
    to: int,
    now: datetime,
    idle_until: datetime,
    attempt_digest: str | None,
    ip: str,
    user_agent: str,
) -> bool:
    """Take the step from the generation that was seen, if the row is live, nobody was quicker and the key still signs:
    the only lock.
    """
    values: dict[str, Any] = {
        "of": refresh_token_id,
        "signing_kid": signing_kid,
        "seen": seen,
        "next": to,
        "now": now,
        "idle_until": idle_until,
        "attempt": attempt_digest,
        "from_ip": ip,
        "from_user_agent": user_agent,
    }
    return _ADVANCE.count(connection, values) == 1


def last_used_at() -> ColumnElement[datetime]:
    """As RefreshToken.last_used_at, to compare with."""
    return func.coalesce(RefreshToken.rotated_at, RefreshToken.created_at)


def live(now: datetime) -> ColumnElement[bool]:
    """What makes a row live."""
    return RefreshToken.revoked_at.is_(None) & (RefreshToken.expires_at > now) & (RefreshToken.idle_expires_at > now)


def newest(number: int) -> Select[str]:
    """The id of the one before the newest so many; none where there is none before them."""
    return select(RefreshToken.id).order_by(RefreshToken.id.desc()).offset(number).limit(1)


def count_used(starts: Sequence[datetime], now: datetime, oldest: str | None) -> Select[int, int]:
    """How many live rows were used last in each of the spans that begin at these moments, the last of which has no end;
    those used before all of them are in span -1. With an `oldest`, of those alone that are newer than that one.
    """
    ends = [(last_used_at() < start, number) for number, start in enumerate(starts, -1)]
    span = case(*ends, else_=len(ends) - 1).label("span")
    counted = select(span, func.count()).select_from(RefreshToken).where(live(now)).group_by("span")
    return counted if oldest is None else counted.where(RefreshToken.id > oldest)


def in_state(state: str, now: datetime) -> ColumnElement[bool]:
    """Every row is in one of the states but "all"; one that was revoked and would be over by now was revoked."""
    return {
        "live": live(now),
        "revoked": RefreshToken.revoked_at.is_not(None),
        "expired": RefreshToken.revoked_at.is_(None) & not_(live(now)),
        "all": true(),
    }[state]


def of_user_at(user_id: str, application_id: str, now: datetime) -> Select[str]:
    """The live sign-ins of a user at an application."""
    own = (RefreshToken.user_id == user_id) & (RefreshToken.application_id == application_id)
    return select(RefreshToken.id).where(own, live(now))


def signed_between(since: datetime, until: datetime | None, *, leeway: timedelta) -> ColumnElement[bool]:
    """The rows of which somebody may hold a token that was signed in that time; without an end, also since.

    A row's last token is as old as its last step. It may have been given out again since: within the leeway to anybody
    and, if the step was taken under an attempt key, to whoever has that, at any time. Where an application doesn't
    rotate its tokens, a client may hold the first one or any that it was given since.
    """
    last_step = func.coalesce(RefreshToken.rotated_at, RefreshToken.created_at)
    not_older = (last_step >= since - leeway) | RefreshToken.attempt_digest.is_not(None)
    if until is None:
        return not_older
    may_keep = _not_rotated() | (RefreshToken.generation == 0)
    return not_older & ((last_step <= until) | (may_keep & (RefreshToken.created_at <= until)))


def _not_rotated() -> ColumnElement[bool]:
    return RefreshToken.application_id.in_(select(Application.id).where(~Application.rotate))


def holders(which: ColumnElement[bool], now: datetime) -> Select[int, datetime | None]:
    """How many of these rows are live, and when the last of them has either gone on to another token or ended."""
    is_idle_first = ~_not_rotated() & (RefreshToken.idle_expires_at < RefreshToken.expires_at)
    ends = case((is_idle_first, RefreshToken.idle_expires_at), else_=RefreshToken.expires_at)
    return select(func.count(), func.max(ends)).select_from(RefreshToken).where(live(now), which)


def doomed(now: datetime) -> Select[str]:
    """The live rows that the caller goes on to name with .where(), held in the order of their ids: no two who kill
    wait for each other.
    """
    return select(RefreshToken.id).where(live(now)).order_by(RefreshToken.id).with_for_update()


def revoke(session: Session, which: ColumnElement[bool], now: datetime, reason: str) -> int:
    """Kill the live ones of these rows; what is dead or over keeps its own end. Answers how many died."""
    dead = update(RefreshToken).where(live(now), which).values(revoked_at=now, revoke_reason=reason)
    done = cast("CursorResult[Any]", session.execute(dead, execution_options={"synchronize_session": False}))
    return done.rowcount


def end_of_slice(after: str | None, size: int) -> Select[str]:
    """The id of the last of so many rows; none where there aren't as many left."""
    ids = select(RefreshToken.id).order_by(RefreshToken.id).offset(size - 1).limit(1)
    return ids if after is None else ids.where(RefreshToken.id > after)


def count_dead(after: str | None, last: str | None, died_before: datetime) -> Select[int]:
    return select(func.count()).select_from(RefreshToken).where(*_dead_between(after, last, died_before))


def delete_dead(session: Session, after: str | None, last: str | None, died_before: datetime) -> int:
    """Delete the rows of a slice that died before that moment. Answers how many."""
    gone = delete(RefreshToken).where(*_dead_between(after, last, died_before))
    done = cast("CursorResult[Any]", session.execute(gone, execution_options={"synchronize_session": False}))
    return done.rowcount


def _dead_between(after: str | None, last: str | None, died_before: datetime) -> list[ColumnElement[bool]]:
    """A row dies when the first of its ends comes."""
    ends = (RefreshToken.revoked_at, RefreshToken.idle_expires_at, RefreshToken.expires_at)
    which = [or_(*(end < died_before for end in ends))]
    if after is not None:
        which.append(RefreshToken.id > after)
    if last is not None:
        which.append(RefreshToken.id <= last)
    return which
