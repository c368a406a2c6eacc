"""Who is disabled or deleted is out at once, everywhere, and nothing of theirs comes back."""

import time
from threading import Barrier, Thread

import pytest

from tests.answers import code, lasting, refused
from tests.conftest import register
from tests.flows.people import join, log_in, told, while_hashing


def switch(admin, account, *, active):
    answer = admin.ask("PATCH", f"/admin/users/{account.id}", {"active": active})
    assert (answer.status_code, answer.json["data"]["active"]) == (200, active), answer.text


def delete(admin, account):
    return admin.ask("DELETE", f"/admin/users/{account.id}")


ENDINGS = {
    "disabled": lambda admin, account: switch(admin, account, active=False),
    "deleted": delete,
}


@pytest.fixture(params=ENDINGS)
def end(request):
    return ENDINGS[request.param]


def test_every_sign_in_of_an_ended_user_ends_at_once_and_nobody_elses(device, make_device, account, admin, end):
    others = [make_device(), make_device()]
    for other in others:
        other.sign_in(account)
    stranger = make_device()
    stranger.sign_in(register(make_device()))
    end(admin, account)
    for dead in (device, *others):
        refused(dead.me(), 401, "token_revoked")
        assert code(dead.refresh()) == "token_revoked"
        answer = dead.ask("POST", "/auth/logout", {})
        assert (answer.status_code, answer.json["data"]) == (200, {"revoked": 0})
    assert (stranger.me().status_code, stranger.refresh().status_code) == (200, 200)


def test_an_ended_users_sign_in_is_answered_like_a_wrong_password(make_device, account, admin, end):
    wrong = log_in(make_device(), "a wrong harbour at dawn", email=account.email)
    end(admin, account)
    ended = log_in(make_device(), account.password, email=account.email)
    refused(ended, 401, "credentials_invalid")
    assert lasting(ended) == lasting(wrong)


def test_enabling_again_revives_nothing(device, make_device, account, admin, rows):
    held = device.held()
    switch(admin, account, active=False)
    reasons = "SELECT DISTINCT revoke_reason FROM refresh_tokens WHERE user_id = :id"
    assert rows(admin.app, reasons, id=account.id) == [("user_disabled",)]
    switch(admin, account, active=True)
    refused(device.me(), 401, "token_revoked")
    assert code(device.refresh(held=held)) == "token_revoked"
    again = make_device()
    again.sign_in(account)
    assert again.refresh().status_code == 200
    switched = [(event.kind, event.detail) for event in told(admin.app, "user.disabled", "user.enabled")]
    # Registering was a sign-in too.
    assert switched == [("user.disabled", {"revoked": 2, "apiTokens": 0}), ("user.enabled", {})]
    assert told(admin.app, "refresh_token.revoked", "refresh_token.reused") == []


def test_a_deleted_users_address_is_free_for_somebody_else(device, make_device, account, admin, rows):
    held = device.held()
    answer = delete(admin, account)
    assert (answer.status_code, answer.json["data"]) == (200, {"id": account.id, "revoked": 2})
    new = join(make_device(), account.email, account.password).json["data"]["user"]
    assert new["id"] != account.id
    refused(device.me(), 401, "token_revoked")
    assert code(device.refresh(held=held)) == "token_revoked"
    [event] = told(admin.app, "user.deleted")
    assert (event.subject_id, event.detail) == (account.id, {"revoked": 2})
    assert rows(admin.app, "SELECT 1 FROM refresh_tokens WHERE user_id = :id", id=account.id) == []
    assert rows(admin.app, "SELECT 1 FROM user_roles WHERE user_id = :id", id=account.id) == []
    refused(delete(admin, account), 404, "not_found")


def test_not_even_the_same_id_brings_a_deleted_users_sign_ins_back(device, account, admin):
    delete(admin, account)
    again = {"email": account.email, "password": account.password, "id": account.id}
    assert admin.ask("POST", "/admin/users", again).json["data"]["id"] == account.id
    refused(device.me(), 401, "token_revoked")
    assert code(device.refresh()) == "token_revoked"


def test_who_is_ended_while_the_password_is_looked_at_is_not_signed_in(make_device, account, admin, end, rows):
    person = make_device()
    while_hashing(person.app, lambda: end(admin, account))
    refused(log_in(person, account.password, email=account.email), 401, "credentials_invalid")
    live = "SELECT 1 FROM refresh_tokens WHERE user_id = :id AND revoked_at IS NULL"
    assert rows(admin.app, live, id=account.id) == []


def test_an_end_wins_against_refreshes_that_are_under_way(make_device, account, admin, end):
    devices = [make_device() for _ in range(3)]
    for one in devices:
        one.sign_in(account)
    together = Barrier(len(devices) + 1)

    def keep_refreshing(one):
        together.wait()
        deadline = time.monotonic() + 30
        while one.refresh().status_code == 200 and time.monotonic() < deadline:
            pass  # each refresh is the next try

    threads = [Thread(target=keep_refreshing, args=(one,)) for one in devices]
    for thread in threads:
        thread.start()
    together.wait()
    end(admin, account)
    for thread in threads:
        thread.join()
    for one in devices:
        refused(one.me(), 401, "token_revoked")
        assert code(one.refresh()) == "token_revoked"


def test_who_ends_themselves_is_out_too(make_person, end):
    person = make_person("users:write")
    end(person, person.account)
    refused(person.me(), 401, "token_revoked")
