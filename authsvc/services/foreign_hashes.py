"""Password hashes that other systems made: verified at the first sign-in here, and replaced by our own then.

bcrypt (Laravel, Strapi, Django), PBKDF2 and scrypt as Django writes them, FusionAuth's salted PBKDF2. What would take
too long to verify is none of them: a made-up cost must not hold a thread for hours.
"""

import base64
import binascii
import hashlib
import re
from collections.abc import Callable

import bcrypt

from authsvc import opaque

MOST_ROUNDS = 5_000_000
MOST_COST = 16
# bcrypt reads no further; where those hashes come from, the rest was ignored too.
BCRYPT_READS = 72
SCRYPT_MEMORY = 256 * 1024 * 1024

Check = Callable[[re.Match[str], bytes], bool]

_BCRYPT = r"\$2[abxy]?\$(?P<cost>\d\d)\$[./A-Za-z0-9]{53}"
_BASE64 = r"[A-Za-z0-9+/]+={0,2}"


def _bcrypt(found: re.Match[str], password: bytes) -> bool:
    # PHP writes $2y$ for what everybody else writes as $2b$.
    text = re.sub(r"^\$2[axy]?\$", "$2b$", found["hash"])
    return bcrypt.checkpw(password[:BCRYPT_READS], text.encode())


def _bcrypt_sha256(found: re.Match[str], password: bytes) -> bool:
    return _bcrypt(found, hashlib.sha256(password).hexdigest().encode())


def _django_pbkdf2(found: re.Match[str], password: bytes) -> bool:
    return _is_pbkdf2(found, password, found["salt"].encode())


def _fusionauth(found: re.Match[str], password: bytes) -> bool:
    return _is_pbkdf2(found, password, base64.b64decode(found["salt"]))


def _is_pbkdf2(found: re.Match[str], password: bytes, salt: bytes) -> bool:
    kept = base64.b64decode(found["hash"])
    made = hashlib.pbkdf2_hmac(found["digest"], password, salt, int(found["rounds"]), len(kept))
    return opaque.are_same(made.hex(), kept.hex())


def _django_scrypt(found: re.Match[str], password: bytes) -> bool:
    kept = base64.b64decode(found["hash"])
    n, r, p = (int(found[name]) for name in ("n", "r", "p"))
    salt = found["salt"].encode()
    made = hashlib.scrypt(password, salt=salt, n=n, r=r, p=p, maxmem=SCRYPT_MEMORY, dklen=len(kept))
    return opaque.are_same(made.hex(), kept.hex())


KINDS: tuple[tuple[re.Pattern[str], Check], ...] = (
    (re.compile(rf"(?P<hash>{_BCRYPT})"), _bcrypt),
    (re.compile(rf"bcrypt\$(?P<hash>{_BCRYPT})"), _bcrypt),
    (re.compile(rf"bcrypt_sha256\$(?P<hash>{_BCRYPT})"), _bcrypt_sha256),
    (
        re.compile(rf"pbkdf2_(?P<digest>sha1|sha256)\$(?P<rounds>\d{{1,8}})\$(?P<salt>[^$]+)\$(?P<hash>{_BASE64})"),
        _django_pbkdf2,
    ),
    (
        re.compile(
            rf"scrypt\$(?P<n>\d{{1,7}})\$(?P<salt>[^$]+)\$(?P<r>\d{{1,2}})\$(?P<p>\d{{1,2}})\$(?P<hash>{_BASE64})"
        ),
        _django_scrypt,
    ),
    (
        re.compile(
            rf"fusionauth_(?P<digest>sha256|sha512)\$(?P<rounds>\d{{1,8}})\$(?P<salt>{_BASE64})\$(?P<hash>{_BASE64})"
        ),
        _fusionauth,
    ),
)


def is_known(text: str) -> bool:
    """Whether this is such a hash, and one that can be verified in a reasonable time."""
    return _kind(text) is not None


def verify(text: str, password: str) -> bool:
    """Whether this is the password of that hash, to the letter as it was typed."""
    kind = _kind(text)
    if kind is None:
        return False
    found, check = kind
    try:
        return check(found, password.encode())
    except (ValueError, binascii.Error, MemoryError):
        return False


def _kind(text: str) -> tuple[re.Match[str], Check] | None:
    for pattern, check in KINDS:
        found = pattern.fullmatch(text)
        if found and _is_bearable(found.groupdict()):
            return found, check
    return None


def _is_bearable(parts: dict[str, str]) -> bool:
    if "cost" in parts:
        return int(parts["cost"]) <= MOST_COST
    if "rounds" in parts:
        return 0 < int(parts["rounds"]) <= MOST_ROUNDS
    n, r, p = (int(parts[name]) for name in ("n", "r", "p"))
    return n > 1 and n & (n - 1) == 0 and r > 0 and p > 0 and 128 * n * r * p < SCRYPT_MEMORY
