"""Clients: applications that speak for themselves. Recognised, signed in without a user, and their tokens ended."""

from datetime import datetime

from authsvc import opaque
from authsvc.caller import Caller
from authsvc.errors import InvalidClient, InvalidScope, TokenInvalid, TokenRevoked
from authsvc.mandate import Mandate
from authsvc.models import application, client
from authsvc.models.client import Client
from authsvc.models.engine import single_statements, transaction
from authsvc.models.signing_key import USABLE
from authsvc.permissions import NEVER_BY_API_TOKEN
from authsvc.services import events, scopes, slugs, throttle
from authsvc.services.standings import Proof


def recognised(name: str, secret: str | None, *, tenant_name: str | None, caller: Caller, now: datetime) -> Client:
    """The confidential client of that id or slug, which proves itself, or the public one, which has nothing to prove.

    Raises InvalidClient whatever the cause, TooManyAttempts.
    """
    if secret is not None:
        throttle.refuse_stopped_source(caller, now)
    with single_statements() as connection:
        asked_id, found = client.found(connection, _askable(name), tenant_name and _askable(tenant_name), now)
    is_away = found is not None and tenant_name is not None and found.tenant_id != asked_id
    known = None if is_away else found
    if known is not None and known.active and _is_right(known, secret):
        return known
    if secret is not None:
        throttle.reserve_source(caller, now)
        _tell_of_failure(asked_id, known, caller, now)
    raise InvalidClient


def granted(of: Client, scope: str | None) -> frozenset[str]:
    """What it asks for and is registered for; who asks for nothing gets nothing. Raises InvalidScope."""
    wanted = scopes.asked_for(scope or "")
    if not wanted <= of.scopes:
        raise InvalidScope
    return wanted


def tell_of_sign_in(of: Client, scope: frozenset[str], caller: Caller, now: datetime) -> None:
    about = {"actor_id": of.id, "application_id": of.id}
    detail = {"scope": sorted(scope)}
    events.tell("application.signed_in", tenant_id=of.tenant_id, now=now, caller=caller, detail=detail, **about)


def standing_of(proof: Proof) -> Client:
    """The client that an access token of its own names, if it may still use it. Raises TokenInvalid, TokenRevoked."""
    with single_statements() as connection:
        found = client.standing(connection, proof.refresh_token_id, proof.kid)
    if found is None:
        raise TokenRevoked
    own, key_state = found
    if (proof.user_id, proof.tenant_id) != (own.id, own.tenant_id) or key_state not in USABLE:
        raise TokenInvalid
    if not (own.active and own.confidential) or proof.generation != own.generation:
        raise TokenRevoked
    return own


def permissions_of(of: Client, scope: frozenset[str]) -> frozenset[str]:
    """What its token says, as far as it is registered for that now."""
    return (scope & of.scopes) - NEVER_BY_API_TOKEN


def end_tokens(mandate: Mandate, application_id: str, generation: int) -> None:
    """End all access tokens that it got for itself, unless those of that generation have ended already."""
    with transaction(within=mandate.tenant_id) as session:
        own = session.scalars(application.locked(application_id)).one_or_none()
        if own is None or own.generation != generation:
            return
        own.generation += 1
        events.record_by(session, mandate, "application.tokens_revoked", {"slug": own.slug}, application_id=own.id)


def _askable(name: str) -> str:
    """What can be no name is asked for as one that nobody has: it takes as long, and no database chokes on it."""
    return name if opaque.is_id(name) or slugs.is_slug(name) else "-"


def _is_right(known: Client, secret: str | None) -> bool:
    if secret is None:
        return not known.confidential
    # A text that is not ASCII is none of ours.
    shown = opaque.digest(secret) if secret.isascii() else ""
    return any([opaque.are_same(shown, kept) for kept in known.digests])  # noqa: C419  (all of them, whichever it is)


def _tell_of_failure(asked_id: str | None, known: Client | None, caller: Caller, now: datetime) -> None:
    """In the tenant of the client or, where there is none, in the one that was asked; if that isn't there, nowhere."""
    tenant_id = asked_id if known is None else known.tenant_id
    if tenant_id is not None:
        application_id = None if known is None else known.id
        events.tell(
            "application.sign_in_failed",
            tenant_id=tenant_id,
            now=now,
            caller=caller,
            application_id=application_id,
            outcome="failure",
        )
