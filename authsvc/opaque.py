"""The only module that knows randomness, and what is made of it: ids, secrets, digests."""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode

import uuid_utils

# No vowels, no look-alikes: read aloud or typed from a screen, and never a word.
LEGIBLE = "23456789bcdfghjkmnpqrstvwxzBCDFGHJKMNPQRSTVWXZ"


def new_id() -> str:
    """A UUIDv7: unique everywhere, ordered by time, so that an index grows at its end."""
    return str(uuid_utils.uuid7())


def new_jti() -> str:
    return str(uuid_utils.uuid4())


def new_password() -> str:
    """About 110 bits, for a first administrator to type once."""
    return "-".join("".join(secrets.choice(LEGIBLE) for _ in range(5)) for _ in range(4))


def digest(text: str) -> str:
    """SHA-256, in hex: how what must be recognised but never read is kept."""
    return hashlib.sha256(text.encode()).hexdigest()


def keyed_digest(key: bytes, text: str) -> str:
    """HMAC-SHA-256, URL-safe: a value that only the holder of the key can foretell."""
    return urlsafe_b64encode(hmac.digest(key, text.encode(), "sha256")).rstrip(b"=").decode()
