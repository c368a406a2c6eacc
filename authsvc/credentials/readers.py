"""Who a request says it is. A reader answers None for a credential that is not of its kind, and raises for a bad one.

A new kind of token is a new reader and its line in READERS.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from flask import g, request

from authsvc import opaque, presenting, query_tokens
from authsvc.caller import Caller
from authsvc.claims import is_of_client
from authsvc.credentials import console_cookie, jwts, origins, transports
from authsvc.errors import TokenInvalid
from authsvc.hiding import without_secrets
from authsvc.permissions import shared
from authsvc.presenting import Place, Presented
from authsvc.principals import ACCESS_TOKEN, API_TOKEN, CLIENT, CONSOLE, Principal
from authsvc.services import api_tokens, clients, standings
from authsvc.services.standings import Proof
from authsvc.settings import settings

SAFE_METHODS = ("GET", "HEAD", "OPTIONS")
# Where a proxy that asks about a request says its method: nginx as our documents have it; Caddy and Traefik.
METHOD_HEADERS = ("X-Original-Method", "X-Forwarded-Method")


@dataclass(frozen=True, slots=True)
class About:
    """The request that is judged: mostly the one that is made, and for a proxy the one that it asks about.

    `presented` is the credential that stands in it, other than a cookie. `methods` are all that somebody says it has:
    none of them may be taken for the safer one. `cookie`: whether one may do where no other credential is. `tenant`:
    which one is meant, where that is said elsewhere than in the header.
    """

    presented: Presented | None
    methods: tuple[str, ...]
    cookie: bool = True
    tenant: str | None = None


Reader = Callable[[Presented, datetime], Principal | None]


def access_token(presented: Presented, now: datetime) -> Principal | None:
    """Any text that no other reader knew is taken for an access token, and must be a good one."""
    if presented.place in (Place.QUERY, Place.KEY):
        raise TokenInvalid
    proof, claims = jwts.read_access(presented.text, now, presented.csrf)
    if is_of_client(claims):
        return _client(presented, proof, claims)
    if presented.csrf is not None:
        origins.refuse_foreign(refresh_token_id=proof.refresh_token_id)
    standing = standings.of(proof, now=now)
    g.account = standing.account
    # What the token says is what its sign-in was given then; what the row says is what it may still do now.
    return Principal(
        user_id=standing.user_id,
        tenant_id=standing.tenant_id,
        tenant_slug=standing.tenant_slug,
        application_id=standing.application_id,
        via=ACCESS_TOKEN,
        permissions=shared(frozenset(claims["scope"].split()), standing.permissions),
        roles=standing.roles,
        refresh_token_id=proof.refresh_token_id,
    )


def _client(presented: Presented, proof: Proof, claims: Mapping[str, Any]) -> Principal:
    """An application that acts for itself: no user, whatever its id, and in no browser."""
    if presented.place is Place.COOKIE:
        raise TokenInvalid
    own = clients.standing_of(proof)
    return Principal(
        user_id=None,
        tenant_id=own.tenant_id,
        tenant_slug=own.tenant_slug,
        application_id=own.id,
        via=CLIENT,
        permissions=clients.permissions_of(own, frozenset(claims["scope"].split())),
        roles=frozenset(),
    )


def api_token(presented: Presented, now: datetime) -> Principal | None:
    """What begins as our API tokens do, and is a good one."""
    if not presented.text.startswith(opaque.API_TOKEN_MARK):
        return None
    if presented.place is Place.COOKIE:
        raise TokenInvalid
    in_query = presented.place is Place.QUERY
    standing = api_tokens.standing_of(presented.text, in_query=in_query, caller=caller(), now=now)
    g.account = standing.account
    return Principal(
        user_id=standing.user_id,
        tenant_id=standing.tenant_id,
        tenant_slug=standing.tenant_slug,
        application_id=standing.application_id,
        via=API_TOKEN,
        permissions=api_tokens.permissions_of(standing),
        roles=standing.roles,
        api_token_id=standing.id,
    )


def page(presented: Presented, now: datetime) -> Principal | None:
    """The refresh token of a sign-in to the console, in the console's own cookie: its row is all there is to go by."""
    if presented.place is not Place.PAGE:
        return None
    standing = console_cookie.standing_of(presented, caller(), now)
    return Principal(
        user_id=standing.user_id,
        tenant_id=standing.tenant_id,
        tenant_slug=standing.tenant_slug,
        application_id=standing.application_id,
        via=CONSOLE,
        permissions=standing.permissions,
        roles=standing.roles,
        refresh_token_id=standing.id,
    )


READERS: tuple[Reader, ...] = (page, api_token, access_token)


def itself() -> About:
    """The request as it is made."""
    taken = query_tokens.taken(request.environ)
    return About(presenting.credential(request.environ, taken), (request.method,))


def asked_about() -> About:
    """The request that a proxy holds back until we answer.

    It may have come with the headers that another proxy would write. They are believed as little as can be: a token
    in any of them is one more credential, and each method must be safe.
    """
    methods = tuple(request.headers[header] for header in METHOD_HEADERS if header in request.headers)
    tokens = query_tokens.taken(request.environ) + query_tokens.forwarded(request.environ)
    return About(presenting.credential(request.environ, tokens), methods or (request.method,))


def of_page() -> About:
    """A page of the console, in the tenant that whoever is signed in has chosen there."""
    return replace(of_own_page(), tenant=console_cookie.chosen_tenant())


def of_own_page() -> About:
    """A page of the console that is about whoever is signed in, and so about nobody in another tenant."""
    return About(console_cookie.presented(is_safe=request.method in SAFE_METHODS), (request.method,), cookie=False)


def identify(now: datetime, about: About) -> Principal | None:
    """Who the request is; None if it brings no credential at all."""
    presented = _presented(about)
    if presented is None:
        return None
    return next(found for found in (reader(presented, now) for reader in READERS) if found is not None)


def tenant_named() -> str | None:
    """The tenant that the header names, if any does."""
    return presenting.tenant_named(request.environ)


def bearer() -> str | None:
    """The token of the Authorization header."""
    return presenting.bearer(request.environ)


def caller() -> Caller:
    """Where this request comes from, for events, the throttle, and API tokens that are bound to addresses."""
    # It is kept. PostgreSQL can't hold a NUL, and not every server refuses one; a token may be there by mistake.
    user_agent = without_secrets(request.headers.get("User-Agent", "").replace("\0", ""))
    return Caller(request.remote_addr or "", user_agent, g.get("request_id", ""))


def _presented(about: About) -> Presented | None:
    """The one credential that there is; a cookie, which browsers add by themselves, only if it is alone."""
    if about.presented is not None:
        return about.presented
    return _from_cookie(about) if about.cookie and settings.ACCESS_TOKEN_IN_COOKIE else None


def _from_cookie(about: About) -> Presented | None:
    text = request.cookies.get(transports.access_cookie())
    if not text:
        return None
    if all(method in SAFE_METHODS for method in about.methods):
        return Presented(text, Place.COOKIE)
    origins.refuse_foreign()
    return Presented(text, Place.COOKIE, transports.csrf_sent())
