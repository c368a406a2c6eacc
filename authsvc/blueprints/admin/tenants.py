"""Tenants, for operators."""

from typing import Any

from flask import Blueprint
from marshmallow import fields

from authsvc.blueprints.answers import DeletedOut, gives, page_of, refuses
from authsvc.blueprints.bodies import Body, Camel, Flag, Moment, Text, Uuid, takes
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, Switch, asks, window
from authsvc.credentials.guard import mandate, requires
from authsvc.errors import AlreadyExists, Conflict
from authsvc.models import Tenant
from authsvc.models.paging import Page
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


@bp.get("")
@requires("tenants:write", in_any_tenant=True)
@gives(page_of(TenantOut), "The tenants.")
@asks(TenantsQuery)
def find(query: dict[str, Any]) -> Page[Tenant]:
    """The tenants, by the page."""
    return tenants.find(mandate(), window(query), **query)


@bp.post("")
@requires("tenants:write", in_any_tenant=True)
@gives(TenantOut, "The tenant was made.", 201)
@refuses(AlreadyExists)
@takes(TenantIn)
def create(body: dict[str, Any]) -> Tenant:
    """Make a tenant, with its built-in roles and its default application."""
    return tenants.create(mandate(), name=body["name"], slug=body["slug"], tenant_id=body.get("id"))


@bp.get("/<id>")
@requires("tenants:write", in_any_tenant=True)
@gives(TenantOut, "The tenant.")
@by_id
def get(tenant_id: str) -> Tenant:
    """One tenant."""
    return tenants.get(mandate(), tenant_id)


@bp.patch("/<id>")
@requires("tenants:write", in_any_tenant=True)
@gives(TenantOut, "The tenant is as you said.")
@refuses(AlreadyExists, Conflict)
@takes(TenantChange)
@by_id
def update(tenant_id: str, body: dict[str, Any]) -> Tenant:
    """Rename a tenant, or turn it off or on."""
    return tenants.update(mandate(), tenant_id, body)


@bp.delete("/<id>")
@requires("tenants:write", in_any_tenant=True)
@gives(DeletedOut, "The tenant was deleted, and all that belonged to it.")
@refuses(Conflict)
@by_id
def delete(tenant_id: str) -> dict[str, Any]:
    """Delete a tenant and all that belongs to it."""
    return {"id": tenant_id, "revoked": tenants.delete(mandate(), tenant_id)}
