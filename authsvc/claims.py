"""What must stand in a token of ours, besides a good signature: judged alike here and by verifiers elsewhere."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from authsvc.errors import TokenExpired, TokenInvalid
from authsvc.opaque import is_id

ACCESS, REFRESH = "access", "refresh"
HEADER_TYPES = {ACCESS: "at+jwt", REFRESH: "rt+jwt"}
# Of a header that means more than it says to whoever doesn't know them (RFC 7515 section 4.1.11, RFC 7797).
EXTENSIONS = frozenset({"crit", "b64"})
IDS = ("sub", "tid", "sid")
# Each with what it stays below: a generation and its successor fit their column.
WHOLE_NUMBERS = {"gen": 2**31 - 1, "iat": 2**53, "exp": 2**53}


def check(kind: str, issuer: str, header: Mapping[str, Any], claims: Mapping[str, Any], *, begun_by: datetime) -> None:
    """That this is a token of this kind and issuer, with all its claims. Raises TokenInvalid.

    `begun_by`: the latest moment that one may have been made at. Another node's clock may be ahead of ours.
    """
    if _media_type(header.get("typ")) != HEADER_TYPES[kind] or header.keys() & EXTENSIONS or claims.get("type") != kind:
        raise TokenInvalid
    if claims.get("iss") != issuer or not isinstance(claims.get("jti"), str):
        raise TokenInvalid
    if not all(isinstance(claims.get(name), str) and is_id(claims[name]) for name in IDS):
        raise TokenInvalid
    if not all(type(claims.get(name)) is int and 0 <= claims[name] < end for name, end in WHOLE_NUMBERS.items()):
        raise TokenInvalid
    if max(claims["iat"], _not_before(kind, claims)) > begun_by.timestamp():
        raise TokenInvalid
    if kind == ACCESS:
        _check_access(claims)
    elif claims.get("aud") != issuer:
        raise TokenInvalid


def _check_access(claims: Mapping[str, Any]) -> None:
    audience = claims.get("aud")
    if not (isinstance(audience, str) and is_id(audience) and claims.get("client_id") == audience):
        raise TokenInvalid
    if not isinstance(claims.get("scope"), str):
        raise TokenInvalid
    roles = claims.get("roles")
    if not (isinstance(roles, list) and all(isinstance(name, str) for name in roles)):
        raise TokenInvalid


def _not_before(kind: str, claims: Mapping[str, Any]) -> int:
    """A refresh token of ours has none; where there is one all the same, it counts. Raises TokenInvalid."""
    found = claims.get("nbf", 0 if kind == REFRESH else None)
    if type(found) is not int:
        raise TokenInvalid
    return found


def expiry(claims: Mapping[str, Any]) -> datetime:
    """Raises TokenInvalid for one that no calendar has."""
    try:
        return datetime.fromtimestamp(claims["exp"], UTC)
    except (OverflowError, ValueError, OSError):
        raise TokenInvalid from None


def refuse_expired(claims: Mapping[str, Any], now: datetime) -> None:
    """To the second, without any leeway. Raises TokenExpired, TokenInvalid."""
    if expiry(claims) <= now:
        raise TokenExpired


def is_of_client(claims: Mapping[str, Any]) -> bool:
    """Whether an application got this access token for itself: then it names no sign-in, and nobody but itself."""
    return bool(claims["sid"] == claims["client_id"])


def _media_type(typ: object) -> str:
    """RFC 7515 section 4.1.9: `application/` may be left out, and case does not matter."""
    return typ.lower().removeprefix("application/") if isinstance(typ, str) else ""
