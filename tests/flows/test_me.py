"""Seeing and changing oneself."""

import pytest

from tests.answers import refused
from tests.drivers import HOST
from tests.flows.people import NO_NAME, PASSWORD, SAME_NAME, change_me, join, log_in


def test_me_says_who_i_am_what_i_may_and_how_i_proved_it(device, account):
    data = device.me().json["data"]
    assert set(data) == {"user", "permissions", "via"}
    assert (data["user"]["id"], data["user"]["email"]) == (account.id, account.email)
    assert data["permissions"] == ["api-tokens:write", "auth:refresh"]
    assert data["via"] == "access_token"


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_me_is_nobody_without_a_credential(client, method):
    answer = client.open("/auth/me", method=method, json={}, base_url=HOST)
    refused(answer, 401, "credentials_missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authsvc"'


def test_names_are_changed_as_they_are_written(device):
    answer = change_me(device, username="MiX", name="  Mix ⛵ ")
    assert (answer.status_code, set(answer.json["data"])) == (200, {"user", "permissions", "via"})
    user = device.me().json["data"]["user"]
    assert (user["username"], user["name"]) == ("MiX", "  Mix ⛵ ")


def test_null_takes_a_name_away_and_what_is_not_sent_stays(device, make_device, account):
    change_me(device, username="mix", name="Mix")
    change_me(device, name=None)
    user = device.me().json["data"]["user"]
    assert (user["username"], user["name"]) == ("mix", None)
    change_me(device, username=None)
    assert device.me().json["data"]["user"]["username"] is None
    refused(log_in(make_device(), username="mix"), 401, "credentials_invalid")
    assert log_in(make_device(), email=account.email).status_code == 200


def test_a_changed_user_name_signs_in_and_the_former_one_does_not(device, make_device):
    change_me(device, username="mix")
    change_me(device, username="Fox")
    assert log_in(make_device(), username="fox").status_code == 200
    refused(log_in(make_device(), username="mix"), 401, "credentials_invalid")


def test_nobody_changes_into_a_name_that_another_has(script):
    join(script, username="mix")
    script.keep(join(script, "other@example.com", username="other"))
    for username in ("mix", *SAME_NAME):
        refused(change_me(script, username=username, name="X"), 409, "already_exists", ["username"])
    user = script.me().json["data"]["user"]
    assert (user["username"], user["name"]) == ("other", None)


def test_one_may_spell_ones_own_name_anew(script):
    script.keep(join(script, username="mix"))
    assert change_me(script, username="MIX").json["data"]["user"]["username"] == "MIX"


def test_nobody_changes_into_what_is_no_user_name(script):
    script.keep(join(script))
    for username in NO_NAME:
        refused(change_me(script, username=username), 422, "validation_failed", ["username"])


@pytest.mark.parametrize("field", ["userId", "sub"])
def test_who_is_changed_follows_from_the_credential_alone(script, rows, field):
    [(admin,)] = rows(script.app, "SELECT id FROM users")
    script.keep(join(script))
    new = {"currentPassword": PASSWORD, "newPassword": "another harbour at dusk"}
    for path, body in (("/auth/password", new), ("/auth/logout", {}), ("/auth/register", {})):
        refused(script.post(path, script.bearer(), **body, **{field: str(admin)}), 422, "validation_failed")
    refused(change_me(script, name="Mix", **{field: str(admin)}), 422, "validation_failed", [field])
    assert rows(script.app, "SELECT name FROM users WHERE name = 'Mix'") == []
    assert script.me().status_code == 200
