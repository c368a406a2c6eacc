from sqlalchemy import Select, UniqueConstraint, Update, false, select, update
from sqlalchemy.orm import Mapped

from authsvc.extensions import Table
from authsvc.models.columns import Moment, Name, PrimaryId, Slug
from authsvc.opaque import is_id

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


def matching(*, slug: str | None, active: bool | None) -> Select[Tenant]:
    """Those of this slug, and those that are active or not; None leaves it open."""
    found = select(Tenant)
    if slug is not None:
        found = found.where(Tenant.slug == slug)
    return found if active is None else found.where(Tenant.active.is_(active))


def locked(tenant_id: str) -> Select[Tenant]:
    """The row, held until the transaction ends: no sign-in starts meanwhile (application.held).

    Rows that only refer to it are added all the same: who ends sign-ins and tells of it need not wait, nor be waited
    for in a circle.
    """
    return select(Tenant).where(Tenant.id == tenant_id).with_for_update(key_share=True)


def held_active(tenant_id: str) -> Select[Tenant]:
    """The row, if it is active, held until the transaction ends: nobody disables it meanwhile."""
    return select(Tenant).where(Tenant.id == tenant_id, Tenant.active).with_for_update(read=True)


def locked_default() -> Select[Tenant]:
    """The first tenant, held until the transaction ends: what exists once for the whole service waits for it.

    Rows that refer to it, such as events, can still be added: who ends a sign-in and tells of it waits for nobody here.
    """
    return named(DEFAULT).with_for_update(key_share=True)


def change_none() -> Update:
    """A change of no row. It fails where nothing may be written."""
    return update(Tenant).where(false()).values(name=Tenant.name)
