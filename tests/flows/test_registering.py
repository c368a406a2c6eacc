"""Registering: who gets an account, and under which names."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from authsvc import clock
from tests.answers import refused
from tests.drivers import Script
from tests.flows.people import (
    NO_ADDRESS,
    NO_NAME,
    OF_TRANSPORT,
    PASSWORD,
    SAME_ADDRESS,
    SAME_NAME,
    SIGN_IN,
    change_me,
    join,
    log_in,
    users,
    while_hashing,
)


def test_registering_signs_in(make_device, transport):
    device = make_device()
    answer = join(device, username="Mix", name="Mix the Fox")
    assert answer.status_code == 201
    assert set(answer.json) == {"success", "message", "data"}
    assert answer.json["success"] is True
    data = answer.json["data"]
    assert set(data) == SIGN_IN | OF_TRANSPORT[transport] | {"user"}
    user = data["user"]
    created = datetime.fromisoformat(user.pop("createdAt"))
    assert abs((clock.utcnow() - created).total_seconds()) < 60
    assert user == {
        "id": user["id"],
        "email": "mix@example.com",
        "username": "Mix",
        "name": "Mix the Fox",
        "roles": ["member"],
        "active": True,
        "confirmed": False,
    }
    assert (data["tokenType"], data["expiresIn"], data["refreshExpiresIn"]) == ("Bearer", 15 * 60, 7 * 24 * 3600)
    device.keep(answer)
    assert device.me().status_code == 200
    assert device.refresh().status_code == 200


def test_signing_in_has_the_same_answer_and_refreshing_has_it_without_the_user(device, account, transport):
    answer = log_in(device, account.password, email=account.email)
    assert answer.status_code == 200
    assert set(answer.json["data"]) == SIGN_IN | OF_TRANSPORT[transport] | {"user"}
    assert set(device.refresh().json["data"]) == SIGN_IN | OF_TRANSPORT[transport]


def test_the_refresh_token_is_in_a_cookie_or_in_the_body_and_never_in_both(make_device, transport):
    answer = join(make_device())
    cookies = answer.headers.getlist("Set-Cookie")
    assert len(cookies) == (2 if transport == "cookie" else 0)
    for cookie in cookies:
        name, value = cookie.partition(";")[0].split("=", 1)
        assert name in ("__Host-refresh_token", "csrf_refresh_token")
        assert (value in answer.text) == (name == "csrf_refresh_token")


def test_moments_are_iso_8601_in_utc_with_z(script):
    assert join(script).json["data"]["user"]["createdAt"].endswith("Z")


def test_user_name_and_name_may_be_left_out(script):
    user = join(script).json["data"]["user"]
    assert (user["username"], user["name"]) == (None, None)


def test_no_answer_holds_a_hash_or_a_password(script):
    made = join(script)
    script.keep(made)
    for answer in (made, log_in(script, email="mix@example.com"), script.me()):
        assert "argon2" not in answer.text
        assert PASSWORD not in answer.text


def test_an_address_is_taken_however_it_is_spelled(script, rows):
    join(script)
    for email in ("mix@example.com", *SAME_ADDRESS):
        refused(join(script, email=email), 409, "already_exists", ["email"])
    assert users(rows, script.app) == [("mix@example.com",)]


def test_a_user_name_is_taken_however_it_is_spelled(script, rows):
    join(script, username="mix")
    for username in ("mix", *SAME_NAME):
        refused(join(script, "other@example.com", username=username), 409, "already_exists", ["username"])
    assert users(rows, script.app) == [("mix@example.com",)]


def test_an_address_written_in_other_letters_is_another_address(script):
    for email in ("mix@example.com", "mix@exаmple.com", "mıx@example.com", "mix@straße.example", "mix@strasse.example"):
        assert join(script, email=email).status_code == 201


def test_what_is_no_address_is_refused(script, rows):
    for email in NO_ADDRESS:
        refused(join(script, email=email), 422, "validation_failed", ["email"])
    assert users(rows, script.app) == []


def test_what_is_no_user_name_is_refused(script, rows):
    for username in NO_NAME:
        refused(join(script, username=username), 422, "validation_failed", ["username"])
    assert users(rows, script.app) == []


@pytest.mark.settings(HASHING_QUEUE=50)
def test_of_many_who_register_spellings_of_one_address_at_once_one_gets_it(app, rows):
    spellings = ["mix@example.com", *SAME_ADDRESS] * 2
    with ThreadPoolExecutor(len(spellings)) as pool:
        answers = list(pool.map(lambda email: join(Script(app), email=email).status_code, spellings))
    assert sorted(answers) == [201] + [409] * (len(spellings) - 1)
    assert users(rows, app) == [("mix@example.com",)]


@pytest.mark.parametrize("field", ["email", "username"])
def test_whoever_takes_a_name_while_another_hashes_has_it(script, rows, field):
    wanted = {"email": "username_key@example.com", "username": "mix"}
    others = {"email": "other@example.com", "username": "other"} | {field: wanted[field]}

    def take():
        rows(
            script.app,
            "INSERT INTO users (id, tenant_id, email, username, username_key, active, confirmed, created_at) "
            "SELECT '0190a0a0-0000-7000-8000-000000000001', tenant_id, :email, :username, :username, active, confirmed,"
            " created_at FROM users RETURNING id",
            **others,
        )

    while_hashing(script.app, take)
    refused(join(script, **wanted), 409, "already_exists", [field])
    assert rows(script.app, "SELECT id FROM refresh_tokens") == []


def test_the_same_address_in_two_tenants_is_two_accounts(script, make_tenant):
    make_tenant(script.app, "acme")
    one = join(script).json["data"]["user"]
    two = join(script, password="another harbour at dusk", headers={"X-Tenant-Id": "acme"}).json["data"]["user"]
    assert one["id"] != two["id"]
    assert log_in(script, email=one["email"]).json["data"]["user"]["id"] == one["id"]
    answer = log_in(script, "another harbour at dusk", email=one["email"], headers={"X-Tenant-Id": "acme"})
    assert answer.json["data"]["user"]["id"] == two["id"]


@pytest.mark.settings(REGISTRATION="closed")
def test_closed_registration_lets_nobody_in(script, rows):
    refused(join(script), 403, "permission_denied")
    assert users(rows, script.app) == []


def test_a_disabled_tenant_takes_nobody_in(script, rows):
    rows(script.app, "UPDATE tenants SET active = false RETURNING id")
    refused(join(script), 400, "unknown_tenant")
    assert users(rows, script.app) == []


def test_an_unknown_tenant_takes_nobody_in(script):
    refused(join(script, headers={"X-Tenant-Id": "nobody"}), 400, "unknown_tenant")


def test_an_application_is_chosen_by_id_or_slug_and_is_the_default_one_otherwise(script, rows):
    [(default,)] = rows(script.app, "SELECT id FROM applications")
    for number, more in enumerate(({}, {"applicationId": "default"}, {"applicationId": default})):
        answer = join(script, f"mix{number}@example.com", **more)
        [(chosen,)] = rows(
            script.app,
            "SELECT application_id FROM refresh_tokens WHERE id = :id",
            id=answer.json["data"]["refreshTokenId"],
        )
        assert chosen == default


def test_an_unknown_application_is_refused(script, rows):
    for name in ("nobody", "DEFAULT", "0190a0a0-0000-7000-8000-000000000001"):
        refused(join(script, applicationId=name), 422, "validation_failed", ["applicationId"])
    assert users(rows, script.app) == []


def test_a_disabled_application_signs_nobody_in(script, rows):
    join(script)
    rows(script.app, "UPDATE applications SET active = false RETURNING id")
    refused(join(script, "other@example.com"), 422, "validation_failed", ["applicationId"])
    refused(log_in(script, email="mix@example.com"), 422, "validation_failed", ["applicationId"])


def test_another_tenants_application_is_unknown(script, rows, make_tenant):
    make_tenant(script.app, "acme")
    [(theirs,)] = rows(
        script.app,
        "SELECT a.id FROM applications a JOIN tenants t ON t.id = a.tenant_id WHERE t.slug = 'acme'",
    )
    refused(join(script, applicationId=theirs), 422, "validation_failed", ["applicationId"])


PRIVILEGED = (
    "role roles is_admin isAdmin admin superuser tenant tenant_id tenantId tid confirmed email_verified emailVerified "
    "active enabled id created_at createdAt password_hash passwordHash failed_logins token_version permissions groups "
    "user user.role application_id refresh_token scope claims exp Email PASSWORD username_key"
).split()


@pytest.mark.parametrize("value", ["admin", True, {"role": "admin"}])
def test_a_field_that_is_not_ones_own_to_set_is_refused_by_its_name(script, rows, value):
    for field in PRIVILEGED:
        refused(join(script, **{field: value}), 422, "validation_failed", [field])
    assert users(rows, script.app) == []
    script.keep(join(script))
    before = script.me().json["data"]
    for field in PRIVILEGED:
        refused(change_me(script, name="Mix", **{field: value}), 422, "validation_failed", [field])
        refused(log_in(script, email="mix@example.com", **{field: value}), 422, "validation_failed", [field])
    assert script.me().json["data"] == before
