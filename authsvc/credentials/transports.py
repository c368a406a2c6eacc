"""How tokens travel. A transport has one face: read a refresh token from a request, deliver an answer, clear it again.

Adding one: a class here, its line in TRANSPORTS, and a config object that chooses it.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol

from flask import Response, g, request

from authsvc.credentials import jwts, origins
from authsvc.errors import CsrfFailed
from authsvc.models import Application
from authsvc.models.refresh_token import Standing
from authsvc.services.standings import Proof
from authsvc.settings import settings

CSRF_COOKIE = "csrf_refresh_token"
CSRF_HEADER = "X-CSRF-TOKEN"


@dataclass(frozen=True, slots=True)
class Delivery:
    """What an answer carries: members of its body, and cookies."""

    body: dict[str, Any]
    cookies: tuple[dict[str, Any], ...] = ()

    def put_cookies_on(self, response: Response) -> Response:
        for cookie in self.cookies:
            response.set_cookie(**cookie)
        return response


class Transport(Protocol):
    def admit(self, application: Application) -> None:
        """Raises CsrfFailed for a page that may not sign in to this application this way."""

    def read(self, body: dict[str, Any], now: datetime) -> Proof | None:
        """What the refresh token says that came this way; None if none did. Raises for a bad one."""

    def deliver(self, standing: Standing, now: datetime) -> Delivery:
        """Both tokens, on their way."""

    def clear(self, standing: Standing | None, response: Response) -> None:
        """Take away what the request brought this way."""


class BodyTransport:
    """In JSON, both ways. No cookie is ever set or read."""

    def admit(self, application: Application) -> None:
        """Without a cookie there is nothing that a browser would add by itself."""

    def read(self, body: dict[str, Any], now: datetime) -> Proof | None:
        text = body.get("refresh_token")
        return None if text is None else jwts.read_refresh(text, now)

    def deliver(self, standing: Standing, now: datetime) -> Delivery:
        return Delivery(_answer(standing, now) | {"refreshToken": jwts.refresh_token(standing, now)})

    def clear(self, standing: Standing | None, response: Response) -> None:
        """A body leaves nothing behind."""


class CookieTransport:
    """In an HttpOnly cookie that no script can read, beside a readable value that a page of ours must send back."""

    def admit(self, application: Application) -> None:
        origins.refuse_foreign(application.id)

    def read(self, body: dict[str, Any], now: datetime) -> Proof | None:
        text = request.cookies.get(refresh_cookie())
        if not text:
            return None
        origins.refuse_foreign()
        try:
            proof = jwts.read_refresh(text, now, csrf_sent())
        except CsrfFailed:
            raise _csrf_failed(text, now) from None
        origins.refuse_foreign(refresh_token_id=proof.refresh_token_id)
        return proof

    def deliver(self, standing: Standing, now: datetime) -> Delivery:
        own = shape(standing)
        csrf = jwts.csrf_value(standing)
        answer = _answer(standing, now, with_csrf=settings.ACCESS_TOKEN_IN_COOKIE) | {"csrfToken": csrf}
        lasting = own | {"max_age": answer["refreshExpiresIn"]}
        token = jwts.refresh_token(standing, now, with_csrf=True)
        cookies = [
            {"key": refresh_cookie(), "value": token, "httponly": True} | lasting,
            {"key": CSRF_COOKIE, "value": csrf} | lasting,
        ]
        if settings.ACCESS_TOKEN_IN_COOKIE:
            access = {"key": access_cookie(), "value": answer.pop("accessToken"), "httponly": True}
            cookies.append(access | own | {"max_age": answer["expiresIn"]})
        return Delivery(answer, tuple(cookies))

    def clear(self, standing: Standing | None, response: Response) -> None:
        for name, http_only in ((refresh_cookie(), True), (access_cookie(), True), (CSRF_COOKIE, False)):
            # Never one that the request did not bring: a cross-site request brings none, and must not sign out.
            if name in request.cookies:
                response.delete_cookie(name, httponly=http_only, **shape(standing))


TRANSPORTS: dict[str, Transport] = {"body": BodyTransport(), "cookie": CookieTransport()}


def of_application(application: Application) -> Transport:
    """The one that its sign-ins will use, all their life."""
    return TRANSPORTS[application.transport or settings.TRANSPORT]


def brought(body: dict[str, Any], now: datetime) -> tuple[Transport, Proof] | None:
    """The refresh token of a request and the way it came. What stands in the body hides a cookie."""
    for transport in TRANSPORTS.values():
        proof = transport.read(body, now)
        if proof is not None:
            return transport, proof
    return None


def csrf_sent() -> str:
    """The value that the page sent back. Raises CsrfFailed if it sent none."""
    value = request.headers.get(CSRF_HEADER, "")
    if not value or not value.isascii():
        raise CsrfFailed
    return value


def _csrf_failed(text: str, now: datetime) -> CsrfFailed:
    """A page elsewhere can't read the csrf cookie: if the answer with its value got lost, it is locked out.

    So it is told again, in a header that CORS shows to nobody but a page of the sign-in's own application.
    """
    if not origins.is_foreign():
        return CsrfFailed()
    refresh_token_id, csrf = jwts.csrf_in(text, now)
    origins.refuse_foreign(refresh_token_id=refresh_token_id)
    return CsrfFailed(headers={CSRF_HEADER: csrf})


def refresh_cookie() -> str:
    return prefixed("refresh_token")


def access_cookie() -> str:
    return prefixed("access_token")


def prefixed(name: str) -> str:
    """With TLS the name itself makes the browser insist: Secure, Path=/, no Domain, set by this very host."""
    return f"__Host-{name}" if settings.BASE_URL.startswith("https://") else name


def shape(standing: Standing | None) -> dict[str, Any]:
    """The attributes a cookie is set with, and deleted with."""
    same_site = (standing and standing.cookie_same_site) or settings.COOKIE_SAME_SITE
    secure = settings.BASE_URL.startswith("https://")
    return {"path": "/", "secure": secure, "samesite": same_site, "partitioned": same_site == "None"}


def _answer(standing: Standing, now: datetime, *, with_csrf: bool = False) -> dict[str, Any]:
    g.application_id = standing.application_id
    token, lifetime = jwts.access_token(standing, now, with_csrf=with_csrf)
    refresh_ends = min(standing.idle_expires_at, standing.expires_at)
    return {
        "accessToken": token,
        "tokenType": "Bearer",
        "expiresIn": lifetime,
        "refreshExpiresIn": int((refresh_ends - now).total_seconds()),
        "refreshTokenId": standing.id,
    }
