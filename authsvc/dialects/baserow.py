"""Baserow, and what an Appsmith page does with it: the refresh token stays the one that came with the sign-in.

Those clients keep their first refresh token for ever, and some read when the access token ends with a base64 that knows
no URL-safe letters: every claim of ours is plain ASCII, in which these never come up.
"""

from dataclasses import replace
from typing import Any

from flask import Blueprint, Response, g

from authsvc.blueprints.envelope import plain, speak
from authsvc.blueprints.refresh import attempt
from authsvc.credentials import jwts, readers
from authsvc.dialects import wire
from authsvc.errors import (
    CredentialsInvalid,
    NotFound,
    Refusal,
    TokenExpired,
    TokenRevoked,
    Unauthenticated,
    ValidationFailed,
)
from authsvc.models.refresh_token import Standing
from authsvc.services import accounts, refresh_tokens
from authsvc.services.accounts import Account

bp = Blueprint("baserow", __name__)

BAD_REFRESH_TOKEN = {"error": "ERROR_INVALID_REFRESH_TOKEN", "detail": "Refresh token is expired or invalid."}
BAD_CREDENTIALS = {
    "error": "ERROR_INVALID_CREDENTIALS",
    "detail": "No active account found with the given credentials.",
}
ENDED_BEFORE = {
    "error": "ERROR_REFRESH_TOKEN_ALREADY_BLACKLISTED",
    "detail": "Refresh token is already blacklisted.",
}


@bp.post("/api/user/token-auth")
@wire.spoken
def token_auth() -> Response:
    """Sign in with an e-mail address, or a user name, and a password."""
    body = wire.given()
    identifier, password = _either(body, "email", "username"), _either(body, "password")
    signed_in = wire.sign_in(identifier, password)
    kept = _kept(signed_in.standing)
    return plain(
        _access(kept)
        | {"refresh_token": jwts.refresh_token(kept, g.now), "user_session": kept.id, "user": _user(signed_in.account)}
    )


@bp.post("/api/user/token-refresh")
@wire.spoken
def token_refresh() -> Response:
    """Another access token; the refresh token stays as it is."""
    body = wire.given()
    proof = jwts.read_refresh(_either(body, "refresh_token", "token"), g.now)
    standing = refresh_tokens.rotate(
        proof,
        tenant_name=readers.tenant_named(),
        attempt=attempt(),
        caller=readers.caller(),
        now=g.now,
        keeps_token=True,
    )
    return plain(_access(_kept(standing)) | {"user": _user(accounts.get(standing.tenant_id, standing.user_id))})


@bp.post("/api/user/token-verify")
@wire.spoken
def token_verify() -> Response:
    """Whose refresh token this is, if it is good."""
    proof = jwts.read_refresh(_either(wire.given(), "refresh_token", "token"), g.now)
    standing = refresh_tokens.standing_of_current(proof, now=g.now, keeps_token=True)
    return plain({"user": _user(accounts.get(standing.tenant_id, standing.user_id))})


@bp.post("/api/user/token-blacklist")
@wire.spoken
def token_blacklist() -> Response:
    """Sign out."""
    proof = jwts.read_refresh(_either(wire.given(), "refresh_token"), g.now)
    tenant_name, caller = readers.tenant_named(), readers.caller()
    ended = refresh_tokens.end(proof, everywhere=False, tenant_name=tenant_name, caller=caller, now=g.now)
    if not ended.count:
        raise TokenExpired if proof.expires_at <= g.now else AlreadyEnded
    response = Response(status=204)
    del response.headers["Content-Type"]
    return response


class AlreadyEnded(TokenRevoked):
    status = 400


def refusal(error: Refusal) -> Response:
    """No, in Baserow's words."""
    response = plain(_body(error))
    response.status_code = 400 if isinstance(error, ValidationFailed) else error.status
    response.headers.update(error.headers)
    if response.status_code == 401:  # noqa: PLR2004
        response.headers["WWW-Authenticate"] = 'JWT realm="api"'
    return response


speak(bp, refusal)


def _body(error: Refusal) -> dict[str, Any]:
    if isinstance(error, CredentialsInvalid):
        return BAD_CREDENTIALS
    if isinstance(error, AlreadyEnded):
        return ENDED_BEFORE
    if isinstance(error, Unauthenticated):
        return BAD_REFRESH_TOKEN
    if isinstance(error, ValidationFailed):
        named = {name: [{"error": said[0], "code": "required"}] for name, said in (error.fields or {}).items()}
        return {"error": "ERROR_REQUEST_BODY_VALIDATION", "detail": named}
    if isinstance(error, NotFound):
        return {"error": "URL_NOT_FOUND", "detail": "URL not found."}
    return {"error": f"ERROR_{error.code.upper()}", "detail": error.text}


def _kept(standing: Standing) -> Standing:
    """As if its application never replaced a refresh token: then the first one lives as long as the sign-in may."""
    return replace(standing, rotate=False)


def _access(standing: Standing) -> dict[str, Any]:
    text, _ = jwts.access_token(standing, g.now)
    return {"token": text, "access_token": text}


def _user(account: Account) -> dict[str, Any]:
    owner = account.user
    return {
        "id": owner.id,
        "username": owner.email,
        "first_name": owner.name or owner.username or owner.email,
        "language": "en",
        "is_staff": "admin" in account.roles,
    }


def _either(body: dict[str, Any], *names: str) -> str:
    """The first of these that is there. Raises ValidationFailed."""
    for name in names:
        value = body.get(name)
        if isinstance(value, str) and value and "\0" not in value:
            return value
    raise ValidationFailed(fields={names[0]: ["This field is required."]})
