"""Roles are made, seen, changed and deleted; the built-in ones stay."""

from authsvc.permissions import BUILT_IN_ROLES
from tests.answers import refused
from tests.claims import claims_of
from tests.flows.people import make_role, make_user, role_named, told

NOBODYS = "0190a5b0-0000-7000-8000-000000000000"
NO_NAMES = ["1a", "-a", " a", "a ", "a\tb", "a\n", "a:b", "a/b", "ä", "admın", "аdmin", "a\u200b", "*", "a" * 65]
NO_PERMISSIONS = ["users", "users:", ":read", "Users:read", "users:read:all", "users:*", "*:*", "**", "a b:c", "a:b c"]
NO_PERMISSIONS += [" a:b", "a:b\n", "ä:b", "a:" + "b" * 65, "-a:b", "é"]


def change(device, role_id, headers=None, **changes):
    return device.ask("PATCH", f"/admin/roles/{role_id}", changes, headers)


def delete(device, role_id, headers=None):
    return device.ask("DELETE", f"/admin/roles/{role_id}", headers=headers)


def permissions_of(device, role_id):
    return device.get(f"/admin/roles/{role_id}").json["data"]["permissions"]


def test_a_role_is_made_and_found(admin):
    body = {"name": "Front desk 2", "permissions": ["guests:read", "*", "guests:read", "auth:refresh"]}
    answer = admin.ask("POST", "/admin/roles", body)
    assert answer.status_code == 201
    made = answer.json["data"]
    assert set(made) == {"id", "tenantId", "name", "permissions", "builtIn", "createdAt"}
    assert (made["name"], made["builtIn"]) == ("Front desk 2", False)
    assert made["permissions"] == ["*", "auth:refresh", "guests:read"]
    assert admin.get(f"/admin/roles/{made['id'].upper()}").json["data"] == made
    assert admin.get("/admin/roles?name=FRONT desk 2").json["data"] == {"items": [made], "nextCursor": None}
    [event] = told(admin.app, "role.created")
    assert event.detail == {"roleId": made["id"], "name": "Front desk 2", "added": made["permissions"]}
    assert (event.actor_id, event.tenant_id) == (admin.me().json["data"]["user"]["id"], made["tenantId"])


def test_roles_are_listed_by_the_page(admin):
    for number in range(3):
        make_role(admin, f"extra{number}")
    names, query = [], ""
    while query is not None:
        data = admin.get(f"/admin/roles?limit=2{query}").json["data"]
        names += [(role["name"], role["builtIn"]) for role in data["items"]]
        query = f"&cursor={data['nextCursor']}" if data["nextCursor"] else None
    built_in = [(name, True) for name in ("operator", "admin", "member")]
    assert names == [("extra2", False), ("extra1", False), ("extra0", False), *built_in]
    for name, permissions in BUILT_IN_ROLES.items():
        assert permissions_of(admin, role_named(admin, name)) == sorted(permissions)


def test_what_is_no_name_is_refused(admin):
    role_id = make_role(admin, "a")
    for name in NO_NAMES:
        answer = admin.ask("POST", "/admin/roles", {"name": name, "permissions": []})
        refused(answer, 422, "validation_failed", ["name"])
        refused(change(admin, role_id, name=name), 422, "validation_failed", ["name"])
    for name in ("b", "A.b-c_d", "x  y", "b" * 64):
        assert change(admin, role_id, name=name).json["data"]["name"] == name


def test_what_is_no_permission_is_refused(admin):
    role_id = make_role(admin, "a")
    many = [[f"p:n{number}" for number in range(257)], [f"{'p' * 64}:{'q' * 60}{number}" for number in range(50)]]
    for permissions in (*([one] for one in NO_PERMISSIONS), ["a:b", ""], *many):
        answer = admin.ask("POST", "/admin/roles", {"name": "b", "permissions": permissions})
        refused(answer, 422, "validation_failed", ["permissions"])
        refused(change(admin, role_id, permissions=permissions), 422, "validation_failed", ["permissions"])
    most = [f"p:n{number}" for number in range(256)]
    assert change(admin, role_id, permissions=most).json["data"]["permissions"] == sorted(most)


def test_a_change_is_of_the_right_shape(admin):
    role_id = make_role(admin, "a", "a:b")
    for field in ("name", "permissions"):
        for junk in (None, True, 1, {}, "" if field == "name" else "a:b", [None]):
            refused(change(admin, role_id, **{field: junk}), 422, "validation_failed", [field])
    for field in ("id", "tenantId", "tenant_id", "builtIn", "createdAt"):
        refused(change(admin, role_id, **{field: "x"}), 422, "validation_failed", [field])
    assert change(admin, role_id).status_code == 200
    assert told(admin.app, "role.updated") == []


def test_a_name_is_taken_in_every_case_and_those_that_are_built_in_always_are(admin):
    role_id = make_role(admin, "Reader", "a:b")
    for name in ("reader", "READER", "Admin", "OPERATOR", "member"):
        taken = admin.ask("POST", "/admin/roles", {"name": name, "permissions": []})
        refused(taken, 409, "already_exists", ["name"])
    other = make_role(admin, "other")
    for name in ("reader", "aDmin", "operator"):
        refused(change(admin, other, name=name, permissions=["a:b"]), 409, "already_exists", ["name"])
    assert permissions_of(admin, other) == []
    assert change(admin, role_id, name="READER").json["data"]["name"] == "READER"


def test_a_change_is_for_all_who_have_the_role_and_one_event(admin, make_person):
    role_id = make_role(admin, "desk", "guests:read", "users:read")
    person = make_person(roles=["desk"])
    answer = change(admin, role_id, name="Front desk", permissions=["guests:read", "guests:write", "roles:write"])
    assert answer.json["data"]["permissions"] == ["guests:read", "guests:write", "roles:write"]
    # What was taken is gone at once; what was given comes with the next sign-in or refresh.
    refused(person.get("/admin/users"), 403, "permission_denied")
    refused(person.get("/admin/roles"), 403, "permission_denied")
    person.sign_in(person.account)
    assert person.get("/admin/roles").status_code == 200
    assert claims_of(person.access_token)["roles"] == ["Front desk"]
    [event] = told(admin.app, "role.updated")
    changed = {"added": ["guests:write", "roles:write"], "removed": ["users:read"]}
    assert event.detail == {"roleId": role_id, "name": "Front desk", "formerName": "desk", **changed}
    change(admin, role_id, name="Front desk", permissions=["roles:write", "guests:write", "guests:read"])
    assert len(told(admin.app, "role.updated")) == 1


def test_deleting_a_role_takes_it_from_all_who_have_it(admin, make_person):
    role_id = make_role(admin, "desk", "users:read")
    people = [make_person("guests:read", roles=["desk"]) for _ in range(2)]
    answer = delete(admin, role_id.upper())
    assert (answer.status_code, answer.json["data"]) == (200, {"id": role_id, "holders": 2})
    for person in people:
        refused(person.get("/admin/users"), 403, "permission_denied")
        assert person.me().json["data"]["permissions"] == ["guests:read"]
    refused(admin.get(f"/admin/roles/{role_id}"), 404, "not_found")
    refused(delete(admin, role_id), 404, "not_found")
    [event] = told(admin.app, "role.deleted")
    assert event.detail == {"roleId": role_id, "name": "desk", "removed": ["users:read"], "holders": 2}


def test_a_role_of_a_deleted_ones_name_is_nobodys(admin, make_person):
    person = make_person(roles=["member"])
    person_id, role_id = person.account.id, make_role(admin, "desk", "users:read")
    assert admin.ask("PATCH", f"/admin/users/{person_id}", {"roles": ["desk"]}).status_code == 200
    delete(admin, role_id)
    make_role(admin, "desk", "users:read")
    assert admin.get(f"/admin/users/{person_id}").json["data"]["roles"] == []


def test_built_in_roles_are_neither_renamed_nor_deleted_and_operator_not_edited(admin):
    before = admin.get("/admin/roles").json
    for name in BUILT_IN_ROLES:
        role_id = role_named(admin, name)
        refused(delete(admin, role_id), 409, "conflict")
        for other in ("boss", name.upper()):
            refused(change(admin, role_id, name=other), 409, "conflict")
    operator = role_named(admin, "operator")
    for changes in ({"permissions": ["tenants:write"]}, {"name": "operator"}, {}):
        refused(change(admin, operator, **changes), 409, "conflict")
    assert admin.get("/admin/roles").json == before
    for name in ("member", "admin"):
        kept = sorted(BUILT_IN_ROLES[name] | {"guests:read"})
        answer = change(admin, role_named(admin, name), name=name, permissions=kept)
        assert (answer.status_code, answer.json["data"]["permissions"]) == (200, kept)


def test_what_another_tenant_owns_is_as_unknown_as_a_random_id(admin, make_person, make_tenant):
    make_tenant(admin.app, "elsewhere")
    theirs = {"X-Tenant-Id": "elsewhere"}
    stranger = make_person("roles:write", "users:read", tenant="elsewhere")
    own = make_role(admin, "desk", "users:read")
    make_role(admin, "desk", headers=theirs)
    answers = []
    for role_id in (own, NOBODYS, "nothing", "0", "%00", own[:-1]):
        answers.append(refused(stranger.get(f"/admin/roles/{role_id}"), 404, "not_found"))
        answers.append(refused(delete(stranger, role_id), 404, "not_found"))
        answers.append(refused(change(stranger, role_id, permissions=[]), 404, "not_found"))
    assert len({answer.json["message"] for answer in answers}) == 1
    listed = stranger.get("/admin/roles?name=desk").json["data"]["items"]
    assert [role["permissions"] for role in listed] == [[]]
    assert own not in stranger.get("/admin/roles?limit=200").text
    refused(stranger.get("/admin/roles", {"X-Tenant-Id": "default"}), 403, "tenant_mismatch")
    assert permissions_of(admin, own) == ["users:read"]


def test_roles_are_for_those_who_may_write_them(make_person, admin):
    role_id = make_role(admin, "desk")
    asked = [("GET", "/admin/roles", None), ("POST", "/admin/roles", {"name": "b", "permissions": []})]
    asked += [(method, f"/admin/roles/{role_id}", {}) for method in ("GET", "PATCH", "DELETE")]
    others = ("users:read", "users:write", "tokens:read", "applications:write", "keys:rotate", "tenants:write", "*")
    for person in (make_person(roles=["member"]), make_person(*others)):
        for method, path, body in asked:
            answer = refused(person.ask(method, path, body), 403, "permission_denied")
            assert "roles:write" in answer.json["message"]
    writer = make_person("roles:write")
    assert [writer.ask(method, path, body).status_code for method, path, body in asked] == [200, 201, 200, 200, 200]


def test_a_role_can_be_made_for_another_tenant_by_who_may_write_tenants(admin, make_tenant):
    tenant_id = make_tenant(admin.app, "elsewhere")
    theirs = {"X-Tenant-Id": tenant_id}
    role_id = make_role(admin, "desk", headers=theirs)
    assert admin.get(f"/admin/roles/{role_id}", theirs).json["data"]["tenantId"] == tenant_id
    refused(admin.get(f"/admin/roles/{role_id}"), 404, "not_found")
    user = {"email": "mix@example.com", "roles": ["desk"]}
    refused(admin.ask("POST", "/admin/users", user), 422, "validation_failed", ["roles"])
    assert make_user(admin, headers=theirs, **user)
    [event] = told(admin.app, "role.created")
    assert event.tenant_id == tenant_id


# The right to refresh is a permission like any other


def test_refreshing_is_off_for_holders_of_a_role_that_loses_it_and_on_again(device, admin, account):
    member = role_named(admin, "member")
    assert change(admin, member, permissions=["api-tokens:write"]).status_code == 200
    answer = refused(device.refresh(), 403, "permission_denied")
    assert "auth:refresh" in answer.json["message"]
    assert 'scope="auth:refresh"' in answer.headers["WWW-Authenticate"]
    assert device.me().json["data"]["permissions"] == ["api-tokens:write"]
    held = device.held()
    device.sign_in(account)
    refused(device.refresh(), 403, "permission_denied")
    change(admin, member, permissions=["api-tokens:write", "auth:refresh"])
    for refresh_token in (device.held(), held):
        assert device.refresh(held=refresh_token).status_code == 200
    assert "auth:refresh" in device.me().json["data"]["permissions"]


def test_another_role_that_has_it_goes_on_refreshing(device, admin, account):
    make_role(admin, "refresher", "auth:refresh")
    roles = {"roles": ["member", "refresher"]}
    assert admin.ask("PATCH", f"/admin/users/{account.id}", roles).status_code == 200
    change(admin, role_named(admin, "member"), permissions=[])
    assert device.refresh().status_code == 200
    assert device.me().json["data"]["permissions"] == ["auth:refresh"]
