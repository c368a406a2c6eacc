"""API keys, which are our API tokens: made, looked at and ended by their owners or an administrator, signed in.

What a key may do is said by endpoint there, by scope here. One without a limit is never made.
"""

from datetime import UTC, datetime
from typing import Any

from flask import Response

from authsvc.blueprints.envelope import plain
from authsvc.blueprints.paths import by_id
from authsvc.credentials.guard import BY_SIGN_IN, judges_query, mandate, principal, requires
from authsvc.dialects import wire
from authsvc.dialects.fusionauth.words import LONGEST_NAME, bp, instant, key, nothing, object_in, text_in
from authsvc.errors import NotFound, ValidationFailed
from authsvc.models import ApiToken
from authsvc.services import api_token_admin

# What each scope opens here.
ENDPOINTS = {
    "users:read": {"/api/user": ["GET"]},
    "users:write": {"/api/user": ["DELETE", "PATCH", "POST", "PUT"], "/api/user/registration": ["POST"]},
    "tokens:read": {"/api/jwt/refresh": ["GET"]},
    "tokens:revoke": {"/api/jwt/refresh": ["DELETE"]},
}
SCOPES = {
    (endpoint, method): scope
    for scope, opened in ENDPOINTS.items()
    for endpoint, methods in opened.items()
    for method in methods
}


@bp.post("/api/api-key")
@judges_query
@requires(via=BY_SIGN_IN, about=key)
def create_api_key() -> Response:
    """Make one of mine; its text is shown here and never again."""
    given = object_in(wire.given(), "apiKey")
    if given.get("key") is not None:
        raise ValidationFailed(fields={"[invalid]apiKey.key": ["Its text is made here. Leave it out."]})
    asked = {"name": _name(given), "scopes": _scopes(given), **_expiry(given)}
    made = api_token_admin.create(mandate(), str(principal.user_id), asked, name_once=True)
    return plain({"apiKey": _out(made.api_token) | {"key": made.text}})


@bp.post("/api/api-key/<id>")
@judges_query
@requires(via=BY_SIGN_IN, about=key)
def create_api_key_of_id(id: str) -> Response:  # noqa: A002, ARG001  (the name that paths have)
    """Its id is made here, as its text is. Raises ValidationFailed."""
    raise ValidationFailed(fields={"[invalid]keyId": ["Its id is made here. Leave it out."]})


@bp.get("/api/api-key/<id>")
@judges_query
@requires(in_any_tenant=True, via=BY_SIGN_IN, about=key)
@by_id
def get_api_key(api_token_id: str) -> Response:
    """One, without its text."""
    row = api_token_admin.get(mandate(), api_token_id)
    if row.revoked_at is not None:
        raise NotFound
    return plain({"apiKey": _out(row)})


@bp.put("/api/api-key/<id>")
@judges_query
@requires(in_any_tenant=True, via=BY_SIGN_IN, about=key)
@by_id
def update_api_key(api_token_id: str) -> Response:
    """Another name, or fewer endpoints; its end stays as it is."""
    row = api_token_admin.get(mandate(), api_token_id)
    if row.revoked_at is not None:
        raise NotFound
    given = object_in(wire.given(), "apiKey")
    if given.get("expirationInstant") not in (None, instant(row.expires_at)):
        raise ValidationFailed(fields={"[invalid]apiKey.expirationInstant": ["The end of a key stays as it is."]})
    changes: dict[str, Any] = {"name": _name(given)} if "name" in given else {}
    if "permissions" in given:
        changes["scopes"] = _scopes(given)
    return plain({"apiKey": _out(api_token_admin.update(mandate(), api_token_id, changes, name_once=True))})


@bp.delete("/api/api-key/<id>")
@judges_query
@requires(in_any_tenant=True, via=BY_SIGN_IN, about=key)
@by_id
def delete_api_key(api_token_id: str) -> Response:
    """End one."""
    if not api_token_admin.revoke(mandate(), api_token_id):
        raise NotFound
    return nothing()


def _name(given: dict[str, Any]) -> str:
    """Raises ValidationFailed."""
    name = text_in(given, "name", "apiKey.name").strip()
    if not 1 <= len(name) <= LONGEST_NAME:
        raise ValidationFailed(fields={"[invalid]apiKey.name": [f"1 to {LONGEST_NAME} characters."]})
    return name


def _scopes(given: dict[str, Any]) -> list[str]:
    """Raises ValidationFailed."""
    endpoints = object_in(object_in(given, "permissions"), "endpoints")
    if not endpoints:
        sentence = "Name each endpoint and its methods: no key may do everything."
        raise ValidationFailed(fields={"[blank]apiKey.permissions.endpoints": [sentence]})
    scopes = [_scope(name, method) for name, methods in endpoints.items() for method in _listed(methods)]
    return sorted(set(scopes))


def _scope(endpoint: str, method: Any) -> str:
    """Raises ValidationFailed."""
    scope = SCOPES.get((endpoint, method)) if isinstance(method, str) else None
    if scope is None:
        raise _no_endpoints()
    return scope


def _listed(methods: Any) -> list[Any]:
    """Raises ValidationFailed."""
    if not isinstance(methods, list) or not methods:
        raise _no_endpoints()
    return methods


def _no_endpoints() -> ValidationFailed:
    known = ", ".join(f"{method} {endpoint}" for endpoint, method in sorted(SCOPES))
    return ValidationFailed(fields={"[invalid]apiKey.permissions.endpoints": [f"A key may be for: {known}."]})


def _expiry(given: dict[str, Any]) -> dict[str, datetime]:
    """Raises ValidationFailed."""
    ends = given.get("expirationInstant")
    if ends is None:
        return {}
    refused = ValidationFailed(fields={"[couldNotConvert]apiKey.expirationInstant": ["Milliseconds since 1970."]})
    if type(ends) is not int:
        raise refused
    try:
        return {"expires_at": datetime.fromtimestamp(ends / 1000, UTC)}
    except (ValueError, OverflowError, OSError):
        raise refused from None


def _out(row: ApiToken) -> dict[str, Any]:
    endpoints: dict[str, list[str]] = {}
    for scope in row.scopes & ENDPOINTS.keys():
        for endpoint, methods in ENDPOINTS[scope].items():
            endpoints[endpoint] = sorted({*endpoints.get(endpoint, []), *methods})
    return {
        "id": row.id,
        "tenantId": row.tenant_id,
        "name": row.name,
        "keyManager": False,
        "retrievable": False,
        "insertInstant": instant(row.created_at),
        "expirationInstant": instant(row.expires_at),
        "metaData": {"attributes": {}},
        "permissions": {"endpoints": endpoints},
    }
