"""Sign-ins are found by whom they belong to, and by what is known of them."""

from datetime import UTC, datetime, timedelta

import pytest

from tests.answers import lasting, refused
from tests.flows.sign_ins import NOBODY, PATH, rows_like

MEMBERS = {
    "id", "userId", "applicationId", "tenantId", "generation", "createdAt", "lastUsedAt", "expiresAt", "idleExpiresAt",
    "revokedAt", "revokeReason", "ip", "userAgent", "deviceName", "current",
}  # fmt: skip


def ids_of(answer):
    assert answer.status_code == 200, answer.json
    return {item["id"] for item in answer.json["data"]["items"]}


def moment(text):
    return datetime.fromisoformat(text)


def test_one_is_told_with_all_that_is_known_of_it(town):
    found = town.me.ask("GET", f"{PATH}/{town.mine_at_office.refresh_token_id}").json["data"]
    assert set(found) == MEMBERS
    created = moment(found["createdAt"])
    assert created.tzinfo == UTC
    assert datetime.now(UTC) - created < timedelta(minutes=1)
    assert found == found | {
        "id": town.mine_at_office.refresh_token_id,
        "userId": town.me.account.id,
        "applicationId": town.office,
        "tenantId": town.tenant,
        "generation": 0,
        "lastUsedAt": found["createdAt"],
        "revokedAt": None,
        "revokeReason": None,
        "ip": "127.0.0.1",
        "deviceName": "phone",
        "current": False,
    }
    assert moment(found["expiresAt"]) - created == timedelta(days=30)
    assert moment(found["idleExpiresAt"]) - created == timedelta(days=7)
    assert town.me.ask("GET", f"{PATH}/{town.me.refresh_token_id}").json["data"]["current"] is True


def test_a_refresh_and_an_end_are_seen(town, age):
    age(town.app, town.mine_too.refresh_token_id, seconds=60)
    town.mine_too.refresh(headers={"User-Agent": "moved/2"})
    found = town.me.ask("GET", f"{PATH}/{town.mine_too.refresh_token_id}").json["data"]
    assert (found["generation"], found["userAgent"]) == (1, "moved/2")
    assert moment(found["lastUsedAt"]) - moment(found["createdAt"]) > timedelta(seconds=59)
    town.me.ask("DELETE", f"{PATH}/{town.mine_too.refresh_token_id}")
    found = town.me.ask("GET", f"{PATH}/{town.mine_too.refresh_token_id}").json["data"]
    assert found["revokeReason"] == "revoked"
    assert datetime.now(UTC) - moment(found["revokedAt"]) < timedelta(minutes=1)


def test_without_a_filter_i_see_my_own(town):
    assert ids_of(town.me.ask("GET", PATH)) == town.ids("me", "mine_too", "mine_at_office")
    assert ids_of(town.admin.ask("GET", PATH)) == town.ids("admin")
    assert ids_of(town.admin.ask("GET", f"{PATH}?all=false&limit=9")) == town.ids("admin")
    items = town.me.ask("GET", PATH).json["data"]["items"]
    assert [item["id"] for item in items if item["current"]] == [town.me.refresh_token_id]


# What is asked, what an administrator sees, what I see.
TABLE = [
    ("userId={me}", {"me", "mine_too", "mine_at_office"}, {"me", "mine_too", "mine_at_office"}),
    ("applicationId={office}", {"mine_at_office", "other_at_office"}, {"mine_at_office"}),
    ("applicationsId={office}", {"mine_at_office", "other_at_office"}, {"mine_at_office"}),
    ("userId={me}&applicationId={office}", {"mine_at_office"}, {"mine_at_office"}),
    ("all=true", {"me", "mine_too", "mine_at_office", "other", "other_at_office", "admin"}, None),
    ("all=true&userId={me}&state=all", {"me", "mine_too", "mine_at_office"}, None),
    ("tokenId={mine_too}", {"mine_too"}, {"mine_too"}),
    ("userId={other}", {"other", "other_at_office"}, None),
    ("state=live&applicationId={office}", {"mine_at_office", "other_at_office"}, {"mine_at_office"}),
]


def test_a_filter_shows_what_i_may_see_of_it(town):
    known = {
        "me": town.me.account.id,
        "other": town.other.account.id,
        "office": town.office,
        "mine_too": town.mine_too.refresh_token_id,
    }
    for query, by_admin, by_me in TABLE:
        path = f"{PATH}?{query.format(**known)}"
        assert ids_of(town.admin.ask("GET", path)) == town.ids(*by_admin), query
        if by_me is None:
            answer = refused(town.me.ask("GET", path), 403, "permission_denied")
            assert "tokens:read" in answer.json["message"]
        else:
            assert ids_of(town.me.ask("GET", path)) == town.ids(*by_me), query


def test_states(town, age):
    town.me.ask("DELETE", f"{PATH}/{town.mine_too.refresh_token_id}")
    age(town.app, town.mine_at_office.refresh_token_id, days=8)
    age(town.app, town.other.refresh_token_id, days=31)
    states = {
        "live": {"me", "other_at_office", "admin"},
        "revoked": {"mine_too"},
        "expired": {"mine_at_office", "other"},
        "all": {"me", "mine_too", "mine_at_office", "other", "other_at_office", "admin"},
    }
    for state, names in states.items():
        assert ids_of(town.admin.ask("GET", f"{PATH}?all=true&state={state}")) == town.ids(*names)
        mine = names & {"me", "mine_too", "mine_at_office"}
        assert ids_of(town.me.ask("GET", f"{PATH}?state={state}")) == town.ids(*mine)
    assert ids_of(town.me.ask("GET", PATH)) == town.ids("me")


def test_addresses_devices_and_times(town, rows):
    def change(name, ip, user_agent="x"):
        statement = "UPDATE refresh_tokens SET ip = :ip, user_agent = :agent WHERE id = :id RETURNING 1"
        rows(town.app, statement, ip=ip, agent=user_agent, id=town.names[name].refresh_token_id)

    change("me", "203.0.113.9")
    change("mine_too", "2001:db8::1")
    change("other", "203.0.113.7", "Fridge/7 (100%_chilled)")
    for query, names in (
        ("ip=203.0.113.9", {"me"}),
        ("ip=2001:DB8:0::1", {"mine_too"}),
        ("userAgent=fridge/7", {"other"}),
        ("userAgent=100%25_ch", {"other"}),
        ("userAgent=%25", {"other"}),
        ("userAgent=_", {"other"}),
    ):
        assert ids_of(town.admin.ask("GET", f"{PATH}?all=true&{query}")) == town.ids(*names), query


def test_made_and_used_before_and_after(town, age):
    everybody = {"me", "mine_too", "mine_at_office", "other", "other_at_office", "admin"}
    age(town.app, town.mine_too.refresh_token_id, days=3)
    age(town.app, town.mine_at_office.refresh_token_id, days=3)
    town.mine_at_office.refresh()
    yesterday = (datetime.now(UTC) - timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    for query, names in (
        (f"createdBefore={yesterday}", {"mine_too", "mine_at_office"}),
        (f"createdAfter={yesterday}", everybody - {"mine_too", "mine_at_office"}),
        (f"lastUsedBefore={yesterday}", {"mine_too"}),
        (f"lastUsedAfter={yesterday}", everybody - {"mine_too"}),
        (f"createdBefore={yesterday}&lastUsedAfter={yesterday}", {"mine_at_office"}),
        (f"createdBefore={yesterday[:-1]}+02:00", {"mine_too", "mine_at_office"}),
        (f"createdBefore={yesterday[:-1]}", {"mine_too", "mine_at_office"}),
    ):
        assert ids_of(town.admin.ask("GET", f"{PATH}?all=true&{query}")) == town.ids(*names), query


WRONG = ["userId=x", "userId=", "userId=*", "applicationId=null", "tokenId=0", "all=1", "all=", "state=dead", "state=",
     "ip=x", "ip=203.0.113.0/24", "ip=", "userAgent=", "createdBefore=yesterday", "createdBefore=", "lastUsedAfter=1e9",
     "createdAfter=0001-01-01T00:00:00%2B14:00", "limit=0", "limit=-1", "limit=201", "limit=1000000000", "limit=x",
     "limit=", "limit=1.5", "limit=%201", "limit=١", "cursor=x", "cursor=", "sort=id", "offset=1", "page=2",
     "userId[]=x", "tokenString=x", "preview=true", "q=x", "digest=x"]  # fmt: skip


def test_a_query_that_is_not_right_is_named(town):
    for query in WRONG:
        name = query.partition("=")[0]
        refused(town.admin.ask("GET", f"{PATH}?{query}"), 422, "validation_failed", [name])


def test_a_parameter_twice_is_ambiguous(town):
    for query in (f"userId={NOBODY}&userId={NOBODY}", "limit=1&limit=1", "state=live&state=all"):
        refused(town.admin.ask("GET", f"{PATH}?{query}"), 400, "ambiguous_request")
    both = f"applicationId={town.office}&applicationsId={town.office}"
    refused(town.admin.ask("GET", f"{PATH}?{both}"), 400, "ambiguous_request")


@pytest.mark.parametrize("limit", [None, 7, 50, 200])
def test_250_rows_by_the_page_are_each_seen_once_whatever_is_added(town, limit):
    ids = [*rows_like(town.app, town.mine_too.refresh_token_id, 247), *town.ids("me", "mine_too", "mine_at_office")]
    seen, cursor, size = [], "", limit or 50
    ask = f"{PATH}?userId={town.me.account.id}" + (f"&limit={limit}" if limit else "")
    while cursor is not None:
        page = town.admin.ask("GET", ask + cursor).json["data"]
        seen += [item["id"] for item in page["items"]]
        assert len(page["items"]) == size or page["nextCursor"] is None
        rows_like(town.app, town.me.refresh_token_id, 3)
        cursor = page["nextCursor"] and f"&cursor={page['nextCursor']}"
    assert seen == sorted(ids, reverse=True)


def test_the_last_page_says_so_also_when_it_is_full(town):
    assert town.me.ask("GET", f"{PATH}?limit=3").json["data"]["nextCursor"] is None
    first = town.me.ask("GET", f"{PATH}?limit=2").json["data"]
    assert first["nextCursor"] is not None
    rest = town.me.ask("GET", f"{PATH}?limit=2&cursor={first['nextCursor']}").json["data"]
    assert (len(rest["items"]), rest["nextCursor"]) == (1, None)


def test_another_tenants_cursor_shows_nothing_of_it(town):
    answer = town.me.ask("GET", f"{PATH}?cursor={town.stranger.refresh_token_id}")
    assert ids_of(answer) <= town.ids("me", "mine_too", "mine_at_office")


def test_an_unknown_user_is_not_found(town):
    assert lasting(town.admin.ask("GET", f"{PATH}?userId={NOBODY}"))[0] == 404
    mine = town.me.account.id
    assert ids_of(town.me.ask("GET", f"{PATH}?userId={mine.upper()}")) == town.ids("me", "mine_too", "mine_at_office")
