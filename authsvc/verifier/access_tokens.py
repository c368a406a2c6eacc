"""Verifying an access token without asking anybody: by the published keys and the rules that authsvc itself has."""

import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

import jwt
from jwt.exceptions import PyJWTError
from jwt.types import Options

from authsvc.claims import ACCESS, LONGEST, check, is_of_client, refuse_expired
from authsvc.errors import TokenInvalid
from authsvc.principals import ACCESS_TOKEN, CLIENT, Principal
from authsvc.verifier.keys import PublishedKeys

# For `iat` and `nbf`, where the clock of authsvc may be ahead; `exp` is compared without it.
CLOCK_SKEW = timedelta(seconds=30)
_COMPACT = re.compile(r"[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+\.[0-9A-Za-z_-]+")
# What is left to claims.py.
_OPTIONS: Options = {"verify_exp": False, "verify_aud": False, "verify_iss": False}


def read(text: str, issuer: str, keys: PublishedKeys, now: datetime) -> Principal:
    """Whose a valid access token is. Raises TokenInvalid, TokenExpired, Unavailable."""
    if len(text) > LONGEST or not _COMPACT.fullmatch(text):
        raise TokenInvalid
    try:
        header, claims = _signed(text, keys, now)
    except (PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise TokenInvalid from None
    check(ACCESS, issuer, header, claims)
    refuse_expired(claims, now)
    return _principal(claims)


def _signed(text: str, keys: PublishedKeys, now: datetime) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """What it says, if the key that the header names signed it. Keys that the header brings count for nothing."""
    header = jwt.get_unverified_header(text)
    kid = header.get("kid")
    key = keys.named(kid, now) if isinstance(kid, str) else None
    if key is None:
        raise TokenInvalid
    claims = jwt.decode(text, key.key, [key.algorithm_name], options=_OPTIONS, leeway=CLOCK_SKEW)
    return header, claims


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
