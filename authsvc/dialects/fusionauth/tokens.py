"""Refresh tokens, looked up and revoked: one's own by a sign-in, the tenant's by an API key that may.

A revocation that names nothing is refused: it never comes to mean all.
"""

from typing import Any

from flask import Response, g

from authsvc.blueprints.envelope import plain
from authsvc.blueprints.paths import by_id
from authsvc.credentials import jwts
from authsvc.credentials.guard import judges_query, mandate, principal, requires
from authsvc.dialects.fusionauth.words import all_of, bp, id_in, instant, key, meant, nothing, require_of_key
from authsvc.errors import NotFound, SelectorMissing, TokenInvalid, ValidationFailed
from authsvc.models import RefreshToken
from authsvc.services import applications, token_admin
from authsvc.services.token_admin import Filters, Selection


@bp.get("/api/jwt/refresh")
@judges_query
@requires(in_any_tenant=True, about=key)
def retrieve_all() -> Response:
    """A user's; with an access token and no userId, one's own."""
    user_id = id_in(meant("userId"), "userId") or (principal.user_id if mandate().signed_in else None)
    if user_id is None:
        raise ValidationFailed(fields={"[blank]userId": ["You must specify this."]})
    try:
        own = Selection(user_id=user_id)
        rows = all_of(lambda window: token_admin.find(mandate(), own, Filters(), window))
    except NotFound:
        rows = []  # that there is no such user is no news here
    return plain({"refreshTokens": [_out(row) for row in rows]})


@bp.get("/api/jwt/refresh/<id>")
@judges_query
@requires(in_any_tenant=True, about=key)
@by_id
def retrieve(refresh_token_id: str) -> Response:
    """One. Those that were revoked or ran out are as good as gone."""
    require_of_key(token_admin.READ)
    row = token_admin.get(mandate(), refresh_token_id)
    if row.revoked_at is not None or min(row.idle_expires_at, row.expires_at) <= g.now:
        raise NotFound
    return plain({"refreshToken": _out(row)})


@bp.delete("/api/jwt/refresh/<id>")
@judges_query
@requires(in_any_tenant=True, about=key)
@by_id
def revoke(refresh_token_id: str) -> Response:
    """End one."""
    return _ended(Selection(refresh_token_id=refresh_token_id))


@bp.delete("/api/jwt/refresh")
@judges_query
@requires(in_any_tenant=True, about=key)
def revoke_all() -> Response:
    """End those of whom all holds that the query or the body says."""
    require_of_key(token_admin.REVOKE)
    named = meant("userId", "applicationId", "token")
    if not named:
        raise SelectorMissing("Say which: a userId, an applicationId or a token. Nothing was ended.")
    return _ended(
        Selection(
            user_id=id_in(named, "userId"),
            application_id=applications.named(mandate(), named["applicationId"]).id
            if "applicationId" in named
            else None,
            refresh_token_id=_sign_in_of(named["token"]) if "token" in named else None,
        )
    )


def _ended(selection: Selection) -> Response:
    """One that is named and dead already is not found; of many, none may be left."""
    killed = token_admin.revoke(mandate(), selection)
    if selection.refresh_token_id is not None and not killed.count:
        raise NotFound
    return nothing()


def _sign_in_of(text: str) -> str:
    """A text that is no refresh token of ours is one that we never knew. Raises NotFound."""
    try:
        return jwts.sign_in_of(text, g.now).refresh_token_id
    except TokenInvalid:
        raise NotFound from None


def _out(row: RefreshToken) -> dict[str, Any]:
    """Without its text: nobody has that but its holder."""
    device = {
        "name": row.device_name or "",
        "description": row.user_agent,
        "lastAccessedAddress": row.ip,
        "lastAccessedInstant": instant(row.last_used_at),
        "type": "UNKNOWN",
    }
    return {
        "id": row.id,
        "userId": row.user_id,
        "applicationId": row.application_id,
        "tenantId": row.tenant_id,
        "insertInstant": instant(row.created_at),
        "startInstant": instant(row.created_at),
        "metaData": {"device": device, "scopes": []},
    }
