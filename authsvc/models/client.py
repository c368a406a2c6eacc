"""An application as a client that speaks for itself: one statement reads all that its word hangs on."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, or_, select
from sqlalchemy.orm import aliased

from authsvc.models.application import Application, ClientSecret
from authsvc.models.columns import Id, UtcDateTime
from authsvc.models.signing_key import SigningKey, signing
from authsvc.models.tenant import DEFAULT, Tenant
from authsvc.opaque import is_id


@dataclass(frozen=True, slots=True)
class Client:
    """`active` is its tenant's too. `digests` are those of its secrets that are good now."""

    id: str
    tenant_id: str
    tenant_slug: str
    active: bool
    confidential: bool
    scopes: frozenset[str]
    generation: int
    access_lifetime: int | None
    signing_kid: str | None
    digests: tuple[str, ...] = field(default=(), repr=False)


_Asked = aliased(Tenant)
_COLUMNS = (
    Application.id,
    Application.tenant_id,
    Tenant.slug.label("tenant_slug"),
    (Application.active & Tenant.active).label("active"),
    Application.confidential,
    Application.scopes,
    Application.generation,
    Application.access_lifetime,
    signing().scalar_subquery().label("signing_kid"),
)


def _found(*, by_id: bool, tenant_by_id: bool) -> Select[Any]:
    """One row per good secret, and one at least while there is such a tenant: who is unknown costs as much."""
    by_slug = (Application.slug == bindparam("name")) & (Application.tenant_id == _Asked.id)
    named = Application.id == bindparam("name", type_=Id()) if by_id else by_slug
    asked = _Asked.id == bindparam("tenant", type_=Id()) if tenant_by_id else _Asked.slug == bindparam("tenant")
    is_good = or_(ClientSecret.expires_at.is_(None), ClientSecret.expires_at > bindparam("now", type_=UtcDateTime()))
    return (
        select(_Asked.id.label("asked_id"), *_COLUMNS, ClientSecret.digest)
        .select_from(_Asked)
        .outerjoin(Application, named)
        .outerjoin(Tenant, Tenant.id == Application.tenant_id)
        .outerjoin(ClientSecret, (ClientSecret.application_id == Application.id) & is_good)
        .where(asked)
    )


# By whether the client, and whether the tenant, is named by its id.
_FOUND = {
    (by_id, tenant_by_id): _found(by_id=by_id, tenant_by_id=tenant_by_id)
    for by_id in (True, False)
    for tenant_by_id in (True, False)
}

_STANDING = (
    select(*_COLUMNS, SigningKey.state.label("key_state"))
    .join(Tenant, Tenant.id == Application.tenant_id)
    .outerjoin(SigningKey, SigningKey.kid == bindparam("kid"))
    .where(Application.id == bindparam("id", type_=Id()))
)


def found(connection: Connection, name: str, tenant: str | None, now: datetime) -> tuple[str | None, Client | None]:
    """The tenant of that id or slug (`default` if none is named), and the client: of that id in any tenant, or of that
    slug in this one.
    """
    asked = tenant or DEFAULT
    rows = connection.execute(_FOUND[is_id(name), is_id(asked)], {"name": name, "tenant": asked, "now": now}).all()
    if not rows:
        return None, None
    first = rows[0]
    if first.id is None:
        return first.asked_id, None
    digests = tuple(row.digest for row in rows if row.digest is not None)
    facts: tuple[Any, ...] = (*first[1:-1], digests)
    return first.asked_id, Client(*facts)


def standing(connection: Connection, application_id: str, kid: str) -> tuple[Client, str | None] | None:
    """The client of that id, and the state of the key that signed what named it."""
    row = connection.execute(_STANDING, {"id": application_id, "kid": kid}).one_or_none()
    if row is None:
        return None
    facts: tuple[Any, ...] = tuple(row[:-1])
    return Client(*facts), row.key_state
