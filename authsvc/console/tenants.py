"""Tenants, for operators: made, renamed, turned off and on, deleted, and looked at."""

from typing import Any

from flask import Blueprint, Response, g

from authsvc.blueprints.admin.tenants import TenantIn, TenantsQuery
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import window
from authsvc.console.forms import Form, confirmed
from authsvc.console.navigation import Section
from authsvc.console.pages import asks, done, shown, staff
from authsvc.console.spelling import bounded, counted
from authsvc.credentials import console_cookie
from authsvc.credentials.guard import mandate, principal
from authsvc.models import Tenant
from authsvc.models.tenant import DEFAULT
from authsvc.services import tenants

bp = Blueprint("tenants", __name__, url_prefix="/tenants")

SECTION = Section("Tenants", "console.tenants.find", "tenants:write")
SEE_OTHER = 303


class TenantForm(TenantIn):
    class Meta(TenantIn.Meta):
        exclude = ("id",)


@bp.get("")
@staff("tenants:write")
@asks(TenantsQuery)
def find(query: dict[str, Any]) -> Response:
    """The tenants."""
    return shown("tenants/list.html", found=tenants.find(mandate(), window(query), **query), here=g.tenant_id)


@bp.route("/new", methods=["GET", "POST"])
@staff("tenants:write")
def create() -> Response:
    """Make a tenant."""
    form = Form(TenantForm)
    made = form.sent(lambda given: tenants.create(mandate(), **given))
    if made is not None:
        return done(f"The tenant {made.name} was made.", "tenants.get", id=made.id)
    return shown("tenants/new.html", form.status, form=form)


@bp.get("/<id>")
@staff("tenants:write")
@by_id
def get(tenant_id: str) -> Response:
    """One tenant, and how much there is in it."""
    row = tenants.get(mandate(), tenant_id)
    its = tenants.contents(mandate(), tenant_id)
    return shown("tenants/one.html", row=row, contents=its, is_default=row.slug == DEFAULT, here=g.tenant_id)


@bp.route("/<id>/edit", methods=["GET", "POST"])
@staff("tenants:write")
@by_id
def edit(tenant_id: str) -> Response:
    """Another name, another slug."""
    row = tenants.get(mandate(), tenant_id)
    form = Form(TenantForm, name=row.name, slug=row.slug)
    changed: Tenant | None = form.sent(lambda given: tenants.update(mandate(), tenant_id, given))
    if changed is not None:
        return _still_there(done("The tenant was changed.", "tenants.get", id=tenant_id), changed)
    return shown("tenants/edit.html", form.status, form=form, row=row)


@bp.route("/<id>/turn-off", methods=["GET", "POST"])
@staff("tenants:write")
@by_id
def turn_off(tenant_id: str) -> Response:
    """Nobody gets in there any more, until it is turned on again."""
    row, its = tenants.get(mandate(), tenant_id), tenants.contents(mandate(), tenant_id)
    return confirmed(
        lambda: _switched(tenant_id, f"The tenant {row.name} is turned off.", active=False),
        title=f"Turn {row.name} off?",
        consequence=f"{_ending(its)} end at once, and nobody signs in there. "
        "Turning it on later lets people sign in again; it brings no sign-in and no API token back.",
        verb="Turn off",
        back="tenants.get",
        id=tenant_id,
    )


@bp.post("/<id>/turn-on")
@staff("tenants:write")
@by_id
def turn_on(tenant_id: str) -> Response:
    """People can sign in there again."""
    said = _switched(tenant_id, "The tenant is turned on. People can sign in again.", active=True)
    return done(said, "tenants.get", id=tenant_id)


@bp.route("/<id>/delete", methods=["GET", "POST"])
@staff("tenants:write")
@by_id
def delete(tenant_id: str) -> Response:
    """A tenant, and all that belongs to it."""
    row, its = tenants.get(mandate(), tenant_id), tenants.contents(mandate(), tenant_id)

    def act() -> str:
        return f"The tenant {row.name} was deleted; {counted(tenants.delete(mandate(), tenant_id), 'sign-in')} ended."

    response = confirmed(
        act,
        title=f"Delete {row.name}?",
        consequence=f"{bounded(its.users, 'user').capitalize()}, {bounded(its.applications, 'application')}, "
        f"{_ending(its)} are gone at once and for good, and so are its roles and its trail of events.",
        verb="Delete the tenant",
        back="tenants.get",
        then="tenants.find",
        typed=row.slug,
        id=tenant_id,
    )
    if response.status_code == SEE_OTHER and tenant_id == g.tenant_id:
        console_cookie.choose_tenant(response, None)
    return response


def _ending(its: tenants.Contents) -> str:
    return f"{bounded(its.sign_ins, 'live sign-in')} and {bounded(its.api_tokens, 'API token')}"


def _switched(tenant_id: str, said: str, *, active: bool) -> str:
    tenants.update(mandate(), tenant_id, {"active": active})
    return said


def _still_there(response: Response, changed: Tenant) -> Response:
    """Whoever looks at a tenant goes on looking at it under its new slug."""
    if changed.id == g.tenant_id and changed.id != principal.tenant_id:
        console_cookie.choose_tenant(response, changed.slug)
    return response
