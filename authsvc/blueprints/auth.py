"""Accounts and sign-ins: register, log in, me, password, log out."""

from typing import Any, cast

from flask import Blueprint, Response, g
from marshmallow import fields

from authsvc import opaque
from authsvc.blueprints.answers import SOMETIMES, Sorted, gives, hears, refuses
from authsvc.blueprints.bodies import Body, Camel, Flag, Jwt, Moment, Text, takes
from authsvc.blueprints.envelope import answer
from authsvc.claims import is_of_client
from authsvc.credentials import jwts, readers, transports
from authsvc.credentials.guard import BY_A_USER, BY_SIGN_IN, principal, public, requires
from authsvc.credentials.readers import caller
from authsvc.credentials.transports import CSRF_HEADER
from authsvc.errors import (
    AlreadyExists,
    CredentialsInvalid,
    CsrfFailed,
    PasswordWrong,
    PermissionDenied,
    SignInNeeded,
    TenantMismatch,
    TooManyAttempts,
    Unauthenticated,
    UnknownTenant,
    ValidationFailed,
)
from authsvc.models import Application
from authsvc.models.user import Account
from authsvc.services import accounts, applications, refresh_tokens, tenants
from authsvc.services.accounts import SignIn
from authsvc.services.standings import Proof

bp = Blueprint("auth", __name__, url_prefix="/auth")

SETS_COOKIES = ("Set-Cookie",)


class UserOut(Camel):
    id = fields.String()
    email = fields.String()
    username = fields.String(allow_none=True)
    name = fields.String(allow_none=True)
    roles = Sorted()
    active = fields.Boolean()
    confirmed = fields.Boolean()
    created_at = Moment()


class RefreshedOut(Camel):
    """What carries a sign-in on. Transports write it, each its own half of what is there only sometimes."""

    access_token = fields.String(metadata={SOMETIMES: True})
    token_type = fields.String()
    expires_in = fields.Integer()
    refresh_expires_in = fields.Integer()
    refresh_token_id = fields.String()
    refresh_token = fields.String(metadata={SOMETIMES: True})
    csrf_token = fields.String(metadata={SOMETIMES: True})


class SignedInOut(RefreshedOut):
    user = fields.Nested(UserOut)


class MeOut(Camel):
    user = fields.Nested(UserOut)
    permissions = Sorted()
    via = fields.String()


class RevokedOut(Camel):
    """How many sign-ins ended."""

    revoked = fields.Integer()


class RegisterIn(Body):
    email = Text(required=True, metadata={"format": "email"})
    password = Text(required=True, longest=4096)
    username = Text(longest=64)
    name = Text()
    application_id = Text(longest=64)


class LoginIn(Body):
    identifier = Text()
    email = Text()
    username = Text()
    password = Text(required=True, longest=4096)
    application_id = Text(longest=64)
    device_name = Text()


class MeIn(Body):
    username = Text(longest=64, allow_none=True)
    name = Text(allow_none=True)


class PasswordIn(Body):
    current_password = Text(required=True, longest=4096)
    new_password = Text(required=True, longest=4096)


class LogoutIn(Body):
    everywhere = Flag()
    refresh_token = Jwt()


@bp.post("/register")
@public
@gives(SignedInOut, status=201, headers=SETS_COOKIES)
@refuses(AlreadyExists, CredentialsInvalid, TooManyAttempts, UnknownTenant, PermissionDenied, CsrfFailed)
@takes(RegisterIn)
def register(body: dict[str, Any]) -> Response:
    """Make an account and sign it in."""
    tenant = tenants.selected(readers.tenant_named())
    application = applications.chosen(tenant, body.get("application_id"))
    transports.of_application(application).admit(application)
    signed_in = accounts.register(
        tenant,
        application,
        email=body["email"],
        password=body["password"],
        username=body.get("username"),
        name=body.get("name"),
        caller=caller(),
        now=g.now,
    )
    return _signed_in(application, signed_in, "Welcome.", 201)


@bp.post("/login")
@public
@gives(SignedInOut, headers=SETS_COOKIES)
@refuses(CredentialsInvalid, TooManyAttempts, UnknownTenant, CsrfFailed)
@takes(LoginIn)
def login(body: dict[str, Any]) -> Response:
    """Sign in with a name and a password."""
    tenant = tenants.selected(readers.tenant_named())
    application = applications.chosen(tenant, body.get("application_id"))
    transports.of_application(application).admit(application)
    signed_in = accounts.sign_in(
        tenant,
        application,
        identifier=_identifier(body),
        password=body["password"],
        device_name=body.get("device_name"),
        caller=caller(),
        now=g.now,
    )
    return _signed_in(application, signed_in, "Signed in.")


@bp.get("/me")
@requires(via=BY_A_USER)
@gives(MeOut, "This is you.")
def me() -> dict[str, Any]:
    """Who am I, and what may I do?"""
    return _me(g.account)  # it was read together with the credential


@bp.patch("/me")
@requires(via=BY_SIGN_IN)
@gives(MeOut, "Changed.")
@refuses(AlreadyExists)
@takes(MeIn)
def change_me(body: dict[str, Any]) -> dict[str, Any]:
    """Change my user name or my name; null takes it away."""
    return _me(accounts.update(principal.tenant_id, _my_id(), body, caller(), g.now))


@bp.post("/password")
@requires(via=BY_SIGN_IN)
@gives(RevokedOut, "The password was changed, and every other sign-in has ended.")
@refuses(PasswordWrong, TooManyAttempts)
@takes(PasswordIn)
def change_password(body: dict[str, Any]) -> dict[str, int]:
    """Change my password; every other sign-in of mine ends."""
    revoked = accounts.change_password(
        principal.tenant_id,
        _my_id(),
        current=body["current_password"],
        new=body["new_password"],
        keep=str(principal.refresh_token_id),
        caller=caller(),
        now=g.now,
    )
    return {"revoked": revoked}


@bp.post("/logout")
@public
@gives(RevokedOut, headers=SETS_COOKIES)
@refuses(CsrfFailed, TenantMismatch, PermissionDenied)
@hears(CSRF_HEADER)
@takes(LogoutIn)
def logout(body: dict[str, Any]) -> Response:
    """Sign out here or everywhere, by access token or by refresh token; who is out already stays out."""
    ended = refresh_tokens.Ended(0, None)
    proof = _proof_to_end(body)
    if proof is not None:
        ended = refresh_tokens.end(
            proof,
            everywhere=body.get("everywhere", False),
            tenant_name=readers.tenant_named(),
            caller=caller(),
            now=g.now,
        )
    if ended.standing is not None:
        g.application_id = ended.standing.application_id
    response = answer({"revoked": ended.count}, "Signed out.")
    for transport in transports.TRANSPORTS.values():
        transport.clear(ended.standing, response)
    return response


_user_out = UserOut()


def user_out(account: Account) -> dict[str, Any]:
    return cast("dict[str, Any]", _user_out.dump(account))


def _me(account: Account) -> dict[str, Any]:
    return {"user": account, "permissions": principal.permissions, "via": principal.via}


def _my_id() -> str:
    """On routes that only users reach."""
    return cast("str", principal.user_id)


def _signed_in(application: Application, signed_in: SignIn, message: str, status: int = 200) -> Response:
    delivery = transports.of_application(application).deliver(signed_in.standing, g.now)
    response = answer({"user": user_out(signed_in.account)} | delivery.body, message, status)
    return delivery.put_cookies_on(response)


def _identifier(body: dict[str, Any]) -> str:
    given = [name for name in ("identifier", "email", "username") if name in body]
    if len(given) != 1:
        raise ValidationFailed(fields={"identifier": ["Send one of identifier, email and username."]})
    return str(body[given[0]])


def _proof_to_end(body: dict[str, Any]) -> Proof | None:
    """The sign-in that a logout means: the access token's or, without a good one, the refresh token's."""
    text = readers.bearer()
    if text is not None:
        if text.startswith(opaque.API_TOKEN_MARK):
            raise SignInNeeded
        try:
            proof, claims = jwts.read_access(text, g.now)
        except Unauthenticated:
            pass  # expired, most likely: that is when people log out
        else:
            if is_of_client(claims):
                raise SignInNeeded
            return proof
    try:
        brought = transports.brought(body, g.now)
    except CsrfFailed:
        raise
    except Unauthenticated:
        return None  # dead already
    return brought[1] if brought else None
