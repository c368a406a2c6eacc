"""kill -9, restarts, stops: nobody is signed out by what happens to the strict."""

import random
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.claims import header_of
from tests.live.devices import Lost


def until_answered(ask):
    """Ask again as long as the connection breaks or the service says later: what every client does."""
    while True:
        try:
            answer = ask()
        except Lost:
            answer = None
        if answer is not None and answer.status != 503:
            return answer
        time.sleep(0.02)


def test_a_worker_that_dies_between_the_commit_and_the_answer_signs_nobody_out(lenient, signed_in):
    device = signed_in(lenient)
    with pytest.raises(Lost):
        device.refresh(attempt="mine", **{"X-Die-Before-The-Answer": "now"})
    assert lenient.ask("SELECT generation FROM refresh_tokens WHERE id = :id", id=device.id) == [(1,)]

    # At once, as a retry does; and much later, because the client kept its attempt key.
    assert until_answered(device.refresh).status == 200
    long_ago = "2020-01-01 00:00:00.000000" + ("" if "sqlite" in lenient.environment["AUTHSVC_DATABASE_URL"] else "+00")
    lenient.ask("UPDATE refresh_tokens SET rotated_at = :at WHERE id = :id", at=long_ago, id=device.id)
    answer = until_answered(lambda: device.refresh(attempt="mine"))
    assert answer.status == 200
    device.keep(answer)
    assert device.generation == 1
    assert device.refresh().status == 200


def test_spent_and_ended_tokens_stay_so_across_a_restart(strict, signed_in):
    spent, ended = signed_in(strict), signed_in(strict)
    before = spent.held()
    spent.keep(spent.refresh())
    ended.send("POST", "/auth/logout", {}, {"Authorization": f"Bearer {ended.access}"})
    strict.kill()
    strict.start()
    assert ended.twin().refresh().code == "token_revoked"
    assert spent.twin().refresh(before).code == "refresh_token_reused"
    assert spent.twin().refresh().code == "token_revoked"


def test_kill_9_under_load_signs_nobody_out(strict, signed_in_either_way):
    devices = [signed_in_either_way(strict) for _ in range(6)]
    over = threading.Event()

    def live(device):
        steps = 0
        while not over.is_set():
            attempt = uuid.uuid4().hex  # kept until there is an answer, as a good client does
            answer = until_answered(lambda: device.refresh(attempt=attempt))  # noqa: B023
            assert answer.status == 200, answer.text
            device.keep(answer)
            steps += 1
        return steps

    with ThreadPoolExecutor(len(devices)) as crowd:
        lives = [crowd.submit(live, device) for device in devices]
        try:
            for _ in range(3):
                time.sleep(random.uniform(0.3, 0.8))
                strict.kill()
                strict.start()
            time.sleep(0.3)
        finally:
            over.set()
        assert all(one.result() > 0 for one in lives)
    for device in devices:
        assert device.me().status == 200


def used_api_token(device):
    """One that was used this moment; its id."""
    bearer = {"Authorization": f"Bearer {device.access}"}
    made = device.send("POST", "/api-tokens", {"name": "script", "scopes": []}, bearer).json["data"]
    assert device.send("GET", "/auth/me", headers={"X-Api-Key": made["token"]}).status == 200
    return made["apiToken"]["id"]


def test_a_server_that_is_told_to_stop_finishes_what_it_is_answering_and_writing(lenient, signed_in_either_way):
    devices = [signed_in_either_way(lenient) for _ in range(8)]
    answers = []

    def live(device):
        try:
            while True:
                answers.append(device.me().status)
        except Lost:
            return

    with ThreadPoolExecutor(len(devices)) as crowd:
        lives = [crowd.submit(live, device) for device in devices]
        time.sleep(0.5)
        api_token = used_api_token(devices[0].twin())
        lenient.stop()
        for one in lives:
            one.result()
    assert set(answers) == {200}
    assert lenient.process.returncode == 0
    [(used,)] = lenient.ask("SELECT last_used_at FROM api_tokens WHERE id = :id", id=api_token)
    lenient.start()
    assert used is not None


def test_a_key_rotation_under_load_fails_no_request_and_reaches_every_worker(strict, signed_in_either_way):
    device = signed_in_either_way(strict)
    old = header_of(device.access)["kid"]
    over = threading.Event()

    def live(device):
        while not over.is_set():
            answer = device.refresh()
            assert answer.status == 200, answer.text
            device.keep(answer)
            assert device.twin().me().status == 200

    others = [signed_in_either_way(strict) for _ in range(4)]
    with ThreadPoolExecutor(len(others)) as crowd:
        lives = [crowd.submit(live, one) for one in others]
        new = strict.flask("keys", "rotate").split()[0]
        time.sleep(1.5)
        over.set()
        for one in lives:
            one.result()
    assert new != old
    for one in others:
        one.keep(one.refresh())
        assert header_of(one.access)["kid"] == new
    assert device.me().status == 200
