"""Baserow, and what an Appsmith page does with it: the refresh token stays the one that came with the sign-in.

Those clients keep their first refresh token for ever, and some read when the access token ends with a base64 that knows
no URL-safe letters: every claim of ours is plain ASCII, in which these never come up.
"""

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
from authsvc.models.user import Account
from authsvc.services import accounts, refresh_tokens
from authsvc.services.standings import Proof

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
    identifier, password = _texts(wire.given(), ("email", "username"), ("password",))
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
    proof = _proof("refresh_token", "token")
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
    proof = _proof("refresh_token", "token")
    standing = refresh_tokens.standing_of_current(proof, now=g.now, keeps_token=True)
    return plain({"user": _user(accounts.get(standing.tenant_id, standing.user_id))})


@bp.post("/api/user/token-blacklist")
@wire.spoken
def token_blacklist() -> Response:
    """Sign out."""
    proof = _proof("refresh_token")
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
    return standing._replace(rotate=False)


def _access(standing: Standing) -> dict[str, Any]:
    text, _ = jwts.access_token(standing, g.now)
    return {"token": text, "access_token": text}


def _user(account: Account) -> dict[str, Any]:
    return {
        "id": account.id,
        "username": account.email,
        "first_name": account.name or account.username or account.email,
        "language": "en",
        "is_staff": "admin" in account.roles,
    }


def _proof(*names: str) -> Proof:
    """Raises ValidationFailed, TokenInvalid."""
    (text,) = _texts(wire.given(), names)
    return jwts.read_refresh(text, g.now)


def _texts(body: dict[str, Any], *fields: tuple[str, ...]) -> list[str]:
    """Of each field the text that stands under the first of its names that is there. Raises ValidationFailed."""
    found = [next((text for name in names if _is_text(text := body.get(name))), None) for names in fields]
    missing = {names[0]: ["This field is required."] for names, text in zip(fields, found, strict=True) if text is None}
    if missing:
        raise ValidationFailed(fields=missing)
    return [str(text) for text in found]


def _is_text(value: Any) -> bool:
    return isinstance(value, str) and value != "" and "\0" not in value
