"""What a token's row says of it as it is now: alive or dead, and whose. Nothing here changes a row."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import cast

from flask import current_app

from authsvc.errors import TenantMismatch, TokenExpired, TokenInvalid, TokenRevoked
from authsvc.models import refresh_token
from authsvc.models.engine import single_statements
from authsvc.models.refresh_token import Standing
from authsvc.models.signing_key import USABLE
from authsvc.settings import settings

MOST_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class Proof:
    """What a verified signature of ours says: whose sign-in this is, and how far it had come."""

    refresh_token_id: str
    generation: int
    user_id: str
    tenant_id: str
    kid: str
    expires_at: datetime
    application_id: str | None = None


def of(proof: Proof, *, now: datetime, at_once: bool = False) -> Standing:
    """The live row that a token names. `at_once`: as it is, whatever REVOCATION_LAG allows.

    Raises TokenExpired, TokenRevoked, TokenInvalid.
    """
    recalled = None if at_once else _recall(proof, now)
    standing = owned(recalled or read(proof, now), proof, tenant_name=None)
    if is_over(standing, now):
        raise TokenExpired
    return standing


def is_due(standing: Standing, now: datetime) -> bool:
    """Whether an access token that was given out at the last step would have run out by now."""
    life = lifetime(standing.access_lifetime, settings.ACCESS_LIFETIME)
    return now >= (standing.rotated_at or standing.created_at) + life


def of_last(proof: Proof, *, tenant_name: str | None, now: datetime) -> Standing:
    """The live row, as it is now, of which this is the last token: none that was exchanged since.

    Raises TokenExpired, TokenRevoked, TokenInvalid, TenantMismatch.
    """
    standing = owned(read(proof, now), proof, tenant_name)
    if is_over(standing, now):
        raise TokenExpired
    if proof.generation < standing.generation:
        raise TokenRevoked
    return standing


def owned(standing: Standing | None, proof: Proof, tenant_name: str | None) -> Standing:
    """The row, if it is the one the proof speaks of and nothing that it hangs on is dead."""
    if tenant_name is not None:
        own_names = {proof.tenant_id} if standing is None else {standing.tenant_id, standing.tenant_slug}
        if tenant_name not in own_names:
            raise TenantMismatch
    if standing is None:
        raise TokenRevoked
    if (proof.user_id, proof.tenant_id) != (standing.user_id, standing.tenant_id):
        raise TokenInvalid
    if proof.application_id not in (None, standing.application_id) or standing.key_state not in USABLE:
        raise TokenInvalid
    if standing.revoked_at is not None or not standing.owners_active:
        raise TokenRevoked
    return standing


def is_over(standing: Standing, now: datetime) -> bool:
    return now >= min(standing.idle_expires_at, standing.expires_at)


def read(proof: Proof, now: datetime) -> Standing | None:
    with single_statements() as connection:
        standing = refresh_token.standing(connection, proof.refresh_token_id, proof.kid)
    if settings.REVOCATION_LAG and standing is not None:
        recalled = _recalled()
        if len(recalled) >= MOST_REMEMBERED:
            recalled.clear()
        recalled[proof.refresh_token_id, proof.kid] = (standing, now)
    return standing


def _recall(proof: Proof, now: datetime) -> Standing | None:
    """What this worker read less than REVOCATION_LAG ago. By default nothing: a dead row is dead at once."""
    if not settings.REVOCATION_LAG:
        return None
    standing, read_at = _recalled().get((proof.refresh_token_id, proof.kid), (None, now))
    return standing if abs(now - read_at) < settings.REVOCATION_LAG else None


def _recalled() -> dict[tuple[str, str], tuple[Standing, datetime]]:
    return cast("dict[tuple[str, str], tuple[Standing, datetime]]", current_app.extensions["authsvc.recalled"])


def lifetime(own: int | None, general: timedelta) -> timedelta:
    """An application's own, or what the settings say."""
    return general if own is None else timedelta(seconds=own)
