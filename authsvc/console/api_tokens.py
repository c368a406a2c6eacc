"""API tokens of the whole tenant: found, narrowed, revoked. my_api_tokens.py has everybody's own."""

from typing import Any

from flask import Blueprint, Response
from marshmallow import fields, pre_load, validate

from authsvc.blueprints.api_tokens import ApiTokenChange, Name
from authsvc.blueprints.bodies import Text, Uuid
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, window
from authsvc.console import choices
from authsvc.console.forms import Form, Ticked, confirmed
from authsvc.console.navigation import Section
from authsvc.console.pages import asks, done, shown, staff
from authsvc.credentials.guard import mandate
from authsvc.models import ApiToken
from authsvc.services import api_token_admin, naming, users
from authsvc.services.api_token_admin import ADMIN, Filters

bp = Blueprint("api_tokens", __name__, url_prefix="/api-tokens")

SECTION = Section("API tokens", "console.api_tokens.find", ADMIN)
STATES = ("live", "revoked", "expired", "all")


class ApiTokensQuery(Listing):
    """`user` is an id, an e-mail address or a user name."""

    user = Text()
    application_id = Uuid()
    state = fields.String(load_default="live", validate=validate.OneOf(STATES))


class NarrowForm(ApiTokenChange):
    name = Name(required=True)
    allow_in_query = Ticked()

    @pre_load
    def unticked_is_none(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {"scopes": [], "allowedIps": [], **given}


@bp.get("")
@staff(ADMIN)
@asks(ApiTokensQuery)
def find(query: dict[str, Any]) -> Response:
    """The API tokens whom all filters fit."""
    asked = window(query)
    named = query.pop("user", None)
    user_id = None if named is None else users.named(mandate(), named).id
    found = api_token_admin.find(mandate(), Filters(user_id=user_id, everyone=True, **query), asked)
    return shown(
        "api_tokens/list.html",
        found=found,
        names=naming.of(mandate(), found.items),
        applications=choices.applications(),
        states=[(state, state) for state in STATES],
    )


@bp.get("/<id>")
@staff(ADMIN)
@by_id
def get(api_token_id: str) -> Response:
    """One API token."""
    return in_full(api_token_admin.get(mandate(), api_token_id))


@bp.route("/<id>/edit", methods=["GET", "POST"])
@staff(ADMIN)
@by_id
def edit(api_token_id: str) -> Response:
    """Give somebody's API token another name, or narrow it."""
    return narrowed(api_token_admin.get(mandate(), api_token_id), "api_tokens.get")


@bp.route("/<id>/revoke", methods=["GET", "POST"])
@staff(ADMIN)
@by_id
def revoke(api_token_id: str) -> Response:
    """End somebody's API token."""
    return revoked(api_token_admin.get(mandate(), api_token_id), "api_tokens.get")


def in_full(row: ApiToken) -> Response:
    """All that there is to know about it."""
    return shown("api_tokens/one.html", row=row, names=naming.of(mandate(), [row]))


def narrowed(row: ApiToken, back: str) -> Response:
    """The form that renames and narrows. What stays as it was is not said: nobody has to hold it for that."""
    today = {"scopes": row.scopes, "allowed_ips": row.allowed_ips}
    form = Form(
        NarrowForm,
        name=row.name,
        scopes=sorted(row.scopes),
        allowedIps=sorted(row.allowed_ips),
        allowInQuery=row.allow_in_query,
    )

    def act(given: dict[str, Any]) -> ApiToken:
        changes = {name: value for name, value in given.items() if name not in today or set(value) != today[name]}
        return api_token_admin.update(mandate(), row.id, changes)

    if form.sent(act):
        return done("The API token was changed.", back, id=row.id)
    return shown("api_tokens/edit.html", form.status, form=form, row=row, scopes=[(s, "") for s in sorted(row.scopes)])


def revoked(row: ApiToken, back: str) -> Response:
    """The question and the deed."""

    def act() -> str:
        ended = api_token_admin.revoke(mandate(), row.id)
        return f"The API token {row.name} has ended." if ended else "The API token was over already."

    used = "It was never used."
    if row.last_used_at is not None:
        used = f"It was last used at {row.last_used_at:%Y-%m-%d %H:%M} UTC, from {row.last_used_ip}."
    return confirmed(
        act,
        title=f"Revoke the API token {row.name}?",
        consequence=f"Whatever uses it is refused at its next request, and it never comes back. {used}",
        verb="Revoke",
        back=back,
        id=row.id,
    )
