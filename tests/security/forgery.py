"""Signs, with the service's own key where that helps, what the service would never sign; and shows it at the doors."""

import base64
import json
from base64 import b64encode

import jwt
from cryptography.hazmat.primitives import hashes, hmac, serialization
from werkzeug.http import dump_cookie

from authsvc import clock
from authsvc.credentials import introspection
from authsvc.services import signing_keys
from tests.claims import claims_of, header_of
from tests.drivers import HOST, Browser

ACCESS, REFRESH = "access", "refresh"
KINDS = (ACCESS, REFRESH)
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
ORDER_OF_P256 = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
HASHES = {"HS256": hashes.SHA256(), "HS384": hashes.SHA384(), "HS512": hashes.SHA512()}


def encoded(raw):
    return base64.urlsafe_b64encode(raw).rstrip(b"=").decode()


def decoded(segment):
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def compact(header, claims, sign):
    """A JWS of anything, signed by anything: no library would write some of these."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    signing_input = f"{encoded(json.dumps(header).encode())}.{encoded(payload)}"
    return f"{signing_input}.{encoded(sign(signing_input.encode()))}"


def signer(algorithm, key):
    method = jwt.PyJWS().get_algorithm_by_name(algorithm)
    return lambda data: method.sign(data, key)


def cookie_header(name, value):
    """As a browser sends a cookie, of any length."""
    return dump_cookie(name, value, max_size=0, path=None)


def active_key(app):
    with app.app_context():
        return signing_keys.active(clock.utcnow())


def hmac_under(secret, algorithm):
    def sign(data):
        mac = hmac.HMAC(secret, HASHES[algorithm])
        mac.update(data)
        return mac.finalize()

    return sign


def public_material(key, jwks):
    """Every text that somebody might take for the shared secret."""
    form, spki = serialization.PublicFormat, serialization.PublicFormat.SubjectPublicKeyInfo
    pem = key.public.public_bytes(serialization.Encoding.PEM, spki)
    jwk = dict(key.jwk)
    return {
        "PEM": pem,
        "PEM without its last newline": pem.rstrip(),
        "PEM with CRLF": pem.replace(b"\n", b"\r\n"),
        "PEM after a space": b" " + pem,
        "PEM after a blank line": b"\n" + pem,
        "DER": key.public.public_bytes(serialization.Encoding.DER, spki),
        "SSH": key.public.public_bytes(serialization.Encoding.OpenSSH, form.OpenSSH),
        "point": key.public.public_bytes(serialization.Encoding.X962, form.UncompressedPoint),
        "JWK": json.dumps(jwk, separators=(",", ":")).encode(),
        "JWK, pretty": json.dumps(jwk, indent=2).encode(),
        "JWKS": jwks,
        "x": decoded(jwk["x"]),
        "x as text": jwk["x"].encode(),
        "base64 of x": b64encode(decoded(jwk["x"])),
        "kid": key.kid.encode(),
        "nothing": b"",
    }


def with_other_spare_bits(segment):
    """The same bytes: the last character of 86 carries four bits that mean nothing."""
    return segment[:-1] + ALPHABET[ALPHABET.index(segment[-1]) ^ 1]


def respelled(token):
    """Texts that lenient decoders take for the same token; the first three verify, in many libraries."""
    head, _, signature = token.rpartition(".")
    raw = decoded(signature)
    r, s = int.from_bytes(raw[:32], "big"), int.from_bytes(raw[32:], "big")
    return {
        "malleated": f"{head}.{encoded(r.to_bytes(32, 'big') + (ORDER_OF_P256 - s).to_bytes(32, 'big'))}",
        "padded once": f"{token}=",
        "padded": f"{token}==",
        "spare bits": f"{head}.{with_other_spare_bits(signature)}",
        "standard alphabet": f"{head}.{b64encode(raw).decode()}",
        "space before": f"{head}. {signature}",
        "space inside": f"{head}.{signature[:9]} {signature[9:]}",
        "tab inside": f"{head}.{signature[:9]}\t{signature[9:]}",
        "more bytes": f"{head}.{encoded(raw + bytes(1))}",
    }


class Forger:
    """Holds a device's genuine tokens and the key that signed them."""

    def __init__(self, device):
        self.device = device
        self.stranger = device.app.test_client(use_cookies=False)
        self.key = active_key(device.app)
        held = device.held()
        self.csrf = None if isinstance(held, str) else held[1]
        self.genuine = {ACCESS: device.access_token, REFRESH: held if self.csrf is None else held[0]}

    def header(self, kind):
        return header_of(self.genuine[kind])

    def claims(self, kind):
        return claims_of(self.genuine[kind])

    def own_signature(self, data):
        return signer(self.key.algorithm, self.key.private)(data)

    def sign(self, kind, *, header=None, claims=None, without=(), sign=None):
        """The genuine token with these members changed or left out, signed with the service's own key."""
        whole_header = {**self.header(kind), **(header or {})}
        whole_claims = {**self.claims(kind), **(claims or {})}
        for name in without:
            whole_header.pop(name, None)
            whole_claims.pop(name, None)
        return compact(whole_header, whole_claims, sign or self.own_signature)

    def present(self, kind, token, headers=None):
        if kind == ACCESS:
            sent = {"Authorization": f"Bearer {token}", **(headers or {})}
            return self.stranger.get("/auth/me", headers=sent, base_url=HOST)
        return self._show_refresh_token("/jwt/refresh", token, headers or {})

    def worth(self, token):
        """What introspection would tell somebody of the same tenant."""
        app = self.device.app
        with app.test_request_context():
            return introspection.facts(token, self.claims(ACCESS)["tid"], clock.utcnow())

    def sign_out(self, kind, token):
        if kind == ACCESS:
            return self.stranger.post("/auth/logout", headers={"Authorization": f"Bearer {token}"}, base_url=HOST)
        return self._show_refresh_token("/auth/logout", token, {})

    def _show_refresh_token(self, path, token, headers):
        if self.csrf is None:
            return self.stranger.post(path, json={"refreshToken": token}, headers=headers, base_url=HOST)
        sent = {"Cookie": cookie_header(Browser.cookie, token), "X-CSRF-TOKEN": self.csrf, **headers}
        return self.stranger.post(path, headers=sent, base_url=HOST)


def verdict(answer):
    """Everything that a refused forgery is told, at one glance."""
    body = answer.get_json(silent=True) or {}
    error = body.get("error") or {}
    return (
        answer.status_code,
        error.get("code"),
        body.get("success"),
        "requestId" in error and body.get("data") is None,
        answer.headers.get("WWW-Authenticate"),
        answer.headers.getlist("Set-Cookie"),
    )


REFUSED = (401, "token_invalid", False, True, 'Bearer realm="authsvc", error="invalid_token"', [])
