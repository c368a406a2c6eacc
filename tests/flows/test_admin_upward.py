"""Nobody grants what they lack, and nobody acts upward: not at once, and not in two steps."""

from threading import Thread

import pytest
from sqlalchemy import text

from authsvc.models.engine import transaction
from authsvc.permissions import BUILT_IN_ROLES
from tests.answers import refused
from tests.conftest import ADMIN_EMAIL
from tests.drivers import HOST, Script
from tests.flows.people import PASSWORD, change_me, join, make_role, make_user, role_named, told

PRIVILEGED = """role roles is_admin isAdmin admin superuser tenant tenant_id tenantId tid confirmed email_verified
emailVerified active enabled id user_id userId created_at createdAt password_hash passwordHash failed_logins
token_version permissions groups user.role user.roles roles[] roles[0] __class__""".split()


@pytest.fixture
def lesser(make_person):
    """May write users and roles, and one thing of an API; not a member."""
    return make_person("users:read", "users:write", "roles:write", "guests:read")


def denied(answer, permission):
    refused(answer, 403, "permission_denied")
    assert permission in answer.json["message"]
    assert f'scope="{permission}"' in answer.headers["WWW-Authenticate"]


def new_role(device, name, *permissions, headers=None):
    return device.ask("POST", "/admin/roles", {"name": name, "permissions": permissions}, headers)


def change_role(device, role_id, **changes):
    return device.ask("PATCH", f"/admin/roles/{role_id}", changes)


def new_user(device, headers=None, **body):
    return device.ask("POST", "/admin/users", {"email": "mix@example.com"} | body, headers)


def change_user(device, user_id, headers=None, **changes):
    return device.ask("PATCH", f"/admin/users/{user_id}", changes, headers)


def everything(device):
    return [device.get(path).json["data"] for path in ("/admin/roles?limit=200", "/admin/users?limit=200")]


# Signing up, and oneself


@pytest.mark.parametrize("nested", [False, True])
def test_nobody_signs_up_or_renames_themselves_into_privilege(script, admin, nested):
    script.keep(join(script))
    before = script.me().json
    for field in PRIVILEGED:
        extra = {"user": {field: True}} if nested else {field: True}
        sent = {"email": "other@example.com", "password": PASSWORD} | extra
        refused(script.post("/auth/register", **sent), 422, "validation_failed", extra)
        refused(change_me(script, name="Mix", **extra), 422, "validation_failed", extra)
    twice = b'{"name": "Mix", "roles": [], "roles": ["admin"]}'
    answer = script.client.patch(
        "/auth/me", data=twice, content_type="application/json", headers=script.bearer(), base_url=HOST
    )
    refused(answer, 400, "malformed_json")
    assert script.me().json == before
    assert len(admin.get("/admin/users").json["data"]["items"]) == 2


# Roles


def test_nobody_makes_a_role_of_what_they_lack(lesser):
    denied(new_role(lesser, "a", "users:read", "tokens:revoke", "tokens:read"), "tokens:read")
    denied(new_role(lesser, "a", "guests:write", "guests:read"), "guests:write")
    denied(new_role(lesser, "a", "*"), "*")
    assert new_role(lesser, "a", "guests:read", "roles:write", "users:write").status_code == 201
    # What every member has is no privilege.
    assert new_role(lesser, "b", "auth:refresh", "api-tokens:write").status_code == 201


def test_who_holds_all_custom_permissions_gives_any_of_them_and_no_built_in_one(make_person):
    wide = make_person("roles:write", "*")
    assert new_role(wide, "a", "guests:write", "*").status_code == 201
    denied(new_role(wide, "b", "guests:write", "users:read"), "users:read")


def test_nobody_changes_or_deletes_a_role_that_holds_more(lesser, admin):
    before = everything(admin)
    admins, operators = role_named(admin, "admin"), role_named(admin, "operator")
    more = make_role(admin, "more", "guests:read", "keys:rotate", "events:read")
    for role_id, lacking in ((admins, "*"), (operators, "keys:rotate"), (more, "events:read")):
        for changes in ({"permissions": []}, {"permissions": ["guests:read"]}, {"name": "mine"}, {}):
            denied(change_role(lesser, role_id, **changes), lacking)
        denied(lesser.ask("DELETE", f"/admin/roles/{role_id}"), lacking)
    assert admin.ask("DELETE", f"/admin/roles/{more}").status_code == 200
    assert everything(admin) == before
    assert told(admin.app, "role.updated") == []


def test_a_lesser_role_is_not_made_greater(lesser, admin):
    role_id = make_role(admin, "desk", "guests:read")
    denied(change_role(lesser, role_id, permissions=["guests:read", "tenants:write"]), "tenants:write")
    denied(change_role(lesser, role_id, name="front", permissions=["guests:write"]), "guests:write")
    [own] = [role for role in everything(admin)[0]["items"] if role["name"].startswith("own-")]
    denied(change_role(lesser, own["id"], permissions=[*own["permissions"], "events:read"]), "events:read")
    assert change_role(lesser, role_id, permissions=["users:write"]).status_code == 200


def test_what_everybody_has_grows_only_by_what_its_giver_holds(lesser, admin):
    member = role_named(admin, "member")
    for permission in ("tokens:read", "tenants:write", "*", "guests:write"):
        both = ["auth:refresh", permission]
        denied(change_role(lesser, member, permissions=both), permission)
        # Nor by way of a role that could then pass for a member's.
        denied(new_role(lesser, "another", *both), permission)
    assert change_role(lesser, member, permissions=["guests:read"]).status_code == 200
    # Now that members lack it, it is a privilege again.
    denied(change_role(lesser, member, permissions=["guests:read", "auth:refresh"]), "auth:refresh")
    assert change_role(admin, member, permissions=sorted(BUILT_IN_ROLES["member"])).status_code == 200


def test_no_role_comes_to_be_called_like_one_that_is_built_in(lesser, admin):
    role_id = make_role(lesser, "desk", "guests:read")
    for name in ("admin", "Admin", "OPERATOR", "member"):
        refused(new_role(lesser, name), 409, "already_exists", ["name"])
        refused(change_role(lesser, role_id, name=name), 409, "already_exists", ["name"])
    for name in ("ａdmin", "admin\u200b", " admin", "аdmin", "admin\0", "ADMİN"):
        refused(change_role(lesser, role_id, name=name), 422, "validation_failed", ["name"])
    member = role_named(admin, "member")
    refused(change_role(lesser, member, name="folk"), 409, "conflict")
    refused(lesser.ask("DELETE", f"/admin/roles/{member}"), 409, "conflict")


def test_an_admin_lacks_what_operators_have_and_an_operator_is_told_what_is_built_in(make_person, admin):
    operator_role, plain_admin = role_named(admin, "operator"), make_person(roles=["member", "admin"])
    for device, refuse in ((plain_admin, lambda answer: denied(answer, "keys:rotate")), (admin, built_in)):
        refuse(change_role(device, operator_role, permissions=["keys:rotate"]))
        refuse(change_role(device, operator_role, name="op"))
        refuse(device.ask("DELETE", f"/admin/roles/{operator_role}"))
    denied(new_role(plain_admin, "a", "tenants:write"), "tenants:write")
    denied(change_role(plain_admin, role_named(admin, "admin"), permissions=["keys:rotate"]), "keys:rotate")


def built_in(answer):
    refused(answer, 409, "conflict")


# Users


def test_nobody_gives_a_role_that_holds_what_they_lack(lesser, admin):
    make_role(admin, "more", "guests:read", "events:read")
    make_role(admin, "desk", "guests:read")
    made = make_user(lesser, "plain@example.com")
    for roles, lacking in (
        (["admin"], "*"),
        (["member", "operator"], "keys:rotate"),
        (["desk", "more"], "events:read"),
    ):
        denied(new_user(lesser, roles=roles), lacking)
        denied(change_user(lesser, made, roles=roles, name="Mix"), lacking)
        denied(change_user(lesser, lesser.account.id, roles=roles), lacking)
    assert lesser.get(f"/admin/users/{made}").json["data"] | {"createdAt": ""} == {
        "id": made,
        "email": "plain@example.com",
        "username": None,
        "name": None,
        "roles": ["member"],
        "active": True,
        "confirmed": False,
        "createdAt": "",
    }
    assert change_user(lesser, made, roles=["desk", "member"]).status_code == 200
    assert new_user(lesser, roles=["desk"], password=PASSWORD).status_code == 201


def test_nobody_touches_who_holds_more(lesser, admin, make_person):
    above = make_person("events:read", roles=["member"])
    [first] = admin.get(f"/admin/users?email={ADMIN_EMAIL}").json["data"]["items"]
    plain_admin = make_person(roles=["admin"])
    attempts = (
        (lesser, above.account.id, "events:read"),
        (lesser, first["id"], "*"),
        (plain_admin, first["id"], "keys:rotate"),
    )
    before = everything(admin)
    for device, user_id, lacking in attempts:
        for changes in ({"active": False}, {"roles": []}, {"username": "x"}, {"name": None}, {"confirmed": True}, {}):
            denied(change_user(device, user_id, **changes), lacking)
        denied(device.ask("DELETE", f"/admin/users/{user_id}"), lacking)
    assert everything(admin) == before
    assert above.me().status_code == 200
    assert told(admin.app, "user.updated", "user.disabled", "user.deleted", "user.roles_changed") == []
    denials = told(admin.app, "permission.denied")
    assert len(denials) == 7 * len(attempts)
    assert {(event.actor_id, event.detail["permission"]) for event in denials} == {
        (device.account.id, lacking) for device, _, lacking in attempts
    }


def test_the_roles_of_a_user_count_together(make_person, admin):
    half = make_person("users:write", "guests:read")
    for name in ("guests:read", "guests:write"):
        make_role(admin, name.replace(":", "-"), name)
    made = make_user(admin, "mix@example.com", roles=["guests-read", "guests-write", "member"])
    denied(change_user(half, made, name="Mix"), "guests:write")
    denied(change_user(half, made, roles=["guests-read"]), "guests:write")
    change_user(admin, made, roles=["guests-read", "member"])
    assert change_user(half, made, roles=[], name="Mix").status_code == 200


def test_an_admin_does_all_to_members_and_other_admins(make_person):
    some, other = make_person(roles=["member", "admin"]), make_person(roles=["admin"])
    made = new_user(some, roles=["member", "admin"]).json["data"]["id"]
    assert change_user(some, made, roles=["member"], active=False).status_code == 200
    assert change_user(some, other.account.id, roles=["member"]).status_code == 200
    refused(other.get("/admin/users"), 403, "permission_denied")
    assert some.ask("DELETE", f"/admin/users/{other.account.id}").json["data"]["revoked"] == 1


def test_each_route_needs_its_own_permission(make_person, admin):
    made = make_user(admin, "mix@example.com")
    readings = [("GET", "/admin/users", None), ("GET", f"/admin/users/{made}", None)]
    writings = [("POST", "/admin/users", {"email": "new@example.com"}), ("PATCH", f"/admin/users/{made}", {})]
    writings += [("DELETE", f"/admin/users/{made}", None)]
    others = ("roles:write", "tokens:read", "tokens:revoke", "keys:rotate", "tenants:write", "applications:write", "*")
    reader, writer = make_person("users:read", *others), make_person("users:write", *others)
    nobody = make_person(roles=["member"])
    for method, path, body in readings:
        assert reader.ask(method, path, body).status_code == 200
        for device in (writer, nobody):
            denied(device.ask(method, path, body), "users:read")
    for method, path, body in writings:
        for device in (reader, nobody):
            denied(device.ask(method, path, body), "users:write")
    assert [writer.ask(method, path, body).status_code for method, path, body in writings] == [201, 200, 200]


# Tenants


def test_an_operator_makes_the_first_admin_of_another_tenant(admin, make_tenant):
    tenant_id = make_tenant(admin.app, "elsewhere")
    body = {"email": ADMIN_EMAIL, "password": PASSWORD, "roles": ["member", "admin"]}
    for header in ("elsewhere", tenant_id):
        answer = new_user(admin, {"X-Tenant-Id": header}, **body)
        assert answer.status_code == (201 if header == "elsewhere" else 409)
    device = Script(admin.app)
    device.keep(device.post("/auth/login", {"X-Tenant-Id": "elsewhere"}, email=ADMIN_EMAIL, password=PASSWORD))
    assert [user["email"] for user in device.get("/admin/users").json["data"]["items"]] == [ADMIN_EMAIL]
    assert new_user(device).status_code == 201
    denied(new_user(device, email="b@example.com", roles=["operator"]), "keys:rotate")
    [event, _] = told(admin.app, "user.created")
    assert (event.tenant_id, event.actor_id) == (tenant_id, admin.me().json["data"]["user"]["id"])


def test_the_header_opens_no_other_tenant_without_the_right_to_write_tenants(make_person, make_tenant, admin):
    make_tenant(admin.app, "elsewhere")
    theirs = {"X-Tenant-Id": "elsewhere"}
    made = make_user(admin, "mix@example.com", theirs)
    for device in (make_person("users:write", "users:read", "roles:write"), make_person(roles=["member", "admin"])):
        for method, path in (("GET", ""), ("POST", ""), ("GET", made), ("PATCH", made), ("DELETE", made)):
            body = {"email": "a@example.com"} if method == "POST" else {}
            for header in ("elsewhere", "nowhere", "*", "default,elsewhere"):
                answer = device.ask(method, f"/admin/users/{path}", body, {"X-Tenant-Id": header})
                refused(answer, 403, "tenant_mismatch")
    # Who may reach over is still bound by what they hold.
    over = make_person("users:write", "tenants:write")
    denied(new_user(over, theirs, roles=["admin"]), "*")
    assert new_user(over, theirs, email="b@example.com").status_code == 201


# A role that grows while it is given


def test_a_role_that_grows_while_it_is_given_is_judged_by_what_it_has_grown_to(lesser, admin):
    role_id = make_role(admin, "desk", "guests:read")
    made, answers = make_user(admin, "mix@example.com"), []
    asking = Thread(target=lambda: answers.append(change_user(lesser, made, roles=["desk"])))
    with admin.app.app_context(), transaction() as session:
        grown = {"id": role_id, "permissions": "events:read guests:read"}
        session.execute(text("UPDATE roles SET permissions = :permissions WHERE id = :id"), grown)
        asking.start()
        asking.join(0.5)
        assert answers == []
    asking.join()
    denied(answers[0], "events:read")
    assert admin.get(f"/admin/users/{made}").json["data"]["roles"] == ["member"]
