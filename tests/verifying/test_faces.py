"""A verifier in front of a Flask app, of a plain WSGI callable and of another framework; authsvc is the real one."""

import json
import logging

import bottle
import pytest
from werkzeug.test import Client

from authsvc import Verifier
from tests.flows.api_tokens import make_api_token
from tests.flows.people import told
from tests.restaurants import asked_with_a_token_in_the_address, refused, restaurants

SEEN = ("QUERY_STRING", "RAW_URI", "REQUEST_URI", "HTTP_REFERER", "HTTP_X_ORIGINAL_URI", "HTTP_X_FORWARDED_URI")


def guarded(verifier):
    app = restaurants()
    verifier.init_app(app)
    return app


def plain_app(environ, start_response):
    """A WSGI callable of no framework: it answers who was let in, and what it saw."""
    who = environ["authsvc.principal"]
    seen = {"who": who and who.user_id, "via": who and who.via, "seen": [environ.get(name) for name in SEEN]}
    start_response("200 OK", [("Content-Type", "application/json")])
    return [json.dumps(seen).encode()]


@pytest.fixture
def verifier(verifiers, service):
    return verifiers(service.url)


@pytest.fixture
def reader(owner):
    """An API token that may read and be written into an address."""
    return make_api_token(owner, "restaurants:read", allowInQuery=True)["token"]


def test_flask_the_same_guard_as_everywhere(verifier, owner, reader, app):
    client = guarded(verifier).test_client()
    for headers in (owner.bearer(), {"X-Api-Key": reader}, {"Authorization": f"Token {reader}"}):
        assert client.get("/restaurants", headers=headers).json["who"] == owner.account.id
    assert client.post("/restaurants", headers=owner.bearer()).status_code == 201
    answer = client.post("/restaurants", headers={"X-Api-Key": reader})
    assert refused(answer, 403, "permission_denied")
    assert "restaurants:write" in answer.json["message"]
    assert 'scope="restaurants:write"' in answer.headers["WWW-Authenticate"]
    assert answer.headers["X-Kitchen"] == "open"
    assert refused(client.get("/restaurants"), 401, "credentials_missing")
    answer = client.get("/restaurants", headers={"Authorization": "Bearer junk", "X-Request-Id": "mine-1"})
    assert refused(answer, 401, "token_invalid")
    assert answer.headers["X-Request-Id"] == "mine-1"
    assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
    assert refused(client.get("/restaurants", headers=owner.bearer() | {"X-Api-Key": reader}), 400, "ambiguous_request")
    assert refused(client.get("/restaurants", headers=owner.bearer() | {"X-Tenant-Id": "x"}), 403, "tenant_mismatch")
    # By sign-in alone, and what is known of one.
    answer = client.get("/me", headers=owner.bearer())
    assert (answer.json["who"], answer.json["refresh_token"]) == (owner.account.id, owner.refresh_token_id)
    assert refused(client.get("/me", headers={"X-Api-Key": reader}), 403, "permission_denied")
    assert client.get("/open").status_code == 200
    # The trail is authsvc's own; an API elsewhere has none.
    assert told(app, "permission.denied") == []


def test_flask_no_view_page_redirect_or_hook_meets_a_token_of_the_query(verifier, reader, owner):
    app = guarded(verifier)
    asked_with_a_token_in_the_address(app, reader)
    client = app.test_client()
    assert refused(client.get(f"/restaurants?token={reader}&token={reader}"), 400, "ambiguous_request")
    assert refused(client.get(f"/restaurants?token={owner.access_token}"), 401, "token_invalid")


def test_flask_its_own_token_parameter_can_stay_its_own(verifiers, service, reader):
    client = guarded(verifiers(service.url, query_token=False)).test_client()
    assert client.get("/open?token=mine").json["asked"] == "/open?token=mine"
    assert refused(client.get(f"/restaurants?token={reader}"), 401, "credentials_missing")
    assert client.get("/restaurants?token=mine", headers={"X-Api-Key": reader}).json["query"] == {"token": "mine"}


def test_any_wsgi_app_is_guarded_as_a_whole(verifier, owner, reader):
    client = Client(verifier.middleware(plain_app, requires="restaurants:read"))
    for how in ({"headers": owner.bearer()}, {"headers": {"X-Api-Key": reader}}):
        assert client.get("/", **how).json["who"] == owner.account.id
    spread = dict.fromkeys(("RAW_URI", "REQUEST_URI"), f"/?a=1&token={reader}") | {
        "HTTP_REFERER": f"http://localhost/?token={reader}"
    }
    answer = client.get(f"/?a=1&token={reader}", environ_overrides=spread)
    assert answer.json["seen"] == ["a=1", "/?a=1", "/?a=1", "http://localhost/", None, None]
    assert answer.headers["Cache-Control"] == "no-store, private"
    assert refused(client.get("/"), 401, "credentials_missing")
    assert refused(client.get("/", headers={"X-Api-Key": "junk"}), 401, "token_invalid")
    assert refused(client.post(f"/?token={reader}x", data=b"x" * 9999), 401, "token_invalid")
    answer = client.head("/")
    assert (answer.status_code, answer.data, answer.headers["X-Request-Id"] != "") == (401, b"", True)
    # Without a permission: whoever proves who they are. With another: not this one.
    assert Client(verifier.middleware(plain_app)).get("/", headers={"X-Api-Key": reader}).status_code == 200
    writers = Client(verifier.middleware(plain_app, "restaurants:write"))
    assert refused(writers.get("/", headers={"X-Api-Key": reader}), 403, "permission_denied")


def test_a_guard_can_let_through_who_brings_nothing_and_nobody_who_brings_something_bad(verifier, owner, reader):
    client = Client(verifier.middleware(plain_app, requires="restaurants:write", optional=True))
    assert client.get("/").json["who"] is None
    assert client.get("/", headers=owner.bearer()).json["who"] == owner.account.id
    assert refused(client.get("/", headers={"X-Api-Key": reader}), 403, "permission_denied")
    assert refused(client.get("/", headers={"Authorization": "Bearer junk"}), 401, "token_invalid")
    # Nobody says who they are by a header of that name.
    assert client.get("/", headers={"authsvc.principal": "me", "Authsvc-Principal": "me"}).json["who"] is None


def test_bottle_finds_the_principal_in_the_environment(verifier, owner, reader):
    app = bottle.Bottle()

    @app.get("/restaurants")
    def read():
        who = bottle.request.environ["authsvc.principal"]
        if not who.may("restaurants:read"):
            bottle.abort(403)
        return {"who": who.user_id, "asked": bottle.request.url}

    client = Client(verifier.middleware(app))
    answer = client.get(f"/restaurants?a=1&token={reader}")
    assert answer.json == {"who": owner.account.id, "asked": "http://localhost/restaurants?a=1"}
    assert refused(client.get("/restaurants"), 401, "credentials_missing")
    assert refused(client.get("/restaurants", headers={"X-Api-Key": reader, "Authorization": "Bearer x"}), 400,
                   "ambiguous_request")  # fmt: skip


def test_when_authsvc_is_away_every_face_says_come_back_later(verifier, service, reader):
    service.stop()
    for client in (guarded(verifier).test_client(), Client(verifier.middleware(plain_app))):
        answer = client.get("/restaurants", headers={"X-Api-Key": reader})
        assert refused(answer, 503, "unavailable")
        assert int(answer.headers["Retry-After"]) > 0
        assert "WWW-Authenticate" not in answer.headers


def test_what_servers_log_of_a_request_is_hidden_where_a_verifier_is(monkeypatch, reader):
    servers = [logging.getLogger(name) for name in ("gunicorn.access", "gunicorn.error", "werkzeug")]
    for server in servers:
        monkeypatch.setattr(server, "filters", [])
    Verifier("https://auth.example.org")
    for server in servers:
        record = server.makeRecord(server.name, logging.ERROR, "", 0, "GET %s", (f"/?token={reader}",), None)
        assert server.filter(record)
        assert record.getMessage() == "GET /?token=(hidden)"
