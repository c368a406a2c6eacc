"""Signed in, carried on, signed out."""

from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from typing import Any

from flask import Response, g, request

from authsvc.blueprints.envelope import plain
from authsvc.blueprints.refresh import attempt
from authsvc.credentials import jwts, readers
from authsvc.credentials.guard import judges_query, requires
from authsvc.dialects import wire
from authsvc.dialects.fusionauth import people
from authsvc.dialects.fusionauth.words import (
    LONGEST_NAME,
    LONGEST_PASSWORD,
    application_named,
    bp,
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
    Unauthenticated,
    ValidationFailed,
)
from authsvc.mandate import Mandate
from authsvc.models.refresh_token import Standing
from authsvc.principals import ACCESS_TOKEN, CLIENT
from authsvc.services import accounts, applications, refresh_tokens, token_admin
from authsvc.services.accounts import SignIn
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
        _end(signed_in)
        return plain(told)
    token, lifetime = jwts.access_token(signed_in.standing, g.now)
    ends = instant(g.now.replace(microsecond=0) + timedelta(seconds=lifetime))
    return plain(told | _refresh_token(signed_in.standing) | {"token": token, "tokenExpirationInstant": ends})


@bp.post("/api/logout")
@wire.spoken
def logout() -> Response:
    """Sign out here or, with `global`, everywhere. Who is out already stays out."""
    given = {**request.args, **wire.given()}
    text = given.get("refreshToken")
    if isinstance(text, str):  # anything else is as good as a token that we don't know
        with suppress(Unauthenticated, TenantMismatch):
            refresh_tokens.end(
                jwts.read_refresh(text, g.now),
                everywhere=given.get("global") in (True, "true"),
                tenant_name=readers.tenant_named(),
                caller=readers.caller(),
                now=g.now,
            )
    return nothing()


@bp.post("/api/jwt/refresh")
@wire.spoken
def refresh() -> Response:
    """The next refresh token of the sign-in and another access token."""
    body = wire.given()
    text, seconds = text_in(body, "refreshToken", "refreshToken"), _seconds_wanted(body)
    try:
        standing = refresh_tokens.rotate(
            jwts.read_refresh(text, g.now),
            tenant_name=readers.tenant_named(),
            attempt=attempt(),
            caller=readers.caller(),
            now=g.now,
        )
        token, _ = jwts.access_token(_shortened(standing, seconds), g.now)
    except (Unauthenticated, PermissionDenied, TenantMismatch) as refused:
        raise ValidationFailed(fields={"[invalid]refreshToken": [refused.text]}) from None
    return plain(_refresh_token(standing) | {"token": token})


@bp.get("/api/jwt/validate")
@judges_query
@requires(via=(ACCESS_TOKEN, CLIENT), about=key)
def validate() -> Response:
    """What a good access token says."""
    _, claims = jwts.read_access(str(readers.bearer()), g.now)
    return plain({"jwt": claims})


def _refresh_token(standing: Standing) -> dict[str, str]:
    return {"refreshToken": jwts.refresh_token(standing, g.now), "refreshTokenId": standing.id}


def _end(signed_in: SignIn) -> None:
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
    return replace(standing, access_lifetime=min(seconds, longest))
