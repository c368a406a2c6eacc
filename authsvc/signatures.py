"""Who signed a JWT: judged alike here and by verifiers elsewhere, by keys that are known by name and by nothing else.

PyJWT judges the signature. It does not take the token apart: it looks at each letter by itself for that, which takes it
as long as the signature, and flask-jwt-extended has it done three times over.
"""

import json
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from jwt.algorithms import get_default_algorithms
from jwt.exceptions import PyJWTError

from authsvc.errors import TokenInvalid

LONGEST = 8192
_PART = "([0-9A-Za-z_-]+)"
_COMPACT = re.compile(rf"({_PART}\.{_PART})\.{_PART}")
_ALGORITHMS = get_default_algorithms()


class Signer(NamedTuple):
    """A key that verifies, and the one algorithm that it signs with."""

    public: Any
    algorithm: str


def signed(text: str, signer: Callable[[str], Signer | None]) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims, if the key signed them that the header names. Keys that the header brings count for nothing.

    Raises TokenInvalid, whatever is wrong: more would tell an attacker how far a forgery got.
    """
    parts = _COMPACT.fullmatch(text) if len(text) <= LONGEST else None
    if parts is None:
        raise TokenInvalid
    try:
        header = _object(parts[2])
        kid = header.get("kid")
        key = signer(kid) if isinstance(kid, str) else None
        if key is None or header.get("alg") != key.algorithm:
            raise TokenInvalid
        if not _ALGORITHMS[key.algorithm].verify(parts[1].encode(), key.public, _bytes(parts[4])):
            raise TokenInvalid
        return header, _object(parts[3])
    except (PyJWTError, ValueError, TypeError, RecursionError):
        raise TokenInvalid from None


def _object(part: str) -> dict[str, Any]:
    found = json.loads(_bytes(part))
    if not isinstance(found, dict):
        raise TokenInvalid
    return found


def _bytes(part: str) -> bytes:
    """Written in the one way that there is: the last letter has bits to spare."""
    found = urlsafe_b64decode(part + "=" * (-len(part) % 4))
    if urlsafe_b64encode(found).rstrip(b"=") != part.encode():
        raise TokenInvalid
    return found
