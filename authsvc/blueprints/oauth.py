"""The standards: tokens for clients (RFC 6749), what a token is worth (RFC 7662), and its end (RFC 7009)."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace

from flask import Blueprint, Response, g, request
from marshmallow import Schema, fields, validate

from authsvc import query_tokens
from authsvc.blueprints import forms
from authsvc.blueprints.answers import SOMETIMES, gives_bare, hears, refuses
from authsvc.blueprints.envelope import plain, speak
from authsvc.blueprints.refresh import attempt
from authsvc.claims import ACCESS, is_of_client
from authsvc.credentials import client_proofs, introspection, jwts
from authsvc.credentials.client_proofs import ClientProof
from authsvc.credentials.guard import CREDENTIALS, judges_query, principal, public, requires
from authsvc.credentials.readers import caller
from authsvc.errors import (
    CredentialsMissing,
    InvalidClient,
    InvalidGrant,
    InvalidRequest,
    InvalidScope,
    NotFound,
    OAuthRefusal,
    PermissionDenied,
    Refusal,
    TenantMismatch,
    TokenRevoked,
    TooManyAttempts,
    Unauthenticated,
    UnauthorizedClient,
    Unavailable,
    UnknownTenant,
    UnsupportedGrantType,
    ValidationFailed,
)
from authsvc.mandate import Mandate
from authsvc.models.client import Client
from authsvc.opaque import API_TOKEN_MARK
from authsvc.services import api_token_admin, api_tokens, clients, refresh_tokens, scopes, standings, token_admin

bp = Blueprint("oauth", __name__, url_prefix="/oauth")

Form = Mapping[str, str]

# What our other refusals are called: RFC 6749 section 5.2 has no words for them, other pages of the registry have.
OTHER_ERRORS = {
    400: "invalid_request",
    401: "invalid_token",
    403: "access_denied",
    429: "temporarily_unavailable",
    500: "server_error",
    503: "temporarily_unavailable",
}


# Where a client names itself, it may name a tenant too.
OF_CLIENTS = (UnknownTenant, TenantMismatch, TooManyAttempts)


class ClientForm(Schema):
    """How a client may name and prove itself, where it does not by HTTP Basic."""

    client_id = fields.String()
    client_secret = fields.String()


class TokenForm(ClientForm):
    grant_type = fields.String(required=True, validate=validate.OneOf(("client_credentials", "refresh_token")))
    refresh_token = fields.String()
    scope = fields.String()


class OneTokenForm(ClientForm):
    token = fields.String(required=True)
    token_type_hint = fields.String()


class TokenOut(Schema):
    access_token = fields.String()
    token_type = fields.String()
    expires_in = fields.Integer()
    refresh_token = fields.String(metadata={SOMETIMES: True})
    scope = fields.String()


class IntrospectionOut(Schema):
    """Of what is not active, nothing more is said."""

    active = fields.Boolean()
    token_type = fields.String(metadata={SOMETIMES: True})
    scope = fields.String(metadata={SOMETIMES: True})
    client_id = fields.String(metadata={SOMETIMES: True})
    sub = fields.String(metadata={SOMETIMES: True})
    aud = fields.String(metadata={SOMETIMES: True})
    iss = fields.String(metadata={SOMETIMES: True})
    jti = fields.String(metadata={SOMETIMES: True})
    iat = fields.Integer(metadata={SOMETIMES: True})
    exp = fields.Integer(metadata={SOMETIMES: True})
    nbf = fields.Integer(metadata={SOMETIMES: True})
    tid = fields.String(metadata={SOMETIMES: True})
    sid = fields.String(metadata={SOMETIMES: True})
    allow_in_query = fields.Boolean(metadata={SOMETIMES: True})
    allowed_ips = fields.List(fields.String(), metadata={SOMETIMES: True})


@bp.post("/token")
@public
@judges_query
@gives_bare(TokenOut)
@refuses(
    InvalidClient, InvalidRequest, UnsupportedGrantType, InvalidScope, UnauthorizedClient, InvalidGrant, *OF_CLIENTS
)
@hears("Idempotency-Key")
@forms.reads(TokenForm)
def token() -> Response:
    """A client's own access token, or the next tokens of a sign-in to it."""
    form, proof = _asked()
    client = client_proofs.recognised(_given(proof))
    grant = GRANTS.get(_required(form, "grant_type"))
    if grant is None:
        raise UnsupportedGrantType
    return grant(client, form)


@bp.post("/introspect")
@public
@judges_query
@gives_bare(IntrospectionOut)
@refuses(InvalidClient, InvalidRequest, PermissionDenied, *CREDENTIALS, *OF_CLIENTS)
@forms.reads(OneTokenForm)
def introspect() -> Response:
    """What a token is worth at this moment, for whoever was shown it."""
    form, proof = _asked()
    tenant_id = _tenant_of_reader() if proof is None else _confidential(client_proofs.recognised(proof)).tenant_id
    return plain(introspection.facts(_required(form, "token"), tenant_id, g.now))


@bp.post("/revoke")
@public
@judges_query
@gives_bare()
@refuses(InvalidClient, InvalidRequest, *OF_CLIENTS)
@forms.reads(OneTokenForm)
def revoke() -> Response:
    """End a token, and all that came of the same sign-in."""
    form, proof = _asked()
    client = client_proofs.recognised(_given(proof))
    text = _required(form, "token")
    # What is dead already or not this client's stays as it is, and whoever asks could do nothing more about it.
    with suppress(Unauthenticated, NotFound):
        _end(client, text)
    response = Response()
    response.headers.pop("Content-Type")  # there is nothing in it
    return response


def refusal(error: Refusal) -> Response:
    """No, as RFC 6749 section 5.2 has it."""
    meant = _meant(error)
    response = plain({"error": code_of(type(meant)), "error_description": meant.text})
    response.status_code = meant.status
    if isinstance(meant, Unauthenticated):
        response.headers["WWW-Authenticate"] = 'Bearer realm="authsvc", error="invalid_token"'
    response.headers.update(meant.headers)
    return response


def _meant(error: Refusal) -> Refusal:
    if isinstance(error, CredentialsMissing):
        return InvalidClient()
    if isinstance(error, ValidationFailed):
        return InvalidRequest()  # its own sentence names fields as the caller spelled them
    return error


def code_of(kind: type[Refusal]) -> str:
    """What any refusal is called here."""
    if issubclass(kind, OAuthRefusal):
        return kind.code
    if issubclass(kind, PermissionDenied):
        return "insufficient_scope"
    return OTHER_ERRORS.get(kind.status, "invalid_request")


speak(bp, refusal)


def _client_credentials(client: Client, form: Form) -> Response:
    """RFC 6749 section 4.4: no user, and so no refresh token."""
    if not client.confidential:
        raise UnauthorizedClient
    scope = clients.granted(client, form.get("scope"))
    try:
        text, lifetime = jwts.client_access_token(client, scope, g.now)
    except TokenRevoked:
        raise Unavailable from None  # the key that was to sign was revoked at this moment; another does
    clients.tell_of_sign_in(client, scope, caller(), g.now)
    return _issued(text, lifetime, scope)


def _refresh_token(client: Client, form: Form) -> Response:
    """RFC 6749 section 6: the same step as at /jwt/refresh, for the client that the sign-in is to."""
    text = _required(form, "refresh_token")
    scope = scopes.asked_for(form.get("scope", ""))
    try:
        proof = replace(jwts.read_refresh(text, g.now), application_id=client.id)
        standing = refresh_tokens.rotate(
            proof, tenant_name=None, attempt=attempt(), caller=caller(), now=g.now, scope=scope
        )
        access_token, lifetime = jwts.access_token(standing, g.now, scope=scope)
        following = jwts.refresh_token(standing, g.now)
    except Unauthenticated:
        raise InvalidGrant from None
    except PermissionDenied:
        raise UnauthorizedClient from None
    return _issued(access_token, lifetime, scope or standing.permissions, refresh_token=following)


GRANTS: dict[str, Callable[[Client, Form], Response]] = {
    "client_credentials": _client_credentials,
    "refresh_token": _refresh_token,
}


def _issued(access_token: str, lifetime: int, scope: frozenset[str], **more: str) -> Response:
    answer = {"access_token": access_token, "token_type": "Bearer", "expires_in": lifetime, **more}
    return plain({**answer, "scope": " ".join(sorted(scope))})


def _asked() -> tuple[Form, ClientProof | None]:
    """The parameters, and the client as the request names it. Nothing is ever taken from an address.

    Raises InvalidRequest, InvalidClient.
    """
    form = forms.parameters()
    proof = client_proofs.presented(form)
    if request.query_string or query_tokens.taken(request.environ):
        if proof is None and "Authorization" not in request.headers:
            raise InvalidClient
        raise InvalidRequest("Send the parameters in the body, and none in the query.")
    return form, proof


def _given(proof: ClientProof | None) -> ClientProof:
    if proof is None:
        raise InvalidClient
    return proof


def _confidential(client: Client) -> Client:
    """A public one proved nothing."""
    if not client.confidential:
        raise InvalidClient
    return client


def _required(form: Form, name: str) -> str:
    if name not in form:
        raise InvalidRequest(f"The parameter {name} is missing.")
    return form[name]


@requires("tokens:read")
def _tenant_of_reader() -> str:
    """Whoever else may ask about tokens: by an API token, most likely."""
    return principal.tenant_id


def _end(client: Client, text: str) -> None:
    """A confidential client ends any token of its tenant, a public one the sign-ins to itself.

    The services look within the mandate's tenant: what is another's is not found.

    Raises TokenInvalid, TokenExpired, TokenRevoked, NotFound.
    """
    may = frozenset({token_admin.REVOKE, api_token_admin.ADMIN})
    mandate = Mandate(client.tenant_id, client.id, may, caller(), g.now)
    if not text.startswith(API_TOKEN_MARK):
        _end_jwt(client, mandate, text)
    elif client.confidential and (found := api_tokens.live(text, g.now)):
        api_token_admin.revoke(mandate, found.id)


def _end_jwt(client: Client, mandate: Mandate, text: str) -> None:
    kind, proof, claims = jwts.read_any(text, g.now)
    if kind == ACCESS and is_of_client(claims):
        if client.confidential:
            own = clients.standing_of(proof)
            clients.end_tokens(mandate, own.id, own.generation)
        return
    at = proof if client.confidential else replace(proof, application_id=client.id)
    token_admin.revoke_one(mandate, standings.of(at, now=g.now, at_once=True).id)
