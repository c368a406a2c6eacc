"""What verifiers elsewhere need to know of us."""

from flask import Blueprint, Response, g

from authsvc.blueprints.envelope import plain
from authsvc.credentials.guard import public
from authsvc.services import signing_keys

bp = Blueprint("well_known", __name__, url_prefix="/.well-known")


@bp.get("/jwks.json")
@public
def jwks() -> Response:
    """The public keys that our tokens may be signed with, today's and tomorrow's."""
    response = plain({"keys": [key.jwk for key in signing_keys.published(g.now).values()]})
    # A key is published long before it signs; whoever meets an unknown one asks again at once.
    response.headers["Cache-Control"] = "public, max-age=300"
    response.mimetype = "application/jwk-set+json"
    return response
