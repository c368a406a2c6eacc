"""The public keys that our tokens may be signed with."""

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from flask import Response, g

from authsvc.blueprints.envelope import plain
from authsvc.dialects import wire
from authsvc.dialects.fusionauth.words import bp, meant
from authsvc.errors import NotFound
from authsvc.services import signing_keys
from authsvc.services.signing_keys import Key


@bp.get("/.well-known/jwks.json")
@wire.spoken
def jwks() -> Response:
    """As JWKs; their type is plain JSON here, as its TypeScript client reads no other."""
    return plain({"keys": [key.jwk for key in signing_keys.published(g.now).values()]})


@bp.get("/api/jwt/public-key")
@wire.spoken
def public_keys() -> Response:
    """As PEM: all of them, the one of that kid or, as all applications share it, the one that signs for any."""
    named, published = meant("kid", "applicationId"), signing_keys.published(g.now)
    if not named:
        return plain({"publicKeys": {kid: _pem(key) for kid, key in published.items()}})
    kid = named.get("kid", signing_keys.active(g.now).kid)
    if kid not in published:
        raise NotFound
    return plain({"publicKey": _pem(published[kid])})


def _pem(key: Key) -> str:
    text: bytes = key.public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()
