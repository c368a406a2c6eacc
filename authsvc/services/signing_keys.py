"""The keys that sign tokens: made, sealed, published, replaced. Each worker keeps the key objects it has opened.

A key is published (`next`) before it signs (`active`) and is believed afterwards (`previous`) until what it signed has
ended; then it is `retired`. So no node ever meets a token whose key it can't know.
"""

import base64
import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, cast

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from authsvc import opaque
from authsvc.caller import Caller
from authsvc.errors import Unavailable
from authsvc.logs import logger
from authsvc.models import Application, SigningKey, Tenant, signing_key, tenant
from authsvc.models.columns import is_id
from authsvc.models.engine import reading, transaction
from authsvc.models.signing_key import ACTIVE, NEXT, PREVIOUS, RETIRED
from authsvc.rfc6979 import DeterministicKey
from authsvc.services import events
from authsvc.settings import settings

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

RSA_BITS = 3072


@dataclass(frozen=True, slots=True)
class Key:
    kid: str
    algorithm: str
    state: str
    private: Any
    public: Any
    jwk: Mapping[str, str]


@dataclass(slots=True)
class Ring:
    """What one worker knows of the keys, and since when."""

    keys: dict[str, Key] = field(default_factory=dict)
    read_at: datetime | None = None
    lock: threading.Lock = field(default_factory=threading.Lock)

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
    """The key of that name, to sign with: the one that the database calls active. Raises Unavailable."""
    key = None if kid is None else known(kid, now)
    if key is None:
        raise Unavailable
    return key


def known(kid: str, now: datetime) -> Key | None:
    """The key of that name, if tokens may be signed with it."""
    keys = usable(now)
    if kid not in keys and _is_newer(kid):
        keys = _read(_ring(), now)
    return keys.get(kid)


def usable(now: datetime) -> Mapping[str, Key]:
    """All that are published, by name; read again when what this worker knows is older than KEY_REREAD."""
    ring = _ring()
    if ring.is_older_than(settings.KEY_REREAD, now):
        with ring.lock:
            if ring.is_older_than(settings.KEY_REREAD, now):
                return _read(ring, now)
    return ring.keys


def make_first(session: Session, owner: Tenant, now: datetime) -> None:
    """The first two keys, one to sign and one to follow it, unless there are any."""
    states = {row.state for row in session.scalars(signing_key.usable())}
    for state in (ACTIVE, NEXT):
        if state not in states:
            _publish(session, owner, state, now)


def rotate(caller: Caller, now: datetime, actor_id: str | None = None) -> str:
    """The published next key signs from now on, and another is published. Answers the name of the one that signs.

    Raises Unavailable where SECRET_KEY is not the one that the keys are sealed with: no node could open both kinds.
    """
    with transaction() as session:
        owner = session.scalars(tenant.locked_default()).one()
        rows = list(session.scalars(signing_key.usable()))
        longest = _longest_lifetime(session)
        for row in rows:
            if row.state == PREVIOUS and row.replaced_at is not None and row.replaced_at + longest < now:
                row.state = RETIRED
            elif row.state == ACTIVE:
                row.state, row.replaced_at = PREVIOUS, now
        following = next(row for row in rows if row.state == NEXT)
        _open(following, None)
        following.state, following.activated_at = ACTIVE, now
        _publish(session, owner, NEXT, now)
        detail = {"kid": following.kid}
        events.record(
            session,
            "key.rotated",
            tenant_id=owner.id,
            now=now,
            caller=caller,
            actor_id=actor_id,
            detail=detail,
        )
    return following.kid


def secret_for(purpose: str) -> bytes:
    """32 bytes that follow from SECRET_KEY, different for each purpose."""
    derived = current_app.extensions.setdefault("authsvc.derived", {})
    if purpose not in derived:
        hkdf = HKDF(hashes.SHA256(), 32, salt=b"authsvc", info=purpose.encode())
        derived[purpose] = hkdf.derive(settings.SECRET_KEY.encode())
    return cast("bytes", derived[purpose])


def _ring() -> Ring:
    return cast("Ring", current_app.extensions["authsvc.ring"])


def _read(ring: Ring, now: datetime) -> Mapping[str, Key]:
    with reading() as session:
        rows = session.scalars(signing_key.usable()).all()
    ring.keys = {row.kid: _open(row, ring.keys.get(row.kid)) for row in rows}
    ring.read_at = now
    return ring.keys


def _new_kid() -> str:
    """A name that says when the key was made and proves that we made it, so that a made-up one costs no look-up."""
    key_id = opaque.new_id()
    return f"{key_id}.{_mark(key_id)}"


def _is_newer(kid: str) -> bool:
    """Whether this is a key of ours that was made since this worker last read them, as far as clocks agree."""
    key_id, _, mark = kid.partition(".")
    if not is_id(key_id) or not opaque.are_same(mark, _mark(key_id)):
        return False
    read_at = _ring().read_at
    return read_at is None or opaque.made_at(key_id) > read_at - settings.CLOCK_SKEW


def _mark(key_id: str) -> str:
    return opaque.keyed_digest(secret_for("key names"), key_id)[:16]


def _longest_lifetime(session: Session) -> timedelta:
    """How long anything that was signed with a key may still be presented."""
    own = session.scalar(select(func.max(Application.refresh_lifetime)))
    return max(settings.REFRESH_LIFETIME, timedelta(seconds=own or 0))


def _publish(session: Session, owner: Tenant, state: str, now: datetime) -> None:
    private = _generate(settings.SIGNING_ALGORITHM)
    kid = _new_kid()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    jwk = _jwk(private.public_key()) | {"kid": kid, "alg": settings.SIGNING_ALGORITHM, "use": "sig"}
    session.add(
        SigningKey(
            kid=kid,
            tenant_id=owner.id,
            algorithm=settings.SIGNING_ALGORITHM,
            state=state,
            public_jwk=json.dumps(jwk),
            sealed_private_key=_seal().encrypt(pem).decode(),
            created_at=now,
            activated_at=now if state == ACTIVE else None,
        )
    )
    session.flush()


def _generate(algorithm: str) -> PrivateKey:
    if algorithm == "RS256":
        return rsa.generate_private_key(65537, RSA_BITS)
    if algorithm == "EdDSA":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(ec.SECP256R1())


def _jwk(public: PublicKey) -> dict[str, str]:
    """The public members alone."""
    if isinstance(public, rsa.RSAPublicKey):
        members: dict[str, Any] = RSAAlgorithm.to_jwk(public, as_dict=True)
    elif isinstance(public, ed25519.Ed25519PublicKey):
        members = OKPAlgorithm.to_jwk(public, as_dict=True)
    else:
        members = ECAlgorithm.to_jwk(public, as_dict=True)
    return {name: members[name] for name in ("kty", "crv", "x", "y", "n", "e") if name in members}


def _open(row: SigningKey, opened: Key | None) -> Key:
    if opened is not None:
        return replace(opened, state=row.state)
    try:
        pem = _seal().decrypt(row.sealed_private_key.encode())
    except InvalidToken:
        logger.error("SECRET_KEY is not the one that the signing keys in this database were sealed with.")
        raise Unavailable from None
    private: Any = serialization.load_pem_private_key(pem, password=None)
    public = private.public_key()
    if isinstance(private, ec.EllipticCurvePrivateKey):
        private = DeterministicKey(private)
    return Key(row.kid, row.algorithm, row.state, private, public, json.loads(row.public_jwk))


def _seal() -> Fernet:
    return Fernet(base64.urlsafe_b64encode(secret_for("signing keys")))
