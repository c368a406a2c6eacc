"""API tokens, looked after: made for scripts by their owners, found, narrowed, replaced, ended."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, cast

from sqlalchemy import select
from sqlalchemy.orm import Session

from authsvc import addresses, opaque
from authsvc.errors import Conflict, NotFound, PermissionDenied, ValidationFailed
from authsvc.mandate import Mandate
from authsvc.models import ApiToken, Application, User, api_token, application, tenant, user
from authsvc.models.engine import reading, transaction
from authsvc.models.paging import Page, Window, page
from authsvc.permissions import allows
from authsvc.services import events, roles, scopes, uniqueness
from authsvc.settings import settings

WRITE, ADMIN = "api-tokens:write", "api-tokens:admin"
OVERLAP = timedelta(days=1)
MOST_NETWORKS = 50


@dataclass(frozen=True, slots=True)
class Made:
    """A new API token and, this once, its text."""

    api_token: ApiToken
    text: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Filters:
    """Which ones a list shows: one's own, a user's, or the whole tenant's."""

    user_id: str | None = None
    application_id: str | None = None
    everyone: bool = False
    state: str = "all"


def find(mandate: Mandate, filters: Filters, window: Window) -> Page[ApiToken]:
    """Raises NotFound, PermissionDenied."""
    is_own = filters.user_id is None or mandate.owns(filters.user_id)
    if filters.everyone or not mandate.signed_in or not is_own:
        mandate.require(ADMIN)
    is_whole = mandate.may(ADMIN) and (filters.everyone or filters.application_id is not None)
    which = api_token.in_state(filters.state, mandate.now)
    with reading(within=mandate.tenant_id) as session:
        if filters.user_id is not None:
            _refuse_unknown(session, User, filters.user_id)
            which &= ApiToken.user_id == filters.user_id
        elif not is_whole:
            which &= ApiToken.user_id == mandate.actor_id
        if filters.application_id is not None:
            _refuse_unknown(session, Application, filters.application_id)
            which &= ApiToken.application_id == filters.application_id
        return page(session, select(ApiToken).where(which), ApiToken.id, window)


def get(mandate: Mandate, api_token_id: str) -> ApiToken:
    """Raises NotFound."""
    with reading(within=mandate.tenant_id) as session:
        return _reached(mandate, session.get(ApiToken, api_token_id))


def create(mandate: Mandate, owner_id: str, given: Mapping[str, Any], *, name_once: bool = False) -> Made:
    """A new one of that user's, who holds its scopes; so does whoever makes it.

    `name_once`: none of the owner's that lives has that name. Raises ValidationFailed, PermissionDenied, NotFound,
    AlreadyExists.
    """
    mandate.require(WRITE)
    expires_at = _ends(given, mandate.now)
    networks = _networks(given.get("allowed_ips", ()))
    granted = _scopes(mandate, given["scopes"])
    with transaction(within=mandate.tenant_id) as session:
        bound = _hold_owners(session, mandate, owner_id, given.get("application_id"))
        _refuse_beyond_owner(session, owner_id, granted)
        if name_once:
            _refuse_taken_name(session, owner_id, given["name"], mandate.now)
        made = _add(
            session,
            mandate,
            user_id=owner_id,
            application_id=None if bound is None else bound.id,
            name=given["name"],
            scopes=granted,
            allow_in_query=given.get("allow_in_query", False),
            allowed_ips=networks,
            expires_at=expires_at,
        )
        detail = {"name": given["name"], "scopes": sorted(granted), "expiresAt": _written(expires_at)}
        _tell(session, mandate, "api_token.created", made.api_token, detail)
    return made


def update(mandate: Mandate, api_token_id: str, changes: Mapping[str, Any], *, name_once: bool = False) -> ApiToken:
    """Another name, or narrower: fewer scopes, fewer addresses, no more in queries.

    `name_once`: no other of the owner's that lives has that name. Raises NotFound, PermissionDenied, ValidationFailed,
    AlreadyExists.
    """
    narrowed = _scopes(mandate, changes["scopes"]) if "scopes" in changes else None
    networks = _networks(changes["allowed_ips"]) if "allowed_ips" in changes else None
    with transaction(within=mandate.tenant_id) as session:
        if name_once:
            _hold_owner(session, api_token_id)
        row = _held(session, mandate, api_token_id)
        _require_writing(mandate, row)
        if name_once and changes.get("name", row.name) != row.name:
            _refuse_taken_name(session, row.user_id, changes["name"], mandate.now)
        if narrowed is not None and not narrowed <= row.scopes:
            raise _widened("scopes")
        if networks is not None and not addresses.are_narrower(networks, row.allowed_ips):
            raise _widened("allowedIps")
        if changes.get("allow_in_query", False) and not row.allow_in_query:
            raise _widened("allowInQuery")
        wanted = {**changes}
        if narrowed is not None:
            wanted["scopes"] = narrowed
        if networks is not None:
            wanted["allowed_ips"] = networks
        changed = {name: value for name, value in wanted.items() if getattr(row, name) != value}
        for name, value in changed.items():
            setattr(row, name, value)
        if changed:
            _tell(session, mandate, "api_token.updated", row, {"changed": events.spelled(changed)})
    return row


def rotate(mandate: Mandate, api_token_id: str, overlap: timedelta = OVERLAP) -> Made:
    """A successor that is like it and lives as long; the old one dies after the overlap.

    Nobody but its owner does this over HTTP: whoever holds the text acts as the owner.
    Raises NotFound, PermissionDenied, Conflict.
    """
    mandate.require(WRITE)
    with transaction(within=mandate.tenant_id) as session:
        owner_id = session.scalar(select(ApiToken.user_id).where(ApiToken.id == api_token_id))
        _refuse_out_of_reach(mandate, owner_id)
        if owner_id != mandate.actor_id and mandate.actor_id is not None:
            raise PermissionDenied(WRITE, "Only its owner can replace an API token. You can revoke it.")
        _hold_owners(session, mandate, str(owner_id))
        row = _held(session, mandate, api_token_id)
        _refuse_over(row, mandate.now)
        life = min(row.expires_at - row.created_at, settings.API_TOKEN_MAX_LIFETIME)
        made = _add(
            session,
            mandate,
            user_id=row.user_id,
            application_id=row.application_id,
            name=row.name,
            scopes=row.scopes,
            allow_in_query=row.allow_in_query,
            allowed_ips=row.allowed_ips,
            expires_at=mandate.now + life,
        )
        row.successor_id = made.api_token.id
        if overlap:
            row.expires_at = min(row.expires_at, mandate.now + overlap)
        else:
            row.revoked_at, row.revoke_reason = mandate.now, "rotated"
        detail = {"successorId": made.api_token.id, "overlap": int(overlap.total_seconds())}
        _tell(session, mandate, "api_token.rotated", row, detail)
    return made


def revoke(mandate: Mandate, api_token_id: str) -> int:
    """End it; one that is dead already stays as it is. Answers how many died. Raises NotFound."""
    with transaction(within=mandate.tenant_id) as session:
        row = _held(session, mandate, api_token_id)
        if row.revoked_at is not None or row.expires_at <= mandate.now:
            return 0
        row.revoked_at, row.revoke_reason = mandate.now, "revoked"
        _tell(session, mandate, "api_token.revoked", row, {"reason": "revoked"})
    return 1


def _add(session: Session, mandate: Mandate, **values: Any) -> Made:
    text = opaque.new_api_token()
    row = ApiToken(
        id=opaque.new_id(),
        tenant_id=mandate.tenant_id,
        digest=opaque.digest(text),
        hint=f"{opaque.API_TOKEN_MARK}…{text[-4:]}",
        created_at=mandate.now,
        **values,
    )
    session.add(row)
    session.flush()
    return Made(row, text)


def _held(session: Session, mandate: Mandate, api_token_id: str) -> ApiToken:
    return _reached(mandate, session.scalars(api_token.locked(api_token_id)).one_or_none())


def _reached(mandate: Mandate, row: ApiToken | None) -> ApiToken:
    """One's own, or anybody's with the permission. Others learn nothing, not that it exists."""
    _refuse_out_of_reach(mandate, None if row is None else row.user_id)
    return cast("ApiToken", row)


def _refuse_out_of_reach(mandate: Mandate, owner_id: str | None) -> None:
    if owner_id is None or not (mandate.owns(owner_id) or mandate.may(ADMIN)):
        raise NotFound


def _require_writing(mandate: Mandate, row: ApiToken) -> None:
    mandate.require(WRITE if mandate.owns(row.user_id) and not mandate.may(ADMIN) else ADMIN)


def _hold_owners(
    session: Session, mandate: Mandate, owner_id: str, application_name: str | None = None
) -> Application | None:
    """The user, the application if there is one, and the tenant, all active; answers the application.

    Whoever disables one of them waits, and then finds the new row and kills it. All that hold them do so in this order.
    Raises NotFound, ValidationFailed, Conflict.
    """
    owner = session.scalars(user.locked(owner_id)).one_or_none()
    if owner is None:
        raise NotFound
    bound = None if application_name is None else _application(session, application_name)
    if not owner.active or session.scalars(tenant.held_active(mandate.tenant_id)).one_or_none() is None:
        raise Conflict("The user or the tenant is not active.")
    return bound


def _hold_owner(session: Session, api_token_id: str) -> None:
    """The user, before the token, as in `_hold_owners`: nobody else gives a token of the user's a name meanwhile."""
    owner_id = session.scalar(select(ApiToken.user_id).where(ApiToken.id == api_token_id))
    if owner_id is not None:
        session.scalars(user.locked(owner_id)).one_or_none()


def _refuse_taken_name(session: Session, owner_id: str, name: str, now: datetime) -> None:
    """The owner is held, so nobody takes it meanwhile. Raises AlreadyExists."""
    named = (ApiToken.user_id == owner_id) & (ApiToken.name == name) & api_token.live(now)
    if session.scalars(select(ApiToken.id).where(named).limit(1)).first() is not None:
        raise uniqueness.taken("name", "name")


def _application(session: Session, name: str) -> Application:
    """The active one of that id or slug, held. Raises ValidationFailed."""
    named = session.scalars(application.named(name)).one_or_none()
    found = None if named is None else session.scalars(application.held_active(named.id)).one_or_none()
    if found is None:
        raise ValidationFailed(fields={"applicationId": ["There is no such application."]})
    return found


def _scopes(mandate: Mandate, wanted: Collection[str]) -> frozenset[str]:
    """Raises ValidationFailed for what is no permission, PermissionDenied for what the caller may not give."""
    given = scopes.giveable(wanted, "API token")
    for scope in sorted(given):
        mandate.require(scope)
    return given


def _refuse_beyond_owner(session: Session, owner_id: str, scopes: frozenset[str]) -> None:
    """Where an operator makes it at the command line, the owner must hold its scopes all the same."""
    held = roles.united(roles.of_user(session, owner_id))
    for scope in sorted(scopes):
        if not allows(held, scope):
            raise PermissionDenied(scope)


def _networks(wanted: Collection[str]) -> frozenset[str]:
    """In their usual spelling. Raises ValidationFailed."""
    found = set()
    for number, text in enumerate(wanted, 1):
        try:
            found.add(str(addresses.network(text)))
        except ValueError:
            sentence = f"Number {number}: this is no IP address and no network such as 192.0.2.0/24 or 2001:db8::/32."
            raise ValidationFailed(fields={"allowedIps": [sentence]}) from None
    return frozenset(found)


def _widened(name: str) -> ValidationFailed:
    return ValidationFailed(fields={name: ["An API token can only be narrowed. Make a new one for more."]})


def _ends(given: Mapping[str, Any], now: datetime) -> datetime:
    """Raises ValidationFailed."""
    longest = settings.API_TOKEN_MAX_LIFETIME
    if "expires_at" in given:
        name, ends = "expiresAt", cast("datetime", given["expires_at"])
    elif "expires_in" in given:
        name, ends = "expiresIn", now + timedelta(seconds=given["expires_in"])
    else:
        return now + min(settings.API_TOKEN_LIFETIME, longest)
    if ends <= now:
        raise ValidationFailed(fields={name: ["This is over already."]})
    if ends > now + longest:
        sentence = f"An API token lives for at most {int(longest.total_seconds())} seconds."
        raise ValidationFailed(fields={name: [sentence]})
    return ends


def _refuse_over(row: ApiToken, now: datetime) -> None:
    if row.successor_id is not None:
        raise Conflict(f"This API token was replaced already, by {row.successor_id}.")
    if row.revoked_at is not None or row.expires_at <= now:
        raise Conflict("This API token is dead. Make a new one.")


def _refuse_unknown(session: Session, model: type[User | Application], row_id: str) -> None:
    """Another tenant's is as unknown as one that was never there."""
    if session.get(model, row_id) is None:
        raise NotFound


def _written(moment: datetime) -> str:
    return moment.isoformat(timespec="seconds").replace("+00:00", "Z")


def _tell(session: Session, mandate: Mandate, kind: str, row: ApiToken, detail: dict[str, Any]) -> None:
    events.record_by(
        session,
        mandate,
        kind,
        detail,
        subject_id=row.user_id,
        application_id=row.application_id,
        api_token_id=row.id,
    )
