"""The users-permissions plugin of Strapi: register, sign in, me, carry on, sign out, sign-ins, password.

A refresh token is in every answer that Strapi's mode `refresh` would have it in: programs of the older mode, which know
the `jwt` alone, ignore it.
"""

from typing import Any

from flask import Response, g, request

from authsvc import opaque
from authsvc.blueprints.auth import RegisterIn
from authsvc.blueprints.bodies import loaded
from authsvc.blueprints.envelope import plain
from authsvc.blueprints.paths import written
from authsvc.blueprints.refresh import attempt
from authsvc.claims import is_of_client
from authsvc.credentials import jwts, origins, readers
from authsvc.credentials.guard import BY_A_USER, BY_SIGN_IN, judges_query, mandate, principal, requires
from authsvc.dialects import cookies, wire
from authsvc.dialects.strapi.speech import (
    COOKIE,
    RefreshTokenInvalid,
    RefreshTokenMissing,
    RegistrationClosed,
    bp,
    credential,
    instant,
    required,
    wants_cookie,
)
from authsvc.errors import (
    CredentialsMissing,
    NotFound,
    PermissionDenied,
    SignInNeeded,
    TokenInvalid,
    Unauthenticated,
    ValidationFailed,
)
from authsvc.models import RefreshToken
from authsvc.models.paging import Window
from authsvc.models.refresh_token import Standing
from authsvc.models.user import Account
from authsvc.presenting import Place
from authsvc.services import accounts, applications, refresh_tokens, standings, tenants, token_admin
from authsvc.services.standings import Proof
from authsvc.services.token_admin import Filters, Selection

MOST_SIGN_INS = 200
LONGEST_DEVICE = 256
MAY_REGISTER_WITH = ("username", "email", "password")

_register_in = RegisterIn()


@bp.post("/api/auth/local")
@wire.spoken
def sign_in() -> Response:
    """Sign in with an e-mail address, or a user name, and a password."""
    body = wire.given()
    identifier, password = required(body, "identifier", "password")
    by_cookie = wants_cookie()
    signed_in = wire.sign_in(identifier, password, _device(body), by_cookie=by_cookie)
    return _delivered(signed_in.standing, signed_in.account, by_cookie=by_cookie)


@bp.post("/api/auth/local/register")
@wire.spoken
def register() -> Response:
    """Make an account and sign it in."""
    body = wire.given()
    unknown = [name for name in body if name not in MAY_REGISTER_WITH]
    if unknown:
        raise ValidationFailed(fields={unknown[0]: [f"Invalid parameters: {', '.join(unknown)}"]})
    required(body, *MAY_REGISTER_WITH)
    joining = loaded(_register_in, body)
    tenant = tenants.selected(readers.tenant_named())
    application, by_cookie = applications.chosen(tenant, None), wants_cookie()
    if by_cookie:
        origins.refuse_foreign(application.id)
    try:
        signed_in = accounts.register(
            tenant,
            application,
            **joining,
            name=None,
            caller=readers.caller(),
            now=g.now,
        )
    except PermissionDenied:
        raise RegistrationClosed from None
    return _delivered(signed_in.standing, signed_in.account, by_cookie=by_cookie)


@bp.get("/api/users/me")
@judges_query
@requires(via=BY_A_USER, about=credential)
def me() -> Response:
    """Who am I?"""
    return plain(user_out(_mine()))


@bp.post("/api/auth/refreshToken")
@judges_query
@requires(refresh_tokens.REFRESH, via=BY_SIGN_IN, about=credential)
def exchange() -> Response:
    """Another access token for a good one: of the same sign-in, which comes no further, and allowed no more."""
    standing = standings.of(_proof_of_access(), now=g.now, at_once=True)
    text, _ = jwts.access_token(standing, g.now, scope=principal.permissions)
    return plain({"newJwt": text})


@bp.post("/api/auth/refresh")
@wire.spoken
def refresh() -> Response:
    """The next pair, for the refresh token in the cookie or, without one, in the body."""
    text, proof = wire.given().get("refreshToken"), COOKIE.read(g.now)
    by_cookie = proof is not None or wants_cookie()
    if proof is None and text in (None, ""):
        raise RefreshTokenInvalid if COOKIE.name in request.cookies else RefreshTokenMissing
    try:
        if proof is None:
            proof = _proof_in_body(text, by_cookie=by_cookie)
        standing = refresh_tokens.rotate(
            proof,
            tenant_name=readers.tenant_named(),
            attempt=attempt(),
            caller=readers.caller(),
            now=g.now,
        )
    except Unauthenticated:
        raise RefreshTokenInvalid from None
    return _delivered(standing, None, by_cookie=by_cookie)


@bp.post("/api/auth/logout")
@wire.spoken
def sign_out() -> Response:
    """Sign out, here, on a device or everywhere, by refresh token or, without a good one, by access token."""
    body = wire.given()
    scope = body.get("scope")
    if scope not in (None, "all"):
        raise ValidationFailed(fields={"scope": ["scope must be one of the following values: all"]})
    device_name = _device(body)
    if scope is None and device_name is not None:
        return _sign_out_device(device_name)
    ended = refresh_tokens.end(
        COOKIE.read(g.now) or _proof_of_refresh(body) or _proof_of_access(),
        everywhere=scope == "all",
        tenant_name=readers.tenant_named(),
        caller=readers.caller(),
        now=g.now,
    )
    response = plain({"ok": True})
    cookies.clear(response, ended.standing, COOKIE.name)
    return response


@requires(via=BY_SIGN_IN, about=credential)
def _sign_out_device(device_name: str) -> Response:
    """End my sign-ins on that device."""
    token_admin.revoke(mandate(), Selection(user_id=principal.user_id, device_name=device_name))
    return plain({"ok": True})


@bp.get("/api/auth/sessions")
@judges_query
@requires(via=BY_SIGN_IN, about=credential)
def sessions() -> Response:
    """My sign-ins that are live, the newest first."""
    mine = Selection(user_id=principal.user_id)
    found = token_admin.find(mandate(), mine, Filters(), Window(MOST_SIGN_INS))
    return plain({"data": [_session(row) for row in found.items]})


@bp.delete("/api/auth/sessions/<id>")
@judges_query
@requires(via=BY_SIGN_IN, about=credential)
def end_session(id: str) -> Response:  # noqa: A002  (the name that paths have)
    """End one of my sign-ins."""
    try:
        mine = Selection(user_id=principal.user_id, refresh_token_id=written(id))
        ended = token_admin.revoke(mandate(), mine).count
    except NotFound:
        ended = 0
    if not ended:
        raise NotFound("Session not found")
    return plain({"data": {}})


@bp.post("/api/auth/change-password")
@judges_query
@requires(via=BY_SIGN_IN, about=credential)
def change_password() -> Response:
    """Change my password; every other sign-in of mine ends, and this one's pair is answered as at a sign-in."""
    current, new, again = required(wire.given(), "currentPassword", "password", "passwordConfirmation")
    if new != again:
        raise ValidationFailed(fields={"passwordConfirmation": ["Passwords do not match"]})
    if new == current:
        sentence = "Your new password must be different than your current password"
        raise ValidationFailed(fields={"password": [sentence]})
    accounts.change_password(
        principal.tenant_id,
        str(principal.user_id),
        current=current,
        new=new,
        keep=str(principal.refresh_token_id),
        caller=readers.caller(),
        now=g.now,
    )
    standing = standings.of(_proof_of_access(), now=g.now, at_once=True)
    return _delivered(standing, _mine(), by_cookie=wants_cookie() or COOKIE.read(g.now) is not None)


def user_out(account: Account) -> dict[str, Any]:
    """A user as Strapi has it. Ours have no number: the id is the UUID, under both names."""
    made = instant(account.created_at)
    return {
        "id": account.id,
        "documentId": account.id,
        "username": account.username or account.email,
        "email": account.email,
        "provider": "local",
        "confirmed": account.confirmed,
        "blocked": not account.active,
        "createdAt": made,
        "updatedAt": made,
        "publishedAt": made,
    }


def _device(body: dict[str, Any]) -> str | None:
    """What Strapi knows a device by. Raises ValidationFailed."""
    if body.get("deviceId") in (None, ""):
        return None
    (text,) = required(body, "deviceId")
    if len(text) > LONGEST_DEVICE:
        raise ValidationFailed(fields={"deviceId": [f"deviceId must be at most {LONGEST_DEVICE} characters"]})
    return text


def _session(row: RefreshToken) -> dict[str, Any]:
    return {
        "id": row.id,
        "deviceName": row.device_name or row.user_agent,
        "loginAt": instant(row.created_at),
        "current": row.id == principal.refresh_token_id,
    }


def _delivered(standing: Standing, account: Account | None, *, by_cookie: bool) -> Response:
    """The pair, its refresh token in the cookie or beside the `jwt`, and whose it is."""
    text, _ = jwts.access_token(standing, g.now)
    told = {"jwt": text} | ({} if account is None else {"user": user_out(account)})
    if not by_cookie:
        return plain(told | {"refreshToken": jwts.refresh_token(standing, g.now)})
    response = plain(told)
    COOKIE.put_on(response, standing, g.now)
    return response


def _proof_in_body(text: Any, *, by_cookie: bool) -> Proof:
    """`by_cookie`: it goes on in one. Raises TokenInvalid, CsrfFailed."""
    proof = jwts.read_refresh(wire.text_of(text), g.now)
    if by_cookie:
        origins.refuse_foreign(refresh_token_id=proof.refresh_token_id)
    return proof


def _mine() -> Account:
    """On routes that only users reach."""
    return accounts.get(principal.tenant_id, str(principal.user_id))


def _proof_of_refresh(body: dict[str, Any]) -> Proof | None:
    """Which sign-in the body means, if it holds a refresh token of ours, of any age."""
    if body.get("refreshToken") is None:
        return None
    try:
        return jwts.read_refresh(wire.text_of(body["refreshToken"]), g.now)
    except TokenInvalid:
        return None


def _proof_of_access() -> Proof:
    """Which sign-in the credential of this request means. Raises what is wrong with it, as the guard would."""
    presented = credential().presented
    if presented is None:
        raise CredentialsMissing
    if presented.text.startswith(opaque.API_TOKEN_MARK):
        raise SignInNeeded
    if presented.place is not Place.HEADER:
        raise TokenInvalid
    proof, claims = jwts.read_access(presented.text, g.now)
    if is_of_client(claims):
        raise SignInNeeded
    return proof
