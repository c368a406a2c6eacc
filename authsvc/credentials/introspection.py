"""What a token is worth at this moment (RFC 7662), told to somebody who was shown it. Looking changes nothing."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from authsvc import opaque
from authsvc.claims import ACCESS, is_of_client
from authsvc.credentials import jwts
from authsvc.errors import Unauthenticated
from authsvc.permissions import shared
from authsvc.services import api_tokens, clients, refresh_tokens, standings
from authsvc.services.refresh_tokens import REFRESH
from authsvc.services.standings import Proof
from authsvc.settings import settings

Facts = dict[str, Any]
DEAD: Facts = {"active": False}
_CLAIMS = ("client_id", "sub", "aud", "iss", "jti", "tid", "sid", "iat", "nbf", "exp")


def facts(text: str, tenant_id: str, now: datetime) -> Facts:
    """Of a token of this tenant that is good now. Any other is dead, and nothing tells why."""
    try:
        found = _of_api_token(text, now) if text.startswith(opaque.API_TOKEN_MARK) else _of_jwt(text, now)
    except Unauthenticated:
        return DEAD
    return found if found["tid"] == tenant_id else DEAD


def _of_jwt(text: str, now: datetime) -> Facts:
    kind, proof, claims = jwts.read_any(text, now)
    if kind == ACCESS:
        return _active(claims, "Bearer", _permissions(proof, claims, now))
    standing = refresh_tokens.standing_of_current(proof, now=now)
    # It refreshes and opens nothing: whoever lets people in by their scopes must not take it for an access token.
    own = {"client_id": standing.application_id, "nbf": claims["iat"]}
    return _active({**claims, **own}, "refresh_token", frozenset({REFRESH}))


def _permissions(proof: Proof, claims: Mapping[str, Any], now: datetime) -> frozenset[str]:
    """What its bearer may do here and now."""
    scope = frozenset(claims["scope"].split())
    if is_of_client(claims):
        return clients.permissions_of(clients.standing_of(proof), scope)
    return shared(scope, standings.of(proof, now=now, at_once=True).permissions)


def _of_api_token(text: str, now: datetime) -> Facts:
    found = api_tokens.live(text, now)
    if found is None:
        return {**DEAD, "tid": None}
    made = int(found.created_at.timestamp())
    own = {
        "sub": found.user_id,
        "aud": found.application_id or settings.BASE_URL,
        "iss": settings.BASE_URL,
        "jti": found.id,
        "tid": found.tenant_id,
        "iat": made,
        "nbf": made,
        "exp": int(found.expires_at.timestamp()),
        # Only whoever was shown the token can tell whether it came that way, and from there.
        "allow_in_query": found.allow_in_query,
        "allowed_ips": sorted(found.allowed_ips),
    }
    bound = {} if found.application_id is None else {"client_id": found.application_id}
    return _active({**own, **bound}, "Bearer", api_tokens.permissions_of(found))


def _active(claims: Mapping[str, Any], token_type: str, permissions: frozenset[str]) -> Facts:
    told = {name: claims[name] for name in (*_CLAIMS, "allow_in_query", "allowed_ips") if name in claims}
    return {"active": True, "scope": " ".join(sorted(permissions)), "token_type": token_type, **told}
