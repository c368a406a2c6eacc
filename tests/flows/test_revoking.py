"""Every selector ends what it names, of what the caller may reach, and nothing else."""

import pytest

from tests.answers import lasting, refused
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.drivers import Account
from tests.flows.sign_ins import NOBODY, PATH, live_ids, rows_like

ALL = {"me", "mine_too", "mine_at_office", "other", "other_at_office", "admin"}


def selectors(town, *names):
    """The values that the tables below name."""
    known = {
        "userId": town.me.account.id,
        "applicationId": town.office,
        "tokenId": town.mine_too.refresh_token_id,
        "tokenString": town.mine_too.refresh_token,
        "all": True,
        "except": [town.me.refresh_token_id, town.admin.refresh_token_id],
    }
    return {name: known[name] for name in names}


# What is sent; what it ends when an administrator sends it, and when I send it myself.
TABLE = [
    (("userId",), {"me", "mine_too", "mine_at_office"}, {"me", "mine_too", "mine_at_office"}),
    (("applicationId",), {"mine_at_office", "other_at_office"}, {"mine_at_office"}),
    (("userId", "applicationId"), {"mine_at_office"}, {"mine_at_office"}),
    (("tokenId",), {"mine_too"}, {"mine_too"}),
    (("tokenString",), {"mine_too"}, {"mine_too"}),
    (("all",), ALL, None),
    (("all", "except"), ALL - {"me", "admin"}, None),
    (("userId", "except"), {"mine_too", "mine_at_office"}, {"mine_too", "mine_at_office"}),
    (("applicationId", "except"), {"mine_at_office", "other_at_office"}, {"mine_at_office"}),
    (("tokenId", "userId"), {"mine_too"}, {"mine_too"}),
    (("all", "userId"), {"me", "mine_too", "mine_at_office"}, None),
]


def in_query(chosen):
    return "&".join(f"{name}={written(value)}" for name, value in chosen.items())


def written(value):
    return ",".join(value) if isinstance(value, list) else {True: "true"}.get(value, value)


@pytest.mark.parametrize("where", ["body", "query"])
@pytest.mark.parametrize("who", ["admin", "me"])
def test_a_selector_ends_what_it_names_of_what_the_caller_reaches(town, where, who):
    for names, by_admin, by_me in TABLE:
        if where == "query" and "tokenString" in names:
            continue  # refused there: tests/flows/test_revoking_nothing.py
        chosen, ended = selectors(town, *names), by_admin if who == "admin" else by_me
        path, body = (PATH, chosen) if where == "body" else (f"{PATH}?{in_query(chosen)}", None)
        answer = getattr(town, who).ask("DELETE", path, body)
        if ended is None:
            refused(answer, 403, "permission_denied")
            assert town.dead() == set(), names
            continue
        assert answer.status_code == 200, (names, answer.json)
        assert answer.json["data"] == {"revoked": len(ended), "ids": sorted(town.ids(*ended))}, names
        assert town.dead() == ended, names
        for name in ended:
            refused(town.names[name].refresh(), 401, "token_revoked")
        town.revive()


def test_a_preview_says_what_would_die_and_ends_nothing(town):
    for names, by_admin, _ in TABLE:
        chosen = selectors(town, *names)
        answer = town.admin.ask("DELETE", PATH, chosen | {"preview": True})
        expected = {"revoked": len(by_admin), "ids": sorted(town.ids(*by_admin)), "preview": True}
        assert answer.json["data"] == expected, names
        assert town.dead() == set(), names
        ended = town.admin.ask("DELETE", PATH, chosen | {"preview": False}).json["data"]
        assert ended["ids"] == expected["ids"], names
        town.revive()


def test_one_by_its_id(town):
    answer = town.me.ask("DELETE", f"{PATH}/{town.mine_too.refresh_token_id}")
    assert answer.json["data"] == {"revoked": 1, "ids": [town.mine_too.refresh_token_id]}
    assert town.dead() == {"mine_too"}
    again = town.me.ask("DELETE", f"{PATH}/{town.mine_too.refresh_token_id}")
    assert (again.status_code, again.json["data"]) == (200, {"revoked": 0, "ids": []})


def test_ids_are_taken_in_capitals_too(town):
    assert town.me.ask("DELETE", f"{PATH}/{town.mine_too.refresh_token_id.upper()}").json["data"]["revoked"] == 1
    answer = town.me.ask("DELETE", PATH, {"tokenId": town.mine_at_office.refresh_token_id.upper()})
    assert answer.json["data"]["revoked"] == 1


def test_i_may_end_the_sign_in_that_asks(town):
    assert town.me.ask("DELETE", PATH, {"userId": town.me.account.id}).json["data"]["revoked"] == 3
    refused(town.me.me(), 401, "token_revoked")


@pytest.mark.parametrize("generations", [0, 1, 3])
def test_a_token_of_any_generation_names_its_sign_in(town, age, generations):
    first = town.mine_too.refresh_token
    for _ in range(generations):
        age(town.app, town.mine_too.refresh_token_id, seconds=20)
        assert town.mine_too.refresh().status_code == 200
    answer = town.admin.ask("DELETE", PATH, {"TokenString": first})
    assert answer.json["data"] == {"revoked": 1, "ids": [town.mine_too.refresh_token_id]}
    refused(town.mine_too.refresh(), 401, "token_revoked")


def test_an_expired_token_names_its_sign_in_and_ends_nothing(town, age):
    age(town.app, town.mine_too.refresh_token_id, days=8)
    answer = town.admin.ask("DELETE", PATH, {"tokenString": town.mine_too.refresh_token})
    assert (answer.status_code, answer.json["data"]) == (200, {"revoked": 0, "ids": []})


def test_what_is_dead_already_is_not_ended_again(town, rows):
    town.me.ask("DELETE", PATH, {"tokenId": town.mine_too.refresh_token_id})
    before = rows(town.app, "SELECT id, revoked_at, revoke_reason FROM refresh_tokens ORDER BY id")
    for chosen in ({"tokenId": town.mine_too.refresh_token_id}, {"tokenString": town.mine_too.refresh_token}):
        answer = town.admin.ask("DELETE", PATH, chosen)
        assert (answer.status_code, answer.json["data"]) == (200, {"revoked": 0, "ids": []})
    assert rows(town.app, "SELECT id, revoked_at, revoke_reason FROM refresh_tokens ORDER BY id") == before


# Whose they are, and what one must be told of them


@pytest.mark.parametrize("method", ["GET", "DELETE", "POST"])
def test_what_is_not_mine_is_as_if_it_were_not_there(town, method):
    nothing = lasting(town.me.ask(method, f"{PATH}/{NOBODY}"))
    for device in (town.other, town.admin, town.stranger):
        answer = refused(town.me.ask(method, f"{PATH}/{device.refresh_token_id}"), 404, "not_found")
        assert lasting(answer) == nothing
    assert lasting(town.admin.ask(method, f"{PATH}/{town.stranger.refresh_token_id}")) == nothing
    assert town.dead() == set()


@pytest.mark.parametrize("name", ["tokenId", "tokenString"])
def test_a_token_that_is_not_mine_can_not_be_ended_by_naming_it(town, name):
    def sent(device):
        return {"tokenId": device.refresh_token_id, "tokenString": device.refresh_token}[name]

    nothing = lasting(town.me.ask("DELETE", PATH, {"tokenId": NOBODY}))
    for device in (town.other, town.admin, town.stranger):
        answer = refused(town.me.ask("DELETE", PATH, {name: sent(device)}), 404, "not_found")
        assert lasting(answer) == nothing
    assert lasting(town.admin.ask("DELETE", PATH, {name: sent(town.stranger)})) == nothing
    assert town.dead() == set()
    assert town.stranger.refresh().status_code == 200


@pytest.mark.parametrize("text", ["junk", "a.b.c", "x" * 9000, "é"])
def test_a_text_that_is_no_refresh_token_names_nothing(town, text):
    refused(town.admin.ask("DELETE", PATH, {"tokenString": text}), 404, "not_found")
    refused(town.admin.ask("DELETE", PATH, {"tokenString": town.me.access_token}), 404, "not_found")
    assert town.dead() == set()


def test_somebody_else_is_named_only_by_who_may_end_the_tenants(town):
    for user_id in (town.other.account.id, town.stranger.account.id, NOBODY):
        for more in ({}, {"applicationId": town.default}, {"preview": True}):
            answer = refused(town.me.ask("DELETE", PATH, {"userId": user_id} | more), 403, "permission_denied")
            assert "tokens:revoke" in answer.json["message"]
    assert town.dead() == set()


def test_another_tenants_user_and_application_are_as_unknown_as_any(town):
    for name, theirs in (("userId", town.stranger.account.id), ("applicationId", town.elsewhere_application)):
        nothing = lasting(town.admin.ask("DELETE", PATH, {name: NOBODY}))
        assert nothing[0] == 404
        assert lasting(town.admin.ask("DELETE", PATH, {name: theirs})) == nothing
        assert lasting(town.admin.ask("GET", f"{PATH}?{name}={theirs}")) == nothing
    assert town.dead() == set()


def test_all_is_all_of_the_tenant_and_of_no_other(town):
    assert town.admin.ask("DELETE", PATH, {"all": True}).json["data"]["revoked"] == 6
    assert town.alive() == {"stranger"}
    assert town.stranger.refresh().status_code == 200


def test_who_may_only_see_is_told_what_is_lacking(town):
    seer = town.make_person("tokens:read")
    assert seer.ask("GET", f"{PATH}/{town.me.refresh_token_id}").status_code == 200
    answer = refused(seer.ask("DELETE", f"{PATH}/{town.me.refresh_token_id}"), 403, "permission_denied")
    assert "tokens:revoke" in answer.json["message"]
    refused(seer.ask("DELETE", PATH, {"userId": town.me.account.id}), 403, "permission_denied")
    assert town.dead() == set()
    ender = town.make_person("tokens:revoke")
    refused(ender.ask("GET", f"{PATH}/{town.me.refresh_token_id}"), 403, "permission_denied")
    assert ender.ask("DELETE", f"{PATH}/{town.me.refresh_token_id}").json["data"]["revoked"] == 1


def test_who_makes_tenants_may_look_after_another_ones_sign_ins(town):
    there = {"X-Tenant-Id": "elsewhere"}
    answer = town.admin.ask("GET", f"{PATH}?all=true", headers=there)
    assert [item["id"] for item in answer.json["data"]["items"]] == [town.stranger.refresh_token_id]
    refused(town.admin.ask("DELETE", f"{PATH}/{town.me.refresh_token_id}", headers=there), 404, "not_found")
    assert town.admin.ask("DELETE", PATH, {"all": True}, there).json["data"]["revoked"] == 1
    assert town.dead() == {"stranger"}
    refused(town.admin.ask("GET", PATH, headers={"X-Tenant-Id": "nowhere"}), 400, "unknown_tenant")
    for tenant in ("elsewhere", "nowhere", "default,elsewhere"):
        refused(town.me.ask("GET", PATH, headers={"X-Tenant-Id": tenant}), 403, "tenant_mismatch")
    lesser = town.make_person("tokens:read", "tokens:revoke")
    refused(lesser.ask("DELETE", PATH, {"all": True}, there), 403, "tenant_mismatch")


# Many


def test_more_than_a_hundred_are_counted_and_the_first_hundred_named(town):
    ids = rows_like(town.app, town.mine_too.refresh_token_id, 249)
    everything = sorted([*ids, *town.ids("me", "mine_too", "mine_at_office")])
    chosen = {"userId": town.me.account.id}
    preview = town.admin.ask("DELETE", PATH, chosen | {"preview": True}).json["data"]
    assert preview == {"revoked": 252, "ids": everything[:100], "preview": True}
    answer = town.admin.ask("DELETE", PATH, chosen)
    assert answer.json["data"] == {"revoked": 252, "ids": everything[:100]}
    assert not live_ids(town.app) & set(everything)
    assert town.dead() == {"me", "mine_too", "mine_at_office"}


@pytest.mark.parametrize("number", [98, 99, 100])
def test_around_a_hundred_the_count_is_exact(town, number):
    rows_like(town.app, town.other_at_office.refresh_token_id, number)
    answer = town.admin.ask("DELETE", PATH, {"userId": town.other.account.id, "applicationId": town.office})
    assert (answer.json["data"]["revoked"], len(answer.json["data"]["ids"])) == (number + 1, min(number + 1, 100))


# What is told of it


def test_one_event_tells_who_ended_what(town, rows):
    town.admin.ask("DELETE", PATH, {"userId": town.me.account.id})
    town.me = town.sign_in(town.me)
    town.me.ask("DELETE", f"{PATH}/{town.me.refresh_token_id}")
    town.admin.ask("DELETE", PATH, {"all": True, "preview": True})
    told = (
        "SELECT actor_id, subject_id, refresh_token_id, tenant_id, outcome FROM events WHERE kind = :kind ORDER BY id"
    )
    found = rows(town.app, told, kind="refresh_token.revoked")
    admin_id = town.admin.me().json["data"]["user"]["id"]
    assert [tuple(None if value is None else str(value) for value in row) for row in found] == [
        (admin_id, town.me.account.id, None, town.tenant, "success"),
        (town.me.account.id, town.me.account.id, town.me.refresh_token_id, town.tenant, "success"),
    ]


@pytest.mark.parametrize("how", ["path", "body", "all"])
def test_a_sign_in_that_was_ended_is_dead_through_every_door(device, make_device, how):
    admin = make_device()
    admin.sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD))
    bearer, path = admin.bearer(), PATH if how != "path" else f"{PATH}/{device.refresh_token_id}"
    body = {"path": None, "body": {"tokenId": device.refresh_token_id}, "all": {"all": True}}[how]
    held = device.held()
    assert admin.send("DELETE", path, body, bearer).json["data"]["revoked"] == (1 if how != "all" else 3)
    for headers in ({}, {"X-Tenant-Id": "default"}):
        refused(device.refresh(held=held, headers=headers), 401, "token_revoked")
    refused(device.me(), 401, "token_revoked")
    answer = device.present("/auth/logout", held)
    assert (answer.status_code, answer.json["data"]) == (200, {"revoked": 0})
