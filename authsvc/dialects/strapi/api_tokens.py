"""Strapi's API tokens: one's own, of three types, with ours behind them.

Strapi's types are about the content of its site. Ours are about what the APIs behind authsvc call permissions: none of
a type holds what administers authsvc itself, unless `custom` names it.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

from flask import Response

from authsvc import permissions
from authsvc.blueprints.api_tokens import ApiTokenChange, ApiTokenIn
from authsvc.blueprints.bodies import loaded
from authsvc.blueprints.envelope import plain
from authsvc.blueprints.paths import by_id
from authsvc.credentials.guard import BY_SIGN_IN, judges_query, mandate, principal, requires
from authsvc.dialects import wire
from authsvc.dialects.strapi.speech import NameTaken, bp, credential, instant, required
from authsvc.errors import AlreadyExists, NotFound, ValidationFailed
from authsvc.models import ApiToken
from authsvc.models.paging import Window
from authsvc.services import api_token_admin, scopes
from authsvc.services.api_token_admin import Filters

READ_ONLY, FULL_ACCESS, CUSTOM = TYPES = ("read-only", "full-access", "custom")
# What the action of a permission is called that changes nothing.
READING = ("read", "find", "findone")
LIFESPANS = tuple(timedelta(days=days) // timedelta(milliseconds=1) for days in (7, 30, 90))
MOST_LISTED = 200

# The scopes of the types that name none.
Offered = Mapping[str, frozenset[str]]

_in, _change = ApiTokenIn(), ApiTokenChange()


@bp.post("/admin/api-tokens")
@judges_query
@requires(via=BY_SIGN_IN, about=credential)
def create_api_token() -> Response:
    """Make an API token of mine; its text is the access key, shown here and never again."""
    body = wire.given()
    name, _ = required(body, "name", "type")
    offered = _offered()
    given = {"name": name, "scopes": _wanted(body, offered), "allowInQuery": True, **_life(body)}
    with _named_once():
        made = api_token_admin.create(mandate(), str(principal.user_id), loaded(_in, given), name_once=True)
    return _said(_out(made.api_token, offered, body["type"]) | {"accessKey": made.text}, 201)


@bp.get("/admin/api-tokens")
@judges_query
@requires(via=BY_SIGN_IN, about=credential)
def list_api_tokens() -> Response:
    """My API tokens that are live, by name."""
    found = api_token_admin.find(mandate(), Filters(state="live"), Window(MOST_LISTED))
    offered = _offered()
    return _said([_out(row, offered) for row in sorted(found.items, key=lambda row: row.name)])


@bp.get("/admin/api-tokens/<id>")
@judges_query
@requires(via=BY_SIGN_IN, about=credential)
@by_id
def get_api_token(api_token_id: str) -> Response:
    """One API token."""
    return _said(_out(_kept(api_token_id), _offered()))


@bp.put("/admin/api-tokens/<id>")
@judges_query
@requires(via=BY_SIGN_IN, about=credential)
@by_id
def update_api_token(api_token_id: str) -> Response:
    """Give an API token another name, or narrow it."""
    body, offered = wire.given(), _offered()
    kind = _type_of(_kept(api_token_id), offered)
    given: dict[str, Any] = {"name": body["name"]} if "name" in body else {}
    if body.get("type", kind) != kind or body.get("permissions") is not None:
        given["scopes"] = _wanted({"type": kind} | body, offered)
    with _named_once():
        row = api_token_admin.update(mandate(), api_token_id, loaded(_change, given), name_once=True)
    return _said(_out(row, offered, body.get("type", kind)))


@bp.delete("/admin/api-tokens/<id>")
@judges_query
@requires(via=BY_SIGN_IN, about=credential)
@by_id
def delete_api_token(api_token_id: str) -> Response:
    """End an API token."""
    row = _kept(api_token_id)
    api_token_admin.revoke(mandate(), api_token_id)
    return _said(_out(row, _offered()))


@bp.post("/admin/api-tokens/<id>/regenerate")
@judges_query
@requires(via=BY_SIGN_IN, about=credential)
@by_id
def regenerate_api_token(api_token_id: str) -> Response:
    """Put a successor in the place of an API token of mine, which dies at once."""
    _kept(api_token_id)
    made = api_token_admin.rotate(mandate(), api_token_id, timedelta(0))
    return _said({"id": made.api_token.id, "kind": "content-api", "accessKey": made.text}, 201)


def _kept(api_token_id: str) -> ApiToken:
    """What Strapi deletes, we end: nobody meets it again. Raises NotFound."""
    row = api_token_admin.get(mandate(), api_token_id)
    if row.revoked_at is not None:
        raise NotFound
    return row


@contextmanager
def _named_once() -> Iterator[None]:
    """Raises NameTaken, which is told in other words than a user's."""
    try:
        yield
    except AlreadyExists:
        raise NameTaken from None


def _offered() -> Offered:
    """What a token of each type may do today, if the caller makes it."""
    full = scopes.of_apis(mandate())
    return {READ_ONLY: frozenset(p for p in full if p.partition(":")[2] in READING), FULL_ACCESS: full}


def _type_of(row: ApiToken, offered: Offered, asked: str | None = None) -> str:
    """What its scopes amount to today. Where they amount to several types, it is the one that was asked for."""
    if asked == CUSTOM or (asked is not None and row.scopes == offered[asked]):
        return asked
    return next((kind for kind, held in offered.items() if row.scopes == held), CUSTOM)


def _wanted(body: Mapping[str, Any], offered: Offered) -> Any:
    """The scopes of a token of that type; those that are named, their schema judges. Raises ValidationFailed."""
    kind, named = body["type"], body.get("permissions")
    if kind not in TYPES:
        raise ValidationFailed(fields={"type": [f"type must be one of the following values: {', '.join(TYPES)}"]})
    if kind == CUSTOM and named is None:
        raise ValidationFailed(fields={"permissions": ["Missing permissions attribute for custom token"]})
    if kind == CUSTOM and (unknown := _unknown(named)):
        raise ValidationFailed(fields={"permissions": [f"Unknown permissions provided: {', '.join(unknown)}"]})
    if kind != CUSTOM and named:
        raise ValidationFailed(fields={"permissions": ["Non-custom tokens should not reference permissions"]})
    return named if kind == CUSTOM else sorted(offered[kind])


def _unknown(named: Any) -> list[str]:
    """Those texts that can be no permission."""
    texts = [name for name in named if isinstance(name, str)] if isinstance(named, list) else []
    return [name for name in texts if name != permissions.CUSTOM and not permissions.PERMISSION.fullmatch(name)]


def _life(body: Mapping[str, Any]) -> dict[str, int]:
    """Without a lifespan it is ours: no API token lives for ever. Raises ValidationFailed."""
    lifespan = body.get("lifespan")
    if lifespan is None:
        return {}
    if isinstance(lifespan, bool) or str(lifespan) not in map(str, LIFESPANS):
        values = ", ".join(map(str, LIFESPANS))
        raise ValidationFailed(fields={"lifespan": [f"lifespan must be one of the following values: {values}, null"]})
    return {"expiresIn": int(lifespan) // 1000}


def _out(row: ApiToken, offered: Offered, asked: str | None = None) -> dict[str, Any]:
    kind = _type_of(row, offered, asked)
    return {
        "id": row.id,
        "name": row.name,
        "description": "",
        "type": kind,
        "kind": "content-api",
        "permissions": sorted(row.scopes) if kind == CUSTOM else [],
        "lifespan": (row.expires_at - row.created_at) // timedelta(milliseconds=1),
        "expiresAt": instant(row.expires_at),
        "lastUsedAt": instant(row.last_used_at),
        "createdAt": instant(row.created_at),
        "updatedAt": instant(row.created_at),
    }


def _said(data: Any, status: int = 200) -> Response:
    response = plain({"data": data})
    response.status_code = status
    return response
