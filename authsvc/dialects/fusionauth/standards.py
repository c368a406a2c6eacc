"""What OAuth clients ask there: tokens for a password, a refresh, what a token is worth, whose it is."""

from collections.abc import Mapping
from typing import Any

from flask import Response, g, request

from authsvc import query_tokens
from authsvc.blueprints import oauth
from authsvc.blueprints.envelope import plain
from authsvc.blueprints.forms import parameters
from authsvc.credentials import client_proofs, introspection, jwts, readers
from authsvc.credentials.guard import BY_SIGN_IN, judges_query, principal, requires
from authsvc.dialects import wire
from authsvc.dialects.fusionauth.sign_ins import end
from authsvc.dialects.fusionauth.words import LONGEST_PASSWORD, UserCredentialsInvalid, bp, key
from authsvc.errors import (
    CredentialsInvalid,
    InvalidClient,
    InvalidRequest,
    InvalidScope,
    TenantMismatch,
    Unauthenticated,
    UnsupportedGrantType,
)
from authsvc.models.client import Client
from authsvc.permissions import allows
from authsvc.services import accounts, applications, scopes, tenants
from authsvc.services.accounts import SignIn

PASSWORD = "password"  # noqa: S105  (the grant, and its parameter)
OFFLINE = "offline_access"
# Scopes that are no permissions: what they ask for is told anyway.
OPENID = frozenset({"openid", "profile", "email", "address", "phone", OFFLINE})


@bp.post("/oauth2/token")
@wire.spoken
def token() -> Response:
    """As at /oauth/token, and for a password; whoever refreshes is told the ids that its own tokens name."""
    form = parameters()
    if form.get("grant_type", PASSWORD) not in (PASSWORD, *oauth.GRANTS):
        raise UnsupportedGrantType("The grant types are password, refresh_token and client_credentials.")
    if form.get("grant_type") == PASSWORD:
        if request.query_string or query_tokens.taken(request.environ):
            raise InvalidRequest("Send the parameters in the body, and none in the query.")
        return plain(_signed_in(form))
    told = oauth.token().get_json()
    if "refresh_token" in told:
        proof = jwts.read_refresh(told["refresh_token"], g.now)
        told |= {"refresh_token_id": proof.refresh_token_id, "userId": proof.user_id}
    return plain(told)


@bp.post("/oauth2/introspect")
@wire.spoken
def introspect() -> Response:
    """What a JWT is worth, told to whoever holds it and knows which application it is for."""
    form = parameters()
    client_id, text = (_required(form, name) for name in ("client_id", "token"))
    try:
        _, proof, _ = jwts.read_any(text, g.now)
    except Unauthenticated:
        return plain(introspection.DEAD)
    if readers.tenant_named() is not None and tenants.selected(readers.tenant_named()).id != proof.tenant_id:
        raise TenantMismatch
    facts = introspection.facts(text, proof.tenant_id, g.now)
    if facts["active"] and facts["client_id"] != client_id.lower():
        raise InvalidClient
    return plain(facts)


def _signed_in(form: Mapping[str, str]) -> dict[str, Any]:
    """RFC 6749 section 4.3. Only who asks for `offline_access` gets a refresh token; other scopes narrow the token.

    Raises InvalidClient, InvalidRequest, InvalidScope, UserCredentialsInvalid, TooManyAttempts, Unavailable.
    """
    client = _client(form)
    username, password = (_required(form, name) for name in ("username", PASSWORD))
    words = frozenset(form.get("scope", "").split())
    wanted = scopes.asked_for(" ".join(words - OPENID))
    signed_in = _sign_in(client, username, password)
    standing = signed_in.standing
    if not all(allows(standing.permissions, one) for one in wanted):
        end(signed_in)
        raise InvalidScope
    text, lifetime = jwts.access_token(standing, g.now, scope=wanted)
    told = {"access_token": text, "token_type": "Bearer", "expires_in": lifetime, "userId": standing.user_id}
    granted = (wanted or standing.permissions) | (words & {OFFLINE})
    if OFFLINE in words:
        told |= {"refresh_token": jwts.refresh_token(standing, g.now), "refresh_token_id": standing.id}
    return told | {"scope": " ".join(sorted(granted))}


def _client(form: Mapping[str, str]) -> Client:
    """Raises InvalidClient, TooManyAttempts."""
    proof = client_proofs.presented(form)
    if proof is None:
        raise InvalidClient
    return client_proofs.recognised(proof)


def _sign_in(client: Client, username: str, password: str) -> SignIn:
    """Raises UserCredentialsInvalid, TooManyAttempts, Unavailable."""
    if "\0" in username + password or len(password) > LONGEST_PASSWORD:
        raise UserCredentialsInvalid
    own = tenants.selected(client.tenant_id)
    try:
        return accounts.sign_in(
            own,
            applications.chosen(own, client.id),
            identifier=username,
            password=password,
            device_name=None,
            caller=readers.caller(),
            now=g.now,
        )
    except CredentialsInvalid:
        raise UserCredentialsInvalid from None


def _required(form: Mapping[str, str], name: str) -> str:
    if name not in form:
        raise InvalidRequest(f"The parameter {name} is missing.")
    return form[name]


@bp.get("/oauth2/userinfo")
@judges_query
@requires(via=BY_SIGN_IN, about=key)
def user_info() -> Response:
    """Who I am, as claims."""
    account = accounts.get(principal.tenant_id, str(principal.user_id))
    names = {"preferred_username": account.username, "name": account.name}
    return plain(
        {
            "sub": account.id,
            "tid": account.tenant_id,
            "applicationId": principal.application_id,
            "email": account.email,
            "email_verified": account.confirmed,
            "roles": sorted(account.roles),
            **{name: value for name, value in names.items() if value is not None},
        }
    )
