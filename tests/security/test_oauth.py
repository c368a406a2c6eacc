"""The standards' endpoints under attack: every kind of token at every door, and every worker right at once."""

import pytest

from authsvc.services import token_admin
from tests.claims import claims_of
from tests.conftest import BASE_URL, register
from tests.drivers import HOST, Script
from tests.flows.administering import change_application
from tests.flows.api_tokens import make_api_token
from tests.flows.oauth import DEAD, Client, add_client, bearer, post, yes
from tests.flows.people import PASSWORD

ADMIN = {"email": "admin@example.com", "password": "correct horse battery staple"}


@pytest.fixture
def admin(app):
    device = Script(app)
    device.keep(device.post("/auth/login", **ADMIN))
    device.tenant = {}
    return device


@pytest.fixture
def office(admin):
    return add_client(admin, name="Office", confidential=True, scopes=["tokens:read", "users:read"])


@pytest.fixture
def tokens(app, admin, office):
    """One of every kind, each of which would open something somewhere."""
    device = Script(app)
    device.sign_in(register(Script(app)), applicationId=office.id)
    return {
        "access token": device.access_token,
        "refresh token": device.refresh_token,
        "API token": make_api_token(admin, "tokens:read", "users:read")["token"],
        "client's access token": office.access_token("tokens:read users:read"),
        "client secret": office.secret,
    }


def doors(app, office):
    """What each door takes for good, and how something is shown there."""
    visitor = app.test_client(use_cookies=False)

    def ask(method, path, **how):
        return visitor.open(path, method=method, base_url=HOST, **how).status_code < 400

    def at_token(**form):
        return post(app, "/oauth/token", {"client_id": office.id, **form}).status_code == 200

    everything = {"access token", "refresh token", "API token", "client's access token"}
    return {
        "being asked about": (everything, lambda t: yes(office.introspect(t))["active"]),
        "GET /auth/me": ({"access token", "API token"}, lambda t: ask("GET", "/auth/me", headers=bearer(t))),
        "GET /admin/users": (
            {"API token", "client's access token"},
            lambda t: ask("GET", "/admin/users", headers=bearer(t)),
        ),
        "X-Api-Key": (
            {"API token"},
            lambda t: ask("GET", "/admin/users", headers={"X-Api-Key": t}),
        ),
        "PATCH /auth/me": (
            {"access token"},
            lambda t: ask("PATCH", "/auth/me", headers=bearer(t), json={"name": "x"}),
        ),
        "POST /api-tokens": (
            {"access token"},
            lambda t: ask("POST", "/api-tokens", headers=bearer(t), json={"name": "x", "scopes": []}),
        ),
        "POST /jwt/refresh": (
            {"refresh token"},
            lambda t: ask("POST", "/jwt/refresh", json={"refreshToken": t}),
        ),
        "refresh_token": (
            {"refresh token"},
            lambda t: at_token(grant_type="refresh_token", refresh_token=t, client_secret=office.secret),
        ),
        "client_secret": (
            {"client secret"},
            lambda t: at_token(grant_type="client_credentials", client_secret=t),
        ),
        "asking about tokens": (
            {"API token", "client's access token"},
            lambda t: post(app, "/oauth/introspect", {"token": "x"}, bearer(t)).status_code == 200,
        ),
    }


def test_each_kind_of_token_opens_its_own_doors_and_no_others(app, admin, office, tokens):
    for name, (takes, show) in doors(app, office).items():
        opened = {kind for kind, text in tokens.items() if show(text)}
        assert opened == takes, name


def test_every_worker_answers_right_at_the_next_request_after_any_kill(app, make_app, admin, office, tokens):
    """Nothing that a worker has read about a token before counts."""
    others = [make_app(), make_app()]

    def worth(token):
        told = {Client(worker, seen()).introspect(token).get_data() for worker in others}
        return {answer != DEAD for answer in told}

    def seen():
        return {**office.application, "clientSecret": office.secret}

    kinds = ("access token", "refresh token", "API token", "client's access token")
    assert [worth(tokens[kind]) for kind in kinds] == [{True}] * 4
    assert office.revoke(tokens["access token"]).status_code == 200
    assert [worth(tokens[kind]) for kind in kinds] == [{False}, {False}, {True}, {True}]
    assert office.revoke(tokens["API token"]).status_code == 200
    assert [worth(tokens[kind]) for kind in kinds] == [{False}, {False}, {False}, {True}]
    assert office.revoke(tokens["client's access token"]).status_code == 200
    assert [worth(tokens[kind]) for kind in kinds] == [{False}] * 4
    # The client itself too: a secret that was replaced proves nothing at any worker.
    change_application(admin, office.application, active=False)
    for worker in others:
        assert Client(worker, seen()).introspect("x").status_code == 401


def test_a_revocation_that_could_not_be_written_is_never_answered_with_a_yes(app, office, tokens, monkeypatch):
    """RFC 7009 section 2.2.1: a client that is told 200 throws the token away and believes it dead."""
    from sqlalchemy.exc import OperationalError

    def failing(*_, **__):
        raise OperationalError("UPDATE", {}, Exception("the disk is full"))

    monkeypatch.setattr(token_admin, "revoke_one", failing)
    answer = office.revoke(tokens["refresh token"])
    assert (answer.status_code, answer.json["error"]) == (503, "temporarily_unavailable")
    assert "Retry-After" in answer.headers
    assert yes(office.introspect(tokens["refresh token"]))["active"]


def test_no_refresh_token_of_a_confidential_client_goes_on_by_its_name_alone(app, office, tokens):
    form = {"grant_type": "refresh_token", "refresh_token": tokens["refresh token"], "client_id": office.id}
    for more in ({}, {"client_secret": ""}, {"client_secret": PASSWORD}):
        assert post(app, "/oauth/token", {**form, **more}).json["error"] == "invalid_client"
    assert claims_of(yes(office.refresh(tokens["refresh token"]))["refresh_token"])["iss"] == BASE_URL
