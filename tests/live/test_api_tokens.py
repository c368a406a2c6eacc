"""API tokens on four workers at once: one successor, none that outlives its owner, dead everywhere when revoked."""

from functools import partial

import pytest

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.live.test_crowds import at_once


@pytest.fixture
def owner(strict):
    device = strict.device("body")
    device.register()
    return device


@pytest.fixture
def admin(strict):
    device = strict.device("body")
    device.keep(device.send("POST", "/auth/login", {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}))
    return device


def ask(device, method, path, body=None):
    return device.send(method, path, body, {"Authorization": f"Bearer {device.access}"})


def make(device):
    answer = ask(device, "POST", "/api-tokens", {"name": "script", "scopes": []})
    return answer.json["data"] if answer.status == 201 else None


def use(device, token):
    return device.send("GET", "/auth/me", headers={"X-Api-Key": token})


def test_of_many_who_replace_one_at_once_one_does(owner):
    for overlap in (0, 60):
        made = make(owner)
        path, body = f"/api-tokens/{made['apiToken']['id']}/rotate", {"overlap": overlap}
        answers = at_once([partial(ask, owner.twin(), "POST", path, body) for _ in range(8)])
        assert sorted(answer.status for answer in answers) == [201] + [409] * 7
        [successor] = [answer.json["data"] for answer in answers if answer.status == 201]
        assert use(owner, successor["token"]).status == 200
        old = ask(owner, "GET", f"/api-tokens/{made['apiToken']['id']}").json["data"]
        assert old["successorId"] == successor["apiToken"]["id"]


def test_what_is_revoked_is_refused_by_every_worker_at_the_next_request(owner):
    for _ in range(5):
        made = make(owner)
        crowd = [owner.twin() for _ in range(8)]
        revoke = partial(ask, owner, "DELETE", f"/api-tokens/{made['apiToken']['id']}")
        at_once([*(partial(use, device, made["token"]) for device in crowd), revoke])
        assert {use(device, made["token"]).code for device in crowd} == {"token_revoked"}


def test_none_is_made_that_outlives_the_disabling_of_its_owner(strict, owner, admin):
    for _ in range(5):
        owner.register()
        user_id = owner.me().json["data"]["user"]["id"]
        twins = [owner.twin() for _ in range(6)]
        switch = partial(ask, admin, "PATCH", f"/admin/users/{user_id}")
        *made, disabled = at_once([*(partial(make, twin) for twin in twins), partial(switch, {"active": False})])
        assert disabled.status == 200
        assert switch({"active": True}).status == 200
        for data in filter(None, made):
            assert use(owner, data["token"]).code == "token_revoked"
        left = "SELECT id FROM api_tokens WHERE revoked_at IS NULL AND user_id = :id"
        assert strict.ask(left, id=user_id) == []
