"""djangorestframework-simplejwt: a pair, refreshed, verified and blacklisted."""

from typing import Any

from flask import Blueprint, Response, g, request

from authsvc.blueprints.envelope import plain, speak
from authsvc.blueprints.refresh import attempt
from authsvc.claims import ACCESS
from authsvc.credentials import jwts, readers
from authsvc.dialects import wire
from authsvc.errors import (
    CredentialsInvalid,
    MethodNotAllowed,
    NotFound,
    Refusal,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
    TooManyAttempts,
    Unauthenticated,
    ValidationFailed,
)
from authsvc.models.refresh_token import Standing
from authsvc.services import refresh_tokens, standings
from authsvc.services.standings import Proof

bp = Blueprint("simplejwt", __name__)

LONGEST_PASSWORD = 4096


class WrongType(TokenInvalid):
    message = "Token has wrong type"


@bp.post("/api/token")
@wire.spoken
def pair() -> Response:
    """Sign in with a user name, or an e-mail address, and a password."""
    username, password = _texts("username", "password")
    if len(password) > LONGEST_PASSWORD:
        raise CredentialsInvalid
    return _pair(wire.sign_in(username, password).standing)


@bp.post("/api/token/refresh")
@wire.spoken
def refresh() -> Response:
    """The next pair."""
    (text,) = _texts("refresh")
    return _pair(
        refresh_tokens.rotate(
            _proof(text), tenant_name=readers.tenant_named(), attempt=attempt(), caller=readers.caller(), now=g.now
        )
    )


@bp.post("/api/token/verify")
@wire.spoken
def verify() -> Response:
    """Whether a token of either kind is good."""
    (text,) = _texts("token")
    kind, proof, _ = jwts.read_any(text, g.now)
    if kind == ACCESS:
        standings.of(proof, now=g.now)
        return plain({})
    try:
        refresh_tokens.standing_of_current(proof, now=g.now)
    except TokenRevoked:
        return _said(400, {"non_field_errors": ["Token is blacklisted"]})
    return plain({})


@bp.post("/api/token/blacklist")
@wire.spoken
def blacklist() -> Response:
    """Sign out."""
    (text,) = _texts("refresh")
    proof, tenant_name = _proof(text), readers.tenant_named()
    ended = refresh_tokens.end(proof, everywhere=False, tenant_name=tenant_name, caller=readers.caller(), now=g.now)
    if not ended.count:
        raise TokenExpired if proof.expires_at <= g.now else TokenRevoked
    return plain({})


def refusal(error: Refusal) -> Response:
    """No, as Django REST framework says it."""
    if isinstance(error, ValidationFailed):
        return _said(400, error.fields or {})
    response = _said(error.status, _body(error))
    response.headers.update(error.headers)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="api"'
    return response


speak(bp, refusal)

# The sentence that a client may look for; all of these have one code.
TOKENS = ((WrongType, WrongType.message), (TokenInvalid, "Token is invalid"), (TokenExpired, "Token is expired"))


def _body(error: Refusal) -> dict[str, str]:
    if isinstance(error, CredentialsInvalid):
        return {"detail": "No active account found with the given credentials"}
    if isinstance(error, Unauthenticated):
        sentence = next((said for kind, said in TOKENS if isinstance(error, kind)), "Token is blacklisted")
        return {"detail": sentence, "code": "token_not_valid"}
    if isinstance(error, TooManyAttempts):
        return {"detail": f"Request was throttled. Expected available in {error.headers['Retry-After']} seconds."}
    if isinstance(error, MethodNotAllowed):
        return {"detail": f'Method "{request.method}" not allowed.'}
    return {"detail": "Not found." if isinstance(error, NotFound) else error.text}


def _said(status: int, body: Any) -> Response:
    response = plain(body)
    response.status_code = status
    return response


def _pair(standing: Standing) -> Response:
    access, _ = jwts.access_token(standing, g.now)
    return plain({"refresh": jwts.refresh_token(standing, g.now), "access": access})


def _proof(text: str) -> Proof:
    """Raises TokenInvalid."""
    try:
        return jwts.read_refresh(text, g.now)
    except TokenInvalid:
        kind, *_ = jwts.read_any(text, g.now)
        raise WrongType if kind == ACCESS else TokenInvalid from None


def _texts(*names: str) -> list[str]:
    """Raises ValidationFailed."""
    body = wire.given()
    wrong = {name: [sentence] for name in names if (sentence := _wrong(body, name))}
    if wrong:
        raise ValidationFailed(fields=wrong)
    return [str(body[name]).strip() for name in names]


def _wrong(body: dict[str, Any], name: str) -> str:
    """What is wrong with a field, as a CharField says it."""
    value = body.get(name)
    if name not in body:
        return "This field is required."
    if value is None:
        return "This field may not be null."
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return "Not a valid string."
    if not str(value).strip():
        return "This field may not be blank."
    return "Null characters are not allowed." if "\0" in str(value) else ""
