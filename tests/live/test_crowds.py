"""Four workers, many connections: what must hold when everything happens at the same time."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor

from tests.claims import claims_of

CROWD = 64


def at_once(actions):
    """Run all of these at the same moment; answers what they answered."""
    barrier = threading.Barrier(len(actions))

    def one(action):
        barrier.wait()
        return action()

    with ThreadPoolExecutor(len(actions)) as crowd:
        return list(crowd.map(one, actions))


def held_after(answers, device):
    """The refresh tokens that a crowd was given."""
    given = set()
    for answer in answers:
        twin = device.twin()
        twin.keep(answer)
        given.add(twin.held())
    return given


def test_a_crowd_with_one_token_takes_one_step_and_keeps_one_chain(lenient, signed_in):
    for _ in range(3):
        device = signed_in(lenient)
        before = device.held()
        first = at_once([device.twin().refresh for _ in range(CROWD)])
        assert {answer.status for answer in first} == {200}
        [after] = held_after(first, device)
        assert claims_of(after[0])["gen"] == 1

        # Some tabs hold the token from before, some the one from after: still no further.
        mixed = at_once([lambda d=device, h=held: d.twin().refresh(h) for held in (before, after) * (CROWD // 2)])
        assert {answer.status for answer in mixed} == {200}
        assert held_after(mixed, device) == {after}


def test_without_a_leeway_a_crowd_leaves_one_live_chain_or_none(strict, signed_in):
    for _ in range(3):
        device = signed_in(strict)
        answers = at_once([device.twin().refresh for _ in range(16)])
        codes = sorted(answer.code or "" for answer in answers)
        assert codes.count("") == 1
        assert set(codes) <= {"", "refresh_token_reused", "token_revoked"}
        [won] = [answer for answer in answers if answer.status == 200]
        device.keep(won)
        assert device.refresh().code == "token_revoked"


def test_a_kill_wins_over_a_refresh_in_flight(strict, signed_in):
    for _ in range(50):
        device = signed_in(strict)
        bearer = {"Authorization": f"Bearer {device.access}"}
        refreshed, ended = at_once(
            [device.twin().refresh, lambda d=device, h=bearer: d.twin().send("POST", "/auth/logout", {}, h)]
        )
        assert ended.json["data"] == {"revoked": 1}
        device.keep(refreshed)
        assert device.refresh().code == "token_revoked"
        assert device.me().code == "token_revoked"


def test_every_worker_knows_at_once_that_a_sign_in_has_ended(lenient, signed_in):
    device = signed_in(lenient)
    assert device.me().status == 200
    device.send("POST", "/auth/logout", {}, {"Authorization": f"Bearer {device.access}"})
    answers = at_once([device.twin().me for _ in range(CROWD)])
    assert {answer.code for answer in answers} == {"token_revoked"}


def test_of_a_burst_of_guesses_exactly_as_many_as_allowed_are_evaluated(lenient, signed_in, transport):
    device = signed_in(lenient)
    email = device.me().json["data"]["user"]["email"]
    guess = {"email": email, "password": "not the password"}
    answers = at_once([lambda: lenient.device(transport).send("POST", "/auth/login", guess) for _ in range(40)])
    codes = [answer.code for answer in answers]
    assert codes.count("credentials_invalid") == 10
    assert codes.count("too_many_attempts") == 30
    assert device.refresh().status == 200


def test_many_who_register_one_name_at_once_become_one_account(lenient, transport):
    unique = f"{uuid.uuid4().hex}@example.com"
    names = [{"email": email, "password": "a quiet harbour"} for email in (unique, unique.upper())]
    answers = at_once(
        [lambda n=name: lenient.device(transport).send("POST", "/auth/register", n) for name in names * 10]
    )
    assert sorted(answer.status for answer in answers) == [201] + [409] * 19


def test_a_flood_of_sign_ins_is_shed_and_refreshes_go_on(busy, signed_in, transport):
    device = signed_in(busy)
    over = threading.Event()
    codes = []

    def flood():
        own = busy.device(transport)
        while not over.is_set():
            answer = own.send("POST", "/auth/login", {"email": "nobody@example.com", "password": "whatever it is"})
            assert answer.status == 401 or answer.headers["Retry-After"]
            codes.append(answer.code)

    with ThreadPoolExecutor(24) as crowd:
        floods = [crowd.submit(flood) for _ in range(24)]
        try:
            for _ in range(30):
                assert device.twin().refresh().status == 200
                assert device.twin().send("GET", "/healthz").status == 200
        finally:
            over.set()
        for one in floods:
            one.result()
    assert set(codes) == {"credentials_invalid", "unavailable"}
