"""ECDSA without chance (RFC 6979): the same key and the same message give the same signature.

So a refresh token is a pure function of its row, and whoever asks twice within the leeway gets the same text twice.
It also leaves no signature whose safety hangs on one moment's random numbers.
"""

from typing import Any

from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec

_ES256 = ec.ECDSA(hashes.SHA256(), deterministic_signing=True)


@ec.EllipticCurvePrivateKey.register
class DeterministicKey:
    """A P-256 private key that PyJWT takes for any other, except that it signs ES256 deterministically."""

    def __init__(self, key: ec.EllipticCurvePrivateKey) -> None:
        self.key = key
        self.curve = key.curve

    def sign(self, data: bytes, _algorithm: Any) -> bytes:
        return self.key.sign(data, _ES256)

    def public_key(self) -> ec.EllipticCurvePublicKey:
        return self.key.public_key()
