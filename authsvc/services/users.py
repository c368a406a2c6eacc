"""Users, as administrators deal with them: made, found, changed, disabled, deleted. Who holds more stays untouched."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import delete as delete_rows
from sqlalchemy.orm import Session

from authsvc.errors import NotFound
from authsvc.mandate import Mandate
from authsvc.models import ApiToken, RefreshToken, Role, Tenant, User, UserRole, role, user
from authsvc.models.engine import reading, transaction
from authsvc.models.paging import Page, Window, page
from authsvc.models.user import Account
from authsvc.opaque import is_id
from authsvc.services import accounts, api_tokens, events, names, passwords, refresh_tokens, roles, uniqueness


@dataclass(frozen=True, slots=True)
class Filters:
    """What a list is narrowed to; None narrows nothing. Names are found in any spelling."""

    email: str | None = None
    username: str | None = None
    role: str | None = None
    active: bool | None = None
    search: str | None = None
    created_before: datetime | None = None
    created_after: datetime | None = None


def find(mandate: Mandate, filters: Filters, window: Window) -> Page[Account]:
    """Raises ValidationFailed for what can't be an e-mail address or a user name."""
    matching = user.matching(
        email=None if filters.email is None else names.email(filters.email),
        username_key=None if filters.username is None else names.username_key(filters.username),
        role_key=None if filters.role is None else filters.role.casefold(),
        active=filters.active,
        search=filters.search,
        created_before=filters.created_before,
        created_after=filters.created_after,
    )
    with reading(within=mandate.tenant_id) as session:
        found = page(session, matching, User.id, window)
        held: dict[str, set[str]] = {owner.id: set() for owner in found.items}
        for user_id, name in session.execute(role.names_by_user(held)):
            held[user_id].add(name)
    return Page([Account.of(owner, frozenset(held[owner.id])) for owner in found.items], found.next_cursor)


def get(mandate: Mandate, user_id: str) -> Account:
    """Raises NotFound."""
    return accounts.get(mandate.tenant_id, user_id)


def named(mandate: Mandate, text: str) -> Account:
    """The user of this id, e-mail address or user name. Raises NotFound."""
    with reading(within=mandate.tenant_id) as session:
        user_id = text.lower() if is_id(text.lower()) else accounts.id_of(session, text)
        return accounts.account_of(session, mandate.tenant_id, user_id)


def create(
    mandate: Mandate,
    *,
    email: str,
    password: str | None = None,
    username: str | None = None,
    name: str | None = None,
    role_names: Collection[str] = accounts.EVERYONE,
    user_id: str | None = None,
) -> Account:
    """A user with these roles and no others; without a password, one who can't sign in with one.

    Raises ValidationFailed, PermissionDenied, AlreadyExists, Unavailable.
    """
    email = names.email(email)
    if username is not None:
        names.username_key(username)
    if user_id is not None:
        uniqueness.refuse_taken_subject(user_id)
    password_hash = None
    if password is not None:
        with reading(within=mandate.tenant_id) as session:
            tenant = session.get_one(Tenant, mandate.tenant_id)
        passwords.refuse_weak(password, "password", (email, username, tenant.slug, tenant.name))
        password_hash = _hashed(password)
    with transaction(within=mandate.tenant_id) as session:
        given = roles.granted(session, role_names)
        roles.refuse_beyond(session, mandate, roles.united(given))
        account = accounts.create(
            session,
            tenant_id=mandate.tenant_id,
            email=email,
            password_hash=password_hash,
            username=username,
            name=name,
            roles=_names(given),
            now=mandate.now,
            user_id=user_id,
        )
        events.record_by(session, mandate, "user.created", {"roles": sorted(account.roles)}, subject_id=account.id)
    return account


def update(mandate: Mandate, user_id: str, changes: Mapping[str, Any]) -> Account:
    """Change what stands in the changes: active, roles, username, name, confirmed. Each that changes has its one event.

    Raises NotFound, PermissionDenied, ValidationFailed, AlreadyExists.
    """
    with transaction(within=mandate.tenant_id, unhurried=changes.get("active") is False) as session:
        owner, held = _within_reach(session, mandate, user_id)
        if "roles" in changes:
            held = _give(session, mandate, owner, held, changes["roles"])
        if changes.get("active", owner.active) != owner.active:
            _switch(session, mandate, owner)
        _edit(session, mandate, owner, changes)
    return Account.of(owner, _names(held))


def set_password(mandate: Mandate, user_id: str, password: str) -> int:
    """Give a new password, which ends every sign-in of the user. Answers how many.

    Raises NotFound, PermissionDenied, ValidationFailed, Unavailable.
    """
    with reading(within=mandate.tenant_id) as session:
        seen = accounts.user_of(session, user_id)
        tenant = session.get_one(Tenant, mandate.tenant_id)
    passwords.refuse_weak(password, "password", (seen.email, seen.username, tenant.slug, tenant.name))
    password_hash = _hashed(password)
    with transaction(within=mandate.tenant_id) as session:
        owner, _ = _within_reach(session, mandate, user_id)
        owner.password_hash = password_hash
        killed = _kill_all(session, mandate, owner, "password_changed")
        events.record_by(session, mandate, "user.password_changed", {"revoked": killed}, subject_id=owner.id)
    return killed


def delete(mandate: Mandate, user_id: str) -> int:
    """The user and all that is the user's. Answers how many sign-ins ended. Raises NotFound, PermissionDenied."""
    with transaction(within=mandate.tenant_id, unhurried=True) as session:
        owner, _ = _within_reach(session, mandate, user_id)
        killed = _kill_all(session, mandate, owner, "user_deleted")
        session.delete(owner)
        events.record_by(session, mandate, "user.deleted", {"revoked": killed}, subject_id=owner.id)
    return killed


@passwords.queue()
def _hashed(password: str) -> str:
    return passwords.hash_new(password)


def _within_reach(session: Session, mandate: Mandate, user_id: str) -> tuple[User, list[Role]]:
    """The user and the user's roles, held. Raises NotFound, PermissionDenied for one who holds more than the mandate.

    Whoever signs in or out, or gives roles, takes the user's row first, as this does.
    """
    owner = session.scalars(user.locked(user_id)).one_or_none()
    if owner is None:
        raise NotFound
    held = roles.of_user(session, user_id)
    roles.refuse_beyond(session, mandate, roles.united(held))
    return owner, held


def _give(session: Session, mandate: Mandate, owner: User, held: list[Role], wanted: Collection[str]) -> list[Role]:
    """Exactly the wanted roles and no others."""
    given = roles.granted(session, wanted)
    roles.refuse_beyond(session, mandate, roles.united(given))
    added = [row for row in given if row not in held]
    removed = [row for row in held if row not in given]
    if removed:
        gone = UserRole.role_id.in_([row.id for row in removed])
        session.execute(delete_rows(UserRole).where(UserRole.user_id == owner.id, gone))
    for row in added:
        session.add(UserRole(tenant_id=owner.tenant_id, user_id=owner.id, role_id=row.id))
    if added or removed:
        detail = {"added": sorted(_names(added)), "removed": sorted(_names(removed))}
        events.record_by(session, mandate, "user.roles_changed", detail, subject_id=owner.id)
    return given


def _switch(session: Session, mandate: Mandate, owner: User) -> None:
    """Disable, which ends every sign-in and API token, or enable, which brings none back."""
    owner.active = not owner.active
    if owner.active:
        events.record_by(session, mandate, "user.enabled", {}, subject_id=owner.id)
        return
    reason = "user_disabled"
    killed = _kill_all(session, mandate, owner, reason)
    scripts = api_tokens.kill(session, ApiToken.user_id == owner.id, reason=reason, now=mandate.now)
    detail = {"revoked": killed, "apiTokens": scripts}
    events.record_by(session, mandate, "user.disabled", detail, subject_id=owner.id)


def _edit(session: Session, mandate: Mandate, owner: User, changes: Mapping[str, Any]) -> None:
    changed = accounts.rename(session, owner, changes)
    if changes.get("confirmed", owner.confirmed) != owner.confirmed:
        owner.confirmed = changes["confirmed"]
        changed.append("confirmed")
    if changed:
        events.record_by(session, mandate, "user.updated", {"changed": sorted(changed)}, subject_id=owner.id)


def _kill_all(session: Session, mandate: Mandate, owner: User, reason: str) -> int:
    return refresh_tokens.kill(session, RefreshToken.user_id == owner.id, reason=reason, now=mandate.now).count


def _names(rows: Collection[Role]) -> frozenset[str]:
    return frozenset(row.name for row in rows)
