"""What an application may do for itself: given by who holds it, and nobody acts upward through an application."""

import json

import pytest

from tests.answers import refused
from tests.flows.administering import add_application, change_application, told
from tests.flows.oauth import Client, add_client, no, yes


@pytest.fixture
def lesser(make_person):
    """May make and change applications, and hold one custom permission."""
    return make_person("applications:read", "applications:write", "guests:read", "auth:refresh", "api-tokens:write")


def test_scopes_are_given_shown_replaced_and_taken(app, admin, rows):
    made = add_application(admin, confidential=True, scopes=["users:read", "guests:read", "users:read"])
    path = f"/admin/applications/{made['id']}"
    assert made["scopes"] == ["guests:read", "users:read"]
    assert admin.get(path).json["data"]["scopes"] == made["scopes"]
    assert admin.get("/admin/applications?slug=shop").json["data"]["items"][0]["scopes"] == made["scopes"]
    assert change_application(admin, made, scopes=["tokens:read"])["scopes"] == ["tokens:read"]
    assert change_application(admin, made, name="Till")["scopes"] == ["tokens:read"]
    assert change_application(admin, made, scopes=[])["scopes"] == []
    changes = [detail["changed"] for *_, detail in told(rows, app, "application.updated")]
    assert changes == [["scopes"], ["name"], ["scopes"]]
    # The same again is no change.
    assert change_application(admin, made, scopes=[])["scopes"] == []
    assert len(told(rows, app, "application.updated")) == 3


def test_what_is_no_scope_is_said_by_name_and_nothing_changes(app, admin, rows):
    made = add_application(admin, scopes=["guests:read"])
    path = f"/admin/applications/{made['id']}"
    wrong = [None, "guests:read", ["guests"], ["*"], ["guests:*"], ["Guests:read"], [1], [None], ["a:b c:d"], [""]]
    wrong += [["x:y\0"], [f"a:{'b' * 200}"], [f"a:b{number}" for number in range(257)]]
    for scopes in wrong:
        refused(admin.ask("PATCH", path, {"scopes": scopes, "name": "x"}), 422, "validation_failed", ["scopes"])
        refused(
            admin.ask("POST", "/admin/applications", {"name": "x", "scopes": scopes}),
            422,
            "validation_failed",
            ["scopes"],
        )
    for scope in ("auth:refresh", "api-tokens:write", "api-tokens:admin"):
        answer = refused(admin.ask("PATCH", path, {"scopes": [scope]}), 403, "permission_denied")
        assert scope in answer.json["message"]
        refused(admin.ask("POST", "/admin/applications", {"name": "x", "scopes": [scope]}), 403, "permission_denied")
    assert admin.get(path).json["data"] == made
    assert rows(app, "SELECT name FROM applications WHERE name = 'x'") == []


def test_nobody_gives_a_scope_that_they_lack(app, lesser, rows):
    made = add_application(lesser, scopes=["guests:read"])
    path = f"/admin/applications/{made['id']}"
    for scopes in (["users:write"], ["guests:read", "guests:write"]):
        lacking = scopes[-1]
        for answer in (
            lesser.ask("PATCH", path, {"scopes": scopes}),
            lesser.ask("POST", "/admin/applications", {"name": "x", "scopes": scopes}),
        ):
            refused(answer, 403, "permission_denied")
            assert f'scope="{lacking}"' in answer.headers["WWW-Authenticate"]
    assert lesser.get(path).json["data"]["scopes"] == ["guests:read"]
    assert rows(app, "SELECT 1 FROM applications WHERE name = 'x'") == []


def test_nobody_acts_upward_through_an_application_that_may_more_than_they_do(app, admin, lesser):
    """Whoever gets a secret of it could act as it."""
    strong = add_client(admin, confidential=True, scopes=["users:write", "guests:read"])
    dormant = add_application(admin, name="Dormant", scopes=["users:write"])
    path = f"/admin/applications/{strong.id}"
    tries = [
        ("POST", f"{path}/secret", {"overlap": 0}),
        ("POST", f"{path}/secret", None),
        ("PATCH", path, {"scopes": ["guests:read"]}),
        ("PATCH", path, {"scopes": []}),
        ("PATCH", path, {"name": "mine"}),
        ("PATCH", path, {"active": False}),
        ("PATCH", path, {"confidential": False}),
        ("PATCH", f"/admin/applications/{dormant['id']}", {"confidential": True}),
        ("DELETE", path, None),
    ]
    for method, where, body in tries:
        answer = refused(lesser.ask(method, where, body), 403, "permission_denied")
        assert "users:write" in answer.json["message"]
    assert yes(strong.token("users:write"))
    assert lesser.get(path).json["data"] == {k: v for k, v in strong.application.items() if k != "clientSecret"}
    own = add_application(lesser, confidential=True, scopes=["guests:read"])
    assert lesser.ask("POST", f"/admin/applications/{own['id']}/secret").status_code == 201


def test_scopes_of_a_public_application_wait_until_it_can_prove_itself(app, admin):
    public = add_client(admin, scopes=["guests:read"])
    no(public.token("guests:read"), 400, "unauthorized_client")
    secret = change_application(admin, public.application, confidential=True)["clientSecret"]
    proven = Client(app, {**public.application, "clientSecret": secret})
    assert yes(proven.token("guests:read"))["scope"] == "guests:read"


def test_the_command_line_gives_and_takes_scopes(app):
    def run(*words, code=0):
        done = app.test_cli_runner().invoke(args=["applications", *words, "--json"])
        assert done.exit_code == code, done.output
        return json.loads(done.stdout) if code == 0 else done.stderr

    made = run("create", "Office", "--confidential", "--scope", "guests:read", "--scope", "tokens:read")
    assert made["scopes"] == ["guests:read", "tokens:read"]
    assert yes(Client(app, made).token("tokens:read"))
    assert run("update", "office", "--scope", "guests:read")["scopes"] == ["guests:read"]
    assert run("show", "office")["scopes"] == ["guests:read"]
    assert run("update", "office", "--no-scopes")["scopes"] == []
    for scope in ("guests", "*", "auth:refresh"):
        assert scope in run("update", "office", "--scope", scope, code=1) or scope == "*"
    assert run("show", "office")["scopes"] == []
