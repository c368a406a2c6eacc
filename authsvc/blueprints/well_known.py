"""What clients and verifiers elsewhere need to know of us."""

from urllib.parse import urlsplit

from flask import Blueprint, Response, g
from flask.blueprints import BlueprintSetupState
from marshmallow import Schema, fields

from authsvc.blueprints.answers import gives_bare, refuses
from authsvc.blueprints.envelope import plain
from authsvc.credentials.guard import public
from authsvc.errors import Unavailable
from authsvc.permissions import BUILT_IN
from authsvc.services import signing_keys
from authsvc.settings import settings

bp = Blueprint("well_known", __name__, url_prefix="/.well-known")

JWK_SET = "application/jwk-set+json"
METADATA = "/oauth-authorization-server"
BY_SECRET = ["client_secret_basic", "client_secret_post"]


class JwksOut(Schema):
    keys = fields.List(fields.Dict())


class MetadataOut(Schema):
    """Of RFC 8414, which has more."""

    issuer = fields.String()
    token_endpoint = fields.String()
    token_endpoint_auth_methods_supported = fields.List(fields.String())
    introspection_endpoint = fields.String()
    introspection_endpoint_auth_methods_supported = fields.List(fields.String())
    revocation_endpoint = fields.String()
    revocation_endpoint_auth_methods_supported = fields.List(fields.String())
    jwks_uri = fields.String()
    grant_types_supported = fields.List(fields.String())
    response_types_supported = fields.List(fields.String())
    scopes_supported = fields.List(fields.String())


@bp.get("/jwks.json")
@public
@gives_bare(JwksOut, media=JWK_SET)
@refuses(Unavailable)
def jwks() -> Response:
    """The public keys that our tokens may be signed with, today's and tomorrow's."""
    # A key is published long before it signs; whoever meets an unknown one asks again at once.
    response = _to_keep({"keys": [key.jwk for key in signing_keys.published(g.now).values()]})
    response.mimetype = JWK_SET
    return response


@bp.get(METADATA)
@public
@gives_bare(MetadataOut)
def metadata() -> Response:
    """What the OAuth endpoints are and take (RFC 8414), whichever Host was asked."""
    base = settings.BASE_URL
    return _to_keep(
        {
            "issuer": base,
            "token_endpoint": f"{base}/oauth/token",
            "token_endpoint_auth_methods_supported": [*BY_SECRET, "none"],
            "introspection_endpoint": f"{base}/oauth/introspect",
            "introspection_endpoint_auth_methods_supported": [*BY_SECRET, "Bearer"],
            "revocation_endpoint": f"{base}/oauth/revoke",
            "revocation_endpoint_auth_methods_supported": [*BY_SECRET, "none"],
            "jwks_uri": f"{base}/.well-known/jwks.json",
            "grant_types_supported": ["client_credentials", "refresh_token"],
            "response_types_supported": [],
            "scopes_supported": sorted(BUILT_IN),
        }
    )


@bp.record
def _insert(state: BlueprintSetupState) -> None:
    """An issuer with a path has its metadata between host and path (RFC 8414 section 3.1)."""
    path = urlsplit(state.app.extensions["authsvc"].BASE_URL).path
    if path:
        state.add_url_rule(f"{METADATA}{path}", "inserted", metadata)


def _to_keep(data: object) -> Response:
    response = plain(data)
    response.headers["Cache-Control"] = "public, max-age=300"
    return response
