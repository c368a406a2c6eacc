"""Signed in, carried on, signed out."""

from contextlib import suppress
from datetime import timedelta
from typing import Any

from flask import Response, g, request

from authsvc.blueprints.envelope import plain
from authsvc.blueprints.refresh import attempt
from authsvc.credentials import jwts, readers, transports
from authsvc.credentials.guard import judges_query, requires
from authsvc.credentials.transports import CookieTransport
from authsvc.dialects import cookies, wire
from authsvc.dialects.fusionauth import people
from authsvc.dialects.fusionauth.words import (
    ACCESS_COOKIE,
    LONGEST_NAME,
    LONGEST_PASSWORD,
    REFRESH_COOKIE,
    application_named,
    bp,
    in_header,
    instant,
    key,
    nothing,
    object_in,
    tenant,
    text_in,
)
from authsvc.errors import (
    CredentialsInvalid,
    NotFound,
    PermissionDenied,
    TenantMismatch,
    TokenInvalid,
    Unauthenticated,
    ValidationFailed,
)
from authsvc.mandate import Mandate
from authsvc.models import Application
from authsvc.models.refresh_token import Standing
from authsvc.principals import ACCESS_TOKEN, CLIENT
from authsvc.services import accounts, applications, refresh_tokens, token_admin
from authsvc.services.accounts import SignIn
from authsvc.services.standings import Proof
from authsvc.settings import settings


@bp.post("/api/login")
@wire.spoken
def login() -> Response:
    """Sign in to an application; every user is registered with all of them."""
    body = wire.given()
    identifier, password = (text_in(body, name, name) for name in ("loginId", "password"))
    if len(password) > LONGEST_PASSWORD:
        raise NotFound
    own = tenant()
    application = applications.chosen(own, application_named(body))
    by_cookie = _admitted_by_cookie(application)
    try:
        signed_in = accounts.sign_in(
            own,
            application,
            identifier=identifier,
            password=password,
            device_name=_device_name(body),
            caller=readers.caller(),
            now=g.now,
        )
    except CredentialsInvalid:
        raise NotFound from None
    told: dict[str, Any] = {"user": people.signed_in_to(signed_in, application)}
    if body.get("noJWT") is True:
        end(signed_in)
        return plain(told)
    token, lifetime = jwts.access_token(signed_in.standing, g.now)
    ends = instant(g.now.replace(microsecond=0) + timedelta(seconds=lifetime))
    return _delivered(signed_in.standing, token, told | {"tokenExpirationInstant": ends}, by_cookie=by_cookie)


@bp.post("/api/logout")
@wire.spoken
def logout() -> Response:
    """Sign out here or, with `global`, everywhere. Who is out already stays out."""
    given = {**request.args, **wire.given()}
    # A cookie is judged also where it does not count: this takes it away.
    in_cookie = REFRESH_COOKIE.read(g.now)
    standing = None
    with suppress(Unauthenticated, TenantMismatch):
        proof = _proof_in(given) or in_cookie
        if proof is not None:
            everywhere, named = given.get("global") in (True, "true"), readers.tenant_named()
            caller = readers.caller()
            ended = refresh_tokens.end(proof, everywhere=everywhere, tenant_name=named, caller=caller, now=g.now)
            standing = ended.standing
    response = nothing()
    cookies.clear(response, standing, REFRESH_COOKIE.name, ACCESS_COOKIE)
    return response


@bp.post("/api/jwt/refresh")
@wire.spoken
def refresh() -> Response:
    """The next refresh token of the sign-in, the way the last one came, and another access token."""
    body = wire.given()
    seconds, in_cookie = _seconds_wanted(body), REFRESH_COOKIE.read(g.now)
    text = "" if in_cookie else text_in(body, "refreshToken", "refreshToken")
    try:
        standing = refresh_tokens.rotate(
            in_cookie or jwts.read_refresh(text, g.now),
            tenant_name=readers.tenant_named(),
            attempt=attempt(),
            caller=readers.caller(),
            now=g.now,
        )
        token, _ = jwts.access_token(_shortened(standing, seconds), g.now)
    except (Unauthenticated, PermissionDenied, TenantMismatch) as refused:
        raise ValidationFailed(fields={"[invalid]refreshToken": [refused.text]}) from None
    return _delivered(standing, token, {}, by_cookie=in_cookie is not None)


@bp.get("/api/jwt/validate")
@judges_query
@requires(via=(ACCESS_TOKEN, CLIENT), about=key)
def validate() -> Response:
    """What a good access token says."""
    presented = key().presented
    _, claims = jwts.read_access(presented.text if presented else "", g.now)
    return plain({"jwt": claims})


def _admitted_by_cookie(application: Application) -> bool:
    """Whether the tokens of this sign-in travel in cookies. Who shows a key is a server, which keeps none.

    Raises CsrfFailed for a page that may not sign in to this application.
    """
    transport = transports.of_application(application)
    if in_header() is not None or not isinstance(transport, CookieTransport):
        return False
    transport.admit(application)
    return True


def _delivered(standing: Standing, token: str, told: dict[str, Any], *, by_cookie: bool) -> Response:
    """The access token in the answer; the refresh token there or in its cookie, and beside it the access token's."""
    told |= {"token": token, "refreshTokenId": standing.id}
    if not by_cookie:
        return plain(told | {"refreshToken": jwts.refresh_token(standing, g.now)})
    response = plain(told)
    REFRESH_COOKIE.put_on(response, standing, g.now)
    cookies.put_access_token(response, standing, ACCESS_COOKIE, token)
    return response


def _proof_in(given: dict[str, Any]) -> Proof | None:
    """Which sign-in a logout names; what is no refresh token of ours names none."""
    try:
        return jwts.read_refresh(wire.text_of(given.get("refreshToken")), g.now)
    except TokenInvalid:
        return None


def end(signed_in: SignIn) -> None:
    """Nobody gets its tokens, so nobody could end it later."""
    standing = signed_in.standing
    own = Mandate(standing.tenant_id, standing.user_id, frozenset(), readers.caller(), g.now, signed_in=True)
    token_admin.revoke_one(own, standing.id)


def _device_name(body: dict[str, Any]) -> str | None:
    """What the device calls itself, as far as it can be kept."""
    name = object_in(object_in(body, "metaData"), "device").get("name")
    return name.replace("\0", "")[:LONGEST_NAME] or None if isinstance(name, str) else None


def _seconds_wanted(body: dict[str, Any]) -> int | None:
    """Raises ValidationFailed."""
    wanted = body.get("timeToLiveInSeconds")
    if wanted is not None and (type(wanted) is not int or wanted < 1):
        raise ValidationFailed(fields={"[invalid]timeToLiveInSeconds": ["A whole number of seconds, at least 1."]})
    return wanted


def _shortened(standing: Standing, seconds: int | None) -> Standing:
    """The access token may live shorter than the application says, never longer."""
    if seconds is None:
        return standing
    own = standing.access_lifetime
    longest = int(settings.ACCESS_LIFETIME.total_seconds()) if own is None else own
    return standing._replace(access_lifetime=min(seconds, longest))
