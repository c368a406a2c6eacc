"""Laravel with jwt-auth (tymon's, and the fork that carries it on): one token, exchanged for the next one.

There is no refresh token on this wire: the access token itself is shown at refresh, and is dead from then on. Only
those that this dialect gave out are exchanged. Any other is short-lived by promise: neither an API that was shown one
nor a page whose refresh token lies in a cookie may make a lasting one of it.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, request

from authsvc import query_tokens
from authsvc.blueprints.auth import user_out
from authsvc.blueprints.envelope import plain, speak
from authsvc.claims import is_of_client
from authsvc.credentials import jwts, readers
from authsvc.dialects import wire
from authsvc.errors import (
    AlreadyExists,
    CredentialsInvalid,
    CredentialsMissing,
    MethodNotAllowed,
    Refusal,
    TokenExpired,
    TokenInvalid,
    TooManyAttempts,
    TwoCredentials,
    Unauthenticated,
    ValidationFailed,
)
from authsvc.models.refresh_token import Standing
from authsvc.models.user import Account
from authsvc.services import accounts, applications, refresh_tokens, standings, tenants
from authsvc.services.standings import Proof

bp = Blueprint("laravel", __name__)

SEGMENTS = 3
LONGEST = {"name": 256, "email": 256, "password": 4096}


class WrongSegments(TokenInvalid):
    message = "Wrong number of segments"


class NotExchangeable(TokenInvalid):
    message = "The token was not given out here and can not be refreshed"


class PastRefreshing(TokenExpired):
    message = "Token has expired and can no longer be refreshed"


@bp.post("/api/signup")
@bp.post("/api/auth/register")
@wire.spoken
def register() -> Response:
    """Make an account and sign it in: some of these clients go on to log in, others don't."""
    body = wire.given()
    texts = _texts(body, "email", "password", optional=("name",))
    if body.get("password_confirmation", texts["password"]) != texts["password"]:
        raise ValidationFailed(fields={"password": ["The password field confirmation does not match."]})
    tenant = tenants.selected(readers.tenant_named())
    made = accounts.register(
        tenant,
        applications.chosen(tenant, None),
        email=texts["email"],
        password=texts["password"],
        username=None,
        name=texts.get("name"),
        caller=readers.caller(),
        now=g.now,
    )
    welcome = {"message": "User successfully registered", "user": _user(made.account)}
    return _said(201, welcome | _token(made.standing))


@bp.post("/api/signin")
@bp.post("/api/auth/login")
@wire.spoken
def login() -> Response:
    """Sign in with an e-mail address and a password."""
    texts = _texts(wire.given(), "email", "password")
    return plain(_token(wire.sign_in(texts["email"], texts["password"]).standing))


@bp.route("/api/user", methods=["GET", "POST"])
@bp.route("/api/auth/me", methods=["GET", "POST"])
@wire.spoken
def me() -> Response:
    """Who am I?"""
    proof, _ = _shown()
    standing = _standing(proof)
    return plain(_user(accounts.get(standing.tenant_id, standing.user_id)))


@bp.post("/api/signout")
@bp.post("/api/auth/logout")
@wire.spoken
def logout() -> Response:
    """Sign out, also with a token that has expired: that is when people do."""
    proof, _ = _shown(expired_too=True)
    try:
        _standing(proof)
    except TokenExpired:
        pass  # over already
    else:
        named, caller = readers.tenant_named(), readers.caller()
        refresh_tokens.end(proof, everywhere=False, tenant_name=named, caller=caller, now=g.now)
    return plain({"message": "Successfully logged out"})


@bp.route("/api/refresh", methods=["GET", "POST"])
@wire.spoken
def refresh_unexpired() -> Response:
    """The next token for this one, as the guide has it: before it expires."""
    _refuse_head()
    return _exchanged(*_shown())


@bp.route("/api/auth/refresh", methods=["GET", "POST"])
@wire.spoken
def refresh() -> Response:
    """The next token for this one, as the library has it: also after it has expired."""
    _refuse_head()
    return _exchanged(*_shown(expired_too=True))


def refusal(error: Refusal) -> Response:
    """No, as Laravel says it to who accepts JSON."""
    if isinstance(error, AlreadyExists):
        fields = {name: [f"The {name} has already been taken."] for name in error.fields or {}}
        error = ValidationFailed(fields=fields)
    response = _said(error.status, _body(error))
    response.headers.update(error.headers)
    if isinstance(error, Unauthenticated):
        response.headers["WWW-Authenticate"] = "jwt-auth"
    return response


speak(bp, refusal)

# The library's sentences. What is a kind of another stands before it.
SENTENCES: tuple[tuple[type[Refusal], str], ...] = (
    (CredentialsMissing, "Token not provided"),
    (WrongSegments, WrongSegments.message),
    (NotExchangeable, NotExchangeable.message),
    (TokenInvalid, "Token Signature could not be verified."),
    (PastRefreshing, PastRefreshing.message),
    (TokenExpired, "Token has expired"),
    (Unauthenticated, "The token has been blacklisted"),
    (TooManyAttempts, "Too Many Attempts."),
)


def _body(error: Refusal) -> dict[str, Any]:
    if isinstance(error, CredentialsInvalid):
        return {"error": "Unauthorized"}
    if isinstance(error, ValidationFailed):
        return {"message": _summary(error), "errors": error.fields or {}}
    return {"message": next((said for kind, said in SENTENCES if isinstance(error, kind)), error.text)}


def _summary(error: ValidationFailed) -> str:
    first, *others = [sentence for sentences in (error.fields or {}).values() for sentence in sentences]
    if not others:
        return first
    return f"{first} (and {len(others)} more error{'s' if others[1:] else ''})"


def _said(status: int, body: dict[str, Any]) -> Response:
    response = plain(body)
    response.status_code = status
    return response


def _token(standing: Standing) -> dict[str, Any]:
    text, seconds = jwts.access_token(standing, g.now, exchangeable=True)
    return {"access_token": text, "token_type": "bearer", "expires_in": seconds}


def _user(account: Account) -> dict[str, Any]:
    """In the names that a Laravel model has, as far as it would have them."""
    out = user_out(account)
    out["created_at"] = out.pop("createdAt")
    return out


def _refuse_head() -> None:
    """Flask lets every GET be asked as a HEAD, whose answer nobody reads: the next token would be lost in it.

    Raises MethodNotAllowed.
    """
    if request.method == "HEAD":
        raise MethodNotAllowed(headers={"Allow": "GET, POST, OPTIONS"})


def _exchanged(proof: Proof, claims: Mapping[str, Any]) -> Response:
    """Raises TokenRevoked for one that was exchanged before, whatever the leeway."""
    if claims.get("exchange") is not True:
        raise NotExchangeable
    named, caller = readers.tenant_named(), readers.caller()
    try:
        standing = refresh_tokens.rotate(proof, tenant_name=named, attempt=None, caller=caller, now=g.now, once=True)
    except TokenExpired:
        raise PastRefreshing from None
    g.application_id = standing.application_id
    return plain(_token(standing))


def _standing(proof: Proof) -> Standing:
    """Raises TokenExpired, TokenRevoked, TokenInvalid, TenantMismatch."""
    standing = standings.of_last(proof, tenant_name=readers.tenant_named(), now=g.now)
    g.application_id = standing.application_id
    return standing


def _shown(*, expired_too: bool = False) -> tuple[Proof, Mapping[str, Any]]:
    """What the request's token says. Raises CredentialsMissing, TwoCredentials, TokenInvalid, TokenExpired."""
    text = _sent()
    if text.count(".") != SEGMENTS - 1:
        raise WrongSegments
    proof, claims = jwts.read_access(text, g.now, expired_too=expired_too)
    if is_of_client(claims):
        raise TokenInvalid
    return proof, claims


def _sent() -> str:
    """The first token there is where the library looks for it: in the header, in the query, in the body."""
    in_header = readers.bearer()
    if in_header:
        return in_header
    in_query = [text for text in query_tokens.taken(request.environ) if text]
    if len(in_query) > 1:
        raise TwoCredentials
    if in_query:
        return in_query[0]
    in_body = wire.given().get("token")
    if in_body in (None, ""):
        raise CredentialsMissing
    return wire.text_of(in_body)


def _texts(body: dict[str, Any], *required: str, optional: tuple[str, ...] = ()) -> dict[str, str]:
    """These fields; an optional one only if it is there. Raises ValidationFailed."""
    present = [*required, *(name for name in optional if body.get(name) not in (None, ""))]
    wrong = {name: [sentence] for name in present if (sentence := _wrong(name, body.get(name)))}
    if wrong:
        raise ValidationFailed(fields=wrong)
    return {name: body[name] for name in present}


def _wrong(name: str, value: Any) -> str:
    """What is wrong with a field, as Laravel's validator says it."""
    if value in (None, ""):
        return f"The {name} field is required."
    if not isinstance(value, str):
        return f"The {name} field must be a string."
    if len(value) > LONGEST[name]:
        return f"The {name} field must not be greater than {LONGEST[name]} characters."
    return f"The {name} field format is invalid." if "\0" in value else ""
