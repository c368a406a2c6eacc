"""STA-05: what belongs to a disabled or deleted tenant is dead, and nothing else is."""

import pytest

from tests.answers import lasting, refused
from tests.flows.administering import add_tenant, change_tenant, is_alive, is_dead, joined, tenant_id, told
from tests.flows.people import PASSWORD, join, log_in, while_hashing

EMAIL = "mix@example.com"


@pytest.fixture
def three(transported_app, transport, admin):
    """Three tenants, and in each of them one with the same address and password. Each device has its tenant's id."""
    devices = []
    for slug in ("default", "east", "west"):
        if slug != "default":
            add_tenant(admin, slug)
        devices.append(joined(transported_app, transport, slug))
    return devices


@pytest.fixture
def east(admin, three):
    return admin.get("/admin/tenants?slug=east").json["data"]["items"][0]


def test_one_address_is_three_people(three):
    assert len({device.account.id for device in three}) == 3
    assert all(map(is_alive, three))


def test_in_a_disabled_tenant_every_token_is_dead_and_nothing_new_is_given(admin, three, east, rows):
    home, ended, other = three
    app = home.app
    change_tenant(admin, east, active=False)
    assert is_dead(ended)
    for named in ("east", east["id"]):
        headers = {"X-Tenant-Id": named}
        refused(log_in(ended, email=EMAIL, headers=headers), 401, "credentials_invalid")
        refused(join(ended, "new@example.com", headers=headers), 400, "unknown_tenant")
    assert all(map(is_alive, (home, other)))
    reasons = rows(app, "SELECT revoke_reason FROM refresh_tokens WHERE tenant_id = :id", id=east["id"])
    assert reasons == [("tenant_disabled",)]
    assert rows(app, "SELECT email FROM users WHERE email = 'new@example.com'") == []


def test_signing_in_to_a_disabled_tenant_looks_like_a_wrong_password(admin, three, east):
    _, ended, _ = three
    wrong = log_in(ended, "not the password", email=EMAIL, headers=ended.tenant)
    change_tenant(admin, east, active=False)
    right = log_in(ended, PASSWORD, email=EMAIL, headers=ended.tenant)
    assert lasting(right) == lasting(wrong)


def test_enabling_a_tenant_revives_no_token_and_lets_people_in_again(admin, three, east):
    _, ended, _ = three
    change_tenant(admin, east, active=False)
    assert change_tenant(admin, east, active=True)["active"] is True
    assert is_dead(ended)
    ended.keep(log_in(ended, email=EMAIL, headers=ended.tenant))
    assert is_alive(ended)


def test_only_what_was_alive_is_counted_and_what_was_dead_keeps_its_reason(admin, three, east, age, rows, transport):
    _, ended, _ = three
    app = ended.app
    [out, over] = [joined(app, transport, "east", email) for email in ("out@example.com", "over@example.com")]
    out.send("POST", "/auth/logout", {}, out.bearer())
    age(app, over.refresh_token_id, days=8)
    change_tenant(admin, east, active=False)
    assert [detail["revoked"] for *_, detail in told(rows, app, "tenant.disabled")] == [1]
    reasons = rows(app, "SELECT revoke_reason FROM refresh_tokens WHERE tenant_id = :id ORDER BY id", id=east["id"])
    assert reasons == [("tenant_disabled",), ("signed_out",), (None,)]


def test_of_a_deleted_tenant_nothing_is_left(admin, three, east, rows):
    home, ended, other = three
    app = home.app
    headers = {"X-Tenant-Id": "east"}
    assert (
        admin.ask(
            "POST",
            "/admin/applications",
            {"name": "x", "confidential": True, "corsOrigins": ["https://x.org"]},
            headers,
        ).status_code
        == 201
    )
    tables = "applications allowed_origins client_secrets users user_roles roles refresh_tokens events".split()
    count = {table: f"SELECT count(*) FROM {table} WHERE tenant_id = :id" for table in tables}
    assert all(rows(app, statement, id=east["id"])[0][0] for statement in count.values())
    assert admin.ask("DELETE", f"/admin/tenants/{east['id']}").json["data"] == {"id": east["id"], "revoked": 1}
    assert not any(rows(app, statement, id=east["id"])[0][0] for statement in count.values())
    assert is_dead(ended)
    refused(log_in(ended, email=EMAIL, headers=headers), 400, "unknown_tenant")
    refused(join(ended, EMAIL, headers=headers), 400, "unknown_tenant")
    refused(admin.ask("GET", "/admin/applications", headers=headers), 400, "unknown_tenant")
    refused(admin.ask("DELETE", f"/admin/tenants/{east['id']}"), 404, "not_found")
    assert all(map(is_alive, (home, other)))


def test_a_tenant_that_takes_the_place_of_a_deleted_one_inherits_nobody(admin, three, east, transport):
    _, ended, _ = three
    admin.ask("DELETE", f"/admin/tenants/{east['id']}")
    assert add_tenant(admin, "east", id=east["id"])["id"] == east["id"]
    assert is_dead(ended)
    refused(log_in(ended, email=EMAIL, headers=ended.tenant), 401, "credentials_invalid")
    successor = joined(ended.app, transport, "east")
    assert successor.account.id != ended.account.id
    assert is_alive(successor)
    assert is_dead(ended)


def log_in_rightly(device):
    return log_in(device, email=EMAIL, headers=device.tenant)


def log_in_wrongly(device):
    return log_in(device, "not the password", email=EMAIL, headers=device.tenant)


def join_late(device):
    return join(device, "late@example.com", headers=device.tenant)


@pytest.mark.parametrize(
    ("attempt", "end", "refusal"),
    [
        (log_in_rightly, "disable", (401, "credentials_invalid")),
        (log_in_rightly, "delete", (401, "credentials_invalid")),
        (log_in_wrongly, "disable", (401, "credentials_invalid")),
        (log_in_wrongly, "delete", (401, "credentials_invalid")),
        (join_late, "disable", (401, "credentials_invalid")),
        (join_late, "delete", (400, "unknown_tenant")),
    ],
)
def test_a_tenant_that_ends_while_a_password_is_hashed_lets_nobody_in(admin, three, east, rows, attempt, end, refusal):
    _, ended, _ = three
    path = f"/admin/tenants/{east['id']}"

    def meanwhile():
        admin.ask(*(("PATCH", path, {"active": False}) if end == "disable" else ("DELETE", path)))

    while_hashing(ended.app, meanwhile)
    refused(attempt(ended), *refusal)
    alive = "SELECT 1 FROM refresh_tokens WHERE tenant_id = :id AND revoked_at IS NULL"
    assert rows(ended.app, alive, id=east["id"]) == []
    assert rows(ended.app, "SELECT 1 FROM users WHERE email = 'late@example.com'") == []


def test_an_operator_still_reaches_what_is_in_a_disabled_tenant(admin, three, east):
    change_tenant(admin, east, active=False)
    found = admin.ask("GET", "/admin/applications", headers={"X-Tenant-Id": "east"})
    assert [one["slug"] for one in found.json["data"]["items"]] == ["default"]


def test_signing_out_of_an_ended_tenant_is_no_error(admin, three, east, rows):
    _, ended, _ = three
    change_tenant(admin, east, active=False)
    answer = ended.send("POST", "/auth/logout", {}, ended.bearer())
    assert (answer.status_code, answer.json["data"]) == (200, {"revoked": 0})
    admin.ask("DELETE", f"/admin/tenants/{east['id']}")
    answer = ended.send("POST", "/auth/logout", {}, ended.bearer())
    assert (answer.status_code, answer.json["data"]) == (200, {"revoked": 0})
    assert tenant_id(rows, ended.app) != east["id"]
