"""Minting and reading our JWTs. flask-jwt-extended mints them; signatures.py reads them, and claims.py judges.

Every claim of docs/tokens.md is required and compared, the key decides the algorithm, and whether a token has expired
is judged by the request's own `now`, to the second.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from flask import current_app, g
from flask_jwt_extended import create_access_token, create_refresh_token

from authsvc import opaque
from authsvc.claims import ACCESS, HEADER_TYPES, REFRESH, check, expiry
from authsvc.errors import CsrfFailed, TokenExpired, TokenInvalid
from authsvc.extensions import jwt
from authsvc.models.client import Client
from authsvc.models.refresh_token import Standing
from authsvc.services import signing_keys
from authsvc.services.standings import Proof
from authsvc.settings import settings
from authsvc.signatures import Signer, signed

MOST_VERIFIED = 4096


class _Read(NamedTuple):
    """A token of ours: of which kind it is, and what it says."""

    kind: str
    proof: Proof
    claims: Mapping[str, Any]


def configuration(base_url: str) -> dict[str, Any]:
    """What flask-jwt-extended is told. Its own defaults are HS256 under SECRET_KEY, and no issuer."""
    return {
        "JWT_ALGORITHM": "ES256",  # a key's own algorithm is named in the header of what it signs
        "JWT_ENCODE_ISSUER": base_url,
        "JWT_ENCODE_NBF": False,
        # A token that travels in a body has no csrf claim, and the library's switch would give it one.
        "JWT_COOKIE_CSRF_PROTECT": False,
    }


def access_token(
    standing: Standing,
    now: datetime,
    *,
    with_csrf: bool = False,
    scope: frozenset[str] = frozenset(),
    exchangeable: bool = False,
) -> tuple[str, int]:
    """A new access token and the seconds it will live: never longer than the sign-in it comes from.

    With a `scope`, it says that instead of all that the sign-in holds. An `exchangeable` one is its sign-in's refresh
    token too.
    """
    ends = min(standing.idle_expires_at, standing.expires_at)
    claims = {
        "aud": standing.application_id,
        "client_id": standing.application_id,
        "tid": standing.tenant_id,
        "sid": standing.id,
        "gen": standing.generation,
        **_lasting(standing.access_lifetime, now, ends),
        "scope": " ".join(sorted(scope or standing.permissions)),
        "roles": sorted(standing.roles),
    }
    if with_csrf:
        claims["csrf"] = csrf_value(standing)
    if exchangeable:
        claims["exchange"] = True
    return _signed_access(standing.user_id, claims, standing.signing_kid, now)


def client_access_token(client: Client, scope: frozenset[str], now: datetime) -> tuple[str, int]:
    """One that a client gets for itself (RFC 9068 section 2.2), and the seconds it will live: it names nobody else."""
    claims = {
        "aud": client.id,
        "client_id": client.id,
        "tid": client.tenant_id,
        "sid": client.id,
        "gen": client.generation,
        **_lasting(client.access_lifetime, now, None),
        "scope": " ".join(sorted(scope)),
        "roles": [],
    }
    return _signed_access(client.id, claims, client.signing_kid, now)


def _lasting(own: int | None, now: datetime, at_most: datetime | None) -> dict[str, int]:
    lifetime = settings.ACCESS_LIFETIME if own is None else timedelta(seconds=own)
    ends = now + lifetime if at_most is None else min(now + lifetime, at_most)
    issued = int(now.timestamp())
    return {"iat": issued, "nbf": issued, "exp": int(ends.timestamp())}


def _signed_access(subject: str, claims: dict[str, Any], signing_kid: str | None, now: datetime) -> tuple[str, int]:
    claims["jti"] = opaque.new_jti()
    headers = _headers(ACCESS, signing_kid, now)
    text = create_access_token(subject, additional_claims=claims, additional_headers=headers, expires_delta=False)
    return text, claims["exp"] - claims["iat"]


def refresh_token(
    standing: Standing, now: datetime, *, with_csrf: bool = False, dialect_cookie: str | None = None
) -> str:
    """The refresh token of this generation: the same text whenever it is asked for, while the same key signs.

    One that goes out in the cookie of a dialect says in which.
    """
    bound = {"csrf": csrf_value(standing)} if with_csrf else {}
    return _signed_refresh(standing, now, bound if dialect_cookie is None else bound | {"cookie": dialect_cookie})


def console_token(standing: Standing, now: datetime) -> str:
    """The refresh token that the console keeps in its own cookie: by its csrf claim it is good there alone."""
    return _signed_refresh(standing, now, {"csrf": console_csrf_value(standing.id)})


def _signed_refresh(standing: Standing, now: datetime, bound: dict[str, str]) -> str:
    claims = {
        "aud": settings.BASE_URL,
        "tid": standing.tenant_id,
        "sid": standing.id,
        "gen": standing.generation,
        "jti": _keyed(standing, "jti"),
        **_times(standing),
        **bound,
    }
    headers = _headers(REFRESH, standing.signing_kid, now)
    text: str = create_refresh_token(
        standing.user_id, additional_claims=claims, additional_headers=headers, expires_delta=False
    )
    return text


def _times(standing: Standing) -> dict[str, int]:
    """A token that is never replaced lives as long as its sign-in may; that it isn't idle, its row says."""
    if not standing.rotate:
        return {"iat": int(standing.created_at.timestamp()), "exp": int(standing.expires_at.timestamp())}
    return {
        "iat": int((standing.rotated_at or standing.created_at).timestamp()),
        "exp": int(min(standing.idle_expires_at, standing.expires_at).timestamp()),
    }


def csrf_value(standing: Standing) -> str:
    """What a page must send back beside the cookie: bound to the row and its generation, and not to be foretold."""
    return _keyed(standing, "csrf")


def console_csrf_value(refresh_token_id: str) -> str:
    """What each form of the console sends back: bound to the row alone, so that a refresh spoils no form that is open
    in another tab.
    """
    return opaque.keyed_digest(signing_keys.secret_for("console csrf"), refresh_token_id)


def read_access(
    text: str, now: datetime, csrf: str | None = None, *, expired_too: bool = False
) -> tuple[Proof, Mapping[str, Any]]:
    """What a valid access token says, or one that is too old and nothing else. Raises TokenInvalid, TokenExpired,
    CsrfFailed.
    """
    read = _read(ACCESS, text, now, csrf)
    if not expired_too and read.proof.expires_at <= now:
        raise TokenExpired
    return read.proof, read.claims


def read_refresh(text: str, now: datetime, csrf: str | None = None, *, dialect_cookie: str | None = None) -> Proof:
    """What a refresh token of ours says, an expired one too: only its row can tell whether it was spent.

    With `csrf` it came in a cookie, and its claim must be that value; without, it must have no such claim. The same
    goes for `dialect_cookie`. The console's own is taken in the console alone.
    """
    _, proof, claims = _read(REFRESH, text, now, csrf)
    if (csrf is None and "csrf" in claims) or claims.get("cookie") != dialect_cookie:
        raise TokenInvalid
    if claims.get("csrf") == console_csrf_value(claims["sid"]):
        raise TokenInvalid
    return proof


def read_console(text: str, now: datetime, csrf: str | None) -> Proof:
    """What the console's refresh token says. Raises CsrfFailed where that value is not its own, TokenInvalid."""
    _, proof, claims = _read(REFRESH, text, now, csrf)
    if claims.get("csrf") != console_csrf_value(claims["sid"]):
        raise TokenInvalid
    return proof


def csrf_in(text: str, now: datetime) -> tuple[str, str]:
    """The sign-in of a refresh token that came in a cookie, and the value that its page must send back.

    Raises TokenInvalid.
    """
    claims = _read(REFRESH, text, now).claims
    if "csrf" not in claims:
        raise TokenInvalid
    return claims["sid"], claims["csrf"]


def sign_in_of(text: str, now: datetime) -> Proof:
    """Which sign-in this is a refresh token of, whatever its generation, its age and the way it travelled: to end it.

    Raises TokenInvalid.
    """
    return _read(REFRESH, text, now).proof


def read_any(text: str, now: datetime) -> tuple[str, Proof, Mapping[str, Any]]:
    """What a token of ours says, and of which kind it is: a refresh token of any age, or a valid access token.

    Raises TokenInvalid, TokenExpired.
    """
    read = _verified_once(text, now)
    if read.kind == ACCESS and read.proof.expires_at <= now:
        raise TokenExpired
    return read


def _read(kind: str, text: str, now: datetime, csrf: str | None = None) -> _Read:
    """A token of that kind; a refresh token is seldom seen twice."""
    read = (_verified_once if kind == ACCESS else _verified)(text, now)
    if read.kind != kind:
        raise TokenInvalid
    if csrf is not None:
        bound = read.claims.get("csrf")
        if not isinstance(bound, str):
            raise TokenInvalid
        if not opaque.are_same(bound, csrf):
            raise CsrfFailed
    return read


def _verified_once(text: str, now: datetime) -> _Read:
    """What this worker has verified it does not verify again: a good signature stays good.

    Whether the token has run out is judged each time all the same, and so is its row, which knows of its key too.
    """
    verified: dict[str, _Read] = current_app.extensions["authsvc.verified"]
    digest = opaque.digest(text) if text.isascii() else ""
    found = verified.get(digest)
    if found is None:
        found = _verified(text, now)
        if found.kind == ACCESS:
            if len(verified) >= MOST_VERIFIED:
                verified.clear()
            verified[digest] = found
    return found


def _verified(text: str, now: datetime) -> _Read:
    """Signed by a key of ours, and with all that a token of its kind must say. Raises TokenInvalid."""

    def named(kid: str) -> Signer | None:
        key = signing_keys.known(kid, now)
        return None if key is None else Signer(key.public, key.algorithm)

    header, claims = signed(text, named)
    kind = ACCESS if claims.get("type") == ACCESS else REFRESH
    check(kind, settings.BASE_URL, header, claims, begun_by=now + settings.CLOCK_SKEW)
    proof = Proof(
        refresh_token_id=claims["sid"],
        generation=claims["gen"],
        user_id=claims["sub"],
        tenant_id=claims["tid"],
        kid=header["kid"],
        expires_at=expiry(claims),
        application_id=claims["aud"] if kind == ACCESS else None,
    )
    return _Read(kind, proof, claims)


def _headers(kind: str, signing_kid: str | None, now: datetime) -> dict[str, str]:
    """Signed with the key that was the active one when the row was read, whatever this worker has heard by now."""
    g.signing_key = signing_keys.signing(signing_kid, now)
    return {"alg": g.signing_key.algorithm, "kid": g.signing_key.kid, "typ": HEADER_TYPES[kind]}


def _keyed(standing: Standing, purpose: str) -> str:
    return opaque.keyed_digest(signing_keys.secret_for(purpose), f"{standing.id}|{standing.generation}")


@jwt.encode_key_loader
def _key_that_signs(_identity: str) -> Any:
    return g.signing_key.private
