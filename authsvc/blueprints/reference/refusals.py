"""Which refusals an operation may give, by their status, and what they look like."""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable
from typing import Any

from authsvc import errors
from authsvc.blueprints import oauth
from authsvc.credentials.guard import BY_ANYBODY, CREDENTIALS, Guard
from authsvc.errors import Refusal

Kinds = Collection[type[Refusal]]

REFUSAL = "Refusal"
OAUTH_REFUSAL = "OAuthRefusal"
REQUEST_ID = "01a1fe0b-6f72-717b-b50f-61ee824cbe92"
ANYWHERE = (errors.BadRequest, errors.TooLarge, errors.InternalError)
HEADERS = {401: ("WWW-Authenticate",), 403: ("WWW-Authenticate",), 429: ("Retry-After",), 503: ("Retry-After",)}
SCHEMAS: dict[str, dict[str, Any]] = {
    REFUSAL: {
        "type": "object",
        "description": "Every no has this shape. `code` is for programs and does not change; `message` is for people.",
        "required": ["success", "message", "data", "error"],
        "properties": {
            "success": {"const": False},
            "message": {"type": "string"},
            "data": {"type": "null"},
            "error": {
                "type": "object",
                "required": ["code", "requestId"],
                "properties": {
                    "code": {"type": "string"},
                    "requestId": {"type": "string"},
                    "fields": {
                        "type": "object",
                        "additionalProperties": {"type": "array", "items": {"type": "string"}},
                    },
                },
            },
        },
    },
    OAUTH_REFUSAL: {
        "type": "object",
        "description": "As RFC 6749 section 5.2 has it.",
        "required": ["error", "error_description"],
        "properties": {"error": {"type": "string"}, "error_description": {"type": "string"}},
    },
}


def kinds_of(view: Any) -> set[type[Refusal]]:
    """All that the view, what stands above it and what stands before it may refuse."""
    found: set[type[Refusal]] = {*ANYWHERE, *getattr(view, "refuses", ())}
    guard: Guard | None = getattr(view, "guard", None)
    if guard is not None:
        found.update(CREDENTIALS, {errors.Unavailable})
        if guard.permission is not None or guard.via != BY_ANYBODY:
            found.add(errors.PermissionDenied)
        if guard.in_any_tenant:
            found.add(errors.UnknownTenant)
    if hasattr(view, "body_schema"):
        found.update({errors.MalformedJson, errors.AmbiguousRequest, errors.UnsupportedMediaType, errors.Unavailable})
    if hasattr(view, "query_schema"):
        found.add(errors.AmbiguousRequest)
    if hasattr(view, "form_schema"):
        found.add(errors.Unavailable)
    if not hasattr(view, "judges_query"):
        found.add(errors.ValidationFailed)  # a parameter that there is not, if nothing else
    if hasattr(view, "by_id"):
        found.add(errors.NotFound)
    return found


def responses(kinds: Iterable[type[Refusal]], *, in_oauth: bool) -> dict[str, Any]:
    """By status, each with its codes."""
    by_status: dict[int, list[type[Refusal]]] = defaultdict(list)
    for kind in sorted(kinds, key=lambda kind: (kind.status, kind.code, kind.__name__)):
        by_status[kind.status].append(kind)
    described = _in_oauth if in_oauth else _native
    return {str(status): _response(status, described(of_status)) for status, of_status in by_status.items()}


def _response(status: int, content: tuple[list[str], dict[str, Any]]) -> dict[str, Any]:
    codes, media = content
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in (*HEADERS.get(status, ()), "X-Request-Id")}
    description = ", ".join(f"`{code}`" for code in codes)
    return {"description": description, "headers": headers, "content": {"application/json": media}}


def _native(kinds: list[type[Refusal]]) -> tuple[list[str], dict[str, Any]]:
    codes = sorted({kind.code for kind in kinds})
    only = {"properties": {"error": {"properties": {"code": {"enum": codes}}}}}
    schema = {"allOf": [{"$ref": f"#/components/schemas/{REFUSAL}"}, only]}
    return codes, {"schema": schema, "examples": {code: {"$ref": f"#/components/examples/{code}"} for code in codes}}


def _in_oauth(kinds: list[type[Refusal]]) -> tuple[list[str], dict[str, Any]]:
    codes = sorted({oauth.code_of(kind) for kind in kinds})
    schema = {"allOf": [{"$ref": f"#/components/schemas/{OAUTH_REFUSAL}"}, {"properties": {"error": {"enum": codes}}}]}
    return codes, {"schema": schema}


# These have no sentence of their own to begin with: they name what was wrong.
_MADE: dict[type[Refusal], Callable[[], Refusal]] = {
    errors.PermissionDenied: lambda: errors.PermissionDenied("users:read"),
    errors.ValidationFailed: lambda: errors.ValidationFailed(fields={"foo": ["There is no such field."]}),
    errors.TooManyAttempts: lambda: errors.TooManyAttempts(60),
}


def examples() -> dict[str, Any]:
    """One of every code that the envelope may hold."""
    ours = [kind for kind in _all(Refusal) if kind.__module__ == errors.__name__]
    enveloped = [kind for kind in ours if not issubclass(kind, errors.OAuthRefusal)]
    return {kind.code: _example(kind) for kind in reversed(enveloped)}  # the plainer kind of a code comes last


def _all(kind: type[Refusal]) -> list[type[Refusal]]:
    return [kind, *(further for under in kind.__subclasses__() for further in _all(under))]


def _example(kind: type[Refusal]) -> dict[str, Any]:
    made = _MADE.get(kind, kind)()
    error: dict[str, Any] = {"code": made.code, "requestId": REQUEST_ID}
    if made.fields:
        error["fields"] = made.fields
    return {"success": False, "message": made.text, "data": None, "error": error}
