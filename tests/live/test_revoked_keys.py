"""The key that signs is revoked while everybody refreshes: nothing breaks, and nobody is left half signed in."""

import itertools
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from authsvc import clock, opaque
from tests.claims import header_of
from tests.live.test_crowds import at_once
from tests.servers.gunicorn import Gunicorn

ENDED = {"token_invalid", "token_revoked"}
ADMIN = {"email": "admin@example.com", "password": "correct horse battery staple"}
STEPS_BETWEEN = 30
ROUNDS = 2
NEWER = "CAST(id AS VARCHAR(36)) > :since"
LIVE = f"SELECT CAST(id AS VARCHAR(36)) FROM refresh_tokens WHERE revoked_at IS NULL AND {NEWER}"
AGE = "UPDATE refresh_tokens SET created_at = :at"


class Life:
    """A device that refreshes all the time, and signs in again when it must."""

    def __init__(self, device, steps):
        self.device, self.steps = device, steps
        self.holds = False

    def live(self, over):
        while not over.is_set():
            answer = self.device.refresh() if self.holds else self.device.register()
            assert answer.status in (200, 201) or answer.code in ENDED, answer.text
            self.holds = answer.status in (200, 201)
            if self.holds:
                self.device.keep(answer)
                next(self.steps)


def revoke_by_api(server: Gunicorn) -> str:
    operator = server.device("body")
    answer = operator.keep(operator.send("POST", "/auth/login", ADMIN))
    assert answer.status == 200 or answer.code in ENDED, answer.text
    kid = header_of(operator.access)["kid"]
    answer = change(operator, f"{kid}/revoke")
    assert answer.status == 200, answer.text
    assert operator.me().code in ENDED
    return kid


def revoke_by_command(server: Gunicorn) -> str:
    [(kid,)] = server.ask("SELECT kid FROM signing_keys WHERE state = 'active'")
    server.flask("keys", "revoke", kid, "--yes")
    return kid


@pytest.mark.parametrize("revoke", [revoke_by_api, revoke_by_command])
def test_a_key_that_is_revoked_under_load_leaves_nobody_half_signed_in(strict, revoke):
    # A device of each kind beside the other.
    transports = itertools.cycle(("body", "cookie"))
    since, over, steps = opaque.new_id(), threading.Event(), itertools.count()
    lives = [Life(strict.device(next(transports)), steps) for _ in range(10)]
    revoked = []
    with ThreadPoolExecutor(len(lives)) as crowd:
        running = [crowd.submit(one.live, over) for one in lives]
        try:
            for turn in range(3):
                if turn:
                    revoked.append(revoke(strict))
                until = next(steps) + STEPS_BETWEEN
                while next(steps) < until:
                    assert not any(one.done() for one in running)
                    time.sleep(0.02)
        finally:
            over.set()
        for one in running:
            one.result()
    assert len(set(revoked)) == 2
    nobody_is_half_signed_in(strict, [one.device for one in lives if one.holds], since, revoked)


def test_who_comes_back_while_the_new_key_is_revoked_is_signed_in_or_out(strict, signed_in_long_ago):
    for _ in range(ROUNDS):
        since = opaque.new_id()
        devices = signed_in_long_ago(24)
        operator = strict.device("body")
        assert operator.keep(operator.send("POST", "/auth/login", ADMIN)).status == 200
        new = change(operator, "rotate").json["data"]["kid"]
        answers = at_once([*[one.refresh for one in devices], lambda o=operator, k=new: change(o, f"{k}/revoke")])
        assert answers.pop().status == 200
        for device, answer in zip(devices, answers, strict=True):
            assert answer.status == 200 or answer.code in ENDED, answer.text
            device.keep(answer)
        nobody_is_half_signed_in(strict, devices, since, [new])


def change(operator, what):
    return operator.send("POST", f"/admin/keys/{what}", {}, {"Authorization": f"Bearer {operator.access}"})


@pytest.fixture
def signed_in_long_ago(strict):
    """Devices whose last tokens are so old that a key which signs from now on has signed none of them."""

    def make(count):
        since = opaque.new_id()
        devices = [strict.device("body") for _ in range(count)]
        for device in devices:
            assert device.register().status == 201
            device.connection.close()  # the server closes it too, after a while
        zone = "" if strict.environment["AUTHSVC_DATABASE_URL"].startswith("sqlite") else "+00"
        hours_ago = [f"{clock.utcnow() - timedelta(hours=hours):%Y-%m-%d %H:%M:%S.%f}{zone}" for hours in (1, 2)]
        strict.ask(f"{AGE} WHERE {NEWER}", at=hours_ago[0], since=since)
        strict.ask("UPDATE signing_keys SET activated_at = :at WHERE state = 'active'", at=hours_ago[1])
        return devices

    return make


def nobody_is_half_signed_in(server, devices, since, revoked):
    """Each row that is live has its holder, and each holder's row is live."""
    held = set()
    for device in devices:
        answer = device.refresh()
        assert answer.status == 200 or answer.code in ENDED, answer.text
        if answer.status == 200:
            device.keep(answer)
            assert device.me().status == 200
            assert header_of(device.token)["kid"] not in revoked
            held.add(device.id)
    assert {row for (row,) in server.ask(LIVE, since=since)} == held
    listed = {key["kid"] for key in server.device("body").send("GET", "/.well-known/jwks.json").json["keys"]}
    assert not listed & set(revoked)
