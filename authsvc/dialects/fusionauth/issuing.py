"""Access tokens for the asking: of a sign-in that there is, and of no other."""

from flask import Response, g

from authsvc.blueprints.envelope import plain
from authsvc.credentials import jwts
from authsvc.credentials.guard import BY_SIGN_IN, judges_query, mandate, principal, requires
from authsvc.dialects.fusionauth.words import bp, key, meant
from authsvc.errors import NotFound, PermissionDenied, TokenInvalid, ValidationFailed
from authsvc.services import applications, refresh_tokens, standings


@bp.get("/api/jwt/issue")
@judges_query
@requires(refresh_tokens.REFRESH, via=BY_SIGN_IN, about=key)
def issue() -> Response:
    """Another access token of my sign-in, which comes no further and is allowed no more by it.

    A sign-in is to one application: to any other it can't carry. A refresh token in the address is not looked at.
    """
    named = meant("applicationId", "refreshToken")
    if "applicationId" not in named:
        raise ValidationFailed(fields={"[blank]applicationId": ["You must specify this."]})
    if applications.named(mandate(), named["applicationId"]).id != principal.application_id:
        raise NotFound
    presented = key().presented
    if presented is None:
        raise TokenInvalid
    proof, _ = jwts.read_access(presented.text, g.now)
    standing = standings.of(proof, now=g.now, at_once=True)
    text, _ = jwts.access_token(standing, g.now, scope=principal.permissions)
    return plain({"token": text})


@bp.post("/api/jwt/vend")
@judges_query
@requires(about=key)
def vend() -> Response:
    """Never: such a token would hang on no user and no sign-in, and nobody could end it. Raises PermissionDenied."""
    raise PermissionDenied("jwt:vend", "No key may have a token made up.")
