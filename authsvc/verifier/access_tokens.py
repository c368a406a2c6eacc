"""Verifying an access token without asking anybody: by the published keys and the rules that authsvc itself has."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from authsvc.claims import ACCESS, check, is_of_client, refuse_expired
from authsvc.principals import ACCESS_TOKEN, CLIENT, Principal
from authsvc.signatures import Signer, signed
from authsvc.verifier.keys import PublishedKeys

# For `iat` and `nbf`, where the clock of authsvc may be ahead; `exp` is compared without it.
CLOCK_SKEW = timedelta(seconds=30)


def read(text: str, issuer: str, keys: PublishedKeys, now: datetime) -> Principal:
    """Whose a valid access token is. Raises TokenInvalid, TokenExpired, Unavailable."""

    def named(kid: str) -> Signer | None:
        key = keys.named(kid, now)
        return None if key is None else Signer(key.key, key.algorithm_name)

    header, claims = signed(text, named)
    check(ACCESS, issuer, header, claims, begun_by=now + CLOCK_SKEW)
    refuse_expired(claims, now)
    return _principal(claims)


def _principal(claims: Mapping[str, Any]) -> Principal:
    of_client = is_of_client(claims)
    return Principal(
        user_id=None if of_client else claims["sub"],
        tenant_id=claims["tid"],
        tenant_slug=None,
        application_id=claims["aud"],
        via=CLIENT if of_client else ACCESS_TOKEN,
        permissions=frozenset(claims["scope"].split()),
        roles=frozenset(claims["roles"]),
        refresh_token_id=None if of_client else claims["sid"],
    )
