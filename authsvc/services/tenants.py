"""Tenants: which one a request means; made, changed, ended by operators.

What operators do to tenants happens in no tenant: these transactions have no `within`, so each asks for the permission
itself. It is told in `default`, the operators' own: a tenant that was deleted has no trail any more.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy import update as update_rows
from sqlalchemy.orm import Session

from authsvc import opaque
from authsvc.errors import Conflict, NotFound, UnknownTenant
from authsvc.mandate import Mandate
from authsvc.models import (
    ApiToken,
    Application,
    RefreshToken,
    Role,
    Tenant,
    User,
    api_token,
    application,
    refresh_token,
    tenant,
)
from authsvc.models.engine import reading, transaction
from authsvc.models.paging import Page, Window, counted, page
from authsvc.models.tenant import DEFAULT
from authsvc.permissions import BUILT_IN_ROLES
from authsvc.services import api_tokens, events, refresh_tokens, slugs


@dataclass(frozen=True, slots=True)
class Contents:
    """How much there is in a tenant, as far as it was counted: of sign-ins and API tokens, the live ones."""

    users: int
    applications: int
    sign_ins: int
    api_tokens: int


def selected(name: str | None) -> Tenant:
    """The tenant of that id or slug, `default` if none is named. Raises UnknownTenant."""
    with reading() as session:
        found = session.scalars(tenant.named(name or DEFAULT)).one_or_none()
    if found is None:
        raise UnknownTenant
    return found


def establish(session: Session, slug: str, name: str, now: datetime, tenant_id: str | None = None) -> Tenant:
    """A tenant with its built-in roles and its default application. Raises AlreadyExists."""
    made = Tenant(id=tenant_id or opaque.new_id(), slug=slug, name=name, active=True, created_at=now)
    session.add(made)
    slugs.flush(session)
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


def find(mandate: Mandate, window: Window, *, slug: str | None = None, active: bool | None = None) -> Page[Tenant]:
    """All that there are. Raises PermissionDenied."""
    _require(mandate)
    with reading() as session:
        return page(session, tenant.matching(slug=slug, active=active), Tenant.id, window)


def get(mandate: Mandate, tenant_id: str) -> Tenant:
    """Raises NotFound, PermissionDenied."""
    _require(mandate)
    with reading() as session:
        return _found(session.get(Tenant, tenant_id))


def contents(mandate: Mandate, tenant_id: str) -> Contents:
    """What belongs to a tenant, and would end with it. Raises NotFound, PermissionDenied."""
    found, now = get(mandate, tenant_id), mandate.now
    with reading(within=found.id) as session:
        return Contents(
            users=counted(session, select(User.id)),
            applications=counted(session, select(Application.id)),
            sign_ins=counted(session, select(RefreshToken.id).where(refresh_token.live(now))),
            api_tokens=counted(session, select(ApiToken.id).where(api_token.live(now))),
        )


def create(mandate: Mandate, *, name: str, slug: str, tenant_id: str | None = None) -> Tenant:
    """A new one, with what every tenant has. Raises AlreadyExists, ValidationFailed, PermissionDenied."""
    _require(mandate)
    slugs.check(slug)
    with transaction() as session:
        made = establish(session, slug, name, mandate.now, tenant_id)
        _tell(session, mandate, "tenant.created", made)
    return made


def update(mandate: Mandate, tenant_id: str, changes: Mapping[str, Any]) -> Tenant:
    """Another name, another slug, on or off. Turned off, all its sign-ins and API tokens die; on, none comes back.

    Raises NotFound, AlreadyExists, Conflict, ValidationFailed, PermissionDenied.
    """
    _require(mandate)
    with transaction(unhurried=True) as session:
        found = _locked(session, tenant_id, with_applications=changes.get("active") is False)
        changed = {name: value for name, value in changes.items() if getattr(found, name) != value}
        if "slug" in changed or changed.get("active") is False:
            _refuse_default(found)
        if "slug" in changed:
            slugs.check(changed["slug"])
        for name, value in changed.items():
            setattr(found, name, value)
        slugs.flush(session)
        renamed = changed.keys() - {"active"}
        if renamed:
            _tell(session, mandate, "tenant.updated", found, changed=events.spelled(renamed))
        if changed.get("active") is True:
            _tell(session, mandate, "tenant.enabled", found)
        elif "active" in changed:
            revoked, scripts = _end_all(session, found, mandate.now)
            _tell(session, mandate, "tenant.disabled", found, revoked=revoked, apiTokens=scripts)
    return found


def delete(mandate: Mandate, tenant_id: str) -> int:
    """Gone, with all that belongs to it; answers how many sign-ins ended.

    Raises NotFound, Conflict, PermissionDenied.
    """
    _require(mandate)
    with transaction(unhurried=True) as session:
        found = _locked(session, tenant_id, with_applications=True)
        _refuse_default(found)
        revoked, _ = _end_all(session, found, mandate.now)
        session.delete(found)
        session.flush()
        _tell(session, mandate, "tenant.deleted", found, revoked=revoked)
    return revoked


def _require(mandate: Mandate) -> None:
    """No wall stands around what is done here. Raises PermissionDenied."""
    mandate.require("tenants:write")


def _locked(session: Session, tenant_id: str, *, with_applications: bool) -> Tenant:
    """Held until the transaction ends; its applications before it, in the order in which sign-ins hold them.

    Raises NotFound.
    """
    if with_applications:
        session.execute(application.locked_all(Application.tenant_id == tenant_id))
    return _found(session.scalars(tenant.locked(tenant_id)).one_or_none())


def _end_all(session: Session, owner: Tenant, now: datetime) -> tuple[int, int]:
    """How many sign-ins and how many API tokens of it ended. Its applications' own access tokens end too."""
    reason = "tenant_disabled"
    revoked = refresh_tokens.kill(session, RefreshToken.tenant_id == owner.id, reason=reason, now=now).count
    scripts = api_tokens.kill(session, ApiToken.tenant_id == owner.id, reason=reason, now=now)
    own = update_rows(Application).where(Application.tenant_id == owner.id)
    session.execute(own.values(generation=Application.generation + 1))
    return revoked, scripts


def _refuse_default(found: Tenant) -> None:
    if found.slug == DEFAULT:
        raise Conflict("The tenant default is the operators' own: it can't be disabled, deleted or get another slug.")


def _found(row: Tenant | None) -> Tenant:
    if row is None:
        raise NotFound
    return row


def _tell(session: Session, mandate: Mandate, kind: str, about: Tenant, **more: object) -> None:
    operators = session.scalars(tenant.named(DEFAULT)).one()
    detail = {"tenantId": about.id, "slug": about.slug, **more}
    events.record_by(session, replace(mandate, tenant_id=operators.id), kind, detail)
