"""API tokens, judged at each use; how they are made, kept and ended is in api_token_admin.py."""

from datetime import datetime

from sqlalchemy import ColumnElement
from sqlalchemy.orm import Session

from authsvc import addresses, counting, opaque
from authsvc.caller import Caller
from authsvc.errors import AddressNotAllowed, TokenExpired, TokenInvalid, TokenRevoked
from authsvc.models import api_token
from authsvc.models.api_token import Standing
from authsvc.models.engine import single_statements
from authsvc.permissions import NEVER_BY_API_TOKEN, allows
from authsvc.services import api_token_uses, events


@counting.refusals("api_token_uses")
def standing_of(text: str, *, in_query: bool, caller: Caller, now: datetime) -> Standing:
    """The row of a live API token that may be used in this way from there; the use is noted.

    Raises TokenInvalid, TokenExpired, TokenRevoked, AddressNotAllowed.
    """
    found = live(text, now)
    if found is None or (in_query and not found.allow_in_query):
        raise TokenInvalid
    if not is_allowed_from(found, caller.ip):
        events.tell(
            "permission.denied",
            tenant_id=found.tenant_id,
            now=now,
            caller=caller,
            outcome="failure",
            actor_id=found.user_id,
            application_id=found.application_id,
            api_token_id=found.id,
            detail={"address": caller.ip},
        )
        raise AddressNotAllowed
    api_token_uses.note(found, caller, now)
    counting.count("api_token_uses", "accepted")
    return found


def live(text: str, now: datetime) -> Standing | None:
    """The row of a live API token; None where we never gave out that text. Raises TokenExpired, TokenRevoked."""
    if not opaque.is_api_token(text):
        return None
    with single_statements() as connection:
        found = api_token.standing(connection, opaque.digest(text))
    if found is None:
        return None
    if found.revoked_at is not None or not found.owners_active:
        raise TokenRevoked
    if found.expires_at <= now:
        raise TokenExpired
    return found


def permissions_of(standing: Standing) -> frozenset[str]:
    """What it may do: its scopes, as far as its owner holds them now."""
    return frozenset(s for s in standing.scopes - NEVER_BY_API_TOKEN if allows(standing.permissions, s))


def is_allowed_from(standing: Standing, ip: str) -> bool:
    networks = standing.allowed_ips
    return not networks or addresses.is_within(ip, map(addresses.network, networks))


def kill(session: Session, which: ColumnElement[bool], *, reason: str, now: datetime) -> int:
    """Every live one that this names dies in the caller's transaction. Answers how many."""
    return api_token.revoke(session, which, now, reason)
