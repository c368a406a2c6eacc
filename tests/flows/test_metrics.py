"""What is counted, and who may read it."""

import pytest
from prometheus_client.parser import text_string_to_metric_families

from authsvc import clock
from authsvc.caller import Caller
from authsvc.models.engine import transaction
from authsvc.services import events, tenants
from tests.answers import refused
from tests.conftest import register
from tests.drivers import Script

READERS = ("127.0.0.1", "10.1.0.0/16")


@pytest.fixture
def database_kind():
    return "sqlite"


def numbers(app):
    """Every number, by its name and the values of its labels in the order of the labels' names."""
    answer = app.test_client().get("/metrics")
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, *(sample.labels[name] for name in sorted(sample.labels))): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


@pytest.mark.settings(METRICS_READERS=READERS, TRUSTED_PROXIES=("10.1.0.9",), ALLOWED_HOSTS=("auth.example.org",))
def test_it_is_there_for_those_who_are_named_and_ask_directly(app, client):
    for reader in ("127.0.0.1", "10.1.2.3", "::ffff:10.1.2.3"):
        answer = client.get("/metrics", environ_base={"REMOTE_ADDR": reader})
        assert (answer.status_code, answer.mimetype) == (200, "text/plain"), reader
        assert answer.headers["Cache-Control"] == "no-store"
    for stranger in ("10.2.0.1", "203.0.113.9", "::1", "not an address", ""):
        refused(client.get("/metrics", environ_base={"REMOTE_ADDR": stranger}), 404, "not_found")
    for header in ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP"):
        for proxy in ("127.0.0.1", "10.1.0.9"):
            through = {"headers": {header: "127.0.0.1"}, "environ_base": {"REMOTE_ADDR": proxy}}
            refused(client.get("/metrics", **through), 404, "not_found")
    asked = {"Accept": "application/openmetrics-text; version=1.0.0"}
    answer = client.get("/metrics", headers=asked)
    assert answer.mimetype == "application/openmetrics-text"
    assert answer.text.endswith("# EOF\n")


def test_where_nobody_is_named_there_is_nothing(app, client):
    refused(client.get("/metrics"), 404, "not_found")
    assert "authsvc.metrics" not in app.extensions


@pytest.mark.settings(METRICS_READERS=READERS)
def test_requests_are_counted_by_rule_and_never_by_path(app, client):
    client.get("/jwt/refresh/0190a5b0-0000-7000-8000-000000000000")
    client.get("/secret-path-4711?token=4711")
    client.open("/healthz", method="BREW4711")
    for _ in range(3):
        client.get("/healthz")
    found = numbers(app)
    assert found["authsvc_requests_total", "GET", "/jwt/refresh/<id>", "401"] == 1
    assert found["authsvc_requests_total", "GET", "(none)", "404"] == 1
    assert found["authsvc_requests_total", "OTHER", "(none)", "405"] == 1
    assert found["authsvc_requests_total", "GET", "/healthz", "200"] == 3
    assert found["authsvc_request_seconds_count", "GET", "/healthz"] == 3
    assert found["authsvc_refusals_total", "credentials_missing", "/jwt/refresh/<id>"] == 1
    assert not [key for key in found if "4711" in "".join(key)]


@pytest.mark.settings(METRICS_READERS=READERS, GUESSES_PER_ACCOUNT_AND_SOURCE=1)
def test_what_happened_to_sign_ins_and_tokens_is_counted_by_outcome(app, client):
    device = Script(app)
    account = register(device)
    device.sign_in(account)
    assert device.refresh().status_code == 200
    assert device.refresh().status_code == 200
    token = client.post("/api-tokens", json={"name": "x", "scopes": []}, headers=device.bearer()).json["data"]["token"]
    for text in (token, "asvc_" + "0" * 36):
        client.get("/auth/me", headers={"Authorization": f"Bearer {text}"})
    for _ in range(2):
        client.post("/auth/login", json={"email": account.email, "password": "wrong"})
    found = numbers(app)
    assert found["authsvc_events_total", "user.registered", "success"] == 1
    assert found["authsvc_events_total", "user.signed_in", "success"] == 1
    assert found["authsvc_events_total", "user.sign_in_failed", "failure"] == 1
    assert found["authsvc_refusals_total", "too_many_attempts", "/auth/login"] == 1
    assert found["authsvc_refreshes_total", "advanced"] == 1
    assert found["authsvc_refreshes_total", "repeated"] == 1
    assert found["authsvc_api_token_uses_total", "accepted"] == 1
    assert found["authsvc_api_token_uses_total", "token_invalid"] == 1
    assert found["authsvc_hashing_seats_taken",] == 0
    assert found["authsvc_hashing_seats",] > 10
    assert found["authsvc_database_connections_taken",] == 0
    assert found["authsvc_database_connections",] == 16


@pytest.mark.settings(METRICS_READERS=READERS)
def test_an_event_counts_when_it_is_committed(app):
    def tell(session):
        tenant_id = tenants.selected(None).id
        events.record(session, "user.updated", tenant_id=tenant_id, now=clock.utcnow(), caller=Caller())

    def fail():
        with transaction() as session:
            tell(session)
            raise ZeroDivisionError

    with app.app_context():
        with pytest.raises(ZeroDivisionError):
            fail()
        with transaction() as session:
            tell(session)
            key = ("authsvc_events_total", "user.updated", "success")
            assert key not in numbers(app)
    assert numbers(app)[key] == 1
