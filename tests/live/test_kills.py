"""A kill and a refresh at the same moment, on four workers: the kill wins, whichever way it is asked for."""

import pytest

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.live.test_crowds import at_once

ROUNDS = 70  # with each transport: each kill ten times


@pytest.fixture
def ask(strict):
    """As the first administrator."""
    device = strict.device("body")
    sign_in = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    device.keep(device.send("POST", "/auth/login", sign_in))

    def send(method, path, body=None):
        return device.send(method, path, body, {"Authorization": f"Bearer {device.access}"})

    return send


def kills(user_id, device):
    """Every way to say that this sign-in shall end."""
    return [
        ("DELETE", f"/jwt/refresh/{device.id}", None),
        ("DELETE", "/jwt/refresh", {"tokenId": device.id}),
        ("DELETE", "/jwt/refresh", {"userId": user_id}),
        ("DELETE", f"/jwt/refresh?userId={user_id}", None),
        ("POST", "/jwt/refresh", {"tokenId": device.id}),
        ("PATCH", f"/admin/users/{user_id}", {"active": False}),
        ("DELETE", f"/admin/users/{user_id}", None),
    ]


def test_whoever_is_killed_while_refreshing_is_dead(strict, signed_in, ask):
    for number in range(ROUNDS):
        device = signed_in(strict)
        user_id = device.me().json["data"]["user"]["id"]
        method, path, body = kills(user_id, device)[number % 7]
        twins = [device.twin() for _ in range(2)]
        *refreshed, killed = at_once([*(twin.refresh for twin in twins), lambda m=method, p=path, b=body: ask(m, p, b)])
        assert killed.status == 200
        if path.startswith("/jwt") and "refresh_token_reused" not in codes(refreshed):
            assert killed.json["data"] == {"revoked": 1, "ids": [device.id]}
        for twin, answer in zip(twins, refreshed, strict=True):
            twin.keep(answer)
            assert twin.refresh().code in ("token_revoked", "refresh_token_reused")
            assert twin.me().code == "token_revoked"
        live = strict.ask("SELECT id FROM refresh_tokens WHERE user_id = :id AND revoked_at IS NULL", id=user_id)
        assert live == []


def codes(answers):
    return {answer.code for answer in answers}


def test_two_who_kill_the_same_crowd_at_once_do_not_block_each_other(lenient, signed_in):
    """All of them die, each of them once: no two wait for each other's rows."""
    device = lenient.device("body")
    device.keep(device.send("POST", "/auth/login", {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}))
    bearer = {"Authorization": f"Bearer {device.access}"}
    everybody = {"all": True, "except": device.id}
    for _ in range(5):
        ids = [signed_in(lenient).id for _ in range(8)]
        by_id = [lambda i=one: device.twin().send("DELETE", f"/jwt/refresh/{i}", None, bearer) for one in reversed(ids)]
        in_one = [lambda: device.twin().send("DELETE", "/jwt/refresh", everybody, bearer)] * 4
        answers = at_once([*by_id, *in_one])
        assert {answer.status for answer in answers} == {200}
        ended = [one for answer in answers for one in answer.json["data"]["ids"]]
        assert sorted(set(ended) & set(ids)) == sorted(ids)
        assert len(ended) == len(set(ended))
