"""Applications, as administrators make and change them."""

import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.answers import refused
from tests.flows.administering import UNKNOWN, add_application, change_application, tenant_id, told
from tests.flows.test_admin_tenants import NO_SLUG

LEFT_TO_THE_SETTINGS = {
    "transport": None,
    "accessLifetime": None,
    "refreshIdleLifetime": None,
    "refreshLifetime": None,
    "maxRefreshTokens": None,
    "cookieSameSite": None,
}
USUAL = {
    **LEFT_TO_THE_SETTINGS,
    "active": True,
    "rotate": True,
    "corsOrigins": [],
    "confidential": False,
    "scopes": [],
}
DECIDED = {
    "transport": "cookie",
    "accessLifetime": 1,
    "refreshIdleLifetime": 3600,
    "refreshLifetime": 3653 * 24 * 3600,
    "rotate": False,
    "maxRefreshTokens": 10_000,
    "corsOrigins": ["https://a.example.org", "https://b.example.org:8443"],
    "cookieSameSite": "None",
}
NO_LIFETIME = [0, -1, 3653 * 24 * 3600 + 1, 2**63, 1.0, 0.5, "60", "", True, False, [60], {}]


def slugs_of(answer):
    assert answer.status_code == 200, answer.json
    return [one["slug"] for one in answer.json["data"]["items"]]


def post(admin, **fields):
    return admin.ask("POST", "/admin/applications", {"name": "Shop", **fields})


def path_of(application):
    return f"/admin/applications/{application['id']}"


# Made


def test_a_new_application_leaves_to_the_settings_what_it_does_not_decide(app, admin, rows):
    made = add_application(admin)
    same = {"id": made["id"], "createdAt": made["createdAt"], "tenantId": tenant_id(rows, app)}
    assert made == {**USUAL, **same, "name": "Shop", "slug": "shop"}
    assert admin.get(path_of(made)).json["data"] == made
    assert admin.ask("GET", path_of(made).replace(made["id"], made["id"].upper())).json["data"] == made


def test_a_new_application_decides_what_it_is_told_to(admin):
    made = add_application(admin, slug="till", **DECIDED)
    assert {name: made[name] for name in DECIDED} == DECIDED
    assert admin.get(path_of(made)).json["data"] == made


def test_what_is_null_is_left_to_the_settings(admin):
    assert {**add_application(admin, **LEFT_TO_THE_SETTINGS)}.items() >= LEFT_TO_THE_SETTINGS.items()


@pytest.mark.parametrize(
    ("name", "slug"),
    [
        ("My Shop", "my-shop"),
        ("  Till №7 (new!) ", "till-7-new"),
        ("Café", "caf"),
        ("店", "application"),
        ("---", "application"),
        ("x" * 200, "x" * 48),
        ("x" * 47 + " y", "x" * 47),
        (UNKNOWN, f"application-{UNKNOWN}"),
    ],
)
def test_a_slug_is_made_from_the_name(admin, name, slug):
    assert add_application(admin, name=name)["slug"] == slug


def test_a_made_slug_that_is_taken_gets_a_bit_of_the_id(admin):
    first, second, third = (add_application(admin, name=name) for name in ("Shop", "shop!", "default"))
    assert first["slug"] == "shop"
    assert second["slug"] == f"shop-{second['id'][-8:]}"
    assert third["slug"] == f"default-{third['id'][-8:]}"


def test_a_given_slug_that_is_taken_is_refused(admin):
    add_application(admin)
    for slug in ("shop", "default"):
        refused(post(admin, slug=slug), 409, "already_exists", ["slug"])


def test_of_many_who_make_one_application_at_once_one_has_the_slug(app, admin):
    with ThreadPoolExecutor(6) as crowd:
        given = {"name": "Shop", "slug": "shop"}
        ask = lambda body: app.test_client().post("/admin/applications", json=body, headers=admin.bearer())  # noqa: E731
        answers = list(crowd.map(ask, [given] * 6))
        assert sorted(answer.status_code for answer in answers) == [201] + [409] * 5
        made = list(crowd.map(ask, [{"name": "Till"}] * 6))
    assert {answer.status_code for answer in made} == {201}
    slugs = {answer.json["data"]["slug"] for answer in made}
    assert len(slugs) == 6
    assert "till" in slugs


def test_an_id_may_be_chosen_and_is_taken_once_for_all_tenants(app, admin, make_tenant):
    make_tenant(app, "east")
    chosen = str(uuid.uuid4())
    made = add_application(admin, {"X-Tenant-Id": "east"}, id=chosen.upper())
    assert made["id"] == chosen
    for fields in ({}, {"slug": "other"}):
        refused(post(admin, id=chosen, **fields), 409, "already_exists", ["id"])


@pytest.mark.parametrize("slug", [*NO_SLUG, None, 1, "a\0b"])
def test_a_slug_that_is_none_is_refused(admin, slug):
    refused(post(admin, slug=slug), 422, "validation_failed", ["slug"])


def test_every_field_is_refused_by_name_when_it_is_wrong(app, admin, rows):
    made = add_application(admin)
    before = rows(app, "SELECT * FROM applications ORDER BY id")
    wrong = {
        "name": [None, "", 1, ["x"], "x" * 257, "a\0b"],
        "transport": ["", "header", "Body", 1, True, ["body"]],
        "accessLifetime": NO_LIFETIME,
        "refreshIdleLifetime": NO_LIFETIME,
        "refreshLifetime": NO_LIFETIME,
        "rotate": [None, 0, 1, "true", "", []],
        "maxRefreshTokens": [0, -1, 10_001, 1.0, "1", True, []],
        "corsOrigins": [None, "https://example.org", {}, 1, [None], [1], [["https://example.org"]], ["a\0b"]],
        "cookieSameSite": ["", "strict", "none", 1, False],
        "confidential": [None, 0, 1, "true"],
        "tenantId": [UNKNOWN, None],
        "createdAt": ["2030-01-01T00:00:00Z"],
        "clientSecret": ["asvcs_mine"],
        "surprise": [1],
    }
    for field, values in wrong.items():
        for value in values:
            refused(post(admin, **{field: value}), 422, "validation_failed", [field])
            refused(admin.ask("PATCH", path_of(made), {field: value}), 422, "validation_failed", [field])
    for value in (None, "", "x", 1, True, UNKNOWN.replace("-", "")):
        refused(post(admin, id=value), 422, "validation_failed", ["id"])
    refused(post(admin, active=False), 422, "validation_failed", ["active"])
    refused(admin.ask("PATCH", path_of(made), {"id": UNKNOWN}), 422, "validation_failed", ["id"])
    refused(admin.ask("PATCH", path_of(made), {"active": 1}), 422, "validation_failed", ["active"])
    refused(admin.ask("POST", "/admin/applications", {}), 422, "validation_failed", ["name"])
    assert rows(app, "SELECT * FROM applications ORDER BY id") == before


@pytest.mark.settings(BASE_URL="http://auth.example.org")
def test_without_tls_no_cookie_may_go_to_another_site(admin):
    refused(post(admin, cookieSameSite="None"), 422, "validation_failed", ["cookieSameSite"])
    made = add_application(admin, cookieSameSite="Lax")
    refused(admin.ask("PATCH", path_of(made), {"cookieSameSite": "None"}), 422, "validation_failed", ["cookieSameSite"])


# Found


def test_applications_are_listed_newest_first_each_with_its_own_origins(admin):
    for slug in ("one", "two"):
        add_application(admin, slug=slug, corsOrigins=[f"https://{slug}.org", "https://all.org"])
    first = admin.get("/admin/applications?limit=2")
    assert slugs_of(first) == ["two", "one"]
    origins = [one["corsOrigins"] for one in first.json["data"]["items"]]
    assert origins == [["https://all.org", "https://two.org"], ["https://all.org", "https://one.org"]]
    rest = admin.get(f"/admin/applications?cursor={first.json['data']['nextCursor']}")
    assert (slugs_of(rest), rest.json["data"]["nextCursor"]) == (["default"], None)
    assert rest.json["data"]["items"][0].keys() == first.json["data"]["items"][0].keys()


def test_applications_are_found_by_slug_and_by_whether_they_are_active(admin):
    change_application(admin, add_application(admin, slug="off"), active=False)
    add_application(admin, slug="on")
    found = {
        query: slugs_of(admin.get(f"/admin/applications?{query}"))
        for query in ("slug=on", "active=false", "active=true", "slug=on&active=false")
    }
    assert found == {
        "slug=on": ["on"],
        "active=false": ["off"],
        "active=true": ["on", "default"],
        "slug=on&active=false": [],
    }
    for query in ("active=0", "slug=", "slug=%00", "limit=201", "cursor=x", "transport=body"):
        field = query.partition("=")[0]
        refused(admin.get(f"/admin/applications?{query}"), 422, "validation_failed", [field])


# Changed


def test_each_thing_can_be_changed_and_given_back_to_the_settings(app, admin, rows):
    made = add_application(admin)
    for name, value in DECIDED.items():
        assert change_application(admin, made, **{name: value}) == {**made, name: value}
        assert change_application(admin, made, **{name: USUAL[name]}) == made
    changed = change_application(admin, made, name="Till", slug="till", **DECIDED)
    assert changed == {**made, **DECIDED, "name": "Till", "slug": "till"}
    assert admin.get(path_of(made)).json["data"] == changed
    *_, (_, _, _, application_id, detail) = told(rows, app, "application.updated")
    assert (application_id, detail["changed"]) == (made["id"], sorted([*DECIDED, "name", "slug"]))


def test_a_value_that_is_there_already_changes_nothing_and_is_not_told(app, admin, rows):
    made = add_application(admin, **DECIDED)
    same = {name: made[name] for name in (*DECIDED, "name", "slug", "active", "confidential")}
    assert change_application(admin, made, **same) == made
    assert change_application(admin, made) == made
    assert (
        change_application(admin, made, corsOrigins=[*made["corsOrigins"][::-1], "https://a.example.org:443"]) == made
    )
    assert [kind for kind, *_ in told(rows, app, "application.%")] == ["application.created"]


def test_the_default_application_may_be_turned_off_but_neither_deleted_nor_called_otherwise(admin):
    [default] = admin.get("/admin/applications").json["data"]["items"]
    refused(admin.ask("PATCH", path_of(default), {"slug": "other", "name": "x"}), 409, "conflict")
    refused(admin.ask("DELETE", path_of(default)), 409, "conflict")
    assert change_application(admin, default, name="Pages", slug="default") == {**default, "name": "Pages"}
    # The administrator is signed in to it.
    assert change_application(admin, default, active=False)["active"] is False
    refused(admin.me(), 401, "token_revoked")


def test_a_slug_that_is_taken_changes_nothing(admin):
    made, _ = add_application(admin), add_application(admin, slug="till")
    change = {"slug": "till", "name": "x", "corsOrigins": ["https://x.org"], "confidential": True}
    refused(admin.ask("PATCH", path_of(made), change), 409, "already_exists", ["slug"])
    refused(admin.ask("PATCH", path_of(made), {"slug": "Till"}), 422, "validation_failed", ["slug"])
    assert admin.get(path_of(made)).json["data"] == made


# Told


def test_what_was_done_to_an_application_is_told_in_its_tenant(app, admin, make_tenant, rows):
    make_tenant(app, "east")
    east = {"X-Tenant-Id": "east"}
    made = add_application(admin, east, confidential=True, corsOrigins=["https://x.org"])
    for change in ({"corsOrigins": [], "accessLifetime": 60}, {"name": "Till", "active": False}, {"active": True}):
        change_application(admin, made, east, **change)
    assert admin.ask("POST", f"{path_of(made)}/secret", {"overlap": 60}, east).status_code == 201
    assert admin.ask("DELETE", path_of(made), headers=east).json["data"] == {"id": made["id"], "revoked": 0}
    events = told(rows, app, "application.%")
    assert [(kind, detail) for kind, *_, detail in events] == [
        ("application.created", {"slug": "shop", "confidential": True}),
        ("application.updated", {"slug": "shop", "changed": ["accessLifetime", "corsOrigins"]}),
        ("application.updated", {"slug": "shop", "changed": ["name"]}),
        ("application.disabled", {"slug": "shop", "revoked": 0, "apiTokens": 0}),
        ("application.enabled", {"slug": "shop"}),
        ("application.secret_made", {"slug": "shop", "overlap": 60}),
        ("application.deleted", {"slug": "shop", "revoked": 0}),
    ]
    me = admin.me().json["data"]["user"]["id"]
    expected = (tenant_id(rows, app, "east"), me, made["id"])
    assert {(tenant, actor, application) for _, tenant, actor, application, _ in events} == {expected}


# For whom


def test_reading_and_writing_have_each_their_permission(app, admin, make_person, rows):
    made = add_application(admin, confidential=True)
    before = rows(app, "SELECT * FROM applications ORDER BY id"), rows(app, "SELECT * FROM client_secrets")
    reading = [("GET", "/admin/applications", None), ("GET", path_of(made), None)]
    writing = [
        ("POST", "/admin/applications", {"name": "x"}),
        ("PATCH", path_of(made), {"name": "x"}),
        ("POST", f"{path_of(made)}/secret", None),
        ("DELETE", path_of(made), None),
    ]
    reader, nobody = make_person("applications:read"), make_person("users:write", "tokens:revoke", roles=["member"])
    for device, asks, lacking in ((reader, writing, "write"), (nobody, writing, "write"), (nobody, reading, "read")):
        for ask in asks:
            answer = refused(device.ask(*ask), 403, "permission_denied")
            assert f"applications:{lacking}" in answer.json["message"]
    after = rows(app, "SELECT * FROM applications ORDER BY id"), rows(app, "SELECT * FROM client_secrets")
    assert after == before
    assert [reader.ask(*ask).status_code for ask in reading] == [200, 200]
    writer = make_person("applications:write")
    assert [writer.ask(*ask).status_code for ask in reading] == [403, 403]
    assert [writer.ask(*ask).status_code for ask in writing] == [201, 200, 201, 200]


def test_what_another_tenant_has_is_not_there(app, admin, make_tenant, make_person, rows):
    make_tenant(app, "east")
    theirs = add_application(admin, {"X-Tenant-Id": "east"}, corsOrigins=["https://east.org"], confidential=True)
    neighbour = make_person(roles=["admin"])
    statements = ("applications", "client_secrets", "allowed_origins")
    before = [rows(app, f"SELECT * FROM {table} ORDER BY 1") for table in statements]
    for where in (
        path_of(theirs),
        f"/admin/applications/{UNKNOWN}",
        "/admin/applications/east",
        "/admin/applications/x",
    ):
        for method, path, body in (
            ("GET", where, None),
            ("PATCH", where, {"active": False, "corsOrigins": []}),
            ("DELETE", where, None),
            ("POST", f"{where}/secret", {"overlap": 0}),
        ):
            answer = refused(neighbour.ask(method, path, body), 404, "not_found")
            assert answer.json["message"] == "There is nothing here."
    assert slugs_of(neighbour.get("/admin/applications")) == ["default"]
    assert slugs_of(neighbour.get("/admin/applications?slug=shop")) == []
    assert slugs_of(neighbour.get(f"/admin/applications?cursor={'f' * 8}-ffff-ffff-ffff-{'f' * 12}")) == ["default"]
    refused(neighbour.ask("GET", "/admin/applications", headers={"X-Tenant-Id": "east"}), 403, "tenant_mismatch")
    refused(neighbour.ask("DELETE", path_of(theirs), headers={"X-Tenant-Id": "east"}), 403, "tenant_mismatch")
    assert [rows(app, f"SELECT * FROM {table} ORDER BY 1") for table in statements] == before
    assert neighbour.ask("POST", "/admin/applications", {"name": "Shop"}).json["data"]["slug"] == "shop"
