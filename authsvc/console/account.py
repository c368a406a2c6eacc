"""My account: my devices, my password, my names. For everybody, and about nobody else."""

from typing import Any

from flask import Blueprint, Response, g

from authsvc.blueprints.auth import PasswordIn
from authsvc.blueprints.bodies import Body, Text
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, window
from authsvc.console.forms import Form, confirmed
from authsvc.console.navigation import Section
from authsvc.console.pages import asks, done, everybody, shown
from authsvc.console.spelling import counted
from authsvc.credentials.guard import mandate, principal
from authsvc.credentials.readers import caller
from authsvc.models.user import Account
from authsvc.services import accounts, token_admin
from authsvc.services.token_admin import Filters, Selection

bp = Blueprint("account", __name__, url_prefix="/account")

SECTION = Section("My account", "console.account.devices")


class MeForm(Body):
    username = Text(longest=64, load_default=None)
    name = Text(load_default=None)


@bp.get("")
@everybody
@asks(Listing)
def devices(query: dict[str, Any]) -> Response:
    """Where I am signed in."""
    mine = Selection(user_id=principal.user_id)
    found = token_admin.find(mandate(), mine, Filters(), window(query))
    return shown("account/devices.html", found=found, account=_mine())


@bp.route("/devices/<id>/end", methods=["GET", "POST"])
@everybody
@by_id
def end_device(refresh_token_id: str) -> Response:
    """Sign one device of mine out."""

    def act() -> str:
        ended = token_admin.revoke(mandate(), mine).count
        return "That device is signed out." if ended else "That device was signed out already."

    # With my user id beside it: an administrator's own pages reach nobody else's devices either.
    mine = Selection(user_id=principal.user_id, refresh_token_id=refresh_token_id)
    token_admin.preview(mandate(), mine)
    return confirmed(
        act,
        title="Sign this device out?",
        consequence="It is signed out at its next request and has to sign in again with your password.",
        verb="Sign out",
        back="account.devices",
    )


@bp.route("/devices/end-others", methods=["GET", "POST"])
@everybody
def end_others() -> Response:
    """Sign all my devices out but this one."""
    others = Selection(user_id=principal.user_id, spared=frozenset({str(principal.refresh_token_id)}))
    count = token_admin.preview(mandate(), others).count
    return confirmed(
        lambda: f"{counted(token_admin.revoke(mandate(), others).count, 'other device')} signed out.",
        title="Sign out everywhere else?",
        consequence=f"{counted(count, 'other sign-in')} of yours will end, phones and programs included. "
        "This one stays.",
        verb="Sign out everywhere else",
        back="account.devices",
    )


@bp.route("/edit", methods=["GET", "POST"])
@everybody
def edit() -> Response:
    """Change my names."""
    mine = _mine()
    form = Form(MeForm, username=mine.username, name=mine.name)
    if form.sent(lambda given: accounts.update(mine.tenant_id, mine.id, given, caller(), g.now)):
        return done("Your names were changed.", "account.devices")
    return shown("account/edit.html", form.status, form=form)


@bp.route("/password", methods=["GET", "POST"])
@everybody
def change_password() -> Response:
    """Change my password."""
    form = Form(PasswordIn)
    ended = form.sent(_password_changed)
    if ended is not None:
        others = counted(ended, "other sign-in")
        return done(f"Your password was changed; {others} of yours ended.", "account.devices")
    return shown("account/password.html", form.status, form=form, account=_mine())


def _mine() -> Account:
    return accounts.get(principal.tenant_id, str(principal.user_id))


def _password_changed(given: dict[str, Any]) -> int:
    return accounts.change_password(
        principal.tenant_id,
        str(principal.user_id),
        current=given["current_password"],
        new=given["new_password"],
        keep=str(principal.refresh_token_id),
        caller=caller(),
        now=g.now,
    )
