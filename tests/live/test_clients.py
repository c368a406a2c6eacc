"""Libraries that others wrote, as clients of a running service: OAuth clients, and verifiers in two languages."""

import uuid

import jwt
import pytest
import requests
from authlib.integrations.base_client import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from oauthlib.oauth2 import BackendApplicationClient
from requests.auth import HTTPBasicAuth
from requests_oauthlib import OAuth2Session as OAuthlibSession

from tests.claims import claims_of
from tests.servers.node import told_by

PASSWORD = "a quiet harbour at dawn"


class Service:
    """A running service, met as its operator would."""

    def __init__(self, server):
        self.url = server.url
        admin = {"email": "admin@example.com", "password": "correct horse battery staple"}
        self.admin = {"Authorization": f"Bearer {self.post('/auth/login', admin)['accessToken']}"}
        self.metadata = requests.get(f"{self.url}/.well-known/oauth-authorization-server", timeout=10).json()

    def post(self, path, body, headers=None):
        answer = requests.post(self.url + path, json=body, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json()["data"]

    def add_client(self, **fields):
        slug = f"client-{uuid.uuid4().hex[:12]}"
        return self.post("/admin/applications", {"name": slug, "slug": slug, **fields}, self.admin)

    def sign_up(self, application):
        body = {"email": f"{uuid.uuid4().hex}@example.com", "password": PASSWORD, "applicationId": application["id"]}
        return self.post("/auth/register", body)

    def status(self, token, path="/auth/me"):
        return requests.get(self.url + path, headers={"Authorization": f"Bearer {token}"}, timeout=10).status_code


@pytest.fixture
def service(lenient):
    return Service(lenient)


@pytest.fixture
def office(service):
    return service.add_client(confidential=True, scopes=["tokens:read", "guests:read"])


@pytest.fixture
def session(service, office):
    """Authlib's client, with either way to prove itself."""
    made = []

    def make(way, application=office):
        session = OAuth2Session(
            application["id"],
            application.get("clientSecret"),
            token_endpoint_auth_method=way,
            revocation_endpoint_auth_method=way,
            token_endpoint=service.metadata["token_endpoint"],
        )
        made.append(session)
        return session

    yield make
    for one in made:
        one.close()


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post"])
def test_authlib_signs_a_client_in_asks_about_its_token_and_ends_it(service, office, session, way):
    client = session(way)
    token = client.fetch_token(grant_type="client_credentials", scope="tokens:read")
    assert (token["token_type"], token["scope"], token["expires_in"]) == ("Bearer", "tokens:read", 900)
    assert "refresh_token" not in token
    assert client.get(f"{service.url}/jwt/refresh?all=true").status_code == 200
    facts = client.introspect_token(service.metadata["introspection_endpoint"], token=token["access_token"]).json()
    assert (facts["active"], facts["sub"], facts["iss"]) == (True, office["id"], service.url)
    assert client.revoke_token(service.metadata["revocation_endpoint"], token=token["access_token"]).status_code == 200
    assert service.status(token["access_token"], "/jwt/refresh?all=true") == 401
    facts = client.introspect_token(service.metadata["introspection_endpoint"], token=token["access_token"]).json()
    assert facts == {"active": False}
    with pytest.raises(OAuthError, match="invalid_scope"):
        client.fetch_token(grant_type="client_credentials", scope="users:write")


@pytest.mark.parametrize("way", ["client_secret_basic", "client_secret_post", "none"])
def test_authlib_carries_a_users_sign_in_on_and_ends_it(service, office, session, way):
    application = office if way != "none" else service.add_client()
    signed_in = service.sign_up(application)
    client = session(way, application)
    client.token = {"access_token": signed_in["accessToken"], "token_type": "Bearer"}
    token = client.refresh_token(service.metadata["token_endpoint"], refresh_token=signed_in["refreshToken"])
    assert claims_of(token["refresh_token"])["gen"] == 1
    assert client.get(f"{service.url}/auth/me").json()["data"]["user"]["id"] == signed_in["user"]["id"]
    client.revoke_token(service.metadata["revocation_endpoint"], token=token["refresh_token"])
    assert service.status(token["access_token"]) == 401
    with pytest.raises(OAuthError, match="invalid_grant"):
        client.refresh_token(service.metadata["token_endpoint"], refresh_token=token["refresh_token"])


def test_requests_oauthlib_does_the_same(service, office, monkeypatch):
    monkeypatch.setenv("OAUTHLIB_INSECURE_TRANSPORT", "1")  # the service is on this machine, without TLS
    proof = HTTPBasicAuth(office["id"], office["clientSecret"])
    token_url = service.metadata["token_endpoint"]
    with OAuthlibSession(client=BackendApplicationClient(office["id"], scope=["tokens:read"])) as client:
        token = client.fetch_token(token_url, auth=proof)
        assert token["scope"] == ["tokens:read"]
        assert client.get(f"{service.url}/jwt/refresh?all=true").status_code == 200
    signed_in = service.sign_up(office)
    held = {"access_token": signed_in["accessToken"], "refresh_token": signed_in["refreshToken"], "expires_in": 900}
    with OAuthlibSession(office["id"], token=held) as client:
        token = client.refresh_token(token_url, auth=proof)
        assert claims_of(token["refresh_token"])["gen"] == 1
        assert client.get(f"{service.url}/auth/me").status_code == 200


@pytest.fixture
def tokens(service, office):
    """Good ones for the office, and some that are not."""
    signed_in = service.sign_up(office)
    proof = (office["id"], office["clientSecret"])
    form = {"grant_type": "client_credentials", "scope": "guests:read"}
    own = requests.post(service.metadata["token_endpoint"], data=form, auth=proof, timeout=10).json()["access_token"]
    other = service.sign_up(service.add_client())
    good = [signed_in["accessToken"], own]
    return good, [signed_in["refreshToken"], other["accessToken"], own[:-4] + "AAAA", "x"]


def test_pyjwt_finds_the_key_by_itself(service, office, tokens):
    good, bad = tokens
    keys = jwt.PyJWKClient(service.metadata["jwks_uri"])

    def read(token):
        key = keys.get_signing_key_from_jwt(token)
        return jwt.decode(token, key, ["ES256"], issuer=service.metadata["issuer"], audience=office["id"])

    assert [read(token)["client_id"] for token in good] == [office["id"]] * 2
    for token in bad:
        with pytest.raises(jwt.PyJWTError):
            read(token)


def test_jose_for_node_believes_the_same_tokens_and_no_others(service, office, tokens):
    good, bad = tokens
    asked = {"issuer": service.url, "audience": office["id"], "tokens": good + bad}
    told = told_by("verify.mjs", asked)
    for token, one in zip(good, told, strict=False):
        assert one["payload"] == claims_of(token)
        assert one["header"]["typ"] == "at+jwt"
    assert [one.get("error") for one in told[len(good) :]] == [
        "ERR_JWT_CLAIM_VALIDATION_FAILED",  # a refresh token: its typ is another
        "ERR_JWT_CLAIM_VALIDATION_FAILED",  # for another application
        "ERR_JWS_SIGNATURE_VERIFICATION_FAILED",
        "ERR_JWS_INVALID",
    ]
