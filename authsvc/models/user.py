from sqlalchemy import Index, Select, UniqueConstraint, or_, select
from sqlalchemy.orm import Mapped

from authsvc.extensions import Table
from authsvc.models.columns import LongText, Moment, Name, Owned, PrimaryId


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
