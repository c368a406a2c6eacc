"""Administration of roles: what they allow, under `roles:write`."""

from typing import Any, cast

from flask import Blueprint, Response
from marshmallow import fields

from authsvc.blueprints.bodies import Body, Camel, Moment, Text, Texts, takes
from authsvc.blueprints.envelope import answer
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, asks, listed, window
from authsvc.credentials.guard import mandate, requires
from authsvc.models import Role
from authsvc.services import roles

bp = Blueprint("admin_roles", __name__, url_prefix="/admin/roles")


class RoleOut(Camel):
    id = fields.String()
    tenant_id = fields.String()
    name = fields.String()
    permissions = fields.Function(lambda role: sorted(role.permissions))
    built_in = fields.Function(roles.is_built_in)
    created_at = Moment()


class RoleIn(Body):
    name = Text(required=True, longest=64)
    permissions = Texts(required=True, most=roles.MOST_PERMISSIONS)


class RoleChangesIn(Body):
    name = Text(longest=64)
    permissions = Texts(most=roles.MOST_PERMISSIONS)


class RolesQuery(Listing):
    name = Text(longest=64)


@bp.get("")
@requires("roles:write", in_any_tenant=True)
@asks(RolesQuery)
def find(query: dict[str, Any]) -> Response:
    """The roles, or the one of that name."""
    page = roles.find(mandate(), window=window(query), name=query.get("name"))
    return listed(page, _role_out, "These are the roles.")


@bp.post("")
@requires("roles:write", in_any_tenant=True)
@takes(RoleIn)
def create(body: dict[str, Any]) -> Response:
    """Make a role of permissions that one holds."""
    return answer(_shown(roles.create(mandate(), **body)), "The role was made.", 201)


@bp.get("/<id>")
@requires("roles:write", in_any_tenant=True)
@by_id
def get(role_id: str) -> Response:
    """One role."""
    return answer(_shown(roles.get(mandate(), role_id)), "This is the role.")


@bp.patch("/<id>")
@requires("roles:write", in_any_tenant=True)
@takes(RoleChangesIn)
@by_id
def update(role_id: str, body: dict[str, Any]) -> Response:
    """Change a role for all who have it."""
    return answer(_shown(roles.update(mandate(), role_id, body)), "Changed, for all who have the role.")


@bp.delete("/<id>")
@requires("roles:write", in_any_tenant=True)
@by_id
def delete(role_id: str) -> Response:
    """Delete a role and take it from all who have it."""
    holders = roles.delete(mandate(), role_id)
    return answer({"id": role_id, "holders": holders}, "The role was deleted and taken from all who had it.")


_role_out = RoleOut()


def _shown(role: Role) -> dict[str, Any]:
    return cast("dict[str, Any]", _role_out.dump(role))
