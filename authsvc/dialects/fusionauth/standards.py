"""What OAuth clients ask there: a refresh, what a token is worth, whose it is."""

from flask import Response, g

from authsvc.blueprints import oauth
from authsvc.blueprints.envelope import plain
from authsvc.blueprints.forms import parameters
from authsvc.credentials import introspection, jwts, readers
from authsvc.credentials.guard import BY_SIGN_IN, judges_query, principal, requires
from authsvc.dialects import wire
from authsvc.dialects.fusionauth.words import bp, key
from authsvc.errors import InvalidClient, InvalidRequest, TenantMismatch, Unauthenticated
from authsvc.services import accounts, tenants


@bp.post("/oauth2/token")
@wire.spoken
def token() -> Response:
    """As at /oauth/token; who refreshes is told the ids that its own tokens name."""
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
    missing = {"client_id", "token"} - form.keys()
    if missing:
        raise InvalidRequest(f"The parameter {min(missing)} is missing.")
    try:
        _, proof, _ = jwts.read_any(form["token"], g.now)
    except Unauthenticated:
        return plain(introspection.DEAD)
    if readers.tenant_named() is not None and tenants.selected(readers.tenant_named()).id != proof.tenant_id:
        raise TenantMismatch
    facts = introspection.facts(form["token"], proof.tenant_id, g.now)
    if facts["active"] and facts["client_id"] != form["client_id"].lower():
        raise InvalidClient
    return plain(facts)


@bp.get("/oauth2/userinfo")
@judges_query
@requires(via=BY_SIGN_IN, about=key)
def user_info() -> Response:
    """Who I am, as claims."""
    account = accounts.get(principal.tenant_id, str(principal.user_id))
    owner = account.user
    names = {"preferred_username": owner.username, "name": owner.name}
    return plain(
        {
            "sub": owner.id,
            "tid": owner.tenant_id,
            "applicationId": principal.application_id,
            "email": owner.email,
            "email_verified": owner.confirmed,
            "roles": sorted(account.roles),
            **{name: value for name, value in names.items() if value is not None},
        }
    )
