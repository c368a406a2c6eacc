"""The keys that sign tokens, as one worker knows them: read, opened, and kept until they change.

How they come and go is in key_rotation.py: a key is published (`next`) before it signs (`active`) and is believed
afterwards (`previous`) until what it signed has ended; then it is `retired`. So no node ever meets a token whose key it
can't know.
"""

import base64
import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app

from authsvc import opaque
from authsvc.errors import TokenRevoked, Unavailable
from authsvc.logs import logger
from authsvc.models import SigningKey, signing_key
from authsvc.models.engine import reading
from authsvc.models.signing_key import ACTIVE
from authsvc.opaque import is_id
from authsvc.rfc6979 import DeterministicKey
from authsvc.settings import settings


@dataclass(frozen=True, slots=True)
class Key:
    kid: str
    algorithm: str
    state: str
    private: Any
    public: Any
    jwk: Mapping[str, str]
    activated_at: datetime | None = None


@dataclass(slots=True)
class Ring:
    """What one worker knows of the keys, and since when. `follow_up` is called whenever they were read again."""

    keys: dict[str, Key] = field(default_factory=dict)
    read_at: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)
    follow_up: Callable[[datetime], None] | None = None
    rotator: threading.Thread | None = None

    def is_older_than(self, age: timedelta, now: datetime) -> bool:
        return self.read_at is None or abs(now - self.read_at) > age


def active(now: datetime) -> Key:
    """The key that signs. Raises Unavailable where none was made yet."""
    for key in usable(now).values():
        if key.state == ACTIVE:
            return key
    logger.error("There is no signing key yet: run `flask --app wsgi prepare`.")
    raise Unavailable


def signing(kid: str | None, now: datetime) -> Key:
    """The key of that name, to sign with: the one that the database called active.

    Raises Unavailable where it called none so, and TokenRevoked where the key was revoked since: with it ended whatever
    would have been signed.
    """
    if kid is None:
        raise Unavailable
    key = usable(now).get(kid) or _read(ring(), now).get(kid)
    if key is None:
        raise TokenRevoked
    return key


def known(kid: str, now: datetime) -> Key | None:
    """The key of that name, if tokens may be signed with it."""
    keys = usable(now)
    if kid not in keys and _is_newer(kid):
        keys = _read(ring(), now)
    return keys.get(kid)


def usable(now: datetime) -> Mapping[str, Key]:
    """All that are published, by name; read again when what this worker knows is older than KEY_REREAD."""
    known_so_far = ring()
    if known_so_far.is_older_than(settings.KEY_REREAD, now):
        with known_so_far.lock:
            if known_so_far.is_older_than(settings.KEY_REREAD, now):
                return _read(known_so_far, now)
    return known_so_far.keys


def published(now: datetime) -> Mapping[str, Key]:
    """All that are published at this moment: who fetches them may keep them, so a key that was revoked is never among
    them, whatever this worker has heard.
    """
    return _read(ring(), now)


def secret_for(purpose: str) -> bytes:
    """32 bytes that follow from SECRET_KEY, different for each purpose."""
    derived = current_app.extensions.setdefault("authsvc.derived", {})
    if purpose not in derived:
        hkdf = HKDF(hashes.SHA256(), 32, salt=b"authsvc", info=purpose.encode())
        derived[purpose] = hkdf.derive(settings.SECRET_KEY.encode())
    return cast("bytes", derived[purpose])


def new_kid() -> str:
    """A name that says when the key was made and proves that we made it, so that a made-up one costs no look-up."""
    key_id = opaque.new_id()
    return f"{key_id}.{_mark(key_id)}"


def sealed(pem: bytes) -> str:
    """A private key, as it lies in the database."""
    return _seal().encrypt(pem).decode()


def opens(row: SigningKey) -> bool:
    """Whether SECRET_KEY is the one that this was sealed with."""
    try:
        _seal().decrypt(row.sealed_private_key.encode())
    except InvalidToken:
        return False
    return True


def opened(row: SigningKey) -> Key:
    """The key in a row. Raises Unavailable where SECRET_KEY is not the one that it was sealed with."""
    try:
        pem = _seal().decrypt(row.sealed_private_key.encode())
    except InvalidToken:
        logger.error("SECRET_KEY is not the one that the signing keys in this database were sealed with.")
        raise Unavailable from None
    private: Any = serialization.load_pem_private_key(pem, password=None)
    public = private.public_key()
    if isinstance(private, ec.EllipticCurvePrivateKey):
        private = DeterministicKey(private)
    return Key(row.kid, row.algorithm, row.state, private, public, json.loads(row.public_jwk), row.activated_at)


def ring() -> Ring:
    return cast("Ring", current_app.extensions["authsvc.ring"])


def _read(known_so_far: Ring, now: datetime) -> Mapping[str, Key]:
    with reading() as session:
        rows = session.scalars(signing_key.usable()).all()
    keys = {row.kid: _reopened(row, known_so_far.keys.get(row.kid)) for row in rows}
    known_so_far.keys, known_so_far.read_at = keys, now
    if known_so_far.follow_up is not None:
        known_so_far.follow_up(now)
    return keys


def _reopened(row: SigningKey, before: Key | None) -> Key:
    return opened(row) if before is None else replace(before, state=row.state, activated_at=row.activated_at)


def _is_newer(kid: str) -> bool:
    """Whether this is a key of ours that was made since this worker last read them, as far as clocks agree."""
    key_id, _, mark = kid.partition(".")
    if not is_id(key_id) or not opaque.are_same(mark, _mark(key_id)):
        return False
    read_at = ring().read_at
    return read_at is None or opaque.made_at(key_id) > read_at - settings.CLOCK_SKEW


def _mark(key_id: str) -> str:
    return opaque.keyed_digest(secret_for("key names"), key_id)[:16]


def _seal() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(secret_for("signing keys")))
