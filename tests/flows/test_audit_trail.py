"""What is written into the audit trail, seen through the API: everything once, nothing forged, nothing secret."""

import json
from contextlib import contextmanager
from datetime import datetime, timedelta

import pytest

from authsvc import clock
from authsvc.extensions import Table
from authsvc.models import Application, RefreshToken, SigningKey
from authsvc.models.engine import transaction
from tests.answers import refused
from tests.claims import header_of
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, counter, register
from tests.drivers import HOST, Account, Script
from tests.flows.people import NEW, PASSWORD
from tests.flows.test_admin_events import every, found

FORGED = 'curl\r\n2030-01-01 ERROR forged \x1b[2J \u2028\x00 {"kind": "forged"}'
ADDRESS = "198.51.100.7"


@pytest.fixture
def reader(make_person):
    return make_person("events:read")


@contextmanager
def changed(app, model, key=None):
    """A row, to be changed behind the service's back."""
    with app.app_context(), transaction() as session:
        yield session.query(model).first() if key is None else session.get_one(model, key)


class Witness:
    """Asks for things from one address, under a request id and a program's name of their own, and remembers them."""

    def __init__(self):
        self.seen = {}

    def ask(self, kind, device, method, path, body=None, *, outcome="success", beside=(), **ids):
        request_id = f"request-{len(self.seen)}"
        answer = device.client.open(
            path,
            method=method,
            json=body,
            headers={"X-Request-Id": request_id, "User-Agent": f"agent of {request_id}", **device.bearer()},
            environ_overrides={"REMOTE_ADDR": ADDRESS},
            base_url=HOST,
        )
        assert (answer.status_code < 400) == (outcome == "success"), answer.text
        self.seen[request_id] = ({kind, *beside}, kind, {"outcome": outcome, **ids})
        return answer

    def compare(self, trail, tenant_id):
        for request_id, (kinds, kind, members) in self.seen.items():
            written = [item for item in trail if item["requestId"] == request_id]
            assert sorted(item["kind"] for item in written) == sorted(kinds)
            [item] = [item for item in written if item["kind"] == kind]
            assert (item["ip"], item["userAgent"]) == (ADDRESS, f"agent of {request_id}")
            assert (item["tenantId"], item["apiTokenId"]) == (tenant_id, None)
            assert abs(clock.utcnow() - datetime.fromisoformat(item["at"])) < timedelta(minutes=5)
            for name, value in members.items():
                assert item[name] == value, f"{kind}: {name}"


def test_each_thing_that_happens_is_one_event_that_says_who_whom_where_and_how(app, admin):
    """LOG-02."""
    witness, device = Witness(), Script(app)
    tenant_id = found(admin)[0]["tenantId"]
    email = f"somebody{next(counter)}@example.com"

    answer = witness.ask("user.registered", device, "POST", "/auth/register", {"email": email, "password": PASSWORD})
    device.keep(answer)
    user_id = answer.json["data"]["user"]["id"]
    own = {"actorId": user_id, "subjectId": user_id}
    witness.seen["request-0"][2].update(own, refreshTokenId=device.refresh_token_id)
    # What is refused is nobody's doing: no password was proven.
    failed = {"outcome": "failure", "actorId": None, "refreshTokenId": None}
    wrong = {"password": "not it at all"}
    witness.ask(
        "user.sign_in_failed", device, "POST", "/auth/login", wrong | {"email": email}, subjectId=user_id, **failed
    )
    stranger = wrong | {"email": "nobody@example.com"}
    witness.ask("user.sign_in_failed", device, "POST", "/auth/login", stranger, subjectId=None, **failed)

    witness.ask("user.updated", device, "PATCH", "/auth/me", {"name": "Me"}, **own)
    change = {"currentPassword": "not it at all", "newPassword": NEW}
    kind = "user.password_change_failed"
    witness.ask(kind, device, "POST", "/auth/password", change, outcome="failure", subjectId=user_id)
    change["currentPassword"] = PASSWORD
    witness.ask("user.password_changed", device, "POST", "/auth/password", change, **own)
    sign_in = {"refreshTokenId": device.refresh_token_id}
    denied = {"outcome": "failure", "actorId": user_id, "detail": {"permission": "events:read"}}
    witness.ask("permission.denied", device, "GET", "/admin/events", **denied, **sign_in)

    spent = device.refresh_token
    assert device.refresh().status_code == 200
    with changed(app, RefreshToken, device.refresh_token_id) as row:
        row.rotated_at -= timedelta(minutes=1)
    stolen = {"outcome": "alarm", "actorId": None, "subjectId": user_id}
    witness.ask(
        "refresh_token.reused", Script(app), "POST", "/jwt/refresh", {"refreshToken": spent}, **stolen, **sign_in
    )

    login = {"email": email, "password": NEW}
    device.keep(witness.ask("user.signed_in", device, "POST", "/auth/login", login, **own))
    with changed(app, Application) as application:
        application.max_refresh_tokens = 1
    kind, beside = "refresh_token.revoked", ["user.signed_in"]
    device.keep(witness.ask(kind, device, "POST", "/auth/login", login, beside=beside, subjectId=user_id))
    with changed(app, Application) as application:
        application.max_refresh_tokens = None
    sign_in = {"refreshTokenId": device.refresh_token_id}
    witness.ask("user.signed_out", device, "POST", "/auth/logout", {"everywhere": True}, **own, **sign_in)

    operator = {"actorId": admin.me().json["data"]["user"]["id"], "subjectId": None}
    first = header_of(admin.refresh_token)["kid"]
    witness.ask("key.rotated", admin, "POST", "/admin/keys/rotate", **operator)
    assert admin.refresh().status_code == 200
    with changed(app, SigningKey, first) as key:
        key.activated_at, key.replaced_at = (clock.utcnow() - timedelta(days=days) for days in (2, 1))
    witness.ask("key.retired", admin, "POST", f"/admin/keys/{first}/retire", **operator)
    second = header_of(admin.refresh_token)["kid"]
    beside = ["refresh_token.revoked"]
    witness.ask("key.revoked", admin, "POST", f"/admin/keys/{second}/revoke", beside=beside, **operator)

    admin.sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD))
    witness.compare(every(admin), tenant_id)


def test_what_changes_nothing_is_no_event(app, reader):
    device = Script(app)
    device.sign_in(register(device))
    assert device.ask("POST", "/auth/logout", {}).json["data"] == {"revoked": 1}
    before = every(reader)
    assert device.ask("POST", "/auth/logout", {}).json["data"] == {"revoked": 0}
    for answer in (device.me(), device.refresh()):
        assert answer.status_code == 401
    assert every(reader) == before


def test_a_reuse_alarm_has_the_addresses_and_programs_of_both(app, reader, age):
    owner = Script(app)
    owner.sign_in(register(owner))
    spent = owner.refresh_token

    def refresh(token, address, program):
        return app.test_client().post(
            "/jwt/refresh",
            json={"refreshToken": token},
            headers={"User-Agent": program},
            environ_base={"REMOTE_ADDR": address},
            base_url=HOST,
        )

    assert refresh(spent, "203.0.113.4", "the owner's").status_code == 200
    age(app, owner.refresh_token_id, minutes=1)
    refused(refresh(spent, "198.51.100.9", "the thief's"), 401, "refresh_token_reused")
    [alarm] = found(reader, "?outcome=alarm")
    assert (alarm["kind"], alarm["refreshTokenId"]) == ("refresh_token.reused", owner.refresh_token_id)
    assert (alarm["ip"], alarm["userAgent"]) == ("198.51.100.9", "the thief's")
    assert alarm["detail"] == {
        "presented": 0,
        "generation": 1,
        "lastIp": "203.0.113.4",
        "lastUserAgent": "the owner's",
    }


@pytest.mark.parametrize("agent", [FORGED, "x" * 1_000_000, "\u202e\uffa0 \U0001f642", '"}],"items":[{"kind":"forged"'])
def test_what_a_caller_writes_stays_one_well_formed_entry(app, reader, agent):
    """LOG-03. What reaches us is bytes that were taken for latin-1, as a server hands them on."""
    sent = agent.encode().decode("latin-1")
    body = {"email": "nobody@example.com", "password": "not it at all"}
    before = len(every(reader))
    answer = app.test_client().post(
        "/auth/login", json=body, base_url=HOST, environ_overrides={"HTTP_USER_AGENT": sent, "HTTP_X_REQUEST_ID": sent}
    )
    assert answer.status_code == 401
    raw = reader.ask("GET", "/admin/events?limit=1")
    assert len(raw.data) < 4096
    assert not any(byte in raw.data for byte in b"\n\r\x1b\x00")
    [item] = json.loads(raw.data)["data"]["items"]
    assert item["kind"] == "user.sign_in_failed"
    assert item["userAgent"] == sent.replace("\0", "")[:512]
    assert item["requestId"] == answer.headers["X-Request-Id"] != sent
    assert len(every(reader)) == before + 1


def test_no_secret_is_in_an_event_or_anywhere_in_the_database(app, admin, age):
    """LOG-01: whatever people know or hold, it is not written down."""
    canaries = {"password": "canary password one", "another": "canary password two", "wrong": "canary password wrong"}
    device = Script(app)
    email = f"canary{next(counter)}@example.com"
    tokens = []

    def keep(answer):
        tokens.extend(answer.json["data"][name] for name in ("accessToken", "refreshToken"))
        device.keep(answer)

    keep(device.post("/auth/register", email=email, password=canaries["password"]))
    keep(device.post("/auth/login", email=email, password=canaries["password"]))
    device.post("/auth/login", email=email, password=canaries["wrong"])
    attempt = "canary attempt key"
    spent = device.refresh_token
    answer = device.refresh(attempt=attempt)
    tokens.extend([device.access_token, device.refresh_token])
    assert answer.status_code == 200
    passwords = {"currentPassword": canaries["password"], "newPassword": canaries["another"]}
    assert device.ask("POST", "/auth/password", passwords).json["data"]["revoked"] == 1
    device.ask("GET", "/admin/events")
    age(app, device.refresh_token_id, minutes=1)
    refused(device.refresh(held=spent), 401, "refresh_token_reused")
    keep(device.post("/auth/login", email=email, password=canaries["another"]))
    device.ask("POST", "/auth/logout", {"refreshToken": device.refresh_token})
    admin.ask("POST", "/admin/keys/rotate")
    tokens.extend([admin.access_token, admin.refresh_token])

    secrets = {*canaries.values(), attempt, *tokens, *(token.rpartition(".")[2] for token in tokens)}
    with app.app_context(), transaction() as session:
        dump = "\n".join(
            str([str(column) for column in row])
            for table in Table.metadata.sorted_tables
            for row in session.execute(table.select())
        )
    trail = json.dumps(every(admin))
    assert email in dump
    assert "user.password_changed" in trail
    for secret in secrets:
        assert secret not in dump
        assert secret not in trail
    for hashed in ("argon2", "gAAAA"):
        assert hashed in dump
        assert hashed not in trail
