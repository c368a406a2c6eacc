"""Administration of users: who there is, under `users:read`; making, changing and ending them, under `users:write`."""

from typing import Any

from flask import Blueprint

from authsvc.blueprints.answers import DeletedOut, gives, page_of, refuses
from authsvc.blueprints.auth import UserOut
from authsvc.blueprints.bodies import Body, Flag, Moment, Text, Texts, Uuid, takes
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, Switch, asks, window
from authsvc.credentials.guard import mandate, requires
from authsvc.errors import AlreadyExists
from authsvc.models.paging import Page
from authsvc.models.user import Account
from authsvc.services import accounts, users
from authsvc.services.users import Filters

bp = Blueprint("admin_users", __name__, url_prefix="/admin/users")

MOST_ROLES = 100


class UserIn(Body):
    email = Text(required=True, metadata={"format": "email"})
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
@gives(page_of(UserOut), "These are the users.")
@asks(UsersQuery)
def find(query: dict[str, Any]) -> Page[Account]:
    """The users, or those whom all filters fit."""
    return users.find(mandate(), window=window(query), filters=Filters(**query))


@bp.post("")
@requires("users:write", in_any_tenant=True)
@gives(UserOut, "The user was made.", 201)
@refuses(AlreadyExists)
@takes(UserIn)
def create(body: dict[str, Any]) -> Account:
    """Make a user, with exactly these roles."""
    return users.create(
        mandate(),
        email=body["email"],
        password=body.get("password"),
        username=body.get("username"),
        name=body.get("name"),
        role_names=body.get("roles", accounts.EVERYONE),
        user_id=body.get("id"),
    )


@bp.get("/<id>")
@requires("users:read", in_any_tenant=True)
@gives(UserOut, "This is the user.")
@by_id
def get(user_id: str) -> Account:
    """One user."""
    return users.get(mandate(), user_id)


@bp.patch("/<id>")
@requires("users:write", in_any_tenant=True)
@gives(UserOut, "Changed.")
@refuses(AlreadyExists)
@takes(UserChangesIn)
@by_id
def update(user_id: str, body: dict[str, Any]) -> Account:
    """Change a user; `active: false` ends every sign-in of theirs."""
    return users.update(mandate(), user_id, body)


@bp.delete("/<id>")
@requires("users:write", in_any_tenant=True)
@gives(DeletedOut, "The user was deleted, and every sign-in of theirs has ended.")
@by_id
def delete(user_id: str) -> dict[str, Any]:
    """Delete a user; every sign-in of theirs ends, and the e-mail address is free again."""
    return {"id": user_id, "revoked": users.delete(mandate(), user_id)}
