from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Annotated

from sqlalchemy import (
    CheckConstraint,
    ColumnElement,
    Index,
    Integer,
    Select,
    String,
    UniqueConstraint,
    delete,
    or_,
    select,
    update,
)
from sqlalchemy.orm import Mapped, Session, mapped_column

from authsvc.extensions import Table
from authsvc.models.columns import ApplicationId, Digest, Moment, Name, Owned, PrimaryId, Slug, WordSet
from authsvc.models.tenant import Tenant
from authsvc.opaque import is_id

Choice = Annotated[str, mapped_column(String(8))]


class Application(Owned, Table):
    """A client program of a tenant. What it leaves open (None), the config object decides; lifetimes in seconds.

    `scopes` is what a confidential one may do for itself, without a user; `generation` goes up by one when the access
    tokens that it got for that are ended.
    """

    __tablename__ = "applications"
    __table_args__ = (
        UniqueConstraint("tenant_id", "slug"),
        CheckConstraint("transport IN ('body', 'cookie')", "transport"),
        CheckConstraint("cookie_same_site IN ('Strict', 'Lax', 'None')", "cookie_same_site"),
    )

    id: Mapped[PrimaryId]
    slug: Mapped[Slug]
    name: Mapped[Name]
    active: Mapped[bool]
    transport: Mapped[Choice | None]
    cookie_same_site: Mapped[Choice | None]
    access_lifetime: Mapped[int | None]
    refresh_idle_lifetime: Mapped[int | None]
    refresh_lifetime: Mapped[int | None]
    rotate: Mapped[bool]
    max_refresh_tokens: Mapped[Annotated[int, mapped_column(Integer)] | None]
    confidential: Mapped[bool]
    scopes: Mapped[WordSet] = mapped_column(default=frozenset())
    generation: Mapped[Annotated[int, mapped_column(Integer)]] = mapped_column(default=0)
    created_at: Mapped[Moment]


class AllowedOrigin(Owned, Table):
    """A web origin whose pages may use an application with cookies and read its answers."""

    __tablename__ = "allowed_origins"
    __table_args__ = (Index(None, "origin"),)

    application_id: Mapped[ApplicationId] = mapped_column(primary_key=True)
    origin: Mapped[Annotated[str, mapped_column(String(255), primary_key=True)]]


class ClientSecret(Owned, Table):
    """What a confidential application proves itself with. Only its digest is kept; an old one ends at `expires_at`."""

    __tablename__ = "client_secrets"
    __table_args__ = (Index(None, "application_id"),)

    id: Mapped[PrimaryId]
    application_id: Mapped[ApplicationId]
    digest: Mapped[Digest]
    created_at: Mapped[Moment]
    expires_at: Mapped[Moment | None]


def named(name: str) -> Select[Application]:
    """By id or by slug, in a session within a tenant. No slug looks like an id."""
    return select(Application).where(Application.id == name if is_id(name) else Application.slug == name)


def names_of(application_ids: Collection[str]) -> Select[str, str]:
    """Id and name of each. In a session within a tenant."""
    return select(Application.id, Application.name).where(Application.id.in_(application_ids))


def matching(*, slug: str | None, active: bool | None, search: str | None) -> Select[Application]:
    """Those of this slug, those that are active or not, those with this in their name or slug; None leaves it open.

    In a session within a tenant.
    """
    found = select(Application)
    if search is not None:
        columns = (Application.name, Application.slug)
        found = found.where(or_(*(column.icontains(search, autoescape=True) for column in columns)))
    if slug is not None:
        found = found.where(Application.slug == slug)
    return found if active is None else found.where(Application.active.is_(active))


def locked(application_id: str) -> Select[Application]:
    """The row, held until the transaction ends: nobody signs in to it or changes it meanwhile."""
    return select(Application).where(Application.id == application_id).with_for_update(key_share=True)


def locked_all(which: ColumnElement[bool]) -> Select[str]:
    """As `locked`, all of these in the order of their ids."""
    return select(Application.id).where(which).order_by(Application.id).with_for_update(key_share=True)


def held(application_id: str) -> Select[Application]:
    """The row and its tenant's, held until the transaction ends: nobody disables either of them meanwhile."""
    own = select(Application).join(Tenant, Tenant.id == Application.tenant_id).where(Application.id == application_id)
    return own.with_for_update(read=True, of=[Application, Tenant])


def held_active(application_id: str) -> Select[Application]:
    """As `held`, if both are active."""
    return held(application_id).where(Application.active, Tenant.active)


def allowing(origin: str) -> Select[str]:
    """The applications whose pages may come from this origin."""
    return select(AllowedOrigin.application_id).where(AllowedOrigin.origin == origin)


def origins_of(session: Session, application_ids: Iterable[str]) -> dict[str, list[str]]:
    """The lists of these applications, in order."""
    found: dict[str, list[str]] = {application_id: [] for application_id in application_ids}
    asked = select(AllowedOrigin.application_id, AllowedOrigin.origin).where(AllowedOrigin.application_id.in_(found))
    for application_id, origin in session.execute(asked):
        found[application_id].append(origin)
    return {application_id: sorted(origins) for application_id, origins in found.items()}


def clear_origins(session: Session, application_id: str) -> None:
    session.execute(delete(AllowedOrigin).where(AllowedOrigin.application_id == application_id))


def clear_secrets(session: Session, application_id: str) -> None:
    session.execute(delete(ClientSecret).where(ClientSecret.application_id == application_id))


def end_secrets(session: Session, application_id: str, now: datetime, at: datetime) -> None:
    """None of its secrets is good for longer than that; those that are over are forgotten."""
    own = ClientSecret.application_id == application_id
    lasting = or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > at)
    session.execute(update(ClientSecret).where(own, lasting).values(expires_at=at))
    session.execute(delete(ClientSecret).where(own, ClientSecret.expires_at <= now))


def with_origins() -> Select[Application, str | None]:
    """All that are in use, once for each of their origins, or with none."""
    theirs = select(Application, AllowedOrigin.origin).outerjoin(
        AllowedOrigin, AllowedOrigin.application_id == Application.id
    )
    return theirs.where(Application.active).order_by(Application.slug, Application.id, AllowedOrigin.origin)
