"""Sign-ins of the whole tenant: found by whom, where and when; ended one by one, or all that fit, after a preview."""

from dataclasses import dataclass, replace
from typing import Any

from flask import Blueprint, Response
from marshmallow import fields, validate

from authsvc.blueprints.bodies import Body, Text, Uuid
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, Query, window
from authsvc.blueprints.token_admin import Address
from authsvc.console import choices
from authsvc.console.forms import Form, Ticked, confirmed
from authsvc.console.navigation import Section
from authsvc.console.pages import asks, done, shown, staff
from authsvc.console.spelling import counted
from authsvc.credentials.guard import mandate, principal
from authsvc.models.paging import Window
from authsvc.services import naming, token_admin, users
from authsvc.services.token_admin import Filters, Selection

bp = Blueprint("sign_ins", __name__, url_prefix="/sign-ins")

SECTION = Section("Sign-ins", "console.sign_ins.find", "tokens:read")
STATES = ("live", "revoked", "expired", "all")
MOST_PREVIEWED = 20


class Which(Query):
    """`user` is an id, an e-mail address or a user name."""

    user = Text()
    application_id = Uuid()
    ip = Address(longest=64)
    user_agent = Text()


class SignInsQuery(Listing, Which):
    state = fields.String(load_default="live", validate=validate.OneOf(STATES))


class EndForm(Body):
    spare_mine = Ticked()


@dataclass(frozen=True, slots=True)
class Meant:
    """Which sign-ins a query is about. Without any filter, the whole tenant's."""

    selection: Selection
    filters: Filters


@bp.get("")
@staff("tokens:read")
@asks(SignInsQuery)
def find(query: dict[str, Any]) -> Response:
    """The sign-ins whom all filters fit."""
    asked = window(query)
    meant = _meant(query)
    found = token_admin.find(mandate(), meant.selection, meant.filters, asked)
    names = naming.of(mandate(), found.items)
    return shown(
        "sign_ins/list.html",
        found=found,
        names=names,
        applications=choices.applications(),
        states=[(state, state) for state in STATES],
    )


@bp.get("/<id>")
@staff("tokens:read")
@by_id
def get(refresh_token_id: str) -> Response:
    """One sign-in."""
    row = token_admin.get(mandate(), refresh_token_id)
    return shown("sign_ins/one.html", row=row, names=naming.of(mandate(), [row]))


@bp.route("/<id>/end", methods=["GET", "POST"])
@staff("tokens:revoke")
@by_id
def end_one(refresh_token_id: str) -> Response:
    """End one sign-in."""
    row = token_admin.get(mandate(), refresh_token_id)
    whose = naming.of(mandate(), [row]).user(row.user_id)

    def act() -> str:
        ended = token_admin.revoke_one(mandate(), refresh_token_id).count
        return "The sign-in has ended." if ended else "The sign-in was over already."

    mine = " This is the sign-in that you are using now." if row.id == principal.refresh_token_id else ""
    return confirmed(
        act,
        title=f"End this sign-in of {whose}?",
        consequence=f"That device is signed out at its next request and has to sign in again.{mine}",
        verb="End",
        back="sign_ins.get",
        id=refresh_token_id,
    )


@bp.route("/end", methods=["GET", "POST"])
@staff("tokens:revoke")
@asks(Which)
def end(query: dict[str, Any]) -> Response:
    """End all that fit, after showing which they are."""
    meant = _meant(query)
    form = Form(EndForm, spareMine="on")
    mine = frozenset({principal.refresh_token_id or ""})

    def act(given: dict[str, Any]) -> int:
        which = replace(meant.selection, spared=mine) if given["spare_mine"] else meant.selection
        return token_admin.revoke(mandate(), which, filters=meant.filters).count

    ended = form.sent(act)
    if ended is not None:
        return done(f"{counted(ended, 'sign-in')} ended.", "sign_ins.find")
    doomed = token_admin.preview(mandate(), meant.selection, filters=meant.filters)
    first = token_admin.find(mandate(), meant.selection, meant.filters, Window(MOST_PREVIEWED)).items
    shown_as = {"count": doomed.count, "first": first, "names": naming.of(mandate(), first), "narrowed": bool(query)}
    return shown("sign_ins/end.html", form.status, form=form, query=query, **shown_as)


def _meant(query: dict[str, Any]) -> Meant:
    """Raises NotFound where there is no such user or application."""
    narrowed = dict(query)
    named, application_id = narrowed.pop("user", None), narrowed.pop("application_id", None)
    user_id = None if named is None else users.named(mandate(), named).id
    everyone = user_id is None and application_id is None
    return Meant(Selection(user_id, application_id, everyone=everyone), Filters(**narrowed))
