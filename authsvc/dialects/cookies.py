"""The cookies of other systems, for their pages: these know no CSRF value, and have names of their own for cookies.

What protects them is what no page can forge: SameSite, and the Origin that a browser puts on every POST. A refresh
token that went out in one says in which, and is taken in no other and in no body. One of the transport `cookie` is not
taken here: its CSRF value goes on to be asked for.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Response, g, request

from authsvc.credentials import jwts, origins, readers, transports
from authsvc.errors import CsrfFailed, TokenExpired, TokenInvalid
from authsvc.models.refresh_token import Standing
from authsvc.presenting import Place, Presented
from authsvc.services.standings import Proof


@dataclass(frozen=True, slots=True)
class RefreshCookie:
    """A cookie of that name, which only that dialect gives out and takes."""

    dialect: str
    name: str

    def read(self, now: datetime) -> Proof | None:
        """What the refresh token says that came this way; None if none of ours did.

        Its name does not begin with `__Host-`, so a sibling host can plant one beside ours, and nobody can tell which
        is which. Raises CsrfFailed.
        """
        found = [proof for text in request.cookies.getlist(self.name) if (proof := self._proof(text, now))]
        if not found:
            return None
        if len(found) > 1:
            raise CsrfFailed
        origins.refuse_foreign(refresh_token_id=found[0].refresh_token_id)
        return found[0]

    def put_on(self, response: Response, standing: Standing, now: datetime) -> None:
        """The refresh token, until it ends."""
        g.application_id = standing.application_id
        text = jwts.refresh_token(standing, now, dialect_cookie=self.dialect)
        ends = min(standing.idle_expires_at, standing.expires_at)
        _put(response, standing, self.name, text, max_age=int((ends - now).total_seconds()))

    def _proof(self, text: str, now: datetime) -> Proof | None:
        try:
            return jwts.read_refresh(text, now, dialect_cookie=self.dialect)
        except TokenInvalid:
            return None


def put_access_token(response: Response, standing: Standing, name: str, text: str) -> None:
    """Until the browser is closed: the token itself ends sooner or later."""
    _put(response, standing, name, text)


def access_token(name: str, now: datetime) -> Presented | None:
    """The access token of a page, if it brings one; one that is bound to a CSRF value is the native routes' own.

    Raises CsrfFailed for two of them, and for a page elsewhere that would change something.
    """
    texts = request.cookies.getlist(name)
    if len(texts) > 1:
        raise CsrfFailed  # one of them was planted
    if not texts or not texts[0]:
        return None
    presented = Presented(texts[0], Place.COOKIE)
    try:
        proof, claims = jwts.read_access(texts[0], now)
    except (TokenInvalid, TokenExpired):
        return presented  # the guard says what is wrong with it
    if "csrf" in claims:
        return None
    if request.method not in readers.SAFE_METHODS:
        origins.refuse_foreign(refresh_token_id=proof.refresh_token_id)
    return presented


def clear(response: Response, standing: Standing | None, *names: str) -> None:
    """Those that the request brought, and no page elsewhere: that must not sign a browser out."""
    try:
        origins.refuse_foreign()
    except CsrfFailed:
        return
    for name in names:
        if name in request.cookies:
            response.delete_cookie(name, httponly=True, **transports.shape(standing))


def _put(response: Response, standing: Standing, name: str, text: str, **lasting: Any) -> None:
    response.set_cookie(name, text, httponly=True, **transports.shape(standing), **lasting)
