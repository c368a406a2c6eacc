"""How Strapi speaks: the envelope of its refusals, where it looks for a credential, and what it asks of a body."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from flask import Blueprint, Response, request

from authsvc import opaque, presenting, query_tokens
from authsvc.blueprints.envelope import plain, speak
from authsvc.credentials.readers import About
from authsvc.dialects.cookies import RefreshCookie
from authsvc.errors import (
    AlreadyExists,
    Conflict,
    CredentialsInvalid,
    Fields,
    InternalError,
    MethodNotAllowed,
    NotFound,
    PasswordWrong,
    PermissionDenied,
    Refusal,
    TokenExpired,
    TooLarge,
    TooManyAttempts,
    TwoCredentials,
    Unauthenticated,
    Unavailable,
    ValidationFailed,
)

bp = Blueprint("strapi", __name__)

COOKIE = RefreshCookie("strapi", "strapi_up_refresh")
COOKIE_MODE = "X-Strapi-Refresh-Cookie"


class RefreshTokenMissing(Refusal):
    code, status = "bad_request", 400
    message = "Missing refresh token"


class RefreshTokenInvalid(Unauthenticated):
    message = "Invalid refresh token"


class RegistrationClosed(Refusal):
    code, status = "bad_request", 400
    message = "Register action is currently disabled"


class NameTaken(Refusal):
    code, status = "bad_request", 400
    message = "Name already taken"


# Status, name and sentence of each class, and of those below it unless they come first. Without a sentence here, it is
# the refusal's own.
KINDS: tuple[tuple[type[Refusal], int, str, str], ...] = (
    (RefreshTokenInvalid, 401, "UnauthorizedError", ""),
    (CredentialsInvalid, 400, "ValidationError", "Invalid identifier or password"),
    (Unauthenticated, 401, "UnauthorizedError", "Missing or invalid credentials"),
    (RegistrationClosed, 400, "ApplicationError", ""),
    (NameTaken, 400, "ApplicationError", ""),
    (AlreadyExists, 400, "ApplicationError", "Email or Username are already taken"),
    (Conflict, 400, "ApplicationError", ""),
    (PasswordWrong, 400, "ValidationError", "The provided current password is invalid"),
    (PermissionDenied, 403, "ForbiddenError", "Forbidden"),
    (NotFound, 404, "NotFoundError", ""),
    (MethodNotAllowed, 405, "MethodNotAllowedError", "Method Not Allowed"),
    (TooLarge, 413, "PayloadTooLargeError", ""),
    (TooManyAttempts, 429, "RateLimitError", "Too many requests, please try again later."),
    (Unavailable, 503, "ServiceUnavailableError", ""),
    (InternalError, 500, "InternalServerError", "Internal Server Error"),
)
# Every other one, by its status.
OTHERS = {403: "ForbiddenError"}
# What a field of the native routes is called here.
SPELLED = {
    "newPassword": "password",
    "expiresIn": "lifespan",
    "scopes": "permissions",
}


def refusal(error: Refusal) -> Response:
    """No, in Strapi's envelope."""
    status, name, message, details = _told(error)
    said = {"status": status, "name": name, "message": message, "details": details}
    response = plain({"data": None, "error": said})
    response.status_code = status
    if status == 401:  # noqa: PLR2004
        response.headers["WWW-Authenticate"] = 'Bearer realm="strapi"'
    response.headers.update(error.headers)
    return response


speak(bp, refusal)


def credential() -> About:
    """Here `?token=` wins over a header, and no cookie does."""
    taken = query_tokens.taken(request.environ)
    return About(presenting.credential({} if taken else request.environ, taken), (request.method,), cookie=False)


def wants_cookie() -> bool:
    """Whether this request is in Strapi's cookie mode. The client says so, and not its application's transport."""
    return request.headers.get(COOKIE_MODE, "").lower() == "httponly"


def required(body: Mapping[str, Any], *names: str) -> list[str]:
    """These texts, all of them said. Raises ValidationFailed."""
    wrong = {name: [sentence] for name in names if (sentence := _wrong(body, name))}
    if wrong:
        raise ValidationFailed(fields=wrong)
    return [str(body[name]) for name in names]


def instant(at: datetime | None) -> str | None:
    """As its JavaScript writes them: to the millisecond."""
    return None if at is None else at.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _wrong(body: Mapping[str, Any], name: str) -> str:
    value = body.get(name)
    if value is None or value == "":
        return f"{name} is a required field"
    if not isinstance(value, str):
        return f"{name} must be a `string` type"
    return f"{name} holds a NUL character" if "\0" in value else ""


def _told(error: Refusal) -> tuple[int, str, str, dict[str, Any]]:
    """Status, name, sentence and details."""
    if isinstance(error, ValidationFailed):
        said = list(_each(error.fields or {}))
        message = said[0]["message"] if len(said) == 1 else f"{len(said)} errors occurred"
        return 400, "ValidationError", message, {"errors": said}
    if isinstance(error, TokenExpired) and _is_by_api_token():
        return 401, "UnauthorizedError", "Token expired", {}
    for kind, status, name, sentence in KINDS:
        if isinstance(error, kind):
            return status, name, sentence or error.text, {}
    return error.status, OTHERS.get(error.status, "BadRequestError"), error.text, {}


def _is_by_api_token() -> bool:
    """Strapi tells which of its API tokens has run out, and of no other token."""
    try:
        presented = credential().presented
    except TwoCredentials:
        return False
    return presented is not None and presented.text.startswith(opaque.API_TOKEN_MARK)


def _each(fields: Fields) -> Iterator[dict[str, Any]]:
    for field, sentences in fields.items():
        for sentence in sentences:
            yield {"path": [SPELLED.get(field, field)], "message": sentence, "name": "ValidationError"}
