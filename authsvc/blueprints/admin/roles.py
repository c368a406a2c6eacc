"""Administration of roles: what they allow, under `roles:write`."""

from typing import Any

from flask import Blueprint
from marshmallow import fields

from authsvc.blueprints.answers import Sorted, gives, page_of, refuses
from authsvc.blueprints.bodies import Body, Camel, Moment, Text, Texts, takes
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, asks, window
from authsvc.credentials.guard import mandate, requires
from authsvc.errors import AlreadyExists, Conflict
from authsvc.models import Role
from authsvc.models.paging import Page
from authsvc.services import roles

bp = Blueprint("admin_roles", __name__, url_prefix="/admin/roles")


class RoleOut(Camel):
    id = fields.String()
    tenant_id = fields.String()
    name = fields.String()
    permissions = Sorted()
    built_in = fields.Function(roles.is_built_in, metadata={"type": "boolean"})
    created_at = Moment()


class RoleIn(Body):
    name = Text(required=True, longest=64)
    permissions = Texts(required=True, most=roles.MOST_PERMISSIONS)


class RoleChangesIn(Body):
    name = Text(longest=64)
    permissions = Texts(most=roles.MOST_PERMISSIONS)


class RolesQuery(Listing):
    name = Text(longest=64)


class DeletedRoleOut(Camel):
    id = fields.String()
    holders = fields.Integer()


@bp.get("")
@requires("roles:write", in_any_tenant=True)
@gives(page_of(RoleOut), "These are the roles.")
@asks(RolesQuery)
def find(query: dict[str, Any]) -> Page[Role]:
    """The roles, or the one of that name."""
    return roles.find(mandate(), window=window(query), name=query.get("name"))


@bp.post("")
@requires("roles:write", in_any_tenant=True)
@gives(RoleOut, "The role was made.", 201)
@refuses(AlreadyExists)
@takes(RoleIn)
def create(body: dict[str, Any]) -> Role:
    """Make a role of permissions that one holds."""
    return roles.create(mandate(), **body)


@bp.get("/<id>")
@requires("roles:write", in_any_tenant=True)
@gives(RoleOut, "This is the role.")
@by_id
def get(role_id: str) -> Role:
    """One role."""
    return roles.get(mandate(), role_id)


@bp.patch("/<id>")
@requires("roles:write", in_any_tenant=True)
@gives(RoleOut, "Changed, for all who have the role.")
@refuses(AlreadyExists, Conflict)
@takes(RoleChangesIn)
@by_id
def update(role_id: str, body: dict[str, Any]) -> Role:
    """Change a role for all who have it."""
    return roles.update(mandate(), role_id, body)


@bp.delete("/<id>")
@requires("roles:write", in_any_tenant=True)
@gives(DeletedRoleOut, "The role was deleted and taken from all who had it.")
@refuses(Conflict)
@by_id
def delete(role_id: str) -> dict[str, Any]:
    """Delete a role and take it from all who have it."""
    return {"id": role_id, "holders": roles.delete(mandate(), role_id)}
