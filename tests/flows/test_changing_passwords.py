"""Changing the password ends every other sign-in."""

from tests.answers import code, refused
from tests.conftest import register
from tests.drivers import HOST, Account
from tests.flows.people import NEW, PASSWORD, change_password, join, log_in, while_hashing


def test_changing_the_password_ends_every_other_sign_in_and_keeps_this_one(device, make_device, account):
    others = [make_device(), make_device()]
    for other in others:
        other.sign_in(account)
    stranger = make_device()
    stranger.sign_in(register(make_device()))
    answer = change_password(device, account.password)
    # registering was a sign-in too
    assert (answer.status_code, answer.json["data"]) == (200, {"revoked": 3})
    for other in others:
        assert code(other.me()) == "token_revoked"
        assert code(other.refresh()) == "token_revoked"
    assert device.me().status_code == 200
    assert device.refresh().status_code == 200
    assert stranger.refresh().status_code == 200


def test_after_the_change_the_new_password_signs_in_and_the_old_one_does_not(device, make_device, account):
    change_password(device, account.password)
    refused(log_in(make_device(), account.password, email=account.email), 401, "credentials_invalid")
    make_device().sign_in(Account(account.email, NEW))


def test_the_password_is_not_changed_without_the_current_one(device, make_device, account, rows):
    other = make_device()
    other.sign_in(account)
    refused(change_password(device, "a wrong harbour at dawn"), 403, "password_wrong")
    assert other.me().status_code == 200
    make_device().sign_in(account)
    assert rows(device.app, "SELECT outcome FROM events WHERE kind = 'user.password_change_failed'") == [("failure",)]


def test_both_passwords_must_be_there(script):
    script.keep(join(script))
    for given, missing in (("newPassword", "currentPassword"), ("currentPassword", "newPassword")):
        answer = script.post("/auth/password", script.bearer(), **{given: PASSWORD})
        refused(answer, 422, "validation_failed", [missing])


def test_the_password_is_not_changed_without_a_credential(client):
    answer = client.post("/auth/password", json={"currentPassword": PASSWORD, "newPassword": NEW}, base_url=HOST)
    refused(answer, 401, "credentials_missing")


def test_of_two_changes_at_once_the_second_finds_its_current_password_wrong(script, rows):
    script.keep(join(script))
    while_hashing(script.app, lambda: rows(script.app, "UPDATE users SET password_hash = 'another' RETURNING id"))
    refused(change_password(script, PASSWORD), 403, "password_wrong")
    assert rows(script.app, "SELECT DISTINCT password_hash FROM users") == [("another",)]
