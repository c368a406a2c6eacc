from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, Index, Select, UniqueConstraint, bindparam, or_, select
from sqlalchemy.orm import Mapped, Session

from authsvc.extensions import Table
from authsvc.models import role
from authsvc.models.columns import Id, LongText, Moment, Name, Owned, PrimaryId
from authsvc.models.prepared import Prepared
from authsvc.models.role import Role, UserRole


class User(Owned, Table):
    """Who. `email` and `username_key` are in canonical form (services/names.py), `username` as its owner writes it."""

    __tablename__ = "users"
    __table_args__ = (
        UniqueConstraint("tenant_id", "email"),
        UniqueConstraint("tenant_id", "username_key"),
        Index(None, "tenant_id", "id"),
    )

    id: Mapped[PrimaryId]
    email: Mapped[Name]
    username: Mapped[Name | None]
    username_key: Mapped[Name | None]
    name: Mapped[Name | None]
    password_hash: Mapped[LongText | None]
    active: Mapped[bool]
    confirmed: Mapped[bool]
    created_at: Mapped[Moment]


class Account(NamedTuple):
    """A user and the names of the user's roles, as they were read or written last: what others are told."""

    id: str
    tenant_id: str
    email: str
    username: str | None
    name: str | None
    active: bool
    confirmed: bool
    created_at: datetime
    roles: frozenset[str]

    @classmethod
    def of(cls, owner: User, roles: frozenset[str]) -> "Account":
        return cls._make((*(getattr(owner, name) for name in cls._fields[:-1]), roles))


# What others are told of a user, in a statement about what is the user's; `told_in` finds it there again.
TOLD = (
    User.email,
    User.username,
    User.name,
    User.active.label("user_active"),
    User.confirmed,
    User.created_at.label("user_created_at"),
)


def told_in(found: Any) -> Account:
    """Of the standing of a sign-in or an API token."""
    return Account(
        found.user_id,
        found.tenant_id,
        found.email,
        found.username,
        found.name,
        found.user_active,
        found.confirmed,
        found.user_created_at,
        found.roles,
    )


_ACCOUNT = Prepared(
    select(*(getattr(User, name) for name in Account._fields[:-1]), role.names_of(User.id).label("roles")).where(
        User.id == bindparam("id", type_=Id())
    )
)


def account(connection: Connection | Session, user_id: str) -> Account | None:
    """Whichever tenant it belongs to."""
    rows = _ACCOUNT.rows(connection, {"id": user_id})
    return Account._make(rows[0]) if rows else None


def with_email(email: str) -> Select[User]:
    """In a session within a tenant, as all that look for a name."""
    return select(User).where(User.email == email)


def with_username(username_key: str) -> Select[User]:
    return select(User).where(User.username_key == username_key)


def holding_either(email: str, username_key: str | None) -> Select[User]:
    """Whoever has one of these names already."""
    taken = User.email == email
    if username_key is not None:
        taken = or_(taken, User.username_key == username_key)
    return select(User).where(taken)


def locked(user_id: str) -> Select[User]:
    """The row, held until the transaction ends: nobody changes the password or blocks the user meanwhile."""
    return select(User).where(User.id == user_id).with_for_update(key_share=True)


def emails_of(user_ids: Collection[str]) -> Select[str, str]:
    """Id and address of each. In a session within a tenant."""
    return select(User.id, User.email).where(User.id.in_(user_ids))


def matching(
    *,
    email: str | None,
    username_key: str | None,
    role_key: str | None,
    active: bool | None,
    search: str | None,
    created_before: datetime | None,
    created_after: datetime | None,
) -> Select[User]:
    """Those whom every condition that is given fits. `search` is a part of a name or of the address, in any case."""
    found = select(User)
    if email is not None:
        found = found.where(User.email == email)
    if username_key is not None:
        found = found.where(User.username_key == username_key)
    if role_key is not None:
        holders = select(UserRole.user_id).join(Role, Role.id == UserRole.role_id).where(Role.name_key == role_key)
        found = found.where(User.id.in_(holders))
    if active is not None:
        found = found.where(User.active.is_(active))
    if search is not None:
        columns = (User.email, User.username, User.name)
        found = found.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
    if created_before is not None:
        found = found.where(User.created_at < created_before)
    if created_after is not None:
        found = found.where(User.created_at >= created_after)
    return found
