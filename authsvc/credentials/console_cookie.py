"""How a sign-in to the console travels: in a cookie of its own, since its pages are read without any script.

It is a refresh token like any other. For as long as an access token that was given out with it would live, its row
alone is asked; after that, whichever page is asked for next takes the step first. So a stolen one is noticed as all
others are.
"""

from datetime import datetime
from typing import Any

from flask import Response, g, request

from authsvc.caller import Caller
from authsvc.credentials import jwts, origins
from authsvc.credentials.transports import CSRF_HEADER, prefixed
from authsvc.errors import CsrfFailed, PermissionDenied, TokenExpired
from authsvc.models.refresh_token import Standing
from authsvc.presenting import Place, Presented
from authsvc.services import refresh_tokens, standings
from authsvc.services.standings import Proof
from authsvc.settings import settings

CSRF_FIELD = "csrf"


def presented(*, is_safe: bool) -> Presented | None:
    """What the request brings. Raises CsrfFailed for a change that no form of ours asks for."""
    text = request.cookies.get(_name())
    if not text or is_safe:
        return Presented(text, Place.PAGE) if text else None
    origins.refuse_other_pages()
    csrf = request.form.get(CSRF_FIELD) or request.headers.get(CSRF_HEADER, "")
    if not csrf or not csrf.isascii():
        raise CsrfFailed
    return Presented(text, Place.PAGE, csrf)


def standing_of(found: Presented, caller: Caller, now: datetime) -> Standing:
    """The row, after the step that was due. Raises CsrfFailed, TokenInvalid, TokenExpired, TokenRevoked,
    RefreshTokenReused.
    """
    g.console_proof = proof = jwts.read_console(found.text, now, found.csrf)
    standing = standings.of(proof, now=now, at_once=True)
    if proof.generation != standing.generation or standings.is_due(standing, now):
        try:
            standing = refresh_tokens.rotate(proof, tenant_name=None, attempt=None, caller=caller, now=now)
        except PermissionDenied:  # who may not refresh is signed in for as long as an access token lives
            raise TokenExpired from None
        g.console_delivery = standing
    return standing


def proof() -> Proof:
    """Of the sign-in that asks for this page."""
    found: Proof = g.console_proof
    return found


def csrf_value() -> str:
    """For the forms of this page."""
    return jwts.console_csrf_value(proof().refresh_token_id)


def deliver(standing: Standing, response: Response, now: datetime) -> None:
    ends = min(standing.idle_expires_at, standing.expires_at)
    lasting = int((ends - now).total_seconds())
    response.set_cookie(_name(), jwts.console_token(standing, now), max_age=lasting, **_shape())


def clear(response: Response) -> None:
    """Take away what the request brought, and nothing else: a request from another site must not sign anybody out."""
    for name in (_name(), _tenant_name()):
        if name in request.cookies:
            response.delete_cookie(name, **_shape())


def chosen_tenant() -> str | None:
    """The tenant that an operator looks at, if it is another than their own."""
    return request.cookies.get(_tenant_name()) or None


def choose_tenant(response: Response, slug: str | None) -> None:
    if slug is not None:
        response.set_cookie(_tenant_name(), slug, **_shape())
    elif _tenant_name() in request.cookies:
        response.delete_cookie(_tenant_name(), **_shape())


def _name() -> str:
    return prefixed("console")


def _tenant_name() -> str:
    return prefixed("console_tenant")


def _shape() -> dict[str, Any]:
    secure = settings.BASE_URL.startswith("https://")
    return {"path": "/", "secure": secure, "samesite": "Strict", "httponly": True}
