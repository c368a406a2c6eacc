"""What an application allows, and that it, or its tenant, is turned off: held to when everything happens at once."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.live.test_crashes import until_answered
from tests.live.test_crowds import at_once

LIMIT = 5
ADMIN = {"email": "admin@example.com", "password": "correct horse battery staple"}
ADD_LIMITED_APPLICATION = """
    INSERT INTO applications (id, tenant_id, slug, name, active, transport, rotate, confidential, scopes, generation,
            created_at)
    SELECT :id, tenant_id, :slug, 'Limited', active, :transport, rotate, confidential, scopes, generation, created_at
    FROM applications WHERE slug = 'default'
"""


def name():
    return f"t{uuid.uuid4().hex}"


@pytest.fixture
def limited(lenient, transport):
    """An application of its own, so that no other test meets its limit."""
    own, slug = str(uuid.uuid4()), name()
    lenient.ask(ADD_LIMITED_APPLICATION, id=own, slug=slug, transport=transport)
    lenient.ask("UPDATE applications SET max_refresh_tokens = :most WHERE id = :id", most=LIMIT, id=own)
    return own


def test_of_a_burst_of_sign_ins_as_many_stay_as_are_allowed(lenient, limited, transport):
    body = {"email": f"{name()}@example.com", "password": "a quiet harbour", "applicationId": limited}
    assert lenient.device(transport).send("POST", "/auth/register", body).status == 201
    devices = [lenient.device(transport) for _ in range(50)]

    def sign_in(device):
        # So many tries at once look like guessing until they turn out to be right.
        while True:
            answer = until_answered(lambda: device.send("POST", "/auth/login", body))
            if answer.status != 429:
                return device.keep(answer)

    answers = at_once([lambda d=device: sign_in(d) for device in devices])
    assert {answer.status for answer in answers} == {200}
    live = "SELECT id FROM refresh_tokens WHERE application_id = :id AND revoked_at IS NULL"
    left = {str(row.id) for row in lenient.ask(live, id=limited)}
    assert len(left) == LIMIT
    assert left <= {device.id for device in devices}
    for device in devices:
        expected = (None, 200) if device.id in left else ("token_revoked", 401)
        refreshed = until_answered(device.refresh)
        assert (refreshed.code, refreshed.status) == expected
    told = "SELECT detail FROM events WHERE kind = 'refresh_token.revoked' AND application_id = :id"
    assert len(lenient.ask(told, id=limited)) == 51 - LIMIT


class Admin:
    """The first administrator."""

    def __init__(self, server):
        self.device = server.device("body")
        self.device.keep(until_answered(lambda: self.device.send("POST", "/auth/login", ADMIN)))
        assert self.device.access

    def ask(self, method, path, body):
        answer = self.device.send(method, path, body, {"Authorization": f"Bearer {self.device.access}"})
        assert answer.status in (200, 201), answer.text
        return answer.json["data"]


@pytest.fixture(params=["application", "tenant"])
def house(request, strict, transport):
    """Something to sign in to that can be turned off: its path, what a sign-in says, and how to count what lives."""
    admin, slug, kind = Admin(strict), name(), request.param
    made = admin.ask("POST", f"/admin/{kind}s", {"name": slug, "slug": slug})
    if kind == "application":
        admin.ask("PATCH", f"/admin/applications/{made['id']}", {"transport": transport})
        said, headers = {"applicationId": slug}, {}
    else:
        strict.ask("UPDATE applications SET transport = :t WHERE tenant_id = :id", t=transport, id=made["id"])
        said, headers = {}, {"X-Tenant-Id": slug}
    live = f"SELECT id FROM refresh_tokens WHERE {kind}_id = :id AND revoked_at IS NULL"
    turn = lambda active: admin.ask("PATCH", f"/admin/{kind}s/{made['id']}", {"active": active})  # noqa: E731
    return turn, said, headers, lambda: strict.ask(live, id=made["id"])


def test_what_is_turned_off_under_load_is_off_and_stays_dead_when_it_is_turned_on(strict, transport, house):
    turn, said, headers, live = house
    given, lock = [], threading.Lock()
    busy, over = threading.Semaphore(0), threading.Event()

    def hold(device):
        with lock:
            given.append(device.twin())
        busy.release()

    def come_and_stay(number):
        """Sign in, refresh, and sign in anew, until it is refused; whatever is given is remembered."""
        device = strict.device(transport)
        body = {"email": f"{number}-{uuid.uuid4().hex}@example.com", "password": "a quiet harbour", **said}
        answer = until_answered(lambda: device.send("POST", "/auth/register", body, headers))
        while answer.status in (200, 201) and not over.is_set():
            device.keep(answer)
            hold(device)
            for _ in range(3):
                answer = until_answered(device.refresh)
                if answer.status != 200:
                    break
                device.keep(answer)
                hold(device)
            answer = until_answered(lambda: device.send("POST", "/auth/login", body, headers))
        return answer.status

    with ThreadPoolExecutor(8) as crowd:
        lives = [crowd.submit(come_and_stay, number) for number in range(8)]
        try:
            for _ in range(60):
                assert busy.acquire(timeout=60)
            turn(False)
            assert live() == []
            assert {one.result() for one in lives} <= {400, 401, 422}
        finally:
            over.set()  # or nobody would ever go home after a failure
    assert live() == []
    turn(True)
    assert live() == []
    asked = [until_answered(twin.refresh).code for twin in given] + [until_answered(twin.me).code for twin in given]
    assert set(asked) == {"token_revoked"}
