"""One row per API token, found by the digest of its text. The hot statement goes past the ORM, built once."""

from datetime import datetime
from typing import Any, NamedTuple, cast

from sqlalchemy import (
    ColumnElement,
    Connection,
    CursorResult,
    Index,
    Select,
    UniqueConstraint,
    bindparam,
    func,
    or_,
    select,
    true,
    update,
)
from sqlalchemy.orm import Mapped, Session

from authsvc.extensions import Table
from authsvc.models import role, user
from authsvc.models.application import Application
from authsvc.models.columns import (
    ApplicationId,
    Digest,
    Id,
    Moment,
    Name,
    Owned,
    PlainId,
    PrimaryId,
    UserId,
    UtcDateTime,
    WordSet,
)
from authsvc.models.event import Word
from authsvc.models.prepared import Prepared
from authsvc.models.tenant import Tenant
from authsvc.models.user import Account, User


class ApiToken(Owned, Table):
    """A long-lived secret of a user's for scripts, kept as a digest. `hint` is how its text begins and ends."""

    __tablename__ = "api_tokens"
    __table_args__ = (
        UniqueConstraint("digest"),
        Index(None, "user_id", "id"),
        Index(None, "application_id", "id"),
        Index(None, "tenant_id", "id"),
    )

    id: Mapped[PrimaryId]
    user_id: Mapped[UserId]
    application_id: Mapped[ApplicationId | None]
    name: Mapped[Name]
    digest: Mapped[Digest]
    hint: Mapped[Word]
    scopes: Mapped[WordSet]
    allow_in_query: Mapped[bool]
    allowed_ips: Mapped[WordSet]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment]
    revoked_at: Mapped[Moment | None]
    revoke_reason: Mapped[Word | None]
    successor_id: Mapped[PlainId | None]
    last_used_at: Mapped[Moment | None]
    last_used_ip: Mapped[Word | None]


class Standing(NamedTuple):
    """An API token's row with all that its life hangs on, as one statement read it."""

    id: str
    tenant_id: str
    tenant_slug: str
    user_id: str
    application_id: str | None
    scopes: frozenset[str]
    allow_in_query: bool
    allowed_ips: frozenset[str]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None
    last_used_at: datetime | None
    email: str
    username: str | None
    name: str | None
    user_active: bool
    confirmed: bool
    user_created_at: datetime
    owners_active: bool
    roles: frozenset[str]
    permissions: frozenset[str]

    @property
    def account(self) -> Account:
        """Whose it is, as others are told."""
        return user.told_in(self)


_STANDING = Prepared(
    select(
        ApiToken.id,
        ApiToken.tenant_id,
        Tenant.slug.label("tenant_slug"),
        ApiToken.user_id,
        ApiToken.application_id,
        ApiToken.scopes,
        ApiToken.allow_in_query,
        ApiToken.allowed_ips,
        ApiToken.created_at,
        ApiToken.expires_at,
        ApiToken.revoked_at,
        ApiToken.last_used_at,
        *user.TOLD,
        (User.active & Tenant.active & func.coalesce(Application.active, true())).label("owners_active"),
        role.names_of(User.id).label("roles"),
        role.permissions_of(User.id).label("permissions"),
    )
    .join(User, User.id == ApiToken.user_id)
    .join(Tenant, Tenant.id == ApiToken.tenant_id)
    .outerjoin(Application, Application.id == ApiToken.application_id)
    .where(ApiToken.digest == bindparam("digest"))
)

_USED = (
    update(ApiToken)
    .where(
        ApiToken.id == bindparam("of", type_=Id()),
        or_(ApiToken.last_used_at.is_(None), ApiToken.last_used_at <= bindparam("before", type_=UtcDateTime())),
    )
    .values(last_used_at=bindparam("at", type_=UtcDateTime()), last_used_ip=bindparam("ip"))
)


def standing(connection: Connection, digest: str) -> Standing | None:
    """Read a row by its digest."""
    rows = _STANDING.rows(connection, {"digest": digest})
    return Standing._make(rows[0]) if rows else None


def note_use(session: Session, api_token_id: str, at: datetime, ip: str, *, unless_since: datetime) -> bool:
    """Write that it was used, unless that was written since then. Answers whether it was."""
    values = {"of": api_token_id, "at": at, "ip": ip, "before": unless_since}
    return session.connection().execute(_USED, values).rowcount == 1


def live(now: datetime) -> ColumnElement[bool]:
    """What makes a row live."""
    return ApiToken.revoked_at.is_(None) & (ApiToken.expires_at > now)


def in_state(state: str, now: datetime) -> ColumnElement[bool]:
    """Every row is in one of the states but "all"; one that was revoked and would be over by now was revoked."""
    return {
        "live": live(now),
        "revoked": ApiToken.revoked_at.is_not(None),
        "expired": ApiToken.revoked_at.is_(None) & (ApiToken.expires_at <= now),
        "all": true(),
    }[state]


def locked(api_token_id: str) -> Select[ApiToken]:
    """The row, held until the transaction ends. In a session within its tenant."""
    return select(ApiToken).where(ApiToken.id == api_token_id).with_for_update()


def revoke(session: Session, which: ColumnElement[bool], now: datetime, reason: str) -> int:
    """Kill the live ones of these rows, held in the order of their ids first: no two who kill wait for each other.

    Answers how many died.
    """
    doomed = select(ApiToken.id).where(which, live(now)).order_by(ApiToken.id).with_for_update()
    dead = update(ApiToken).where(ApiToken.id.in_(doomed)).values(revoked_at=now, revoke_reason=reason)
    done = cast("CursorResult[Any]", session.execute(dead, execution_options={"synchronize_session": False}))
    return done.rowcount
