from typing import Annotated

from sqlalchemy import CheckConstraint, Index, Select, String, UniqueConstraint, select
from sqlalchemy.orm import Mapped, mapped_column

from authsvc.extensions import Table
from authsvc.models.columns import ApplicationId, Moment, Name, PrimaryId, Slug, TenantId, is_id

Choice = Annotated[str, mapped_column(String(8))]


class Application(Table):
    """A client program of a tenant. What it leaves open (None), the config object decides; lifetimes in seconds."""

    __tablename__ = "applications"
    __table_args__ = (
        UniqueConstraint("tenant_id", "slug"),
        CheckConstraint("transport IN ('body', 'cookie')", "transport"),
        CheckConstraint("cookie_same_site IN ('Strict', 'Lax', 'None')", "cookie_same_site"),
    )

    id: Mapped[PrimaryId]
    tenant_id: Mapped[TenantId]
    slug: Mapped[Slug]
    name: Mapped[Name]
    active: Mapped[bool]
    transport: Mapped[Choice | None]
    cookie_same_site: Mapped[Choice | None]
    access_lifetime: Mapped[int | None]
    refresh_idle_lifetime: Mapped[int | None]
    refresh_lifetime: Mapped[int | None]
    created_at: Mapped[Moment]


class AllowedOrigin(Table):
    """A web origin whose pages may use an application with cookies and read its answers."""

    __tablename__ = "allowed_origins"
    __table_args__ = (Index(None, "origin"),)

    tenant_id: Mapped[TenantId]
    application_id: Mapped[ApplicationId] = mapped_column(primary_key=True)
    origin: Mapped[Annotated[str, mapped_column(String(255), primary_key=True)]]


def named(tenant_id: str, name: str) -> Select[Application]:
    """By id or by slug, within a tenant."""
    own = select(Application).where(Application.tenant_id == tenant_id)
    return own.where(Application.id == name if is_id(name) else Application.slug == name)


def allowing(origin: str) -> Select[str]:
    """The applications whose pages may come from this origin."""
    return select(AllowedOrigin.application_id).where(AllowedOrigin.origin == origin)
