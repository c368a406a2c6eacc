"""How FusionAuth's clients say who they are and what they mean, and how they are told no.

Their API key is one of our API tokens, alone in the Authorization header. A missing permission is a 401; 401 and 404
are empty, and every other no has a body: their clients read that of a 400 before they look at anything else.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any, TypeVar

from flask import Blueprint, Response, g, request

from authsvc import presenting, query_tokens
from authsvc.blueprints import oauth
from authsvc.blueprints.envelope import plain, speak
from authsvc.blueprints.queries import MOST
from authsvc.blueprints.token_admin import is_blank
from authsvc.credentials import readers
from authsvc.credentials.guard import BY_SIGN_IN, principal, requires
from authsvc.credentials.readers import About
from authsvc.dialects import cookies, wire
from authsvc.dialects.cookies import RefreshCookie
from authsvc.errors import (
    AlreadyExists,
    AmbiguousRequest,
    Conflict,
    CredentialsMissing,
    InvalidClient,
    InvalidGrant,
    PasswordWrong,
    Refusal,
    TokenInvalid,
    UnsupportedGrantType,
    ValidationFailed,
)
from authsvc.models import Tenant
from authsvc.models.paging import Page, Window
from authsvc.opaque import is_id
from authsvc.presenting import Place, Presented
from authsvc.services import tenants

T = TypeVar("T")

bp = Blueprint("fusionauth", __name__)

LONGEST_NAME = 256
LONGEST_PASSWORD = 4096
ACCESS_COOKIE = "access_token"
REFRESH_COOKIE = RefreshCookie("fusionauth", "refresh_token")
TENANT_HEADER = "X-FusionAuth-TenantId"
# What our own fields are called there, and what may be wrong with them.
CODES = {
    "email": "[notEmail]user.email",
    "username": "[invalid]user.username",
    "password": "[invalid]user.password",
    "name": "[invalid]user.fullName",
    "roles": "[invalid]registration.roles",
    "newPassword": "[invalid]password",
    "applicationId": "[invalid]applicationId",
    "id": "[invalid]userId",
    "scopes": "[invalid]apiKey.permissions.endpoints",
    "expiresAt": "[invalid]apiKey.expirationInstant",
}
TAKEN = {
    "email": "[duplicate]user.email",
    "username": "[duplicate]user.username",
    "id": "[duplicate]userId",
    "name": "[duplicate]apiKey.name",
}
# Refusals that say what a client should mend are a 400 there; who may not is told as little as who isn't known.
MENDED = (ValidationFailed, AlreadyExists, Conflict, PasswordWrong)


class UserCredentialsInvalid(InvalidGrant):
    message = "The user credentials are invalid."


# A kind stands before what it is a kind of.
REASONS = (
    (UserCredentialsInvalid, "invalid_user_credentials"),
    (InvalidGrant, "refresh_token_not_found"),
    (InvalidClient, "invalid_client_authentication"),
    (UnsupportedGrantType, "invalid_grant_type"),
)


@bp.before_request
def read_tenant_header() -> None:
    """Theirs says what ours does; an empty one says nothing. Two that differ name none that could exist."""
    named = request.headers.get(TENANT_HEADER)
    if not is_blank(named):
        ours = request.environ.get("HTTP_X_TENANT_ID", named)
        request.environ["HTTP_X_TENANT_ID"] = named if ours == named else f"{ours},{named}"


def key() -> About:
    """Who asks: by the header or, without one, by the access token in a page's cookie. Raises CsrfFailed."""
    presented = in_header() or cookies.access_token(ACCESS_COOKIE, g.now)
    return About(presented, (request.method,), cookie=False)


def in_header() -> Presented | None:
    """An API key alone, or a token behind its scheme. Werkzeug's own reading of the header would lower its case."""
    sent = request.headers.get("Authorization", "").strip()
    text = presenting.bearer(request.environ)
    if not sent:
        return None
    return Presented(sent, Place.KEY) if text is None else Presented(text)


def tenant() -> Tenant:
    """Of a request that needs no key: the one that the header names or, without one, the key's if there is a key."""
    if in_header() is None:
        return tenants.selected(readers.tenant_named())
    return tenants.selected(_tenant_of_key())


@requires(about=lambda: About(in_header(), (request.method,), cookie=False))
def _tenant_of_key() -> str:
    return str(g.tenant_id)


def require_of_key(permission: str) -> None:
    """Before anything is looked for: without it a key is told 401, whatever is there. Raises PermissionDenied."""
    if principal.via not in BY_SIGN_IN:
        principal.require(permission)


def meant(*names: str) -> dict[str, str]:
    """Those of the names that the query or the body gives a value: its clients send `undefined` for what is not set.

    Whatever else stands there is refused by its name, as it may be the one that was meant. Raises ValidationFailed,
    AmbiguousRequest.
    """
    pairs = [*request.args.items(multi=True), *wire.given().items()]
    pairs += [(query_tokens.NAME, text) for text in query_tokens.taken(request.environ)]
    unknown = {name for name, _ in pairs if name not in names}
    if unknown:
        raise ValidationFailed(fields={f"[invalid]{name}": ["There is no such parameter here."] for name in unknown})
    given = {(name, value) for name, value in pairs if not is_blank(value) and _is_text(name, value)}
    found = dict(given)
    if len(found) != len(given):
        raise AmbiguousRequest
    return found


def _is_text(name: str, value: Any) -> bool:
    """Raises ValidationFailed."""
    if not isinstance(value, str) or "\0" in value:
        raise ValidationFailed(fields={f"[couldNotConvert]{name}": ["This is no text."]})
    return True


def id_in(named: dict[str, str], name: str) -> str | None:
    """An id as we write it. Raises ValidationFailed."""
    text = named.get(name, "").lower()
    if text and not is_id(text):
        raise ValidationFailed(fields={f"[couldNotConvert]{name}": ["This is no UUID."]})
    return text or None


def text_in(body: dict[str, Any], name: str, code: str) -> str:
    """A text that has to be there. `code` is what it is called in the answer. Raises ValidationFailed."""
    value = body.get(name)
    if value in (None, ""):
        raise ValidationFailed(fields={f"[blank]{code}": ["You must specify this."]})
    _is_text(code, value)
    return str(value)


def object_in(body: dict[str, Any], name: str) -> dict[str, Any]:
    """An object within; none is an empty one. Raises ValidationFailed."""
    value = body.get(name)
    if value is not None and not isinstance(value, dict):
        raise ValidationFailed(fields={f"[couldNotConvert]{name}": ["This is no object."]})
    return value or {}


def application_named(body: dict[str, Any]) -> str | None:
    """Its id or slug. Raises ValidationFailed."""
    name = body.get("applicationId")
    return None if name in (None, "") else text_in(body, "applicationId", "applicationId")


def all_of(find: Callable[[Window], Page[T]]) -> list[T]:
    """Every page: its clients know of none."""
    page = find(Window(MOST))
    found = page.items
    while page.next_cursor is not None:
        page = find(Window(MOST, page.next_cursor))
        found += page.items
    return found


def instant(moment: datetime) -> int:
    """Milliseconds since 1970."""
    return int(moment.timestamp() * 1000)


def nothing() -> Response:
    """Yes, and no more to say."""
    response = Response()
    response.headers.pop("Content-Type")  # there is nothing in it
    return response


def refusal(error: Refusal) -> Response:
    """No, in FusionAuth's words; at its OAuth routes, in those of RFC 6749."""
    if "/oauth2/" in request.path:
        return _oauth_refusal(error)
    status = 400 if isinstance(error, MENDED) else 401 if error.status == 403 else error.status  # noqa: PLR2004
    response = nothing() if status in (401, 404) else plain(_errors(error))
    response.status_code = status
    response.headers.update(error.headers)
    if status == 401:  # noqa: PLR2004
        response.headers["WWW-Authenticate"] = 'Bearer realm="authsvc"'
    return response


speak(bp, refusal)


def _oauth_refusal(error: Refusal) -> Response:
    """With their finer word for it beside OAuth's, where they have one. It is users who sign in to what is guarded."""
    response = oauth.refusal(TokenInvalid() if isinstance(error, CredentialsMissing) else error)
    reason = next((word for kind, word in REASONS if isinstance(error, kind)), None)
    if reason is not None:
        response.set_data(plain(response.get_json() | {"error_reason": reason}).data)
    return response


def _errors(error: Refusal) -> dict[str, Any]:
    """Their Errors object: by field where we can tell which one, else in general."""
    if isinstance(error, PasswordWrong):
        return _in_fields({"[invalid]currentPassword": [error.text]})
    if error.fields:
        codes = TAKEN if isinstance(error, AlreadyExists) else CODES
        return _in_fields({codes.get(name, _coded(name)): said for name, said in error.fields.items()})
    code = "invalidJSON" if error.code == "malformed_json" else error.code
    return {"generalErrors": [{"code": f"[{code}]", "message": error.text}]}


def _coded(name: str) -> str:
    return name if name.startswith("[") else f"[invalid]{name}"


def _in_fields(said: dict[str, list[str]]) -> dict[str, Any]:
    return {
        "fieldErrors": {
            code.partition("]")[2]: [{"code": code, "message": sentence} for sentence in sentences]
            for code, sentences in said.items()
        }
    }
