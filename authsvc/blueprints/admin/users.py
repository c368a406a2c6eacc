"""Administration of users: who there is, under `users:read`; making, changing and ending them, under `users:write`."""

from typing import Any

from flask import Blueprint, Response

from authsvc.blueprints.auth import UserOut, user_out
from authsvc.blueprints.bodies import Body, Flag, Moment, Text, Texts, Uuid, takes
from authsvc.blueprints.envelope import answer
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, Switch, asks, listed, window
from authsvc.credentials.guard import mandate, requires
from authsvc.services import accounts, users
from authsvc.services.users import Filters

bp = Blueprint("admin_users", __name__, url_prefix="/admin/users")

MOST_ROLES = 100


class UserIn(Body):
    email = Text(required=True)
    password = Text(longest=4096)
    username = Text(longest=64)
    name = Text()
    roles = Texts(most=MOST_ROLES, longest=64)
    id = Uuid()


class UserChangesIn(Body):
    active = Flag()
    roles = Texts(most=MOST_ROLES, longest=64)
    username = Text(longest=64, allow_none=True)
    name = Text(allow_none=True)
    confirmed = Flag()


class UsersQuery(Listing):
    email = Text()
    username = Text(longest=64)
    role = Text(longest=64)
    active = Switch()
    search = Text()
    created_before = Moment()
    created_after = Moment()


@bp.get("")
@requires("users:read", in_any_tenant=True)
@asks(UsersQuery)
def find(query: dict[str, Any]) -> Response:
    """The users, or those whom all filters fit."""
    page = users.find(mandate(), window=window(query), filters=Filters(**query))
    return listed(page, UserOut(), "These are the users.")


@bp.post("")
@requires("users:write", in_any_tenant=True)
@takes(UserIn)
def create(body: dict[str, Any]) -> Response:
    """Make a user, with exactly these roles."""
    made = users.create(
        mandate(),
        email=body["email"],
        password=body.get("password"),
        username=body.get("username"),
        name=body.get("name"),
        role_names=body.get("roles", accounts.EVERYONE),
        user_id=body.get("id"),
    )
    return answer(user_out(made), "The user was made.", 201)


@bp.get("/<id>")
@requires("users:read", in_any_tenant=True)
@by_id
def get(user_id: str) -> Response:
    """One user."""
    return answer(user_out(users.get(mandate(), user_id)), "This is the user.")


@bp.patch("/<id>")
@requires("users:write", in_any_tenant=True)
@takes(UserChangesIn)
@by_id
def update(user_id: str, body: dict[str, Any]) -> Response:
    """Change a user; `active: false` ends every sign-in of theirs."""
    return answer(user_out(users.update(mandate(), user_id, body)), "Changed.")


@bp.delete("/<id>")
@requires("users:write", in_any_tenant=True)
@by_id
def delete(user_id: str) -> Response:
    """Delete a user; every sign-in of theirs ends, and the e-mail address is free again."""
    revoked = users.delete(mandate(), user_id)
    return answer({"id": user_id, "revoked": revoked}, "The user was deleted, and every sign-in of theirs has ended.")
