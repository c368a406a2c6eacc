"""One operation: what a route hears, takes, gives and refuses, as what stands above its view says it."""

import re
from typing import Any

from marshmallow import Schema

from authsvc import errors
from authsvc.blueprints import oauth
from authsvc.blueprints.answers import Gives
from authsvc.blueprints.forms import FORM
from authsvc.blueprints.reference import refusals
from authsvc.blueprints.reference.examples import BODIES
from authsvc.blueprints.reference.shapes import ID, Converter
from authsvc.credentials.guard import BY_SIGN_IN, Guard
from authsvc.credentials.transports import CSRF_HEADER

TENANT = "X-Tenant-Id"
ANY_OBJECT = {"type": "object", "additionalProperties": True}


def native(view: Any, converter: Converter, name: str, tag: str) -> dict[str, Any]:
    kinds = refusals.kinds_of(view)
    in_oauth = view.__module__ == oauth.__name__
    described: dict[str, Any] = {
        "operationId": name,
        "tags": [tag],
        "summary": _summary(view),
        "description": _whom(view),
        "security": _security(view, in_oauth=in_oauth),
        "parameters": _parameters(view, kinds, converter),
        "responses": {**_yes(view.gives), **refusals.responses(kinds, in_oauth=in_oauth)},
    }
    body = _body(view)
    return described | ({"requestBody": body} if body else {})


def foreign(view: Any, name: str, tag: str, *, with_body: bool) -> dict[str, Any]:
    """A dialect's: its shapes are that system's, whose own documents have them."""
    described: dict[str, Any] = {
        "operationId": name,
        "tags": [tag],
        "summary": _summary(view),
        "security": [{"accessToken": []}, {"apiToken": []}, {}] if hasattr(view, "guard") else [{}],
        "parameters": [],
        "responses": {"default": {"description": "As the other system answers; see docs/dialects.md."}},
    }
    if with_body:
        content = {kind: {"schema": ANY_OBJECT} for kind in ("application/json", FORM)}
        described["requestBody"] = {"content": content}
    return described


def path_parameters(path: str) -> list[dict[str, Any]]:
    return [
        {"name": name, "in": "path", "required": True, "schema": ID if name == "id" else {"type": "string"}}
        for name in re.findall(r"{(\w+)}", path)
    ]


def _summary(view: Any) -> str:
    return str(view.__doc__).partition("\n")[0]


def _whom(view: Any) -> str:
    guard: Guard | None = getattr(view, "guard", None)
    if guard is None:
        return "Everybody may ask this."
    whom = f"Whoever holds `{guard.permission}` may ask this" if guard.permission else "Whoever is signed in"
    only = ", in person: no API token and no application" if guard.via == BY_SIGN_IN else ""
    other = " Whoever holds `tenants:write` may name another tenant." if guard.in_any_tenant else ""
    return f"{whom}{only}.{other}"


def _security(view: Any, *, in_oauth: bool) -> list[dict[str, list[str]]]:
    guard: Guard | None = getattr(view, "guard", None)
    if guard is not None:
        needed = [guard.permission] if guard.permission else []
        schemes = ("accessToken",) if guard.via == BY_SIGN_IN else ("accessToken", "apiToken", "apiTokenInHeader")
        return [{scheme: needed} for scheme in schemes]
    if in_oauth:
        return [{"clientSecret": []}, {}]
    if CSRF_HEADER in getattr(view, "hears", ()):
        return [{}, {"refreshCookie": [], "csrfValue": []}]
    return []


def _parameters(view: Any, kinds: refusals.Kinds, converter: Converter) -> list[dict[str, Any] | str]:
    """Those of the query as they are, and the names of headers that many routes read."""
    found: list[dict[str, Any] | str] = []
    if hasattr(view, "query_schema"):
        found += converter.query_parameters(view.query_schema)
    heard = [name for name in getattr(view, "hears", ()) if name != CSRF_HEADER]
    if {errors.UnknownTenant, errors.TenantMismatch} & set(kinds):
        heard.append(TENANT)
    return found + heard


def _body(view: Any) -> dict[str, Any] | None:
    if hasattr(view, "form_schema"):
        return {"required": True, "content": {FORM: _media(view.form_schema)}}
    if hasattr(view, "body_schema"):
        needed = any(field.required for field in view.body_schema.fields.values())
        return {"required": needed, "content": {"application/json": _media(view.body_schema)}}
    return None


def _media(schema: Schema) -> dict[str, Any]:
    return {"schema": schema, "example": BODIES[schema.__class__.__name__]}


def _yes(gives: Gives) -> dict[str, Any]:
    headers = {name: {"$ref": f"#/components/headers/{name}"} for name in (*gives.headers, "X-Request-Id")}
    response: dict[str, Any] = {"description": "Yes.", "headers": headers}
    if gives.media:
        response["content"] = {media: {"schema": _shape(gives)} for media in gives.media}
    return {str(gives.status): response}


def _shape(gives: Gives) -> Any:
    shapes: list[Any] = [schema if gives.bare else _enveloped(schema) for schema in gives.schemas]
    if not shapes:
        return {"type": "string"}
    return shapes[0] if len(shapes) == 1 else {"anyOf": shapes}


def _enveloped(schema: Schema) -> dict[str, Any]:
    return {
        "type": "object",
        "required": ["success", "message", "data"],
        "properties": {"success": {"const": True}, "message": {"type": "string"}, "data": schema},
    }
