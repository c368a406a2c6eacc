"""Tenants, as operators make, change and end them."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from authsvc import clock
from authsvc.permissions import BUILT_IN_ROLES
from tests.answers import refused
from tests.flows.administering import UNKNOWN, add_tenant, change_tenant, joined, told

EAST = {"name": "East", "slug": "east"}
# Spelling aside, each would be mixed up with something else.
NO_SLUG = ["", "East", "east ", "-east", "east-", "ea_st", "ea.st", "éast", "east\n", "e" * 64, "-", UNKNOWN, "ea/st"]


def tenants_of(answer):
    assert answer.status_code == 200, answer.json
    return [one["slug"] for one in answer.json["data"]["items"]]


# Made


def test_a_new_tenant_is_answered_as_it_is(admin):
    answer = admin.ask("POST", "/admin/tenants", EAST)
    assert answer.status_code == 201
    made = answer.json["data"]
    assert abs((clock.utcnow() - datetime.fromisoformat(made["createdAt"])).total_seconds()) < 60
    assert made == {**EAST, "id": made["id"], "active": True, "createdAt": made["createdAt"]}
    assert admin.ask("GET", f"/admin/tenants/{made['id']}").json["data"] == made
    assert admin.ask("GET", f"/admin/tenants/{made['id'].upper()}/").json["data"] == made


def test_a_new_tenant_has_its_roles_and_its_application_and_people_may_join(app, admin, rows):
    made = add_tenant(admin, "east")
    roles = rows(app, "SELECT name, permissions FROM roles WHERE tenant_id = :id", id=made["id"])
    assert {name: frozenset(permissions.split()) for name, permissions in roles} == BUILT_IN_ROLES
    assert rows(app, "SELECT slug, active FROM applications WHERE tenant_id = :id", id=made["id"]) == [
        ("default", True)
    ]
    device = joined(app, "body", "east")
    assert device.me().json["data"]["user"]["roles"] == ["member"]


def test_an_id_may_be_chosen_and_is_written_in_lower_case(admin):
    chosen = str(uuid.uuid4())
    assert add_tenant(admin, "east", id=chosen.upper())["id"] == chosen
    refused(admin.ask("POST", "/admin/tenants", {**EAST, "slug": "west", "id": chosen}), 409, "already_exists", ["id"])


def test_a_slug_is_one_tenants(admin):
    add_tenant(admin, "east")
    for slug in ("east", "default"):
        body = {"name": "Another", "slug": slug}
        refused(admin.ask("POST", "/admin/tenants", body), 409, "already_exists", ["slug"])


def test_of_many_who_make_one_tenant_at_once_one_does(app, admin, rows):
    with ThreadPoolExecutor(8) as crowd:
        answers = list(
            crowd.map(lambda _: app.test_client().post("/admin/tenants", json=EAST, headers=admin.bearer()), range(8))
        )
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert len(told(rows, app, "tenant.created")) == 1


@pytest.mark.parametrize("slug", [*NO_SLUG, None, 1, True, ["east"], "ea\0st"])
def test_a_slug_that_is_none_is_refused(admin, slug):
    refused(admin.ask("POST", "/admin/tenants", {**EAST, "slug": slug}), 422, "validation_failed", ["slug"])


@pytest.mark.parametrize("slug", ["e", "9", "e" * 63, "a--b", "0190a5b0", UNKNOWN.replace("-", "")])
def test_a_slug_may_be_short_long_and_of_digits(admin, slug):
    add_tenant(admin, slug)
    assert tenants_of(admin.get(f"/admin/tenants?slug={slug}")) == [slug]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("name", value) for value in (None, "", 1, True, ["x"], {}, "x" * 257, "a\0b")),
        *(("id", value) for value in (None, "", "x", 1, True, [UNKNOWN], UNKNOWN.replace("-", ""), f"{UNKNOWN}\n")),
        ("active", True),
        ("createdAt", "2030-01-01T00:00:00Z"),
        ("tenantId", UNKNOWN),
    ],
)
def test_what_is_wrong_in_a_new_tenant_is_named(app, admin, rows, field, value):
    refused(admin.ask("POST", "/admin/tenants", {**EAST, field: value}), 422, "validation_failed", [field])
    assert rows(app, "SELECT slug FROM tenants") == [("default",)]


def test_a_tenant_needs_a_name_and_a_slug(admin):
    refused(admin.ask("POST", "/admin/tenants", {}), 422, "validation_failed", ["name", "slug"])


# Found


def test_tenants_are_listed_newest_first_by_the_page(admin):
    for slug in ("one", "two", "three"):
        add_tenant(admin, slug)
    first = admin.get("/admin/tenants?limit=3")
    assert tenants_of(first) == ["three", "two", "one"]
    cursor = first.json["data"]["nextCursor"]
    rest = admin.get(f"/admin/tenants?limit=3&cursor={cursor}")
    assert (tenants_of(rest), rest.json["data"]["nextCursor"]) == (["default"], None)


def test_tenants_are_found_by_slug_and_by_whether_they_are_active(admin):
    east, _ = add_tenant(admin, "east"), add_tenant(admin, "west")
    change_tenant(admin, east, active=False)
    found = {query: tenants_of(admin.get(f"/admin/tenants?{query}")) for query in ("slug=east", "active=false")}
    assert found == {"slug=east": ["east"], "active=false": ["east"]}
    assert tenants_of(admin.get("/admin/tenants?active=true")) == ["west", "default"]
    for query in ("slug=east&active=true", "slug=eas", "slug=EAST", "slug=%25"):
        assert tenants_of(admin.get(f"/admin/tenants?{query}")) == []


@pytest.mark.parametrize("query", ["active=1", "active=", "slug=", "slug=%00", "limit=0", "cursor=x", "name=East"])
def test_a_query_that_means_nothing_is_refused(admin, query):
    refused(admin.get(f"/admin/tenants?{query}"), 422, "validation_failed", [query.partition("=")[0]])


def test_what_does_not_exist_is_not_found(admin):
    for path in (UNKNOWN, "default", "x", "%00", "null", UNKNOWN.replace("-", ""), f"{UNKNOWN}%0a"):
        for method, body in (("GET", None), ("PATCH", {"name": "x"}), ("DELETE", None)):
            refused(admin.ask(method, f"/admin/tenants/{path}", body), 404, "not_found")


# Changed


def test_a_tenant_gets_another_name_and_slug_and_its_people_stay(app, admin, rows):
    made = add_tenant(admin, "east")
    device = joined(app, "body", "east")
    changed = change_tenant(admin, made, name="Orient", slug="orient")
    assert changed == {**made, "name": "Orient", "slug": "orient"}
    assert admin.ask("GET", f"/admin/tenants/{made['id']}").json["data"] == changed
    assert device.me().status_code == 200
    assert device.ask("GET", "/auth/me", headers={"X-Tenant-Id": "orient"}).status_code == 200
    refused(device.ask("GET", "/auth/me", headers={"X-Tenant-Id": "east"}), 403, "tenant_mismatch")
    [(_, _, _, _, detail)] = told(rows, app, "tenant.updated")
    assert detail == {"tenantId": made["id"], "slug": "orient", "changed": ["name", "slug"]}


def test_a_slug_that_is_taken_or_none_changes_nothing(admin):
    made, _ = add_tenant(admin, "east"), add_tenant(admin, "west")
    path = f"/admin/tenants/{made['id']}"
    for slug in ("west", "default"):
        refused(admin.ask("PATCH", path, {"name": "x", "slug": slug}), 409, "already_exists", ["slug"])
    for slug in (*NO_SLUG, None, 1):
        refused(admin.ask("PATCH", path, {"name": "x", "slug": slug}), 422, "validation_failed", ["slug"])
    for field, value in (("id", UNKNOWN), ("active", None), ("active", 1), ("active", "true"), ("name", None)):
        refused(admin.ask("PATCH", path, {"slug": "new", field: value}), 422, "validation_failed", [field])
    assert admin.ask("GET", path).json["data"] == made


def test_a_value_that_is_there_already_changes_nothing_and_is_not_told(app, admin, rows):
    made = add_tenant(admin, "east")
    assert change_tenant(admin, made) == made
    assert change_tenant(admin, made, name="East", slug="east", active=True) == made
    change_tenant(admin, made, active=False)
    change_tenant(admin, made, active=False)
    kinds = [kind for kind, *_ in told(rows, app, "tenant.%")]
    assert kinds == ["tenant.created", "tenant.disabled"]


def test_the_operators_own_tenant_stays(app, admin, rows):
    [own] = admin.get("/admin/tenants").json["data"]["items"]
    path = f"/admin/tenants/{own['id']}"
    for change in ({"active": False}, {"slug": "other"}, {"name": "x", "active": False}):
        refused(admin.ask("PATCH", path, change), 409, "conflict")
    refused(admin.ask("DELETE", path), 409, "conflict")
    assert change_tenant(admin, own, name="Ours", slug="default", active=True) == {**own, "name": "Ours"}
    assert [kind for kind, *_ in told(rows, app, "tenant.%")] == ["tenant.updated"]
    assert admin.me().status_code == 200


# Told


def test_what_was_done_to_a_tenant_is_told_to_the_operators_wherever_it_was_asked_from(app, admin, rows):
    made = add_tenant(admin, "east")
    joined(app, "body", "east")
    elsewhere = {"X-Tenant-Id": "east"}
    path = f"/admin/tenants/{made['id']}"
    for change in ({"name": "Orient"}, {"active": False}, {"active": True}):
        assert admin.ask("PATCH", path, change, elsewhere).status_code == 200
    joined_again = joined(app, "body", "east", "again@example.com")
    assert admin.ask("DELETE", path, headers=elsewhere).json["data"] == {"id": made["id"], "revoked": 1}
    events = told(rows, app, "tenant.%")
    which = {"tenantId": made["id"], "slug": "east"}
    assert [(kind, detail) for kind, *_, detail in events] == [
        ("tenant.created", which),
        ("tenant.updated", {**which, "changed": ["name"]}),
        ("tenant.disabled", {**which, "revoked": 1, "apiTokens": 0}),
        ("tenant.enabled", which),
        ("tenant.deleted", {**which, "revoked": 1}),
    ]
    me = admin.me().json["data"]["user"]["id"]
    operators = str(rows(app, "SELECT id FROM tenants WHERE slug = 'default'")[0][0])
    assert {(tenant, actor) for _, tenant, actor, _, _ in events} == {(operators, me)}
    assert joined_again.me().status_code == 401


# For whom


def test_tenants_are_for_operators_alone(app, admin, make_person, rows):
    made = add_tenant(admin, "east")
    path = f"/admin/tenants/{made['id']}"
    asks = [
        ("GET", "/admin/tenants", None),
        ("POST", "/admin/tenants", {"name": "West", "slug": "west"}),
        ("GET", path, None),
        ("PATCH", path, {"active": False}),
        ("DELETE", path, None),
    ]
    everything_else = [make_person(roles=["admin"]), make_person("users:write", "keys:rotate", "tenants:read")]
    for device in (*everything_else, make_person(roles=["admin"], tenant="east")):
        for method, where, body in asks:
            answer = refused(device.ask(method, where, body), 403, "permission_denied")
            assert "tenants:write" in answer.json["message"]
    assert [slug for (slug,) in rows(app, "SELECT slug FROM tenants WHERE active ORDER BY slug")] == ["default", "east"]
    operator = make_person("tenants:write")
    assert [operator.ask(*one).status_code for one in asks] == [200, 201, 200, 200, 200]


def test_an_operator_of_another_tenant_is_one_too_and_may_end_that_very_tenant(admin, make_person):
    made = add_tenant(admin, "east")
    operator = make_person("tenants:write", tenant="east")
    assert tenants_of(operator.get("/admin/tenants")) == ["east", "default"]
    assert operator.ask("DELETE", f"/admin/tenants/{made['id']}").json["data"] == {"id": made["id"], "revoked": 1}
    assert operator.me().status_code == 401
