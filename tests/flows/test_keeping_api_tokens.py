"""API tokens are seen, narrowed, replaced and ended: by their owners, and by whoever looks after all of them."""

from datetime import UTC, datetime, timedelta

from tests.flows.api_tokens import OWN, code, lived, make_api_token, moment, use
from tests.flows.people import told

# Seeing them


def test_a_list_has_ones_own_newest_first(owner, other):
    mine = [make_api_token(owner)["id"] for _ in range(3)]
    make_api_token(other)
    owner.ask("DELETE", f"/api-tokens/{mine[0]}")
    first = owner.get("/api-tokens?limit=2").json["data"]
    rest = owner.get(f"/api-tokens?limit=2&cursor={first['nextCursor']}").json["data"]
    assert [item["id"] for item in first["items"] + rest["items"]] == mine[::-1]
    assert rest["nextCursor"] is None
    for state, expected in (("live", mine[:0:-1]), ("revoked", mine[:1]), ("expired", []), ("all", mine[::-1])):
        items = owner.get(f"/api-tokens?state={state}").json["data"]["items"]
        assert [item["id"] for item in items] == expected, state


def test_others_are_seen_and_ended_with_the_permission_alone(owner, other, keeper):
    made = make_api_token(owner)
    hers, nobodys = f"/api-tokens/{made['id']}", "/api-tokens/0190a5b0-0000-7000-8000-000000000000"
    for method, body in (("GET", None), ("PATCH", {"name": "b"}), ("DELETE", None)):
        answers = [other.ask(method, path, body) for path in (hers, nobodys)]
        for answer in answers:
            assert code(answer) == (404, "not_found")
        assert answers[0].json["message"] == answers[1].json["message"]
    for query in (f"?userId={owner.account.id}", "?all=true"):
        assert code(other.get(f"/api-tokens{query}")) == (403, "permission_denied")
        assert [item["id"] for item in keeper.get(f"/api-tokens{query}").json["data"]["items"]] == [made["id"]]
    assert keeper.get("/api-tokens").json["data"]["items"] == []
    assert keeper.ask("PATCH", hers, {"name": "renamed"}).json["data"]["name"] == "renamed"
    # Whoever got the new text would act as its owner.
    assert code(keeper.ask("POST", f"{hers}/rotate", {})) == (403, "permission_denied")
    assert keeper.ask("DELETE", hers).json["data"] == {"id": made["id"], "revoked": 1}
    assert code(use(owner, made["token"])) == (401, "token_revoked")


def test_another_tenants_is_not_there(app, owner, make_tenant, make_person, admin):
    make_tenant(app, "elsewhere")
    stranger = make_person(*OWN, tenant="elsewhere")
    made = make_api_token(stranger)
    path = f"/api-tokens/{made['id']}"
    for person in (owner, admin):
        for method, body in (("GET", None), ("PATCH", {"name": "b"}), ("DELETE", None)):
            assert code(person.ask(method, path, body)) == (404, "not_found")
    assert made["id"] not in admin.get("/api-tokens?all=true").text
    # The operator reaches it in its own tenant.
    there = {"X-Tenant-Id": "elsewhere"}
    assert admin.ask("GET", path, headers=there).json["data"]["id"] == made["id"]
    assert admin.ask("DELETE", path, headers=there).json["data"]["revoked"] == 1


def test_a_list_is_asked_for_by_nothing_that_a_token_holds(owner):
    for query in ("q=asvc", "digest=0", "hint=asvc", "sort=digest", "state=dead", "limit=0", "all=yes"):
        assert code(owner.get(f"/api-tokens?{query}")) == (422, "validation_failed"), query


# Narrowing, replacing, ending


def test_it_is_narrowed_and_never_widened(owner):
    made = make_api_token(
        owner, "restaurants:read", "restaurants:write", allowInQuery=True, allowedIps=["10.0.0.0/8", "2001:db8::/32"]
    )
    path = f"/api-tokens/{made['id']}"
    narrowed = {"scopes": ["restaurants:read"], "allowInQuery": False, "allowedIps": ["10.1.0.0/16"], "name": "b"}
    changed = owner.ask("PATCH", path, narrowed).json["data"]
    assert {name: changed[name] for name in narrowed} == narrowed
    for wider, field in (
        ({"scopes": ["restaurants:read", "restaurants:write"]}, "scopes"),
        ({"allowInQuery": True}, "allowInQuery"),
        ({"allowedIps": []}, "allowedIps"),
        ({"allowedIps": ["10.0.0.0/15"]}, "allowedIps"),
        ({"allowedIps": ["10.1.0.1", "2001:db8::1"]}, "allowedIps"),
        ({"expiresIn": 5}, "expiresIn"),
        ({"userId": owner.account.id}, "userId"),
    ):
        answer = owner.ask("PATCH", path, {"name": "c", **wider})
        assert (code(answer), list(answer.json["error"]["fields"])) == ((422, "validation_failed"), [field]), wider
    assert owner.get(path).json["data"] == changed
    assert owner.ask("PATCH", path, {"scopes": []}).json["data"]["scopes"] == []


def test_a_successor_is_like_it_and_the_old_one_lives_on_for_the_overlap(app, owner, rows):
    made = make_api_token(owner, "restaurants:read", expiresIn=864000, allowInQuery=True, allowedIps=["127.0.0.0/8"])
    answer = owner.ask("POST", f"/api-tokens/{made['id']}/rotate", {"overlap": 3600})
    assert answer.status_code == 201
    data = answer.json["data"]
    alike = ("name", "scopes", "allowInQuery", "allowedIps", "userId", "applicationId")
    assert {name: data["apiToken"][name] for name in alike} == {name: made[name] for name in alike}
    assert abs(lived(data["apiToken"]) - timedelta(days=10)) < timedelta(milliseconds=2)
    old = owner.get(f"/api-tokens/{made['id']}").json["data"]
    assert old["successorId"] == data["apiToken"]["id"]
    left = moment(old["expiresAt"]) - datetime.now(UTC)
    assert timedelta(seconds=3590) < left <= timedelta(seconds=3600)
    assert [use(owner, token).status_code for token in (made["token"], data["token"])] == [200, 200]
    again = owner.ask("POST", f"/api-tokens/{made['id']}/rotate", {})
    assert code(again) == (409, "conflict")


def test_the_overlap_is_a_day_unless_it_is_given_and_never_lengthens(owner):
    for expires_in, body, left in ((864000, {}, 86400), (60, {}, 60), (60, {"overlap": 3600}, 60)):
        made = make_api_token(owner, expiresIn=expires_in)
        owner.ask("POST", f"/api-tokens/{made['id']}/rotate", body)
        ends = moment(owner.get(f"/api-tokens/{made['id']}").json["data"]["expiresAt"])
        assert abs(ends - datetime.now(UTC) - timedelta(seconds=left)) < timedelta(seconds=5)


def test_without_an_overlap_the_old_one_dies_at_once(owner):
    made = make_api_token(owner)
    data = owner.ask("POST", f"/api-tokens/{made['id']}/rotate", {"overlap": 0}).json["data"]
    assert code(use(owner, made["token"])) == (401, "token_revoked")
    assert use(owner, data["token"]).status_code == 200
    assert owner.get(f"/api-tokens/{made['id']}").json["data"]["revokeReason"] == "rotated"
    assert code(owner.ask("POST", f"/api-tokens/{made['id']}/rotate", {})) == (409, "conflict")


def test_what_is_ended_is_dead_at_once_and_for_good(app, owner):
    made = make_api_token(owner)
    path = f"/api-tokens/{made['id']}"
    assert owner.ask("DELETE", path).json["data"] == {"id": made["id"], "revoked": 1}
    assert code(use(owner, made["token"])) == (401, "token_revoked")
    assert owner.ask("DELETE", path).json["data"] == {"id": made["id"], "revoked": 0}
    assert code(owner.ask("POST", f"{path}/rotate", {})) == (409, "conflict")
    assert owner.get(path).json["data"]["revokeReason"] == "revoked"
    assert [event.kind for event in told(app, "api_token.created", "api_token.revoked")] == [
        "api_token.created",
        "api_token.revoked",
    ]
