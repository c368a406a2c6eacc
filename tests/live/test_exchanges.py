"""Laravel's clients on a real server: tabs that share one token."""

import uuid

from tests.claims import claims_of
from tests.live.test_crowds import at_once

BLACKLISTED = (401, {"message": "The token has been blacklisted"})


def joined(server):
    device = server.device("body")
    person = {"email": f"{uuid.uuid4().hex}@example.com", "password": "a quiet harbour"}
    answer = device.send("POST", "/laravel/api/signup", person)
    assert answer.status == 201, answer.text
    return answer.json["access_token"]


def ask(server, method, path, token):
    answer = server.device("body").send(method, f"/laravel/api/{path}", headers={"Authorization": f"Bearer {token}"})
    return answer.status, answer.json


def test_of_many_who_exchange_one_token_exactly_one_wins_and_stays_signed_in(lenient):
    for path in ("refresh", "auth/refresh"):
        token = joined(lenient)
        answers = at_once([lambda t=token, p=path: ask(lenient, "POST", p, t)] * 8)
        [(_, won)] = [answer for answer in answers if answer[0] == 200]
        assert [answer for answer in answers if answer[0] != 200] == [BLACKLISTED] * 7
        assert claims_of(won["access_token"])["gen"] == 1
        assert ask(lenient, "GET", "user", won["access_token"])[0] == 200
        assert ask(lenient, "POST", path, won["access_token"])[0] == 200
