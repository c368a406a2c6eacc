"""The only module that knows randomness, and what is made of it: ids, secrets, digests."""

import hashlib
import hmac
import re
import secrets
import zlib
from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import uuid_utils

# No vowels, no look-alikes: read aloud or typed from a screen, and never a word.
LEGIBLE = "23456789bcdfghjkmnpqrstvwxzBCDFGHJKMNPQRSTVWXZ"
BASE62 = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
API_TOKEN_MARK = "asvc_"  # noqa: S105  (how one begins)
_UUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_API_TOKEN = re.compile(rf"{API_TOKEN_MARK}([0-9A-Za-z]{{30}})([0-9A-Za-z]{{6}})")


def new_id() -> str:
    """A UUIDv7: unique everywhere, ordered by time, so that an index grows at its end."""
    return str(uuid_utils.uuid7())


def is_id(text: str) -> bool:
    """Whether this is a UUID as we write them: lower case, with its dashes."""
    return _UUID.fullmatch(text) is not None


def id_of_both(one_id: str, other: str) -> str:
    """A UUID that follows from an id and another text: no row has it."""
    return str(uuid_utils.uuid5(uuid_utils.UUID(one_id), other))


def made_at(new_id: str) -> datetime:
    """When such an id was made, to the millisecond: a UUIDv7 begins with that."""
    return datetime.fromtimestamp(int(new_id.replace("-", "")[:12], 16) / 1000, UTC)


def first_id_at(moment: datetime, margin: timedelta) -> str:
    """What no id is less than that was made at this moment or later, or before it by no more than the margin."""
    # In seconds: a moment may be the first that there is.
    milliseconds = max(0, int((moment.timestamp() - margin.total_seconds()) * 1000))
    text = f"{milliseconds:012x}"
    return f"{text[:8]}-{text[8:]}-0000-0000-000000000000"


def new_jti() -> str:
    return str(uuid_utils.uuid4())


def new_password() -> str:
    """About 110 bits, for a first administrator to type once."""
    return "-".join("".join(secrets.choice(LEGIBLE) for _ in range(5)) for _ in range(4))


def new_secret() -> str:
    """256 bits for a program to prove itself with, behind a mark by which secret scanners know it."""
    return f"asvcs_{secrets.token_urlsafe(32)}"


def new_api_token() -> str:
    """178 bits behind a mark by which secret scanners know it, and a checksum that a made-up one lacks."""
    body = "".join(secrets.choice(BASE62) for _ in range(30))
    return f"{API_TOKEN_MARK}{body}{_checksum(body)}"


def is_api_token(text: str) -> bool:
    """Whether this has the form of one, checksum and all: junk is told from it without looking anything up."""
    parts = _API_TOKEN.fullmatch(text)
    return parts is not None and _checksum(parts[1]) == parts[2]


def _checksum(body: str) -> str:
    """The CRC-32, in six digits of base 62."""
    rest, digits = zlib.crc32(body.encode()), ""
    for _ in range(6):
        rest, digit = divmod(rest, 62)
        digits = BASE62[digit] + digits
    return digits


def digest(text: str) -> str:
    """SHA-256, in hex: how what must be recognised but never read is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def are_same(some: str, other: str) -> bool:
    """Compared in constant time."""
    return hmac.compare_digest(some.encode(), other.encode())


def keyed_digest(key: bytes, text: str) -> str:
    """HMAC-SHA-256, URL-safe: a value that only the holder of the key can foretell."""
    return urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).rstrip(b"=").decode()
