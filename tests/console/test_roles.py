"""The roles' pages: what a role allows, to how many, and what nobody may give."""

from authsvc.console.roles import MEANINGS
from authsvc.permissions import BUILT_IN, CUSTOM
from tests.console.browsing import title
from tests.console.test_users import said


def role_id(rows, app, name):
    [(found,)] = rows(app, "SELECT id FROM roles WHERE name = :name", name=name)
    return found


def test_roles_are_made_changed_and_deleted(console, somebody, make_person, make_tenant, app, rows):
    assert set(MEANINGS) == BUILT_IN | {CUSTOM}
    fields = {"name": "<b>Clerks</b>", "permissions": ["users:read", "orders:read\r\norders:write\r\n"]}
    wrong = console.send("/console/roles/new", **fields)
    assert wrong.status_code == 422
    assert 'value="&lt;b&gt;Clerks&lt;/b&gt;"' in wrong.text
    assert 'value="users:read" checked' in wrong.text
    assert ">orders:read\norders:write</textarea>" in wrong.text
    made = console.send("/console/roles/new", **fields | {"name": "Clerks"})
    assert said(console, made.location) == "The role Clerks was made."
    assert "Clerks" in console.get("/console/roles").text
    page = made.location
    holder = make_person("auth:refresh", roles=["Clerks"])
    assert ">1 user</a>" in console.get(page).text

    console.send(f"{page}/edit", name="Clerks", permissions=["tokens:read", "orders:read"])
    text = console.get(page).text
    assert "orders:read" in text
    assert not {"users:read", "orders:write"} & set(text.split("What it allows")[1].replace("<", ">").split(">"))
    refused = console.send(f"{page}/edit", name="Admin", permissions=["nonsense"])
    assert (refused.status_code, "is no permission" in refused.text) == (422, True)
    assert console.send(f"{page}/edit", name="Admin").status_code == 409

    assert "1 user will lose it." in console.get(f"{page}/delete").text
    assert holder.account.email in console.get("/console/users?role=Clerks").text
    console.send(f"{page}/delete")
    assert said(console, "/console/roles") == "The role Clerks was deleted; 1 user had it."
    assert console.get(page).status_code == 404

    operator = role_id(rows, app, "operator")
    assert "Delete …" not in console.get(f"/console/roles/{operator}").text
    assert (
        "The role operator is built in and can&#39;t be deleted."
        in console.send(f"/console/roles/{operator}/delete").text
    )
    assert "can&#39;t be changed" in console.send(f"/console/roles/{operator}/edit", permissions=["users:read"]).text


def test_nobody_gives_or_takes_what_they_lack_and_no_role_of_another_tenant_is_met(
    somebody, app, rows, make_tenant, make_person
):
    clerk = somebody("roles:write", "users:read")
    refused = clerk.send("/console/roles/new", name="Mine", permissions=["users:write"])
    assert (refused.status_code, title(refused)) == (403, "New role")
    assert "This needs the permission users:write: nobody gives, changes or ends more than they hold." in refused.text
    admin = role_id(rows, app, "admin")
    assert clerk.send(f"/console/roles/{admin}/edit", permissions=["users:read"]).status_code == 403
    assert clerk.send("/console/roles/new", name="Mine", permissions=["users:read"]).status_code == 303
    make_tenant(app, "acme")
    theirs = make_person("rooms:read", tenant="acme")
    path = f"/console/roles/{role_id(rows, app, f'own-{theirs.account.id}')}"
    for tried in (path, f"{path}/edit", f"{path}/delete"):
        assert clerk.get(tried).status_code == 404, tried
    assert clerk.send(f"{path}/delete").status_code == 404
    assert theirs.account.id not in clerk.get("/console/roles").text
