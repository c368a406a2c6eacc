from sqlalchemy import Select, UniqueConstraint, select
from sqlalchemy.orm import Mapped

from authsvc.extensions import Table
from authsvc.models.columns import Moment, Name, PrimaryId, Slug, is_id

DEFAULT = "default"


class Tenant(Table):
    """The wall: every other row belongs to exactly one, and nothing is ever seen across it."""

    __tablename__ = "tenants"
    __table_args__ = (UniqueConstraint("slug"),)

    id: Mapped[PrimaryId]
    slug: Mapped[Slug]
    name: Mapped[Name]
    active: Mapped[bool]
    created_at: Mapped[Moment]


def named(name: str) -> Select[Tenant]:
    """By id or by slug, to the letter. No slug looks like an id."""
    return select(Tenant).where(Tenant.id == name if is_id(name) else Tenant.slug == name)


def locked_default() -> Select[Tenant]:
    """The first tenant, held until the transaction ends: what exists once for the whole service waits for it.

    Rows that refer to it, such as events, can still be added: who ends a sign-in and tells of it waits for nobody here.
    """
    return named(DEFAULT).with_for_update(key_share=True)
