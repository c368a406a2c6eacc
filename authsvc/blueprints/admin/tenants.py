"""Tenants, for operators."""

from typing import Any

from flask import Blueprint, Response
from marshmallow import fields

from authsvc.blueprints.bodies import Body, Camel, Flag, Moment, Text, Uuid, takes
from authsvc.blueprints.envelope import answer
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, Switch, asks, listed, window
from authsvc.credentials.guard import mandate, requires
from authsvc.services import tenants

bp = Blueprint("admin_tenants", __name__, url_prefix="/admin/tenants")


class TenantOut(Camel):
    id = fields.String()
    name = fields.String()
    slug = fields.String()
    active = fields.Boolean()
    created_at = Moment()


class TenantsQuery(Listing):
    slug = Text()
    active = Switch()


class TenantIn(Body):
    id = Uuid()
    name = Text(required=True)
    slug = Text(required=True)


class TenantChange(Body):
    name = Text()
    slug = Text()
    active = Flag()


_out = TenantOut()


@bp.get("")
@requires("tenants:write", in_any_tenant=True)
@asks(TenantsQuery)
def find(query: dict[str, Any]) -> Response:
    """The tenants, by the page."""
    return listed(tenants.find(mandate(), window(query), **query), _out, "The tenants.")


@bp.post("")
@requires("tenants:write", in_any_tenant=True)
@takes(TenantIn)
def create(body: dict[str, Any]) -> Response:
    """Make a tenant, with its built-in roles and its default application."""
    made = tenants.create(mandate(), name=body["name"], slug=body["slug"], tenant_id=body.get("id"))
    return answer(_out.dump(made), "The tenant was made.", 201)


@bp.get("/<id>")
@requires("tenants:write", in_any_tenant=True)
@by_id
def get(tenant_id: str) -> Response:
    """One tenant."""
    return answer(_out.dump(tenants.get(mandate(), tenant_id)), "The tenant.")


@bp.patch("/<id>")
@requires("tenants:write", in_any_tenant=True)
@takes(TenantChange)
@by_id
def update(tenant_id: str, body: dict[str, Any]) -> Response:
    """Rename a tenant, or turn it off or on."""
    return answer(_out.dump(tenants.update(mandate(), tenant_id, body)), "The tenant is as you said.")


@bp.delete("/<id>")
@requires("tenants:write", in_any_tenant=True)
@by_id
def delete(tenant_id: str) -> Response:
    """Delete a tenant and all that belongs to it."""
    revoked = tenants.delete(mandate(), tenant_id)
    return answer({"id": tenant_id, "revoked": revoked}, "The tenant was deleted, and all that belonged to it.")
