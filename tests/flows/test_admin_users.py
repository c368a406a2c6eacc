"""Users are made, found, changed and given roles by administrators."""

from threading import Thread
from urllib.parse import quote
from uuid import uuid4

import pytest
from sqlalchemy import text

from authsvc.models.engine import transaction
from tests.answers import refused
from tests.drivers import Account, Script
from tests.flows.people import (
    NO_ADDRESS,
    NO_NAME,
    PASSWORD,
    SAME_ADDRESS,
    SAME_NAME,
    log_in,
    make_role,
    make_user,
    told,
)
from tests.statements import watched

NOBODYS = "0190a5b0-0000-7000-8000-000000000000"
USER = {"id", "email", "username", "name", "roles", "active", "confirmed", "createdAt"}


def create(device, headers=None, **body):
    return device.ask("POST", "/admin/users", {"email": "mix@example.com"} | body, headers)


def change(device, user_id, headers=None, **changes):
    return device.ask("PATCH", f"/admin/users/{user_id}", changes, headers)


def emails(device, query="", headers=None):
    answer = device.get(f"/admin/users?{query}", headers)
    assert answer.status_code == 200, answer.text
    return [user["email"].partition("@")[0] for user in answer.json["data"]["items"]]


# Making


def test_a_user_is_made_as_asked_for_and_signs_in(admin):
    make_role(admin, "Desk", "guests:read")
    body = {
        "email": " Mix@Example.COM",
        "password": PASSWORD,
        "username": "MiX",
        "name": "Mix",
        "id": str(uuid4()).upper(),
    }
    answer = create(admin, **body, roles=["desk", "admin", "Desk"])
    assert answer.status_code == 201
    made = answer.json["data"]
    assert set(made) == USER
    assert made | {"createdAt": ""} == {
        "id": body["id"].lower(),
        "email": "mix@example.com",
        "username": "MiX",
        "name": "Mix",
        "roles": ["Desk", "admin"],
        "active": True,
        "confirmed": False,
        "createdAt": "",
    }
    assert admin.get(f"/admin/users/{body['id']}").json["data"] == made
    person = Script(admin.app)
    person.sign_in(Account("mix@example.com", PASSWORD))
    assert person.me().json["data"]["user"] == made
    assert person.get("/admin/users").status_code == 200
    [event] = told(admin.app, "user.created")
    assert (event.subject_id, event.detail) == (made["id"], {"roles": ["Desk", "admin"]})
    assert event.actor_id == admin.me().json["data"]["user"]["id"]


def test_without_roles_it_is_a_member_and_with_none_it_has_none(admin):
    assert create(admin).json["data"]["roles"] == ["member"]
    assert create(admin, email="other@example.com", roles=[]).json["data"]["roles"] == []


def test_without_a_password_nobody_signs_in_with_one(admin):
    made = create(admin, username="mix").json["data"]
    for password in (PASSWORD, "None", "null", "x"):
        refused(log_in(Script(admin.app), password, username="mix"), 401, "credentials_invalid")
    assert (made["active"], made["name"]) == (True, None)


def test_a_weak_password_is_refused_as_in_registration(admin):
    for password in ("short", "password123", "aaaaaaaaaaaa", "x" * 257, "mix@example.com", "long-name", "a\0" * 8, ""):
        answer = create(admin, username="long-name", password=password)
        refused(answer, 422, "validation_failed", ["password"])
    assert emails(admin) == ["admin"]


def test_what_can_not_be_is_refused_by_name(admin):
    for email in NO_ADDRESS:
        refused(create(admin, email=email), 422, "validation_failed", ["email"])
    for username in NO_NAME:
        refused(create(admin, username=username), 422, "validation_failed", ["username"])
    for roles in (["nothing"], ["member", "nothing"], ["*"], ["auth:refresh"], ["member "], ["x"] * 101):
        refused(create(admin, roles=roles), 422, "validation_failed", ["roles"])
    for user_id in ("x", "1", NOBODYS[:-1], "{" + NOBODYS + "}", "urn:uuid:" + NOBODYS, NOBODYS.replace("-", "")):
        refused(create(admin, id=user_id), 422, "validation_failed", ["id"])
    for field in ("active", "confirmed", "tenantId", "passwordHash", "password_hash", "createdAt", "permissions"):
        refused(create(admin, **{field: True}), 422, "validation_failed", [field])
    assert emails(admin) == ["admin"]


def test_what_is_taken_is_taken_in_every_spelling(admin):
    user_id = make_user(admin, "mix@example.com", username="mix")
    for email in SAME_ADDRESS:
        refused(create(admin, email=email, password=PASSWORD), 409, "already_exists", ["email"])
    for username in SAME_NAME:
        refused(create(admin, email="other@example.com", username=username), 409, "already_exists", ["username"])
    refused(create(admin, email="other@example.com", id=user_id), 409, "already_exists", ["id"])
    assert len(told(admin.app, "user.created")) == 1


def test_an_id_is_taken_in_every_tenant_and_a_name_in_its_own(admin, make_tenant):
    make_tenant(admin.app, "elsewhere")
    theirs = {"X-Tenant-Id": "elsewhere"}
    user_id = make_user(admin, "mix@example.com", username="mix")
    answer = create(admin, theirs, id=user_id.upper(), username="mix")
    refused(answer, 409, "already_exists", ["id"])
    assert "tenant" not in answer.text
    assert create(admin, theirs, username="mix").status_code == 201


def test_of_two_users_made_at_once_with_one_name_there_is_one(admin, rows):
    answers = []
    threads = [Thread(target=lambda: answers.append(create(admin, password=PASSWORD))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(answer.status_code for answer in answers) == [201, 409, 409, 409]
    assert len(told(admin.app, "user.created")) == 1


# Finding


def test_users_are_listed_by_the_page_with_their_roles_in_one_statement(admin):
    for number in range(5):
        make_user(admin, f"user{number}@example.com", roles=["admin", "member"] if number % 2 else [])
    seen, cursor, asked = [], "", []
    with watched(admin.app, asked.append):
        while cursor is not None:
            data = admin.get(f"/admin/users?limit=4{cursor}").json["data"]
            seen += [(user["email"].partition("@")[0], user["roles"]) for user in data["items"]]
            cursor = f"&cursor={data['nextCursor']}" if data["nextCursor"] else None
    both = ["admin", "member"]
    expected = [("user4", []), ("user3", both), ("user2", []), ("user1", both), ("user0", [])]
    assert seen == [*expected, ("admin", ["admin", "member", "operator"])]
    # Of each of the two requests: who asks, the page, its roles.
    assert len([statement for statement in asked if statement.lstrip().startswith("SELECT")]) == 6


def test_users_are_found_by_each_filter_and_by_all_together(admin, make_person):
    make_role(admin, "Desk")
    one = create(admin, username="Fox", name="100% Ångström", roles=["Desk"]).json["data"]
    two = create(admin, email="other@example.com", name="under_score \\ /", roles=["desk", "member"]).json["data"]
    change(admin, two["id"], active=False)
    found = {
        "email=MIX@Example.com": ["mix"],
        "email=nobody@example.com": [],
        "username=fOX": ["mix"],
        "role=DESK": ["other", "mix"],
        "role=nothing": [],
        "role=operator": ["admin"],
        "active=true": ["mix", "admin"],
        "active=false": ["other"],
        "search=EXAMPLE": ["other", "mix", "admin"],
        "search=fO": ["mix"],
        "search=åNGSTRÖM": ["mix"],
        "search=%": ["mix"],
        "search=_": ["other"],
        "search=\\": ["other"],
        "search=/": ["other"],
        "search=' OR '1'='1": [],
        "search=argon2": [],
        f"createdAfter={two['createdAt']}": ["other"],
        f"createdBefore={one['createdAt']}": ["admin"],
        "createdBefore=2000-01-01": [],
        "createdAfter=2000-01-01T00:00:00+02:00": ["other", "mix", "admin"],
        "role=desk&active=true&search=mix&email=mix@example.com&createdAfter=2000-01-01": ["mix"],
        "role=desk&active=false&search=mix": [],
    }
    for query, expected in found.items():
        escaped = "&".join(
            f"{name}={quote(value)}" for name, _, value in (part.partition("=") for part in query.split("&"))
        )
        assert emails(admin, escaped) == expected, query


def test_a_filter_that_can_fit_nobody_is_refused_by_name(admin):
    for query in ("email=x", "username=a b", "active=1", "active=TRUE", "createdBefore=now", "search=", "search=%00"):
        refused(admin.get(f"/admin/users?{query}"), 422, "validation_failed", [query.partition("=")[0]])
    for field in ("password_hash", "passwordHash", "sort", "tenantId", "id"):
        refused(admin.get(f"/admin/users?{field}=x"), 422, "validation_failed", [field])
    refused(admin.get("/admin/users?role=a&role=b"), 400, "ambiguous_request")


def test_another_tenants_users_are_as_unknown_as_a_random_id(admin, make_person, make_tenant):
    make_tenant(admin.app, "elsewhere")
    stranger = make_person(roles=["admin"], tenant="elsewhere")
    own = make_user(admin, "mix@example.com", username="mix", roles=["member"])
    answers = []
    for user_id in (own, NOBODYS, "nothing", "%00", "1"):
        answers.append(refused(stranger.get(f"/admin/users/{user_id}"), 404, "not_found"))
        answers.append(refused(change(stranger, user_id, active=False), 404, "not_found"))
        answers.append(refused(stranger.ask("DELETE", f"/admin/users/{user_id}"), 404, "not_found"))
    assert len({answer.json["message"] for answer in answers}) == 1
    for query in (
        "",
        "email=mix@example.com",
        "username=mix",
        "search=mix",
        "role=member",
        f"cursor={'f' * 8}{own[8:]}",
    ):
        assert set(emails(stranger, query)) <= {stranger.account.email.partition("@")[0]}
    assert create(stranger, username="mix").status_code == 201
    assert admin.get(f"/admin/users/{own}").json["data"]["active"] is True


# Changing


def test_what_is_changed_is_changed_and_told_once(admin, make_person):
    made = make_user(admin, "mix@example.com", username="mix", name="Mix", roles=["member"])
    make_role(admin, "desk", "guests:read")
    kinds = ("user.updated", "user.roles_changed", "user.disabled", "user.enabled")
    changes = {"roles": ["desk", "admin"], "username": "MIX", "name": None, "confirmed": True, "active": False}
    answer = change(admin, made, **changes)
    assert answer.status_code == 200
    changed = answer.json["data"]
    assert {field: changed[field] for field in changes} == changes | {"roles": ["admin", "desk"]}
    assert admin.get(f"/admin/users/{made}").json["data"] == changed
    written = {event.kind: event.detail for event in told(admin.app, *kinds)}
    assert written == {
        "user.updated": {"changed": ["confirmed", "name", "username"]},
        "user.roles_changed": {"added": ["admin", "desk"], "removed": ["member"]},
        "user.disabled": {"revoked": 0, "apiTokens": 0},
    }
    # The same again, and nothing at all, are no news.
    for same in (changes, {}, {"roles": ["DESK", "admin"]}, {"confirmed": True}):
        assert change(admin, made.upper(), **same).json["data"] == changed
    assert len(told(admin.app, *kinds)) == 3
    assert change(admin, made, active=True, username=None).json["data"]["username"] is None
    assert sorted(event.kind for event in told(admin.app, *kinds)[3:]) == ["user.enabled", "user.updated"]
    assert {event.subject_id for event in told(admin.app, *kinds)} == {made}


def test_a_change_happens_as_a_whole_or_not_at_all(admin):
    make_user(admin, "other@example.com", username="fox")
    made = make_user(admin, "mix@example.com", name="Mix")
    before = admin.get(f"/admin/users/{made}").json["data"]
    whole = {"active": False, "roles": ["admin"], "name": None, "confirmed": True}
    refused(change(admin, made, **whole, username="FOX"), 409, "already_exists", ["username"])
    refused(change(admin, made, **whole | {"roles": ["admin", "nothing"]}), 422, "validation_failed", ["roles"])
    refused(change(admin, made, **whole, username="a b"), 422, "validation_failed", ["username"])
    assert admin.get(f"/admin/users/{made}").json["data"] == before
    assert told(admin.app, "user.updated", "user.disabled", "user.roles_changed") == []


JUNK = {
    "active": (None, 0, 1, "true", [], {}),
    "confirmed": (None, 0, 1, "false", [], {}),
    "roles": (None, True, "admin", {}, {"admin": 1}, [1], [None], [["admin"]], ["a\0"]),
    "username": (True, 1, "", "a\0", "x" * 65, [], {}),
    "name": (True, 1, "", "a\0", "x" * 257, [], {}),
}


@pytest.mark.parametrize("field", JUNK)
def test_a_change_of_another_shape_is_refused(admin, field):
    made = make_user(admin, "mix@example.com")
    for junk in JUNK[field]:
        refused(change(admin, made, **{field: junk}), 422, "validation_failed", [field])
    for unknown in ("id", "email", "password", "passwordHash", "tenantId", "createdAt", "permissions", "role"):
        refused(change(admin, made, **{unknown: "x"}), 422, "validation_failed", [unknown])


def test_a_role_that_is_taken_away_is_gone_at_once_and_one_that_is_given_comes_with_a_refresh(admin, make_person):
    person = make_person(roles=["member", "admin"])
    assert person.get("/admin/users").status_code == 200
    change(admin, person.account.id, roles=["member"])
    refused(person.get("/admin/users"), 403, "permission_denied")
    assert person.me().json["data"]["user"]["roles"] == ["member"]
    assert person.refresh().status_code == 200
    change(admin, person.account.id, roles=["member", "admin"])
    refused(person.get("/admin/users"), 403, "permission_denied")
    person.sign_in(person.account)
    assert person.get("/admin/users").status_code == 200


# Roles that go while they are given


def while_it_is_deleted(app, role_id, ask):
    """Ask while another transaction has deleted the role and not yet said so."""
    answers = []
    asking = Thread(target=lambda: answers.append(ask()))
    with app.app_context(), transaction() as session:
        session.execute(text("DELETE FROM roles WHERE id = :id"), {"id": role_id})
        asking.start()
        asking.join(0.5)
        assert answers == []
    asking.join()
    return answers[0]


def test_a_role_that_is_deleted_while_it_is_given_is_unknown(admin):
    role_id = make_role(admin, "desk")
    made = make_user(admin, "mix@example.com", roles=["desk", "member"])
    answer = while_it_is_deleted(admin.app, role_id, lambda: change(admin, made, roles=["desk"], confirmed=True))
    refused(answer, 422, "validation_failed", ["roles"])
    role_id = make_role(admin, "desk")
    answer = while_it_is_deleted(admin.app, role_id, lambda: create(admin, email="b@example.com", roles=["desk"]))
    refused(answer, 422, "validation_failed", ["roles"])
    role_id = make_role(admin, "desk")
    change(admin, made, roles=["desk"])
    answer = while_it_is_deleted(admin.app, role_id, lambda: change(admin, made, name="Mix"))
    assert (answer.status_code, answer.json["data"]["roles"]) == (200, [])
    assert emails(admin) == ["mix", "admin"]
