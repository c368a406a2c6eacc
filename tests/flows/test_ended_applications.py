"""STA-06: what was signed in to a disabled or deleted application is dead, and nothing else is."""

import pytest

from tests.answers import refused
from tests.flows.administering import add_application, change_application, is_alive, is_dead, joined, told
from tests.flows.people import PASSWORD, join, log_in, while_hashing


@pytest.fixture
def shop(admin, transport):
    return add_application(admin, name="Shop", transport=transport)


@pytest.fixture
def at_home(transported_app, transport):
    """Somebody, signed in to the default application."""
    return joined(transported_app, transport)


@pytest.fixture
def at_shop(make_device, at_home, shop):
    """The same one, signed in to the shop too."""
    device = make_device()
    device.account = at_home.account
    device.sign_in(at_home.account, applicationId="shop")
    return device


def log_in_to(device, application="shop", password=PASSWORD):
    return log_in(device, password, email=device.account.email, applicationId=application)


def path_of(application):
    return f"/admin/applications/{application['id']}"


def test_of_a_disabled_application_every_token_is_dead_and_nothing_new_is_given(admin, shop, at_home, at_shop, rows):
    change_application(admin, shop, active=False)
    assert is_dead(at_shop)
    assert is_alive(at_home)
    for named in ("shop", shop["id"]):
        refused(log_in_to(at_shop, named), 422, "validation_failed", ["applicationId"])
        answer = join(at_shop, "new@example.com", applicationId=named)
        refused(answer, 422, "validation_failed", ["applicationId"])
    state = "SELECT revoke_reason FROM refresh_tokens WHERE application_id = :id"
    assert rows(at_shop.app, state, id=shop["id"]) == [("application_disabled",)]
    [(*_, detail)] = told(rows, at_shop.app, "application.disabled")
    assert detail == {"slug": "shop", "revoked": 1, "apiTokens": 0}


def test_enabling_an_application_revives_no_token_and_lets_people_in_again(admin, shop, at_shop):
    change_application(admin, shop, active=False)
    assert change_application(admin, shop, active=True)["active"] is True
    assert is_dead(at_shop)
    at_shop.keep(log_in_to(at_shop))
    assert is_alive(at_shop)


def test_one_that_is_disabled_again_ends_only_what_began_since(admin, shop, at_shop, rows):
    change_application(admin, shop, active=False)
    change_application(admin, shop, active=True)
    at_shop.keep(log_in_to(at_shop))
    change_application(admin, shop, active=False)
    assert [detail["revoked"] for *_, detail in told(rows, at_shop.app, "application.disabled")] == [1, 1]


def test_of_a_deleted_application_every_token_is_dead(admin, shop, at_home, at_shop, rows):
    assert admin.ask("DELETE", path_of(shop)).json["data"] == {"id": shop["id"], "revoked": 1}
    assert is_dead(at_shop)
    assert is_alive(at_home)
    refused(log_in_to(at_shop), 422, "validation_failed", ["applicationId"])
    for method, body in (("GET", None), ("PATCH", {"active": True}), ("DELETE", None)):
        refused(admin.ask(method, path_of(shop), body), 404, "not_found")
    for table in ("refresh_tokens", "allowed_origins", "client_secrets"):
        statement = f"SELECT 1 FROM {table} WHERE application_id = :id"
        assert rows(at_shop.app, statement, id=shop["id"]) == []


@pytest.mark.parametrize("same", [["slug"], ["slug", "id"]])
def test_an_application_that_takes_the_place_of_a_deleted_one_inherits_no_token(admin, shop, at_shop, transport, same):
    admin.ask("DELETE", path_of(shop))
    again = add_application(admin, name="Shop", transport=transport, **{name: shop[name] for name in same})
    assert (again["slug"], again["id"] == shop["id"]) == ("shop", "id" in same)
    assert is_dead(at_shop)
    at_shop.keep(log_in_to(at_shop))
    assert is_alive(at_shop)


def test_the_dead_and_the_over_are_not_counted(admin, shop, at_shop, make_device, age):
    out, over = make_device(), make_device()
    for device in (out, over):
        device.sign_in(at_shop.account, applicationId="shop")
    out.send("POST", "/auth/logout", {}, out.bearer())
    age(over.app, over.refresh_token_id, days=8)
    assert admin.ask("DELETE", path_of(shop)).json["data"]["revoked"] == 1


@pytest.mark.parametrize("end", ["disable", "delete"])
@pytest.mark.parametrize("attempt", ["sign in", "join"])
def test_an_application_that_ends_while_a_password_is_hashed_lets_nobody_in(admin, shop, at_shop, rows, attempt, end):
    def meanwhile():
        admin.ask(*(("PATCH", path_of(shop), {"active": False}) if end == "disable" else ("DELETE", path_of(shop))))

    while_hashing(at_shop.app, meanwhile)
    late = log_in_to(at_shop) if attempt == "sign in" else join(at_shop, "late@example.com", applicationId="shop")
    refused(late, 401, "credentials_invalid")
    alive = "SELECT 1 FROM refresh_tokens WHERE application_id = :id AND revoked_at IS NULL"
    assert rows(at_shop.app, alive, id=shop["id"]) == []
    assert rows(at_shop.app, "SELECT 1 FROM users WHERE email = 'late@example.com'") == []


def test_the_default_application_can_be_turned_off_and_on_again(admin, at_home, at_shop):
    [default] = admin.get("/admin/applications?slug=default").json["data"]["items"]
    # Whoever turns it off must be signed in to another one to turn it on.
    elsewhere = add_application(admin, name="Back office", transport="body")
    answer = log_in(admin, "correct horse battery staple", email="admin@example.com", applicationId=elsewhere["slug"])
    admin.keep(answer)
    change_application(admin, default, active=False)
    assert is_dead(at_home)
    assert is_alive(at_shop)
    refused(log_in(at_home, email=at_home.account.email), 422, "validation_failed", ["applicationId"])
    change_application(admin, default, active=True)
    assert is_dead(at_home)
    at_home.sign_in(at_home.account)
    assert is_alive(at_home)
