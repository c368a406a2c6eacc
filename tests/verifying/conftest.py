"""The real service, or one that says what it is told to, on a port of this process; and verifiers that ask there."""

import json
from datetime import UTC, datetime

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec

from authsvc import Verifier
from tests.flows.conftest import admin, make_person, make_tenant, office
from tests.servers.threads import Scripted, Served

__all__ = ["admin", "make_person", "make_tenant", "office"]
JWKS = "/.well-known/jwks.json"


@pytest.fixture
def database_kind():
    """What a verifier does has nothing to do with the database."""
    return "sqlite"


@pytest.fixture
def serve():
    """Serve a WSGI app; answers where."""
    started = []

    def start(app):
        served = Served(app).start()
        started.append(served)
        return served

    yield start
    for served in started:
        served.stop()


@pytest.fixture
def scripted(serve):
    """An authsvc whose every answer is scripted; it publishes one key."""
    served = serve(Scripted())
    served.key = NamedKey("first")
    served.app.answers[JWKS] = key_set(served.key)
    return served


@pytest.fixture
def make_verifier(verifiers, scripted):
    """A verifier that asks the scripted authsvc."""
    return lambda **options: verifiers(scripted.url, **options)


@pytest.fixture
def verifiers(serve):
    """Make a verifier; its connections are closed before the servers stop."""
    made = []

    def make(url, **options):
        made.append(Verifier(url, **options))
        return made[-1]

    yield make
    for verifier in made:
        verifier.close()


class NamedKey:
    """A key of an authsvc that is not there."""

    def __init__(self, kid):
        self.kid = kid
        self.private = ec.generate_private_key(ec.SECP256R1())

    @property
    def jwk(self):
        public = jwt.algorithms.ECAlgorithm.to_jwk(self.private.public_key(), as_dict=True)
        return {**public, "kid": self.kid, "alg": "ES256", "use": "sig"}

    def sign(self, issuer, **changed):
        """An access token as authsvc signs them."""
        now = int(datetime.now(UTC).timestamp())
        some = "0190a5b0-0000-7000-8000-00000000000{}".format
        claims = {"iss": issuer, "aud": some(1), "client_id": some(1), "sub": some(2), "tid": some(3), "sid": some(4)}
        claims |= {"gen": 0, "jti": "jti", "iat": now, "nbf": now, "exp": now + 900, "type": "access"}
        claims |= {"scope": "auth:refresh restaurants:read", "roles": ["member"]} | changed
        return jwt.encode(claims, self.private, "ES256", {"kid": self.kid, "typ": "at+jwt"})


def key_set(*keys, max_age=300):
    headers = {"Content-Type": "application/jwk-set+json", "Cache-Control": f"public, max-age={max_age}"}
    return "200 OK", headers, json.dumps({"keys": [getattr(key, "jwk", key) for key in keys]}).encode()


def bearing(token, **environ):
    """A request, as WSGI has it."""
    return {"HTTP_AUTHORIZATION": f"Bearer {token}", "REMOTE_ADDR": "192.0.2.1", **environ}


@pytest.fixture
def service(serve, make_app, settings):
    """The real authsvc; APIs on this machine are proxies that it trusts."""
    served = serve(None)
    served.app = make_app(BASE_URL=served.url, TRUSTED_PROXIES=("127.0.0.1",), **settings)
    return served


@pytest.fixture
def app(service):
    """For the fixtures that make people."""
    return service.app


@pytest.fixture
def owner(make_person):
    """Somebody who may read and write restaurants, and make API tokens."""
    return make_person("restaurants:read", "restaurants:write", "api-tokens:write", "auth:refresh")
