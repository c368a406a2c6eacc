"""Who a request says it is. A reader answers None for a credential that is not of its kind, and raises for a bad one.

A new kind of token is a new reader and its line in READERS.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime

from flask import request

from authsvc.credentials import jwts, origins, transports
from authsvc.errors import AmbiguousRequest, PermissionDenied
from authsvc.permissions import allows, shared
from authsvc.services import refresh_tokens
from authsvc.services.refresh_tokens import Proof
from authsvc.settings import settings

# Two Authorization headers arrive as one, with a comma between.
_SECOND_CREDENTIAL = re.compile(r",\s*(bearer|token)\s", re.IGNORECASE)
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
TENANT_HEADERS = ("X-Tenant-Id", "X-Stencil-TenantId", "X-Stencil-TenanId")


@dataclass(frozen=True, slots=True)
class Principal:
    """Who this request is: user, tenant, how they proved it, what they may do."""

    user_id: str
    tenant_id: str
    tenant_slug: str
    application_id: str
    via: str
    permissions: frozenset[str]
    roles: frozenset[str]
    proof: Proof = field(repr=False)

    def may(self, permission: str) -> bool:
        return allows(self.permissions, permission)

    def require(self, permission: str) -> None:
        """Raises PermissionDenied."""
        if not self.may(permission):
            raise PermissionDenied(permission)


@dataclass(frozen=True, slots=True)
class Presented:
    """One credential as it stands in the request. `csrf` is what must be proven with it, if it came in a cookie."""

    text: str = field(repr=False)
    csrf: str | None = field(default=None, repr=False)


Reader = Callable[[Presented, datetime], Principal | None]


def access_token(presented: Presented, now: datetime) -> Principal | None:
    """Any text that no other reader knew is taken for an access token, and must be a good one."""
    proof, claims = jwts.read_access(presented.text, now, presented.csrf)
    if presented.csrf is not None:
        origins.refuse_foreign(refresh_token_id=proof.refresh_token_id)
    standing = refresh_tokens.standing_of(proof, now=now)
    # What the token says is what its sign-in was given then; what the row says is what it may still do now.
    return Principal(
        user_id=standing.user_id,
        tenant_id=standing.tenant_id,
        tenant_slug=standing.tenant_slug,
        application_id=standing.application_id,
        via="access_token",
        permissions=shared(frozenset(claims["scope"].split()), standing.permissions),
        roles=standing.roles,
        proof=proof,
    )


READERS: tuple[Reader, ...] = (access_token,)


def identify(now: datetime) -> Principal | None:
    """Who the request is; None if it brings no credential at all."""
    presented = _presented()
    if presented is None:
        return None
    return next(found for found in (reader(presented, now) for reader in READERS) if found is not None)


def tenant_named() -> str | None:
    """The tenant that the header names, if any does. Two that differ name none that could exist."""
    named = {request.headers[header] for header in TENANT_HEADERS if header in request.headers}
    return ",".join(sorted(named)) if named else None


def bearer() -> str | None:
    """The token of the Authorization header; the scheme's case does not matter (RFC 9110 section 11.1)."""
    scheme, _, text = request.headers.get("Authorization", "").strip().partition(" ")
    if scheme.lower() not in ("bearer", "token"):
        return None
    if _SECOND_CREDENTIAL.search(text):
        raise AmbiguousRequest("Send one credential.")
    return text.strip()


def _presented() -> Presented | None:
    text = bearer()
    if text is not None:
        return Presented(text)
    return _from_cookie() if settings.ACCESS_TOKEN_IN_COOKIE else None


def _from_cookie() -> Presented | None:
    text = request.cookies.get(transports.access_cookie())
    if not text:
        return None
    if request.method in SAFE_METHODS:
        return Presented(text)
    origins.refuse_foreign()
    return Presented(text, transports.csrf_sent())
