"""Strapi's API tokens, over ours."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from authsvc import clock
from tests.conftest import counter
from tests.dialects.strapi import FORBIDDEN, UNAUTHENTICATED, Program, refused
from tests.flows.api_tokens import moment, set_expiry
from tests.flows.people import make_role

TOKEN = {
    "id",
    "name",
    "description",
    "type",
    "kind",
    "permissions",
    "lifespan",
    "expiresAt",
    "lastUsedAt",
    "createdAt",
    "updatedAt",
}
PATH = "/admin/api-tokens"
UNKNOWN = "Unknown permissions provided: api::a.a.find, b c"
DAY = 24 * 3600 * 1000
HELD = ("restaurants:read", "restaurants:write", "guests:find", "users:read", "api-tokens:write", "auth:refresh")


@pytest.fixture
def owner(app, make_person):
    return of(app, make_person(*HELD))


def of(app, person):
    program = Program(app)
    program.held = {"jwt": person.access_token}
    return program


def make(program, kind="full-access", status=201, **more):
    named = {"name": f"script {next(counter)}", "description": ""}
    answer = program.ask("POST", PATH, {**named, "type": kind, **more})
    assert answer.status_code == status, answer.json
    return answer.json["data"] if status == 201 else refused(answer)


def scopes(admin, made):
    return admin.get(f"/api-tokens/{made['id']}").json["data"]["scopes"]


def used(program, key, where="header", path="/api/users/me", **header):
    address = f"/strapi{path}?token={key}" if where == "query" else f"/strapi{path}"
    headers = {"Authorization": f"Bearer {key}"} if where == "header" else header
    return program.client.get(address, headers=headers)


def test_each_type_is_scopes_that_its_maker_holds(app, owner, admin, make_person):
    for kind, wanted in (
        ("read-only", ["guests:find", "restaurants:read"]),
        ("full-access", ["guests:find", "restaurants:read", "restaurants:write"]),
        ("custom", ["restaurants:write", "users:read"]),
    ):
        named = wanted if kind == "custom" else []
        made = make(owner, kind, permissions=named or None)
        assert set(made) == TOKEN | {"accessKey"}
        assert (made["type"], made["kind"], made["permissions"]) == (kind, "content-api", named)
        assert scopes(admin, made) == wanted
    # Who holds everything has what roles name; nothing that administers authsvc comes by itself.
    make_role(admin, "waiter", "tables:read", "users:write")
    everything = scopes(admin, make(of(app, admin)))
    assert everything == ["guests:find", "restaurants:read", "restaurants:write", "tables:read"]
    # Where no role names anything, the types hold the same: what is made is called as it was asked for.
    nobody = of(app, make_person("api-tokens:write", "auth:refresh"))
    for kind in ("read-only", "full-access"):
        made = make(nobody, kind)
        assert (made["type"], scopes(admin, made)) == (kind, [])
        assert nobody.ask("PUT", f"{PATH}/{made['id']}", {"type": kind}).json["data"]["type"] == kind


def test_what_can_not_be_made_is_said(app, owner, make_person):
    for more, message in (
        ({"kind": "custom"}, "Missing permissions attribute for custom token"),
        ({"permissions": ["users:read"]}, "Non-custom tokens should not reference permissions"),
        ({"kind": "any"}, "type must be one of the following values: read-only, full-access, custom"),
        ({"name": ""}, "name is a required field"),
        ({"lifespan": 1}, f"lifespan must be one of the following values: {7 * DAY}, {30 * DAY}, {90 * DAY}, null"),
        ({"kind": "custom", "permissions": ["*"]}, "Name each scope: * is none."),
        ({"kind": "custom", "permissions": ["users:read", "api::a.a.find", 1, "b c"]}, UNKNOWN),
    ):
        assert make(owner, status=400, **more) == (400, "ValidationError", message)
    for wrong in ("users:read", [1], ["no permission"]):
        answer = owner.ask("POST", PATH, {"name": "script", "type": "custom", "permissions": wrong})
        assert refused(answer)[:2] == (400, "ValidationError")
        assert answer.json["error"]["details"]["errors"][0]["path"] == ["permissions"]
    for beyond in ("users:write", "tables:read", "auth:refresh"):
        assert make(owner, "custom", 403, permissions=[beyond]) == FORBIDDEN
    assert make(of(app, make_person("auth:refresh")), status=403) == FORBIDDEN


def test_a_lifespan_is_in_milliseconds_and_none_is_for_ever(owner):
    for lifespan, days in ((7 * DAY, 7), (str(30 * DAY), 30), (None, 90)):
        made = make(owner, lifespan=lifespan)
        assert made["lifespan"] == days * DAY
        assert (moment(made["expiresAt"]) - moment(made["createdAt"])).days == days


def test_the_access_key_works_in_a_header_or_in_the_query_which_wins(app, owner):
    key = make(owner)["accessKey"]
    for answer in (
        used(owner, key),
        used(owner, key, "query"),
        used(owner, key, "query", Authorization="Bearer of.old.times"),
        used(owner, key, "query", Authorization=f"Bearer {owner.held['jwt']}", **{"X-Api-Key": "junk"}),
    ):
        assert (answer.status_code, answer.json["id"]) == (200, owner.ask("GET", "/api/users/me").json["id"])
    assert refused(used(owner, "junk", "query", Authorization=f"Bearer {key}")) == UNAUTHENTICATED
    assert refused(used(owner, owner.held["jwt"], "query")) == UNAUTHENTICATED
    twice = owner.client.get(f"/strapi/api/users/me?token={key}&token={key}")
    assert refused(twice)[:2] == (400, "BadRequestError")
    # It never makes another, carries a sign-in on, or ends one.
    for method, path in (
        ("POST", PATH),
        ("GET", PATH),
        ("POST", "/api/auth/change-password"),
        ("GET", "/api/auth/sessions"),
        ("POST", "/api/auth/logout"),
    ):
        assert refused(owner.ask(method, path, jwt=key)) == FORBIDDEN, path
    assert owner.is_in()


def test_they_are_listed_read_narrowed_replaced_and_ended(app, owner, make_person):
    made, second = make(owner, name="script"), make(owner, "custom", name="a first", permissions=["users:read"])
    listed = owner.ask("GET", PATH).json["data"]
    assert [(one["name"], one["type"]) for one in listed] == [("a first", "custom"), ("script", "full-access")]
    assert all(set(one) == TOKEN for one in listed)
    path = f"{PATH}/{made['id']}"
    assert owner.ask("GET", path).json["data"] == listed[1]
    stranger = of(app, make_person(*HELD))
    for method, end in (("GET", ""), ("PUT", ""), ("DELETE", ""), ("POST", "/regenerate")):
        assert refused(stranger.ask(method, path + end, {}))[0] == 404
    assert stranger.ask("GET", PATH).json == {"data": []}

    renamed = owner.ask("PUT", path, {"name": "renamed", "type": "full-access", "permissions": None})
    assert (renamed.json["data"]["name"], renamed.json["data"]["type"]) == ("renamed", "full-access")
    assert owner.ask("PUT", path, {"type": "read-only"}).json["data"]["type"] == "read-only"
    for wider in ({"type": "full-access"}, {"type": "custom", "permissions": ["restaurants:write"]}):
        assert refused(owner.ask("PUT", path, wider))[:2] == (400, "ValidationError")
    assert refused(owner.ask("PUT", path, {"permissions": ["restaurants:read"]}))[0] == 400

    answer = owner.ask("POST", f"{path}/regenerate")
    assert (answer.status_code, set(answer.json["data"])) == (201, {"id", "kind", "accessKey"})
    assert refused(used(owner, made["accessKey"])) == UNAUTHENTICATED
    assert used(owner, answer.json["data"]["accessKey"]).status_code == 200
    assert refused(owner.ask("POST", f"{path}/regenerate"))[0] == 404
    after = owner.ask("GET", f"{PATH}/{answer.json['data']['id']}").json["data"]
    assert (after["name"], after["type"], after["lifespan"]) == ("renamed", "read-only", made["lifespan"])

    # A custom one may hold nothing: it only says who it is.
    emptied = owner.ask("PUT", f"{PATH}/{second['id']}", {"permissions": []})
    assert (emptied.json["data"]["type"], emptied.json["data"]["permissions"]) == ("custom", [])
    assert refused(used(owner, second["accessKey"], path=PATH)) == FORBIDDEN

    ended = owner.ask("DELETE", f"{PATH}/{second['id']}")
    assert (ended.status_code, ended.json["data"]["id"]) == (200, second["id"])
    assert refused(used(owner, second["accessKey"])) == UNAUTHENTICATED
    assert [one["id"] for one in owner.ask("GET", PATH).json["data"]] == [answer.json["data"]["id"]]
    assert refused(owner.ask("DELETE", f"{PATH}/{second['id']}"))[:2] == (404, "NotFoundError")


def test_a_name_is_one_live_tokens_of_its_owner(app, owner, make_person):
    taken = (400, "ApplicationError", "Name already taken")
    made, other = make(owner, name="script"), make(owner, name="other")
    assert make(owner, status=400, name="script") == taken
    path = f"{PATH}/{other['id']}"
    assert refused(owner.ask("PUT", path, {"name": "script"})) == taken
    assert owner.ask("PUT", path, {"name": "other", "type": "read-only"}).status_code == 200
    make(of(app, make_person(*HELD)), name="script")
    assert owner.ask("POST", f"{PATH}/{made['id']}/regenerate").status_code == 201
    assert make(owner, status=400, name="script") == taken
    assert owner.ask("DELETE", path).status_code == 200
    make(owner, name="other")


def test_of_those_who_ask_for_one_name_at_once_one_gets_it(app, owner):
    with ThreadPoolExecutor(4) as pool:
        body = {"name": "script", "type": "full-access"}
        answers = list(pool.map(lambda _: Program(app).ask("POST", PATH, body, jwt=owner.held["jwt"]), range(4)))
    assert sorted(answer.status_code for answer in answers) == [201, 400, 400, 400]


def test_one_that_has_run_out_says_so(app, owner):
    made = make(owner)
    set_expiry(app, made["id"], clock.utcnow())
    for where in ("header", "query"):
        assert refused(used(owner, made["accessKey"], where)) == (401, "UnauthorizedError", "Token expired")
