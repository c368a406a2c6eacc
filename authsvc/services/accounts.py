"""People and programs with a name and a password: registered, signed in, changed."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection
from sqlalchemy.orm import Session

from authsvc import opaque
from authsvc.caller import Caller
from authsvc.errors import (
    CredentialsInvalid,
    NotFound,
    PasswordWrong,
    PermissionDenied,
    UnknownTenant,
)
from authsvc.models import Application, RefreshToken, Tenant, User, UserRole, role, user
from authsvc.models.engine import reading, single_statements, transaction
from authsvc.models.refresh_token import Standing
from authsvc.models.user import Account
from authsvc.services import events, names, passwords, refresh_tokens, throttle, uniqueness
from authsvc.settings import settings

EVERYONE = frozenset({"member"})
NAMES = {"username_key": ("username", "user name"), "email": ("email", "e-mail address")}


@dataclass(frozen=True, slots=True)
class SignIn:
    account: Account
    standing: Standing


@passwords.queue()
def register(
    tenant: Tenant,
    application: Application,
    *,
    email: str,
    password: str,
    username: str | None,
    name: str | None,
    caller: Caller,
    now: datetime,
) -> SignIn:
    """A new member, signed in. Raises ValidationFailed, AlreadyExists, TooManyAttempts, Unavailable."""
    if settings.REGISTRATION == "closed":
        raise PermissionDenied("users:write", "Registration is closed: ask an administrator for an account.")
    if not tenant.active:
        raise UnknownTenant
    email = names.email(email)
    username_key = None if username is None else names.username_key(username)
    passwords.refuse_weak(password, "password", (email, username, tenant.slug, tenant.name))
    # Whether a name is taken is worth a guess to a stranger, so asking is counted like one.
    reservation = throttle.reserve_source(caller, now)
    with reading(within=tenant.id) as session:
        _refuse_taken(session, email, username_key)
    password_hash = passwords.hash_new(password)
    with transaction(within=tenant.id) as session:
        account = create(
            session,
            tenant_id=tenant.id,
            email=email,
            password_hash=password_hash,
            username=username,
            name=name,
            roles=EVERYONE,
            now=now,
        )
        standing = refresh_tokens.start(session, account.id, application.id, caller=caller, now=now)
        throttle.forgive(session, reservation)
        _tell(session, "user.registered", tenant.id, account.id, caller, now, standing)
    return SignIn(account, standing)


@passwords.queue()
def sign_in(
    tenant: Tenant,
    application: Application,
    *,
    identifier: str,
    password: str,
    device_name: str | None,
    caller: Caller,
    now: datetime,
) -> SignIn:
    """A new sign-in. Raises CredentialsInvalid whatever the cause, TooManyAttempts, Unavailable."""
    name = names.canonical(identifier)
    with reading(within=tenant.id) as session:
        found = _find(session, name)
    # A user's e-mail address and user name are one account to guess at; a name that nobody has is one of its own,
    # in all its spellings too: counted apart, they would tell that nobody has it.
    account = found.id if found else name or identifier.strip().casefold()
    reservation = throttle.reserve(tenant.id, account, caller, now)
    is_right = passwords.verify(found.password_hash if found else None, password)
    if not (found and is_right and found.active and tenant.active):
        _tell_of_failure("user.sign_in_failed", tenant.id, found, caller, now)
        raise CredentialsInvalid
    rehashed = passwords.hash_new(password) if passwords.is_outdated(found.password_hash) else None
    with transaction(within=tenant.id) as session:
        owner = _locked_unchanged(session, found)
        if owner is None:
            raise CredentialsInvalid
        owner.password_hash = rehashed or owner.password_hash
        standing = refresh_tokens.start(
            session, owner.id, application.id, caller=caller, now=now, device_name=device_name
        )
        throttle.forgive(session, reservation)
        _tell(session, "user.signed_in", tenant.id, owner.id, caller, now, standing)
    return SignIn(Account.of(owner, standing.roles), standing)


def get(tenant_id: str, user_id: str) -> Account:
    """Raises NotFound."""
    with single_statements() as connection:
        return account_of(connection, tenant_id, user_id)


def update(tenant_id: str, user_id: str, changes: dict[str, str | None], caller: Caller, now: datetime) -> Account:
    """Change the user's own names. Raises AlreadyExists, ValidationFailed, NotFound."""
    with transaction(within=tenant_id) as session:
        owner = user_of(session, user_id)
        changed = rename(session, owner, changes)
        if changed:
            _tell(session, "user.updated", tenant_id, user_id, caller, now, changed=changed)
        return account_of(session, tenant_id, user_id)


@passwords.queue()
def change_password(
    tenant_id: str, user_id: str, *, current: str, new: str, keep: str, caller: Caller, now: datetime
) -> int:
    """Every other refresh token of the user dies; answers how many. Raises PasswordWrong, ValidationFailed."""
    with reading(within=tenant_id) as session:
        found = user_of(session, user_id)
        tenant = session.get_one(Tenant, tenant_id)
    passwords.refuse_weak(new, "newPassword", (found.email, found.username, tenant.slug, tenant.name))
    reservation = throttle.reserve(found.tenant_id, found.id, caller, now)
    if not passwords.verify(found.password_hash, current):
        _tell_of_failure("user.password_change_failed", found.tenant_id, found, caller, now)
        raise PasswordWrong
    password_hash = passwords.hash_new(new)
    with transaction(within=tenant_id) as session:
        owner = _locked_unchanged(session, found)
        if owner is None:
            raise PasswordWrong
        owner.password_hash = password_hash
        others = (RefreshToken.user_id == user_id) & (RefreshToken.id != keep)
        killed = refresh_tokens.kill(session, others, reason="password_changed", now=now)
        throttle.forgive(session, reservation)
        _tell(session, "user.password_changed", tenant_id, user_id, caller, now, revoked=killed.count)
    return killed.count


def create(
    session: Session,
    *,
    tenant_id: str,
    email: str,
    password_hash: str | None,
    username: str | None,
    name: str | None,
    roles: frozenset[str],
    now: datetime,
    user_id: str | None = None,
) -> Account:
    """A user, in the caller's transaction. The address is in canonical form. Raises AlreadyExists, ValidationFailed."""
    owner = User(
        id=user_id or opaque.new_id(),
        tenant_id=tenant_id,
        email=email,
        username=username,
        username_key=None if username is None else names.username_key(username),
        name=name,
        password_hash=password_hash,
        active=True,
        confirmed=False,
        created_at=now,
    )
    session.add(owner)
    uniqueness.flush(session, NAMES)
    for row in session.scalars(role.with_names(roles)):
        session.add(UserRole(tenant_id=tenant_id, user_id=owner.id, role_id=row.id))
    return Account.of(owner, roles)


def rename(session: Session, owner: User, changes: Mapping[str, Any]) -> list[str]:
    """Give a user those of the names that stand in the changes. Answers which ones are others now.

    Raises AlreadyExists, ValidationFailed.
    """
    changed = [
        field for field in ("name", "username") if changes.get(field, getattr(owner, field)) != getattr(owner, field)
    ]
    for field in changed:
        setattr(owner, field, changes[field])
    if "username" in changed:
        owner.username_key = None if owner.username is None else names.username_key(owner.username)
    uniqueness.flush(session, NAMES)
    return changed


def user_of(session: Session, user_id: str) -> User:
    """In a session within the tenant. Raises NotFound."""
    owner = session.get(User, user_id)
    if owner is None:
        raise NotFound
    return owner


def account_of(connection: Connection | Session, tenant_id: str, user_id: str) -> Account:
    """As the database has it now. Raises NotFound."""
    found = user.account(connection, user_id)
    if found is None or found.tenant_id != tenant_id:
        raise NotFound
    return found


def id_of(session: Session, identifier: str) -> str:
    """Whose e-mail address or user name this is. Raises NotFound."""
    found = _find(session, names.canonical(identifier))
    if found is None:
        raise NotFound(f"There is no user {identifier}.")
    return found.id


def _find(session: Session, name: str | None) -> User | None:
    """Who has this e-mail address or user name, in canonical form."""
    if name is None:
        return None
    with_name = user.with_email if "@" in name else user.with_username
    return session.scalars(with_name(name)).one_or_none()


def _locked_unchanged(session: Session, seen: User) -> User | None:
    """The user's row, held; None if the password that was verified is no longer the password: hashing took its time."""
    owner = session.scalars(user.locked(seen.id)).one_or_none()
    if owner is None or not owner.active or owner.password_hash != seen.password_hash:
        return None
    return owner


def _refuse_taken(session: Session, email: str, username_key: str | None) -> None:
    holder = session.scalars(user.holding_either(email, username_key)).first()
    if holder is not None:
        raise uniqueness.taken(*NAMES["email" if holder.email == email else "username_key"])


def _tell(
    session: Session,
    kind: str,
    tenant_id: str,
    user_id: str,
    caller: Caller,
    now: datetime,
    standing: Standing | None = None,
    **detail: object,
) -> None:
    events.record(
        session,
        kind,
        tenant_id=tenant_id,
        now=now,
        caller=caller,
        actor_id=user_id,
        subject_id=user_id,
        application_id=standing.application_id if standing else None,
        refresh_token_id=standing.id if standing else None,
        detail=detail,
    )


def _tell_of_failure(kind: str, tenant_id: str, about: User | None, caller: Caller, now: datetime) -> None:
    subject_id = about.id if about else None
    events.tell(kind, tenant_id=tenant_id, now=now, caller=caller, subject_id=subject_id, outcome="failure")
