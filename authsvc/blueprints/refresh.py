"""The refresh token's one verb: carry a sign-in on."""

from typing import Any

from flask import Blueprint, Response, g, request

from authsvc.blueprints.answers import gives, hears, refuses
from authsvc.blueprints.auth import SETS_COOKIES, RefreshedOut
from authsvc.blueprints.bodies import takes
from authsvc.blueprints.envelope import answer
from authsvc.blueprints.token_admin import EndedOut, RefreshTokensPage, SelectorsInPost, post_selectors
from authsvc.credentials import readers, transports
from authsvc.credentials.guard import CREDENTIALS, public
from authsvc.credentials.readers import caller
from authsvc.credentials.transports import CSRF_HEADER
from authsvc.errors import (
    CredentialsMissing,
    CsrfFailed,
    NotFound,
    PermissionDenied,
    RefreshTokenReused,
    SelectorMissing,
    UnknownTenant,
    ValidationFailed,
)
from authsvc.services import refresh_tokens

bp = Blueprint("refresh", __name__, url_prefix="/jwt/refresh")

LONGEST_ATTEMPT = 255


@bp.post("")
@public
@gives(RefreshedOut, also=(EndedOut, RefreshTokensPage), headers=SETS_COOKIES)
@refuses(RefreshTokenReused, CsrfFailed, PermissionDenied, NotFound, SelectorMissing, UnknownTenant, *CREDENTIALS)
@hears("Idempotency-Key", CSRF_HEADER)
@takes(SelectorsInPost)
def refresh(body: dict[str, Any]) -> Response:
    """Trade the refresh token for the next one and a new access token."""
    if body.keys() - {"refresh_token"}:
        return post_selectors(body)  # browsers add their cookie to that too
    brought = transports.brought(body, g.now)
    if brought is None:
        raise CredentialsMissing("Send the refresh token, in its cookie or as refreshToken in the body.")
    transport, proof = brought
    standing = refresh_tokens.rotate(
        proof, tenant_name=readers.tenant_named(), attempt=attempt(), caller=caller(), now=g.now
    )
    delivery = transport.deliver(standing, g.now)
    return delivery.put_cookies_on(answer(delivery.body, "Refreshed."))


def attempt() -> str | None:
    """The key under which the caller will ask again if our answer gets lost."""
    key = request.headers.get("Idempotency-Key") or None
    if key is not None and len(key) > LONGEST_ATTEMPT:
        raise ValidationFailed(fields={"Idempotency-Key": [f"At most {LONGEST_ATTEMPT} characters."]})
    return key
