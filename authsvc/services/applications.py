"""Applications: which one a sign-in is for, what it decides; made, changed, ended by administrators."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from authsvc import opaque
from authsvc.errors import AlreadyExists, Conflict, NotFound, ValidationFailed
from authsvc.mandate import Mandate
from authsvc.models import (
    AllowedOrigin,
    ApiToken,
    Application,
    ClientSecret,
    RefreshToken,
    Tenant,
    api_token,
    application,
    refresh_token,
)
from authsvc.models.engine import reading, single_statements, transaction
from authsvc.models.paging import Page, Window, counted, page
from authsvc.models.tenant import DEFAULT
from authsvc.services import api_tokens, events, refresh_tokens, roles, scopes, slugs, uniqueness, web_origins
from authsvc.settings import settings

ORIGINS = "cors_origins"
OVERLAP = timedelta(days=1)
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Described:
    """An application and the origins on its list; with its secret once, when that was made."""

    application: Application
    cors_origins: list[str]
    secret: str | None = field(default=None, repr=False)


def chosen(tenant: Tenant, name: str | None) -> Application:
    """The tenant's application of that id or slug, its default one if none is named. Raises ValidationFailed."""
    with reading(within=tenant.id) as session:
        found = session.scalars(application.named(name or DEFAULT)).one_or_none()
    if found is None or not found.active:
        raise ValidationFailed(fields={"applicationId": ["There is no such application."]})
    return found


def listing(origin: str) -> frozenset[str]:
    """The applications whose pages may come from that origin."""
    with single_statements() as connection:
        return frozenset(connection.scalars(application.allowing(origin)))


def of_sign_in(refresh_token_id: str) -> str | None:
    """The application that a sign-in is for."""
    with single_statements() as connection:
        return connection.scalar(select(RefreshToken.application_id).where(RefreshToken.id == refresh_token_id))


@dataclass(frozen=True, slots=True)
class Ending:
    """What is alive of an application's, and would end with it."""

    sign_ins: int
    api_tokens: int


def find(
    mandate: Mandate, window: Window, *, slug: str | None = None, active: bool | None = None, search: str | None = None
) -> Page[Described]:
    """The tenant's."""
    matching = application.matching(slug=slug, active=active, search=search)
    with reading(within=mandate.tenant_id) as session:
        found = page(session, matching, Application.id, window)
        origins = application.origins_of(session, [row.id for row in found.items])
    return Page([Described(row, origins[row.id]) for row in found.items], found.next_cursor)


def named(mandate: Mandate, text: str) -> Application:
    """The application of this id or slug. Raises NotFound."""
    with reading(within=mandate.tenant_id) as session:
        found = session.scalars(application.named(text)).one_or_none()
    if found is None:
        raise NotFound(f"There is no application {text}.")
    return found


def get(mandate: Mandate, application_id: str) -> Described:
    """Raises NotFound."""
    with reading(within=mandate.tenant_id) as session:
        return _described(session, _found(session.get(Application, application_id)))


def create(mandate: Mandate, given: Mapping[str, Any]) -> Described:
    """A new one, with what is given of it; a confidential one with its first secret.

    Raises AlreadyExists, ValidationFailed, PermissionDenied.
    """
    given = _with_scopes(given)
    new_id = given.get("id") or opaque.new_id()
    if "id" in given:
        uniqueness.refuse_taken_subject(new_id)
    if "slug" in given:
        return _add(mandate, given, new_id, given["slug"])
    slug = slugs.made_from(given["name"])
    try:
        return _add(mandate, given, new_id, slug)
    except AlreadyExists as taken:
        if "slug" not in (taken.fields or {}):
            raise
    return _add(mandate, given, new_id, f"{slug}-{new_id[-8:]}")


def update(mandate: Mandate, application_id: str, changes: Mapping[str, Any]) -> Described:
    """What is given of it anew. Turned off, every sign-in to it dies, and so do its API tokens and its own access
    tokens; turned on, none comes back. No longer confidential, its own access tokens die.

    Raises NotFound, AlreadyExists, Conflict, ValidationFailed, PermissionDenied.
    """
    changes = _with_scopes(changes)
    with transaction(within=mandate.tenant_id, unhurried=True) as session:
        found = _within_reach(session, mandate, application_id, changes.get("scopes", frozenset()))
        changed = _changed(session, found, changes)
        if "slug" in changed:
            _refuse_default(found)
        secret = _take_over(session, found, changed, mandate.now)
        others = changed.keys() - {"active"}
        if others:
            _tell(session, mandate, "application.updated", found, changed=events.spelled(others))
        if changed.get("active") is True:
            _tell(session, mandate, "application.enabled", found)
        elif "active" in changed:
            revoked = _end_sign_ins(session, found, mandate.now)
            which = ApiToken.application_id == found.id
            scripts = api_tokens.kill(session, which, reason="application_disabled", now=mandate.now)
            found.generation += 1
            _tell(session, mandate, "application.disabled", found, revoked=revoked, apiTokens=scripts)
        return _described(session, found, secret)


def ending(mandate: Mandate, application_id: str) -> Ending:
    """What turning it off or deleting it would end. Raises NotFound."""
    with reading(within=mandate.tenant_id) as session:
        found = _found(session.get(Application, application_id))
        sign_ins = (RefreshToken.application_id == found.id) & refresh_token.live(mandate.now)
        scripts = (ApiToken.application_id == found.id) & api_token.live(mandate.now)
        return Ending(
            counted(session, select(RefreshToken.id).where(sign_ins)),
            counted(session, select(ApiToken.id).where(scripts)),
        )


def delete(mandate: Mandate, application_id: str) -> int:
    """Gone, with its sign-ins, origins and secrets; answers how many sign-ins ended.

    Raises NotFound, Conflict, PermissionDenied.
    """
    with transaction(within=mandate.tenant_id, unhurried=True) as session:
        found = _within_reach(session, mandate, application_id)
        _refuse_default(found)
        revoked = _end_sign_ins(session, found, mandate.now)
        session.delete(found)
        _tell(session, mandate, "application.deleted", found, revoked=revoked)
    return revoked


def make_secret(mandate: Mandate, application_id: str, overlap: timedelta = OVERLAP) -> Described:
    """A further secret; those before it end after the overlap, or sooner where that was said before.

    Without an overlap, what was got with them ends too. Raises NotFound, Conflict, PermissionDenied.
    """
    with transaction(within=mandate.tenant_id) as session:
        found = _within_reach(session, mandate, application_id)
        if not found.confidential:
            raise Conflict("This application is not confidential: make it so first, then it has a secret.")
        application.end_secrets(session, found.id, mandate.now, mandate.now + overlap)
        if not overlap:
            found.generation += 1
        secret = _new_secret(session, found, mandate.now)
        _tell(session, mandate, "application.secret_made", found, overlap=int(overlap.total_seconds()))
        return _described(session, found, secret)


def _add(mandate: Mandate, given: Mapping[str, Any], new_id: str, slug: str) -> Described:
    made = Application(
        tenant_id=mandate.tenant_id,
        active=True,
        rotate=True,
        confidential=False,
        created_at=mandate.now,
        generation=_first_generation(given, mandate.now),
    )
    with transaction(within=mandate.tenant_id) as session:
        roles.refuse_beyond(session, mandate, given.get("scopes", frozenset()))
        session.add(made)
        secret = _take_over(session, made, {**given, "id": new_id, "slug": slug}, mandate.now)
        _tell(session, mandate, "application.created", made, confidential=made.confidential)
        return _described(session, made, secret)


def _first_generation(given: Mapping[str, Any], now: datetime) -> int:
    """A chosen id may have been another application's, which was deleted: its access tokens must not fit this one."""
    return int((now - _EPOCH).total_seconds()) if "id" in given else 0


def _with_scopes(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Raises ValidationFailed, PermissionDenied for what none can have."""
    return given if "scopes" not in given else {**given, "scopes": scopes.giveable(given["scopes"], "application")}


def _changed(session: Session, found: Application, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Those of the changes that change something, in the form in which they are kept."""
    wanted = dict(changes)
    if ORIGINS in wanted:
        wanted[ORIGINS] = web_origins.canonical(wanted[ORIGINS])
    today = _described(session, found)
    return {n: value for n, value in wanted.items() if value != getattr(today if n == ORIGINS else found, n)}


def _take_over(session: Session, row: Application, values: Mapping[str, Any], now: datetime) -> str | None:
    """Give the row these values, with all that follows from them. Answers the secret, if that called for one."""
    if "slug" in values:
        slugs.check(values["slug"])
    if values.get("cookie_same_site") == "None" and not settings.BASE_URL.startswith("https://"):
        raise ValidationFailed(fields={"cookieSameSite": ["None needs a BASE_URL with https."]})
    for name in values.keys() - {ORIGINS}:
        setattr(row, name, values[name])
    slugs.flush(session)
    if ORIGINS in values:
        application.clear_origins(session, row.id)
        for origin in web_origins.canonical(values[ORIGINS]):
            session.add(AllowedOrigin(tenant_id=row.tenant_id, application_id=row.id, origin=origin))
        session.flush()
    if values.get("confidential") is True:
        return _new_secret(session, row, now)
    if "confidential" in values:
        application.clear_secrets(session, row.id)
        row.generation += 1
    return None


def _new_secret(session: Session, owner: Application, now: datetime) -> str:
    secret = opaque.new_secret()
    own = {"tenant_id": owner.tenant_id, "application_id": owner.id, "created_at": now}
    session.add(ClientSecret(id=opaque.new_id(), digest=opaque.digest(secret), **own))
    return secret


def _end_sign_ins(session: Session, owner: Application, now: datetime) -> int:
    which = RefreshToken.application_id == owner.id
    return refresh_tokens.kill(session, which, reason="application_disabled", now=now).count


def _described(session: Session, row: Application, secret: str | None = None) -> Described:
    return Described(row, application.origins_of(session, [row.id])[row.id], secret)


def _within_reach(
    session: Session, mandate: Mandate, application_id: str, wanted: frozenset[str] = frozenset()
) -> Application:
    """The row, held. Raises NotFound, PermissionDenied where it may do, or would, more than the mandate: whoever makes
    its next secret can act as it.
    """
    found = _found(session.scalars(application.locked(application_id)).one_or_none())
    roles.refuse_beyond(session, mandate, found.scopes | wanted)
    return found


def _found(row: Application | None) -> Application:
    if row is None:
        raise NotFound
    return row


def _refuse_default(found: Application) -> None:
    if found.slug == DEFAULT:
        raise Conflict("Sign-ins that name no application are for default: it can't be deleted or get another slug.")


def _tell(session: Session, mandate: Mandate, kind: str, about: Application, **detail: object) -> None:
    events.record_by(session, mandate, kind, {"slug": about.slug, **detail}, application_id=about.id)
