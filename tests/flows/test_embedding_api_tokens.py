"""API tokens in somebody else's Flask app that embeds authsvc: the same guard, and no token in what that app sees."""

import pytest

from authsvc import init_app
from tests.conftest import close, configured
from tests.drivers import HOST
from tests.flows.api_tokens import make_api_token
from tests.flows.people import told
from tests.restaurants import asked_with_a_token_in_the_address, refused, restaurants


@pytest.fixture
def embed(database):
    made = []

    def make(prefix="/identity", **options):
        host = restaurants()
        made.append(init_app(host, configured(database), prefix=prefix, **options))
        host.service = made[-1]
        return host

    yield make
    for service in made:
        close(service)


@pytest.fixture
def app(embed):
    """The service behind the people of these tests; each host has its own, on the same database."""
    return embed().service


@pytest.fixture
def owner(make_person):
    return make_person("restaurants:read", "restaurants:write", "api-tokens:write", "auth:refresh")


def test_every_way_to_send_one_works_in_a_host_with_and_without_a_prefix(embed, owner, app):
    made = make_api_token(owner, "restaurants:read", allowInQuery=True)
    token, plain = made["token"], make_api_token(owner, "restaurants:read")["token"]
    for prefix in ("/identity", ""):
        client = embed(prefix).test_client()
        for headers in (
            {"Authorization": f"Bearer {token}"},
            {"Authorization": f"Token {token}"},
            {"X-Api-Key": token},
        ):
            assert client.get("/restaurants", headers=headers).json["who"] == owner.account.id
            assert refused(client.post("/restaurants", headers=headers), 403, "permission_denied")
        assert client.get(f"/restaurants?token={token}").json["via"] == "api_token"
        assert refused(client.get(f"/restaurants?token={plain}"), 401, "token_invalid")
        assert refused(
            client.get(f"/restaurants?token={token}", headers={"X-Api-Key": token}), 400, "ambiguous_request"
        )
        assert refused(client.get("/me", headers={"X-Api-Key": token}), 403, "permission_denied")
        # The service's own routes are asked in the same ways.
        me = client.get(f"{prefix}/auth/me?token={token}", base_url=HOST)
        assert (me.status_code, me.json["data"]["via"]) == (200, "api_token")
    denied = told(app, "permission.denied")
    assert {(event.api_token_id, event.actor_id) for event in denied} == {(made["id"], owner.account.id)}
    owner.ask("DELETE", f"/api-tokens/{made['id']}")
    assert refused(client.get(f"/restaurants?token={token}"), 401, "token_revoked")


def test_no_view_page_redirect_or_hook_of_the_host_meets_a_token_of_the_query(embed, owner):
    token = make_api_token(owner, "restaurants:read", allowInQuery=True)["token"]
    for prefix in ("/identity", ""):
        asked_with_a_token_in_the_address(embed(prefix), token)


def test_the_hosts_own_token_parameter_can_stay_its_own(embed, owner):
    token = make_api_token(owner, "restaurants:read", allowInQuery=True)["token"]
    for prefix in ("/identity", ""):
        client = embed(prefix, query_token=False).test_client()
        assert client.get("/open?token=mine&a=1").json["asked"] == "/open?token=mine&a=1"
        assert "Referrer-Policy" not in client.get("/open?token=mine").headers
        assert refused(client.get(f"/restaurants?token={token}"), 401, "credentials_missing")
        answer = client.get("/restaurants?token=mine", headers={"X-Api-Key": token})
        assert (answer.status_code, answer.json["query"]) == (200, {"token": "mine"})
        # On its own routes the service takes it as ever.
        assert client.get(f"{prefix}/auth/me?token={token}", base_url=HOST).json["data"]["via"] == "api_token"
