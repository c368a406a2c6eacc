"""Users: found, made, changed, blocked, deleted."""

from typing import Any

from flask import Blueprint, Response

from authsvc.blueprints.admin.users import MOST_ROLES, UserIn, UsersQuery
from authsvc.blueprints.bodies import Body, Text, Texts
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import window
from authsvc.console.forms import Form, Ticked, confirmed
from authsvc.console.navigation import Section
from authsvc.console.pages import asks, done, shown, staff
from authsvc.console.spelling import counted
from authsvc.credentials.guard import mandate
from authsvc.models.paging import Window
from authsvc.models.user import Account
from authsvc.services import roles, users
from authsvc.services.users import Filters

bp = Blueprint("users", __name__, url_prefix="/users")

SECTION = Section("Users", "console.users.find", "users:read")
MOST_SHOWN = 200


class NewUserForm(UserIn):
    class Meta(UserIn.Meta):
        exclude = ("id",)


class UserForm(Body):
    username = Text(longest=64, load_default=None)
    name = Text(load_default=None)
    confirmed = Ticked()
    roles = Texts(most=MOST_ROLES, longest=64, load_default=list)


class PasswordForm(Body):
    password = Text(required=True, longest=4096)


@bp.get("")
@staff("users:read")
@asks(UsersQuery)
def find(query: dict[str, Any]) -> Response:
    """The users, or those whom all filters fit."""
    asked = window(query)
    return shown("users/list.html", found=users.find(mandate(), window=asked, filters=Filters(**query)))


@bp.route("/new", methods=["GET", "POST"])
@staff("users:write")
def create() -> Response:
    """Make a user."""
    form = Form(NewUserForm, roles=["member"])
    made = form.sent(_made)
    if made is not None:
        return done(f"{made.email} was made.", "users.get", id=made.id)
    return shown("users/new.html", form.status, form=form, roles=_roles())


@bp.get("/<id>")
@staff("users:read")
@by_id
def get(user_id: str) -> Response:
    """One user."""
    return shown("users/one.html", account=users.get(mandate(), user_id))


@bp.route("/<id>/edit", methods=["GET", "POST"])
@staff("users:write")
@by_id
def edit(user_id: str) -> Response:
    """Change a user's names and roles."""
    account = users.get(mandate(), user_id)
    form = Form(UserForm, **{name: getattr(account, name) for name in ("username", "name", "confirmed", "roles")})
    if form.sent(lambda given: users.update(mandate(), user_id, given)):
        return done("The user was changed.", "users.get", id=user_id)
    return shown("users/edit.html", form.status, form=form, account=account, roles=_roles())


@bp.route("/<id>/password", methods=["GET", "POST"])
@staff("users:write")
@by_id
def set_password(user_id: str) -> Response:
    """Give a user another password."""
    account = users.get(mandate(), user_id)
    form = Form(PasswordForm)
    ended = form.sent(lambda given: users.set_password(mandate(), user_id, given["password"]))
    if ended is not None:
        return done(f"The password was changed; {counted(ended, 'sign-in')} ended.", "users.get", id=user_id)
    return shown("users/password.html", form.status, form=form, account=account)


@bp.route("/<id>/block", methods=["GET", "POST"])
@staff("users:write")
@by_id
def block(user_id: str) -> Response:
    """Turn a user off."""
    email = users.get(mandate(), user_id).email
    return confirmed(
        lambda: _switched(user_id, f"{email} is blocked, and signed out everywhere.", active=False),
        title=f"Block {email}?",
        consequence="Every sign-in and every API token of this user ends at once, and there will be no new ones. "
        "Unblocking later lets them sign in again; it brings no sign-in and no API token back.",
        verb="Block",
        back="users.get",
        id=user_id,
    )


@bp.post("/<id>/unblock")
@staff("users:write")
@by_id
def unblock(user_id: str) -> Response:
    """Let a user sign in again."""
    return done(_switched(user_id, "The user can sign in again.", active=True), "users.get", id=user_id)


@bp.route("/<id>/delete", methods=["GET", "POST"])
@staff("users:write")
@by_id
def delete(user_id: str) -> Response:
    """Delete a user."""
    email = users.get(mandate(), user_id).email

    def act() -> str:
        return f"{email} was deleted; {counted(users.delete(mandate(), user_id), 'sign-in')} ended."

    return confirmed(
        act,
        title=f"Delete {email}?",
        consequence="The account, every sign-in and every API token of this user are gone at once and for good. "
        "The e-mail address is free again for a new account.",
        verb="Delete",
        back="users.get",
        then="users.find",
        id=user_id,
    )


def _made(given: dict[str, Any]) -> Account:
    return users.create(
        mandate(),
        email=given["email"],
        password=given.get("password"),
        username=given.get("username"),
        name=given.get("name"),
        role_names=given.get("roles", ()),
    )


def _switched(user_id: str, said: str, *, active: bool) -> str:
    users.update(mandate(), user_id, {"active": active})
    return said


def _roles() -> list[tuple[str, str]]:
    """Those that there are, and what they hold; which of them somebody may give, the service says."""
    found = sorted(roles.find(mandate(), None, Window(MOST_SHOWN)).items, key=lambda role: role.name_key)
    return [(role.name, ", ".join(sorted(role.permissions))) for role in found]
