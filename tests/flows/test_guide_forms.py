"""The first guide's POST requests, as it prints them, beside refreshing at the same path."""

import pytest

from tests.answers import refused
from tests.flows.sign_ins import NOBODY, PATH


def ids_of(answer):
    return {item["id"] for item in answer.json["data"]["items"]}


def test_an_id_in_the_path_looks_up(town):
    found = town.admin.ask("POST", f"{PATH}/{town.mine_too.refresh_token_id}")
    assert found.status_code == 200
    assert found.json == town.admin.ask("GET", f"{PATH}/{town.mine_too.refresh_token_id}").json
    assert town.me.ask("POST", f"{PATH}/{town.mine_too.refresh_token_id}", {}).status_code == 200
    assert town.dead() == set()


def test_a_user_looks_up(town):
    for device in (town.admin, town.me):
        found = device.ask("POST", PATH, {"userId": town.me.account.id})
        assert ids_of(found) == town.ids("me", "mine_too", "mine_at_office")
    refused(town.me.ask("POST", PATH, {"userId": town.other.account.id}), 403, "permission_denied")
    refused(town.admin.ask("POST", PATH, {"userId": town.stranger.account.id}), 404, "not_found")
    assert town.dead() == set()


def test_an_application_behind_any_id_ends_what_i_reach_of_it(town):
    answer = town.me.ask("POST", f"{PATH}/{NOBODY}", {"applicationsId": town.office})
    assert answer.json["data"] == {"revoked": 1, "ids": [town.mine_at_office.refresh_token_id]}
    assert town.dead() == {"mine_at_office"}
    answer = town.admin.ask("POST", f"{PATH}/{town.me.refresh_token_id}", {"applicationsId": town.office})
    assert answer.json["data"] == {"revoked": 1, "ids": [town.other_at_office.refresh_token_id]}
    assert town.dead() == {"mine_at_office", "other_at_office"}


def test_a_user_and_an_application_end_what_is_both(town):
    body = {"userId": town.me.account.id, "applicationsId": town.office}
    assert town.admin.ask("POST", PATH, body | {"preview": True}).json["data"]["revoked"] == 1
    assert town.dead() == set()
    assert town.admin.ask("POST", PATH, body).json["data"]["revoked"] == 1
    assert town.dead() == {"mine_at_office"}


@pytest.mark.parametrize("name", ["tokenId", "TokenString", "tokenString"])
def test_a_token_ends_its_sign_in(town, name):
    sent = {"tokenId": town.mine_too.refresh_token_id}.get(name, town.mine_too.refresh_token)
    assert town.me.ask("POST", PATH, {name: sent}).json["data"]["ids"] == [town.mine_too.refresh_token_id]
    assert town.dead() == {"mine_too"}


def test_an_empty_selector_is_none(town):
    path = f"{PATH}/{town.me.refresh_token_id}"
    for value in ("", None, "null", "undefined", " "):
        for name in ("userId", "applicationsId", "tokenId", "TokenString"):
            refused(town.admin.ask("POST", PATH, {name: value}), 400, "selector_missing")
        refused(town.admin.ask("POST", path, {"applicationsId": value}), 400, "selector_missing")
    assert town.dead() == set()


def test_a_refresh_token_beside_a_selector_is_ambiguous(town):
    selectors = [{name: NOBODY} for name in ("userId", "tokenId", "applicationsId", "TokenString")]
    for name in ("refreshToken", "refresh_token", "refreshtoken"):
        for more in (*selectors, {"userId": ""}, {"tokenId": None}, {"preview": True}, {"except": NOBODY}):
            for headers in ({}, town.me.bearer()):
                answer = town.me.send("POST", PATH, {name: town.me.refresh_token, **more}, headers)
                refused(answer, 400, "ambiguous_request")
    assert town.dead() == set()
    assert town.me.refresh().status_code == 200


def test_what_post_does_not_take_is_refused_and_delete_named(town):
    me = town.me.account.id
    for body in (
        {"applicationId": town.office},
        {"userId": me, "tokenId": town.me.refresh_token_id},
        {"userId": me, "preview": True},
        {"userId": me, "except": NOBODY},
    ):
        answer = refused(town.admin.ask("POST", PATH, body), 422, "validation_failed", body)
        assert "DELETE" in answer.json["message"]
    refused(town.admin.ask("POST", PATH, {"all": True}), 422, "validation_failed", ["all"])
    refused(town.admin.ask("POST", PATH, {"preview": True}), 400, "selector_missing")
    assert town.dead() == set()


def test_neither_a_refresh_token_nor_a_selector_is_a_missing_credential(town):
    for body in (None, {}):
        refused(town.me.ask("POST", PATH, body), 401, "credentials_missing")


@pytest.mark.parametrize("transport", ["cookie"])
def test_a_cookie_beside_a_selector_is_not_refreshed(device, age):
    """Browsers add it to every request."""
    age(device.app, device.refresh_token_id, seconds=20)
    answer = device.send("POST", PATH, {"tokenId": device.refresh_token_id, "preview": True}, device.bearer())
    assert answer.json["data"] == {"revoked": 1, "ids": [device.refresh_token_id], "preview": True}
    assert "Set-Cookie" not in answer.headers
    answer = device.send("POST", PATH, {"userId": ""}, device.bearer())
    refused(answer, 400, "selector_missing")
    assert device.refresh().status_code == 200
