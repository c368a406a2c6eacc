"""Roles: what they allow, and to how many."""

from typing import Any

from flask import Blueprint, Response

from authsvc.blueprints.admin.roles import RoleChangesIn, RoleIn, RolesQuery
from authsvc.blueprints.bodies import Texts
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import window
from authsvc.console.forms import Form, confirmed
from authsvc.console.navigation import Section
from authsvc.console.pages import asks, done, shown, staff
from authsvc.console.spelling import counted
from authsvc.credentials.guard import mandate
from authsvc.models import Role
from authsvc.permissions import CUSTOM
from authsvc.services import roles

bp = Blueprint("roles", __name__, url_prefix="/roles")

SECTION = Section("Roles", "console.roles.find", "roles:write")

# What each built-in permission is for, in the order in which they are offered.
MEANINGS = {
    "auth:refresh": "Stay signed in: carry one's own sign-ins on.",
    "api-tokens:write": "Make API tokens for oneself, and end them.",
    "users:read": "See everybody's account.",
    "users:write": "Make, change, block and delete users.",
    "tokens:read": "See everybody's sign-ins.",
    "tokens:revoke": "End everybody's sign-ins.",
    "api-tokens:admin": "See, change and end everybody's API tokens.",
    "applications:read": "See applications and their settings.",
    "applications:write": "Make, change and delete applications, and their secrets.",
    "roles:write": "See, make, change and delete roles.",
    "events:read": "Read the trail of what happened, and the overview.",
    "keys:rotate": "Rotate, retire and revoke signing keys, for all tenants. For operators.",
    "tenants:write": "Make, change and delete tenants, and look at each as its own. For operators.",
    CUSTOM: "Every permission that is not in this list, such as APIs make up for themselves.",
}


class NewRoleForm(RoleIn):
    permissions = Texts(most=roles.MOST_PERMISSIONS, load_default=list)


class RoleForm(RoleChangesIn):
    permissions = Texts(most=roles.MOST_PERMISSIONS, load_default=list)


@bp.get("")
@staff("roles:write")
@asks(RolesQuery)
def find(query: dict[str, Any]) -> Response:
    """The roles."""
    found = roles.find(mandate(), window=window(query), name=query.get("name"))
    return shown("roles/list.html", found=found, is_built_in=roles.is_built_in)


@bp.route("/new", methods=["GET", "POST"])
@staff("roles:write")
def create() -> Response:
    """Make a role."""
    form = Form(NewRoleForm)
    made = form.sent(lambda given: roles.create(mandate(), **given))
    if made is not None:
        return done(f"The role {made.name} was made.", "roles.get", id=made.id)
    return shown("roles/new.html", form.status, form=form, meanings=MEANINGS)


@bp.get("/<id>")
@staff("roles:write")
@by_id
def get(role_id: str) -> Response:
    """One role."""
    row = roles.get(mandate(), role_id)
    about: dict[str, Any] = {"is_built_in": roles.is_built_in(row), "is_fixed": roles.is_fixed(row)}
    return shown("roles/one.html", row=row, holders=roles.holders(mandate(), role_id), meanings=MEANINGS, **about)


@bp.route("/<id>/edit", methods=["GET", "POST"])
@staff("roles:write")
@by_id
def edit(role_id: str) -> Response:
    """Change what a role allows, and its name."""
    row = roles.get(mandate(), role_id)
    form = Form(RoleForm, name=row.name, permissions=sorted(row.permissions))
    changed: Role | None = form.sent(lambda given: roles.update(mandate(), role_id, given))
    if changed is not None:
        return done(f"The role {changed.name} was changed.", "roles.get", id=role_id)
    shown_as = {"row": row, "is_built_in": roles.is_built_in(row), "meanings": MEANINGS}
    return shown("roles/edit.html", form.status, form=form, **shown_as)


@bp.route("/<id>/delete", methods=["GET", "POST"])
@staff("roles:write")
@by_id
def delete(role_id: str) -> Response:
    """Delete a role and take it from all who have it."""
    row, holders = roles.get(mandate(), role_id), roles.holders(mandate(), role_id)
    losing = f"{counted(holders, 'user')} will lose it" if holders else "Nobody has it"
    return confirmed(
        lambda: f"The role {row.name} was deleted; {counted(roles.delete(mandate(), role_id), 'user')} had it.",
        title=f"Delete the role {row.name}?",
        consequence=f"{losing}. Whoever holds its permissions by another role keeps them. They stay signed in.",
        verb="Delete",
        back="roles.get",
        then="roles.find",
        id=role_id,
    )
