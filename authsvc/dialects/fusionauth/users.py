"""Users, made and looked after under an API key; and what users ask about themselves, by their access token."""

from typing import Any

from flask import Response, g, request

from authsvc.blueprints.admin.users import MOST_ROLES
from authsvc.blueprints.envelope import plain
from authsvc.blueprints.paths import by_id, written
from authsvc.credentials.guard import BY_SIGN_IN, judges_query, mandate, principal, requires
from authsvc.credentials.readers import caller
from authsvc.dialects import wire
from authsvc.dialects.fusionauth import people
from authsvc.dialects.fusionauth.words import (
    LONGEST_NAME,
    LONGEST_PASSWORD,
    all_of,
    application_named,
    bp,
    id_in,
    key,
    meant,
    nothing,
    object_in,
    text_in,
)
from authsvc.errors import AmbiguousRequest, NotFound, ValidationFailed
from authsvc.models import Application
from authsvc.models.user import Account
from authsvc.services import accounts, applications, names, users
from authsvc.settings import settings

READ, WRITE = "users:read", "users:write"
SELECTORS = ("userId", "email", "loginId", "username")


@bp.get("/api/user")
@judges_query
@requires(in_any_tenant=True, about=key)
def find_user() -> Response:
    """The one of that id, address or name; with an access token alone, oneself."""
    named = meant(*SELECTORS)
    if not named and principal.via in BY_SIGN_IN:
        return _shown(users.get(mandate(), str(principal.user_id)))
    principal.require(READ)
    if not named:
        raise ValidationFailed(fields={"[blank]userId": ["You must specify this, or an email, loginId or username."]})
    if len(named) > 1:
        raise AmbiguousRequest
    return _shown(_named(named))


@bp.get("/api/user/<id>")
@judges_query
@requires(READ, in_any_tenant=True, about=key)
@by_id
def get_user(user_id: str) -> Response:
    """One user."""
    return _shown(users.get(mandate(), user_id))


@bp.post("/api/user")
@bp.post("/api/user/<id>")
@judges_query
@requires(WRITE, in_any_tenant=True, about=key)
def create_user(**path: str) -> Response:
    """Make a user, of that id if one is given."""
    return _shown(_created(wire.given(), path, accounts.EVERYONE))


@bp.put("/api/user/<id>")
@judges_query
@requires(WRITE, in_any_tenant=True, about=key)
@by_id
def replace_user(user_id: str) -> Response:
    """These names and no others or, with `reactivate`, let the user in again; nothing that ended comes back."""
    if _is_on("reactivate"):
        return _shown(users.update(mandate(), user_id, {"active": True}))
    given = _changed(user_id)
    return _shown(users.update(mandate(), user_id, {"username": _text(given, "username"), "name": _full_name(given)}))


@bp.patch("/api/user/<id>")
@judges_query
@requires(WRITE, in_any_tenant=True, about=key)
@by_id
def change_user(user_id: str) -> Response:
    """Those of the names that are given; null takes one away."""
    given = _changed(user_id)
    changes = {"username": _text(given, "username")} if "username" in given else {}
    parts = given.keys() & {"firstName", "lastName"}
    if len(parts) == 1 and "fullName" not in given:
        sentence = "They are kept as one name: send both, or the fullName."
        raise ValidationFailed(fields={f"[invalid]user.{min(parts)}": [sentence]})
    if parts or "fullName" in given:
        changes["name"] = _full_name(given)
    return _shown(users.update(mandate(), user_id, changes))


@bp.delete("/api/user/<id>")
@judges_query
@requires(WRITE, in_any_tenant=True, about=key)
@by_id
def delete_user(user_id: str) -> Response:
    """Lock a user out or, with `hardDelete`, delete the user; every sign-in ends either way."""
    if _is_on("hardDelete"):
        users.delete(mandate(), user_id)
    else:
        users.update(mandate(), user_id, {"active": False})
    return nothing()


@bp.post("/api/user/registration")
@bp.post("/api/user/registration/<id>")
@judges_query
@requires(WRITE, in_any_tenant=True, about=key)
def register(**path: str) -> Response:
    """Make a user with these roles or, without a `user` in the body, give them to one that there is."""
    body = wire.given()
    wanted = object_in(body, "registration")
    name, roles = application_named(wanted), _roles(wanted)
    if name is None:
        raise ValidationFailed(fields={"[blank]registration.applicationId": ["You must specify this."]})
    try:
        application = applications.named(mandate(), name)
    except NotFound:
        raise ValidationFailed(fields={"[invalid]registration.applicationId": ["There is none."]}) from None
    if body.get("user") is None and "id" in path:
        account = _given_roles(written(path["id"]), roles)
    else:
        account = _created(body, path, accounts.EVERYONE | roles)
    told = people.shown(account, [application])
    return plain({"user": told, "registration": told["registrations"][0]})


@bp.post("/api/user/change-password")
@judges_query
@requires(via=BY_SIGN_IN, about=key)
def change_password() -> Response:
    """Change my password; every other sign-in of mine ends."""
    body = wire.given()
    current, new = (text_in(body, name, name) for name in ("currentPassword", "password"))
    if len(current) > LONGEST_PASSWORD:
        raise ValidationFailed(fields={"[tooLong]currentPassword": ["This is no password."]})
    try:
        accounts.change_password(
            principal.tenant_id,
            str(principal.user_id),
            current=current,
            new=new,
            keep=str(principal.refresh_token_id),
            caller=caller(),
            now=g.now,
        )
    except ValidationFailed as refused:
        raise _told_of_password(refused, new, "password") from None
    return plain({})


def _created(body: dict[str, Any], path: dict[str, str], roles: frozenset[str]) -> Account:
    """Raises ValidationFailed, AlreadyExists, PermissionDenied, Unavailable."""
    given = object_in(body, "user")
    user_id = {"userId": path["id"]} if "id" in path else {"userId": _text(given, "id") or ""}
    password = _text(given, "password")
    try:
        return users.create(
            mandate(),
            email=text_in(given, "email", "user.email"),
            password=password,
            username=_text(given, "username"),
            name=_full_name(given),
            role_names=roles,
            user_id=id_in(user_id, "userId"),
        )
    except ValidationFailed as refused:
        raise _told_of_password(refused, password or "", "user.password") from None


def _changed(user_id: str) -> dict[str, Any]:
    """What the body says of a user that there is. An address and a password can only stay as they are.

    Raises ValidationFailed, NotFound.
    """
    given = object_in(wire.given(), "user")
    if not given:
        raise ValidationFailed(fields={"[blank]user": ["You must specify this."]})
    owner, address = users.get(mandate(), user_id), _text(given, "email")
    if address is not None and names.email(address) != owner.email:
        raise ValidationFailed(fields={"[invalid]user.email": ["An address stays as it is."]})
    if _text(given, "password") is not None:
        raise ValidationFailed(fields={"[invalid]user.password": ["A password is changed by whose it is."]})
    return given


def _told_of_password(refused: ValidationFailed, password: str, code: str) -> ValidationFailed:
    """Its clients tell one that is too short from other bad ones."""
    said = dict(refused.fields or {})
    wrong = said.pop("password", None) or said.pop("newPassword", None)
    if wrong is None:
        return refused
    kind = "tooShort" if len(password) < settings.PASSWORD_MIN_LENGTH else "invalid"
    return ValidationFailed(fields={f"[{kind}]{code}": wrong, **said})


def _given_roles(user_id: str, roles: frozenset[str]) -> Account:
    """Raises NotFound, ValidationFailed, PermissionDenied."""
    account = users.get(mandate(), user_id)
    if roles <= account.roles:
        return account
    return users.update(mandate(), user_id, {"roles": account.roles | roles})


def _named(named: dict[str, str]) -> Account:
    """Raises NotFound, ValidationFailed."""
    user_id = id_in(named, "userId")
    if user_id is not None:
        return users.get(mandate(), user_id)
    [(selector, text)] = named.items()
    is_address = "@" in text
    if is_address if selector == "username" else selector == "email" and not is_address:
        raise NotFound
    return users.named(mandate(), text)


def _shown(account: Account) -> Response:
    return plain({"user": people.shown(account, _all_applications())})


def _all_applications() -> list[Application]:
    """Those that anybody can sign in to."""
    return [one.application for one in all_of(lambda window: applications.find(mandate(), window, active=True))]


def _full_name(given: dict[str, Any]) -> str | None:
    """Raises ValidationFailed."""
    parts = [_text(given, name) for name in ("firstName", "lastName")]
    name = _text(given, "fullName") or " ".join(part for part in parts if part) or None
    if name is not None and len(name) > LONGEST_NAME:
        raise ValidationFailed(fields={"[tooLong]user.fullName": [f"At most {LONGEST_NAME} characters."]})
    return name


def _text(given: dict[str, Any], name: str) -> str | None:
    """Raises ValidationFailed."""
    return None if given.get(name) in (None, "") else text_in(given, name, f"user.{name}")


def _roles(wanted: dict[str, Any]) -> frozenset[str]:
    """Raises ValidationFailed."""
    roles = wanted.get("roles") or []
    if not isinstance(roles, list) or not all(isinstance(name, str) and "\0" not in name for name in roles):
        raise ValidationFailed(fields={"[couldNotConvert]registration.roles": ["This is no list of names."]})
    if len(roles) > MOST_ROLES:
        raise ValidationFailed(fields={"[invalid]registration.roles": [f"At most {MOST_ROLES}."]})
    return frozenset(roles)


def _is_on(name: str) -> bool:
    return request.args.get(name) == "true"
