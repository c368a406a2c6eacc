"""Laravel's clients on a real server: tabs that share one token, and addresses that hold one."""

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


def test_a_token_in_an_address_works_and_is_never_logged(lenient):
    token = joined(lenient)
    device = lenient.device("body")
    assert device.send("GET", f"/laravel/api/auth/me?token={token}").status == 200
    exchanged = device.send("GET", f"/laravel/api/refresh?a=1&token={token}")
    assert exchanged.status == 200
    for path in ("user", "auth/refresh", "nowhere"):
        assert device.send("GET", f"/laravel/api/{path}?token={token}").status in (401, 404)
    log = lenient.log.read_text()
    for secret in (token, exchanged.json["access_token"]):
        assert secret.rpartition(".")[2] not in log
        assert secret.split(".")[1] not in log
