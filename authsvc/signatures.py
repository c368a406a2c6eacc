"""Who signed a JWT: judged alike here and by verifiers elsewhere, by keys that are known by name and by nothing else.

flask-jwt-extended reads a token three times over before it believes it, and each time every letter of it. PyJWT, which
does that work for it, is asked once here.
"""

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any, NamedTuple

import jwt
from jwt.exceptions import PyJWTError
from jwt.types import Options

from authsvc.errors import TokenInvalid

LONGEST = 8192
# In base64url, as everybody writes it; some put the padding behind it that it does without.
_PART = "[0-9A-Za-z_-]+={0,2}"
_COMPACT = re.compile(rf"{_PART}\.{_PART}\.{_PART}")
# What is left to claims.py. `iat` and `nbf` are compared here.
_OPTIONS: Options = {"verify_exp": False, "verify_aud": False, "verify_iss": False}


class Signer(NamedTuple):
    """A key that verifies, and the one algorithm that it signs with."""

    public: Any
    algorithm: str


def signed(
    text: str, signer: Callable[[str], Signer | None], clock_skew: timedelta
) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
    """Header and claims, if the key signed them that the header names. Keys that the header brings count for nothing.

    Raises TokenInvalid: the library's own words would tell an attacker how far a forgery got.
    """
    if len(text) > LONGEST or not _COMPACT.fullmatch(text):
        raise TokenInvalid
    try:
        key = signer(_kid(text))
        if key is None:
            raise TokenInvalid
        read = jwt.decode_complete(text, key.public, [key.algorithm], options=_OPTIONS, leeway=clock_skew)
    except (PyJWTError, ValueError, TypeError, OverflowError, RecursionError):
        raise TokenInvalid from None
    return read["header"], read["payload"]


def _kid(text: str) -> str:
    """The name of a key, as the header says it: whatever else the header says is judged with the signature."""
    first = text.partition(".")[0].rstrip("=")
    header = json.loads(urlsafe_b64decode(first + "=" * (-len(first) % 4)))
    kid = header.get("kid") if isinstance(header, dict) else None
    if not isinstance(kid, str):
        raise TokenInvalid
    return kid
