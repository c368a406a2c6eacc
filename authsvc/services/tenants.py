"""Tenants: which one a request means, and making one with all that it must have."""

from datetime import datetime

from sqlalchemy.orm import Session

from authsvc import opaque
from authsvc.errors import UnknownTenant
from authsvc.models import Application, Role, Tenant, tenant
from authsvc.models.engine import reading
from authsvc.models.tenant import DEFAULT
from authsvc.permissions import BUILT_IN_ROLES


def selected(name: str | None) -> Tenant:
    """The tenant of that id or slug, `default` if none is named. Raises UnknownTenant."""
    with reading() as session:
        found = session.scalars(tenant.named(name or DEFAULT)).one_or_none()
    if found is None:
        raise UnknownTenant
    return found


def create(session: Session, slug: str, name: str, now: datetime) -> Tenant:
    """A tenant with its built-in roles and its default application."""
    made = Tenant(id=opaque.new_id(), slug=slug, name=name, active=True, created_at=now)
    session.add(made)
    session.flush()
    for role, permissions in BUILT_IN_ROLES.items():
        session.add(
            Role(
                id=opaque.new_id(),
                tenant_id=made.id,
                name=role,
                name_key=role,
                permissions=permissions,
                created_at=now,
            )
        )
    session.add(
        Application(
            id=opaque.new_id(),
            tenant_id=made.id,
            slug=DEFAULT,
            name=name,
            active=True,
            rotate=True,
            confidential=False,
            created_at=now,
        )
    )
    return made
