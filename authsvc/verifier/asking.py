"""Asking authsvc about one credential: as a proxy would, or as a resource server does (RFC 7662)."""

import base64
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode

from authsvc import addresses, opaque
from authsvc.caller import Caller
from authsvc.errors import (
    AddressNotAllowed,
    Refusal,
    TenantMismatch,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
    Unavailable,
)
from authsvc.logs import logger
from authsvc.presenting import Place, Presented
from authsvc.principals import ACCESS_TOKEN, API_TOKEN, CLIENT, Principal
from authsvc.verifier.service import Answer, Service

FORWARD_AUTH, INTROSPECTION = "/auth/verify", "/oauth/introspect"
OK = 200
# What authsvc may say of a credential that it refuses. Anything else is not about the credential.
RELAYED: dict[str, type[Refusal]] = {
    kind.code: kind for kind in (TokenInvalid, TokenExpired, TokenRevoked, AddressNotAllowed, TenantMismatch)
}


def forward_auth(service: Service, presented: Presented, caller: Caller, tenant: str | None) -> Principal:
    """Who that is, in the tenant that the caller named. Raises what authsvc says, or Unavailable."""
    headers = _about(caller)
    if tenant is not None:
        headers["X-Tenant-Id"] = tenant
    if presented.place is Place.QUERY:
        headers["X-Original-URI"] = f"/?token={presented.text}"
    else:
        headers["Authorization"] = f"Bearer {presented.text}"
    answer = service.ask("GET", FORWARD_AUTH, headers)
    if answer.status != OK:
        raise _refusal(answer)
    said = answer.headers
    return _checked(
        Principal(
            user_id=said.get("X-Auth-User-Id") or None,
            tenant_id=said.get("X-Auth-Tenant-Id", ""),
            tenant_slug=None,
            application_id=said.get("X-Auth-Application-Id") or None,
            via=said.get("X-Auth-Via", ""),
            permissions=frozenset(said.get("X-Auth-Scopes", "").split()),
            roles=frozenset(),
        )
    )


def introspection(service: Service, client: tuple[str, str], presented: Presented, caller: Caller) -> Principal:
    """Who that is. In which place and from which address an API token may come, is judged here.

    Raises TokenInvalid, TokenRevoked, AddressNotAllowed, Unavailable.
    """
    pair = ":".join(quote(part, safe="") for part in client)
    headers = {
        **_about(caller),
        "Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    answer = service.ask("POST", INTROSPECTION, headers, urlencode({"token": presented.text}).encode())
    told = answer.json()
    if answer.status != OK or "active" not in told:
        logger.error("authsvc answered %s to introspection: is `client` right?", answer.status)
        raise Unavailable
    is_api_token = opaque.is_api_token(presented.text)
    if told["active"] is not True:
        # That our signature is good was seen before: such an access token was ended.
        raise TokenInvalid if is_api_token else TokenRevoked
    if presented.place is Place.QUERY and told.get("allow_in_query") is not True:
        raise TokenInvalid
    _refuse_elsewhere(told, caller)
    return _checked(
        Principal(
            user_id=told.get("sub"),
            tenant_id=told.get("tid", ""),
            tenant_slug=None,
            application_id=told.get("client_id"),
            via=API_TOKEN if is_api_token else ACCESS_TOKEN,
            permissions=frozenset(str(told.get("scope", "")).split()),
            roles=frozenset(),
            api_token_id=told.get("jti") if is_api_token else None,
        )
    )


def _about(caller: Caller) -> dict[str, str]:
    """The caller, as a proxy tells of it: authsvc judges addresses and writes its events by that."""
    headers = {"X-Request-Id": caller.request_id}
    if addresses.address(caller.ip) is not None:
        headers["X-Forwarded-For"] = caller.ip
    if caller.user_agent.isascii() and caller.user_agent.isprintable():
        headers["User-Agent"] = caller.user_agent
    return headers


def _refusal(answer: Answer) -> Refusal:
    told = answer.json()
    error, message = told.get("error"), told.get("message")
    code = error.get("code") if isinstance(error, dict) else None
    kind = RELAYED.get(code) if isinstance(code, str) else None
    if kind is None or kind.status != answer.status:
        logger.error("authsvc answered %s to %s.", answer.status, FORWARD_AUTH)
        return Unavailable()
    return kind(message if isinstance(message, str) else "")


def _refuse_elsewhere(told: Mapping[str, Any], caller: Caller) -> None:
    """Raises AddressNotAllowed."""
    allowed = told.get("allowed_ips") or []
    if not isinstance(allowed, list):
        raise Unavailable
    try:
        networks = [addresses.network(str(text)) for text in allowed]
    except ValueError:
        raise Unavailable from None
    if networks and not addresses.is_within(caller.ip, networks):
        raise AddressNotAllowed


def _checked(who: Principal) -> Principal:
    """Something else may live at that address, and say 200 to everything. Raises Unavailable."""
    ids = [who.tenant_id, *(one for one in (who.user_id, who.application_id) if one is not None)]
    if not all(isinstance(one, str) and opaque.is_id(one) for one in ids):
        raise Unavailable
    if who.via not in (ACCESS_TOKEN, API_TOKEN, CLIENT) or who.actor_id is None:
        raise Unavailable
    return who
