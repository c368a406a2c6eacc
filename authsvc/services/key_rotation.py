"""How signing keys come and go: made and published, set to sign, replaced, retired; or revoked at once.

Keys are the whole service's, so nothing here is within a tenant; what is told of them stands in `default`. Whoever
changes one holds the first tenant's row: changes come one after the other.
"""

import json
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm
from sqlalchemy import ColumnElement, func, select
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from authsvc import behind
from authsvc.caller import Caller
from authsvc.errors import Conflict, NotFound, Unavailable
from authsvc.logs import logger
from authsvc.mandate import Mandate
from authsvc.models import Application, RefreshToken, SigningKey, Tenant, refresh_token, signing_key, tenant
from authsvc.models.engine import reading, transaction
from authsvc.models.paging import Page, Window, counted, page
from authsvc.models.signing_key import ACTIVE, NEXT, PREVIOUS, RETIRED
from authsvc.services import events, refresh_tokens, signing_keys
from authsvc.settings import settings

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey | ed25519.Ed25519PublicKey

RSA_BITS = 3072
# From reading the clock until its answer is signed, a request takes no longer.
LONGEST_REQUEST = timedelta(seconds=30)
STRAGGLERS = 0.3


@dataclass(frozen=True, slots=True)
class Revoked:
    """A key that is revoked, and how many sign-ins ended with it."""

    key: SigningKey
    count: int


def find(window: Window) -> Page[SigningKey]:
    """All that there ever were, newest first: a key's name begins with the moment it was made."""
    with reading() as session:
        return page(session, select(SigningKey), SigningKey.kid, window)


def get(kid: str) -> SigningKey:
    """Raises NotFound."""
    with reading() as session:
        return _found(session, kid)


def make_first(session: Session, owner: Tenant, now: datetime) -> None:
    """The first two keys, one to sign and one to follow it, unless there are any."""
    states = {row.state for row in session.scalars(signing_key.usable())}
    for state in (ACTIVE, NEXT):
        if state not in states:
            _publish(session, owner.id, state, now)


def rotate(mandate: Mandate) -> SigningKey:
    """The published next key signs from now on, and another is published. Answers the one that signs.

    Raises Unavailable where SECRET_KEY is not the one that the keys are sealed with: no node could open both kinds.
    """
    with transaction(unhurried=True) as session:
        return _rotate(session, _at_home(session, mandate))


def rotate_if_older(mandate: Mandate, age: timedelta) -> SigningKey | None:
    """Rotate if the key that signs has done so for that long; who comes second finds it done. Raises Unavailable."""
    with transaction(unhurried=True) as session:
        mandate = _at_home(session, mandate)
        since = _in_state(session, ACTIVE).activated_at
        if since is not None and since + age > mandate.now:
            return None
        return _rotate(session, mandate)


def keep_schedule(now: datetime) -> None:
    """What follows whenever a worker has read the keys: if it is time, they are rotated behind the requests."""
    if not settings.KEY_ROTATION:
        return
    ring = signing_keys.ring()
    since = [key.activated_at for key in ring.keys.values() if key.state == ACTIVE and key.activated_at]
    if since and since[0] + settings.KEY_ROTATION <= now and not (ring.rotator and ring.rotator.is_alive()):
        ring.rotator = behind.start(partial(_rotate_by_schedule, now), "key rotation")


def retire(mandate: Mandate, kid: str) -> SigningKey:
    """A key that was replaced is not believed any more; nobody is signed out by that. Raises NotFound, Conflict."""
    with transaction(unhurried=True) as session:
        row = _found(session, kid)
        if row.state == RETIRED:
            return row
        if row.state != PREVIOUS:
            raise Conflict(f"This key is the {row.state} one, and only one that was replaced can retire. Rotate first.")
        # Counted before anything is held: a key that was replaced never signs again, so they only become fewer.
        _refuse_held(session, row, mandate.now)
        mandate = _at_home(session, mandate)
        row = session.scalars(signing_key.held(kid)).one()
        if row.state == PREVIOUS:
            _retire(session, row, mandate)
    return row


def revoke(mandate: Mandate, kid: str) -> Revoked:
    """A key is not believed any more, from this moment on, and the sign-ins whose tokens it may have signed are over.

    If it was the one that signs, the next one does, and there is a next one again. First the key goes, which takes a
    moment; then the sign-ins do, however long that takes: who refreshes or signs in meanwhile does not wait.
    Raises NotFound, and Unavailable where SECRET_KEY is not the one that the keys are sealed with.
    """
    with transaction() as session:
        mandate, now = _at_home(session, mandate), mandate.now
        _found(session, kid)
        row = session.scalars(signing_key.held(kid)).one()
        before = row.state
        if before == RETIRED:
            return Revoked(row, 0)
        row.state, row.retired_at = RETIRED, now
        if before == ACTIVE:
            row.replaced_at = now
            _follow(session, mandate)
        elif before == NEXT:
            signing_keys.opened(_in_state(session, ACTIVE))
            _publish(session, mandate.tenant_id, NEXT, now)
        events.record_by(session, mandate, "key.revoked", {"kid": kid})
    count = _end_signed(row, mandate)
    logger.warning("The signing key %s was revoked; sign-ins that ended with it: %d", kid, count)
    return Revoked(row, count)


def holding(kid: str, now: datetime) -> int:
    """How many live sign-ins would end if the key was revoked, as far as they are counted. Raises NotFound."""
    with reading() as session:
        theirs = _may_have_signed(_found(session, kid))
        if theirs is None:
            return 0
        return counted(session, select(RefreshToken.id).where(refresh_token.live(now), theirs))


def _rotate(session: Session, mandate: Mandate) -> SigningKey:
    for row in session.scalars(signing_key.usable()).all():
        if row.state == ACTIVE:
            row.state, row.replaced_at = PREVIOUS, mandate.now
        elif row.state == PREVIOUS and _is_over(session, row, mandate.now):
            _retire(session, row, mandate)
    following = _follow(session, mandate)
    events.record_by(session, mandate, "key.rotated", {"kid": following.kid})
    return following


def _rotate_by_schedule(now: datetime) -> None:
    # Keys are at home in `default`, wherever the mandate says it is.
    mandate = Mandate("", None, frozenset(), Caller(user_agent="schedule"), now)
    try:
        rotate_if_older(mandate, settings.KEY_ROTATION)
    except (Unavailable, SQLAlchemyError) as error:
        # The next reading of the keys tries again.
        logger.warning("The signing key was not rotated: %s", type(error).__name__)


def _end_signed(row: SigningKey, mandate: Mandate) -> int:
    """End the sign-ins whose tokens a revoked key may have signed. Answers how many."""
    theirs = _may_have_signed(row)
    if theirs is None:
        return 0
    # A step that began under this key may still be on its way into the database. What it gives out is refused already;
    # waiting a little finds its row too.
    time.sleep(STRAGGLERS)
    with transaction(unhurried=True) as session:
        killed = refresh_tokens.kill(session, theirs, reason="key_revoked", now=mandate.now)
        if killed.count:
            detail = {"reason": "key_revoked", "revoked": killed.count, "ids": killed.ids}
            events.record_by(session, mandate, "refresh_token.revoked", detail)
    return killed.count


def _at_home(session: Session, mandate: Mandate) -> Mandate:
    """The same mandate in `default`, whose row is held from here on."""
    return replace(mandate, tenant_id=session.scalars(tenant.locked_default()).one().id)


def _found(session: Session, kid: str) -> SigningKey:
    row = session.get(SigningKey, kid) if signing_key.is_kid(kid) else None
    if row is None:
        raise NotFound
    return row


def _in_state(session: Session, state: str) -> SigningKey:
    row = session.scalars(select(SigningKey).where(SigningKey.state == state)).one_or_none()
    if row is None:
        logger.error("There is no %s signing key: run `flask --app wsgi prepare`.", state)
        raise Unavailable
    return row


def _follow(session: Session, mandate: Mandate) -> SigningKey:
    """The next key becomes the one that signs, if we can open it, and there is a next one again."""
    following = _in_state(session, NEXT)
    signing_keys.opened(following)
    following.state, following.activated_at = ACTIVE, mandate.now
    _publish(session, mandate.tenant_id, NEXT, mandate.now)
    return following


def _retire(session: Session, row: SigningKey, mandate: Mandate) -> None:
    row.state, row.retired_at = RETIRED, mandate.now
    events.record_by(session, mandate, "key.retired", {"kid": row.kid})


def _is_over(session: Session, row: SigningKey, now: datetime) -> bool:
    """Whether all that a replaced key signed has ended, by the lifetimes that are set and by every sign-in's own."""
    own = session.scalar(select(func.max(Application.refresh_lifetime)))
    longest = max(settings.REFRESH_LIFETIME, timedelta(seconds=own or 0))
    if row.replaced_at is None or row.replaced_at + longest >= now:
        return False
    return _holders(session, row, now)[0] == 0


def _refuse_held(session: Session, row: SigningKey, now: datetime) -> None:
    count, until = _holders(session, row, now)
    if until is not None:
        raise Conflict(
            f"{count} live sign-in{'' if count == 1 else 's'} may still hold a token that this key signed, until "
            f"{until + timedelta(seconds=1):%Y-%m-%dT%H:%M:%SZ} at the latest. Wait for that; or revoke the key, which "
            "ends them."
        )


def _holders(session: Session, row: SigningKey, now: datetime) -> tuple[int, datetime | None]:
    """How many live sign-ins may hold a token that the key signed, and until when."""
    theirs = _may_have_signed(row)
    if theirs is None:
        return 0, None
    count, until = session.execute(refresh_token.holders(theirs, now)).one()
    return count, until


def _may_have_signed(row: SigningKey) -> ColumnElement[bool] | None:
    """The sign-ins whose tokens it may have signed: those given out while it was the one that signs."""
    if row.activated_at is None:
        return None
    margin = settings.CLOCK_SKEW + LONGEST_REQUEST
    until = None if row.replaced_at is None else row.replaced_at + margin
    return refresh_token.signed_between(row.activated_at - margin, until, leeway=settings.REFRESH_LEEWAY)


def _publish(session: Session, tenant_id: str, state: str, now: datetime) -> None:
    private = _generate(settings.SIGNING_ALGORITHM)
    kid = signing_keys.new_kid()
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    jwk = _jwk(private.public_key()) | {"kid": kid, "alg": settings.SIGNING_ALGORITHM, "use": "sig"}
    session.add(
        SigningKey(
            kid=kid,
            tenant_id=tenant_id,
            algorithm=settings.SIGNING_ALGORITHM,
            state=state,
            public_jwk=json.dumps(jwk),
            sealed_private_key=signing_keys.sealed(pem),
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
