"""Accounts: registering, signing in by any of one's names, changing oneself."""

import unicodedata
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime

import pytest

from authsvc import clock
from authsvc.models.engine import transaction
from authsvc.services import tenants
from config import Base
from tests.answers import code, lasting, refused
from tests.conftest import register
from tests.drivers import HOST, Account, Script

PASSWORD = "a quiet harbour at dawn"
SIGN_IN = {
    "accessToken",
    "tokenType",
    "expiresIn",
    "refreshExpiresIn",
    "refreshTokenId",
}
OF_TRANSPORT = {"body": {"refreshToken"}, "cookie": {"csrfToken"}}
SAME_ADDRESS = [
    "MIX@example.com",
    "mix@EXAMPLE.com",
    "ｍix@example.com",
    "mix＠example.com",
    "mix@example。com",
    " mix@example.com\t",
    "mix@example.com\n",
]
SAME_NAME = ["MIX", "Mix", "ｍix", "ᴹix", "ⅿⅸ"]
# The last one is 64 characters that stand for six each.
NO_NAME = ["", "a b", "a@b", "a＠b", "-mix", ".mix", "mi\u200bx", "<b>", "x" * 65, "㌖" * 64]
NO_ADDRESS = [
    "mix",
    "mix@",
    "@example.com",
    "mix@example.com.",
    "mix@exam ple.com",
    "mi\u200bx@example.com",
    "mi\u00adx@example.com",
    "mix\u202e@example.com",
    '"mix"@example.com',
    "mix@[192.0.2.1]",
    "mix@example.com,other@example.com",
    "mix@example.com\nBcc: other@example.com",
    "a@" + "a." * 125 + "com",
    "a" * 257 + "@example.com",
]


@pytest.fixture
def script(app):
    return Script(app)


@pytest.fixture
def make_tenant(rows):
    def make(app, slug):
        with app.app_context(), transaction() as session:
            tenants.create(session, slug, slug.title(), clock.utcnow())

    return make


class Interrupted:
    """argon2, while whose work something else happens."""

    def __init__(self, argon2, meanwhile):
        self.argon2 = argon2
        self.meanwhile = meanwhile

    def __getattr__(self, name):
        return getattr(self.argon2, name)

    def verify(self, *arguments):
        self.argon2.verify(*arguments)
        self.meanwhile()

    def hash(self, *arguments):
        made = self.argon2.hash(*arguments)
        self.meanwhile()
        return made


def while_hashing(app, meanwhile):
    hashing = app.extensions["authsvc.hashing"]
    hashing.argon2 = Interrupted(hashing.argon2, meanwhile)


def join(device, email="mix@example.com", password=PASSWORD, headers=None, **more):
    return device.post("/auth/register", email=email, password=password, headers=headers, **more)


def log_in(device, password=PASSWORD, headers=None, **named):
    return device.post("/auth/login", password=password, headers=headers, **named)


def users(rows, app):
    return rows(app, "SELECT email FROM users WHERE email <> 'admin@example.com' ORDER BY email")


# Registering


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


# Passwords


WEAK = [
    "short12",
    "x" * 257,
    "x" * 5000,
    "password",
    "Password1",
    "12345678",
    "        ",
    "aaaaaaaaaaaa",
    "the-mixer@example.com",
    "The-Mixer@Example.com",
    "the-mixer",
    "themixer",
    "DEFAULT tenant",
]


def test_a_password_that_a_guesser_would_try_first_is_refused(script, rows):
    rows(script.app, "UPDATE tenants SET name = 'Default Tenant' RETURNING id")
    for password in WEAK:
        answer = join(script, "the-mixer@example.com", password, username="themixer")
        refused(answer, 422, "validation_failed", ["password"])
    assert users(rows, script.app) == []
    script.keep(join(script, "the-mixer@example.com", username="themixer"))
    for password in WEAK:
        refused(change_password(script, PASSWORD, password), 422, "validation_failed", ["newPassword"])
    assert log_in(script, username="themixer").status_code == 200


def test_a_password_with_a_nul_is_refused(script):
    refused(join(script, password="eight\0characters"), 422, "validation_failed", ["password"])
    refused(log_in(script, "eight\0characters", email="mix@example.com"), 422, "validation_failed", ["password"])


@pytest.mark.settings(PASSWORD_MIN_LENGTH=15)
def test_the_least_length_is_a_setting(script):
    refused(join(script, password="fourteen chars"), 422, "validation_failed", ["password"])
    assert join(script, password="fifteen charact").status_code == 201


def test_any_other_password_of_legal_length_signs_in(script):
    good = [
        "kwmzplvq",
        "abcdefghijklmnopqrst",
        "⛵🌊" * 32,
        "".join(chr(0x4E00 + n) for n in range(256)),
        "\u202ereversed harbour",
        "\uffff noncharacter \U0010ffff",
    ]
    for number, password in enumerate(good):
        email = f"mix{number}@example.com"
        assert join(script, email, password).status_code == 201
        assert log_in(script, password, email=email).status_code == 200


def test_a_password_is_compared_to_its_last_character(script):
    password = "".join(chr(ord("a") + n % 26) for n in range(100))
    join(script, password=password)
    wrong = [password[:length] for length in (71, 72, 73, 99)]
    for other in (*wrong, password.upper(), password + "a", password + " ", password[:72] + "x" * 28):
        refused(log_in(script, other, email="mix@example.com"), 401, "credentials_invalid")
    assert log_in(script, password, email="mix@example.com").status_code == 200


def test_spaces_around_a_password_belong_to_it(script):
    join(script, password="  harbour  ")
    for other in ("harbour", " harbour ", "  harbour", "harbour  "):
        refused(log_in(script, other, email="mix@example.com"), 401, "credentials_invalid")
    assert log_in(script, "  harbour  ", email="mix@example.com").status_code == 200


@pytest.mark.parametrize("made_with", ["NFC", "NFD"])
def test_one_password_composed_in_two_ways_is_one_password(script, made_with):
    password = "crème brûlée à Orléans"
    join(script, password=unicodedata.normalize(made_with, password))
    for form in ("NFC", "NFD"):
        assert log_in(script, unicodedata.normalize(form, password), email="mix@example.com").status_code == 200


def hash_of(rows, app, email):
    [(password_hash,)] = rows(app, "SELECT password_hash FROM users WHERE email = :email", email=email)
    return password_hash


@pytest.mark.settings(ARGON2_MEMORY=Base.ARGON2_MEMORY, ARGON2_TIME=Base.ARGON2_TIME)
def test_passwords_are_kept_as_argon2id_with_enough_memory_and_a_salt_each(script, rows):
    join(script)
    join(script, "other@example.com")
    first, second = (hash_of(rows, script.app, f"{name}@example.com") for name in ("mix", "other"))
    assert first != second
    _, kind, version, parameters, *_ = first.split("$")
    costs = dict(cost.split("=") for cost in parameters.split(","))
    assert (kind, version) == ("argon2id", "v=19")
    assert int(costs["m"]) >= 19 * 1024
    assert int(costs["t"]) >= 2


def test_a_hash_of_old_parameters_is_made_anew_at_the_next_sign_in(make_app, rows):
    join(Script(make_app()))
    stronger = Script(make_app(ARGON2_MEMORY=16, ARGON2_TIME=2))
    before = hash_of(rows, stronger.app, "mix@example.com")
    refused(log_in(stronger, "a wrong harbour at dawn", email="mix@example.com"), 401, "credentials_invalid")
    assert hash_of(rows, stronger.app, "mix@example.com") == before
    assert log_in(stronger, email="mix@example.com").status_code == 200
    after = hash_of(rows, stronger.app, "mix@example.com")
    assert "$m=8,t=1," in before
    assert "$m=16,t=2," in after
    assert log_in(stronger, email="mix@example.com").status_code == 200
    assert hash_of(rows, stronger.app, "mix@example.com") == after


# Signing in


@pytest.mark.parametrize("field", ["identifier", "email"])
def test_any_spelling_of_the_address_signs_in(script, field):
    join(script)
    for email in ("mix@example.com", *SAME_ADDRESS):
        assert log_in(script, **{field: email}).status_code == 200, email


@pytest.mark.parametrize("field", ["identifier", "username"])
def test_any_spelling_of_the_user_name_signs_in(script, field):
    join(script, username="mix")
    for username in ("mix", *SAME_NAME):
        assert log_in(script, **{field: username}).status_code == 200, username


def test_signing_in_takes_exactly_one_name(script):
    join(script, username="mix")
    for named in ({}, {"email": "mix@example.com", "username": "mix"}, {"identifier": "mix", "email": "x@example.com"}):
        refused(log_in(script, **named), 422, "validation_failed", ["identifier"])


def test_a_wrong_sign_in_is_one_answer_whatever_the_cause(make_device, rows, make_tenant):
    device = make_device()
    make_tenant(device.app, "acme")
    known, disabled, without = (register(device) for _ in range(3))
    rows(device.app, "UPDATE users SET active = false WHERE id = :id RETURNING id", id=disabled.id)
    rows(device.app, "UPDATE users SET password_hash = NULL WHERE id = :id RETURNING id", id=without.id)

    def tried(password=PASSWORD, headers=None, **named):
        return log_in(make_device(), password, headers, **named)

    answers = [
        tried("a wrong harbour at dawn", email=known.email),
        tried(email="nobody@example.com"),
        tried(identifier="no name at all"),
        tried(username="nobody"),
        tried(username=known.email + "x"),
        tried(email=disabled.email),
        tried("a wrong harbour at dawn", email=disabled.email),
        tried(email=without.email),
        tried("x", email=without.email),
        tried(email=known.email, headers={"X-Tenant-Id": "acme"}),
    ]
    rows(device.app, "UPDATE tenants SET active = false RETURNING id")
    answers.append(tried(email=known.email))
    for answer in answers:
        refused(answer, 401, "credentials_invalid")
    assert {str(lasting(answer)) for answer in answers} == {str(lasting(answers[0]))}


def test_a_wrong_sign_in_leaves_a_trace_without_the_password(script, rows):
    mix = join(script).json["data"]["user"]["id"]
    log_in(script, "a wrong harbour at dawn", email="mix@example.com")
    [(subject, outcome, detail)] = rows(
        script.app, "SELECT subject_id, outcome, detail FROM events WHERE kind = 'user.sign_in_failed'"
    )
    assert (str(subject), outcome) == (mix, "failure")
    assert "harbour" not in str(detail)


def test_a_device_has_the_name_it_gave(script, rows):
    join(script)
    answer = log_in(script, email="mix@example.com", deviceName="Mix's phone")
    [(kept,)] = rows(
        script.app,
        "SELECT device_name FROM refresh_tokens WHERE id = :id",
        id=answer.json["data"]["refreshTokenId"],
    )
    assert kept == "Mix's phone"


@pytest.mark.parametrize(
    "change",
    ["UPDATE users SET password_hash = 'another' RETURNING id", "UPDATE users SET active = false RETURNING id"],
)
def test_a_password_that_was_changed_while_it_was_verified_signs_nobody_in(script, rows, change):
    join(script)
    before = rows(script.app, "SELECT id FROM refresh_tokens")
    while_hashing(script.app, lambda: rows(script.app, change))
    refused(log_in(script, email="mix@example.com"), 401, "credentials_invalid")
    assert rows(script.app, "SELECT id FROM refresh_tokens") == before


# Me


def change_me(device, **changes):
    return device.send("PATCH", "/auth/me", changes, device.bearer())


def test_me_says_who_i_am_what_i_may_and_how_i_proved_it(device, account):
    data = device.me().json["data"]
    assert set(data) == {"user", "permissions", "via"}
    assert (data["user"]["id"], data["user"]["email"]) == (account.id, account.email)
    assert data["permissions"] == ["api-tokens:write", "auth:refresh"]
    assert data["via"] == "access_token"


@pytest.mark.parametrize("method", ["GET", "PATCH"])
def test_me_is_nobody_without_a_credential(client, method):
    answer = client.open("/auth/me", method=method, json={}, base_url=HOST)
    refused(answer, 401, "credentials_missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authsvc"'


def test_names_are_changed_as_they_are_written(device):
    answer = change_me(device, username="MiX", name="  Mix ⛵ ")
    assert (answer.status_code, set(answer.json["data"])) == (200, {"user", "permissions", "via"})
    user = device.me().json["data"]["user"]
    assert (user["username"], user["name"]) == ("MiX", "  Mix ⛵ ")


def test_null_takes_a_name_away_and_what_is_not_sent_stays(device, make_device, account):
    change_me(device, username="mix", name="Mix")
    change_me(device, name=None)
    user = device.me().json["data"]["user"]
    assert (user["username"], user["name"]) == ("mix", None)
    change_me(device, username=None)
    assert device.me().json["data"]["user"]["username"] is None
    refused(log_in(make_device(), username="mix"), 401, "credentials_invalid")
    assert log_in(make_device(), email=account.email).status_code == 200


def test_a_changed_user_name_signs_in_and_the_former_one_does_not(device, make_device):
    change_me(device, username="mix")
    change_me(device, username="Fox")
    assert log_in(make_device(), username="fox").status_code == 200
    refused(log_in(make_device(), username="mix"), 401, "credentials_invalid")


def test_nobody_changes_into_a_name_that_another_has(script):
    join(script, username="mix")
    script.keep(join(script, "other@example.com", username="other"))
    for username in ("mix", *SAME_NAME):
        refused(change_me(script, username=username, name="X"), 409, "already_exists", ["username"])
    user = script.me().json["data"]["user"]
    assert (user["username"], user["name"]) == ("other", None)


def test_one_may_spell_ones_own_name_anew(script):
    script.keep(join(script, username="mix"))
    assert change_me(script, username="MIX").json["data"]["user"]["username"] == "MIX"


def test_nobody_changes_into_what_is_no_user_name(script):
    script.keep(join(script))
    for username in NO_NAME:
        refused(change_me(script, username=username), 422, "validation_failed", ["username"])


@pytest.mark.parametrize("field", ["userId", "sub"])
def test_who_is_changed_follows_from_the_credential_alone(script, rows, field):
    [(admin,)] = rows(script.app, "SELECT id FROM users")
    script.keep(join(script))
    new = {"currentPassword": PASSWORD, "newPassword": "another harbour at dusk"}
    for path, body in (("/auth/password", new), ("/auth/logout", {}), ("/auth/register", {})):
        refused(script.post(path, script.bearer(), **body, **{field: str(admin)}), 422, "validation_failed")
    refused(change_me(script, name="Mix", **{field: str(admin)}), 422, "validation_failed", [field])
    assert rows(script.app, "SELECT name FROM users WHERE name = 'Mix'") == []
    assert script.me().status_code == 200


# Changing the password

NEW = "another harbour at dusk"


def change_password(device, current, new=NEW):
    return device.post("/auth/password", device.bearer(), currentPassword=current, newPassword=new)


def test_changing_the_password_ends_every_other_sign_in_and_keeps_this_one(device, make_device, account):
    others = [make_device(), make_device()]
    for other in others:
        other.sign_in(account)
    stranger = make_device()
    stranger.sign_in(register(make_device()))
    answer = change_password(device, account.password)
    # registering was a sign-in too
    assert (answer.status_code, answer.json["data"]) == (200, {"revoked": 3})
    for other in others:
        assert code(other.me()) == "token_revoked"
        assert code(other.refresh()) == "token_revoked"
    assert device.me().status_code == 200
    assert device.refresh().status_code == 200
    assert stranger.refresh().status_code == 200


def test_after_the_change_the_new_password_signs_in_and_the_old_one_does_not(device, make_device, account):
    change_password(device, account.password)
    refused(log_in(make_device(), account.password, email=account.email), 401, "credentials_invalid")
    make_device().sign_in(Account(account.email, NEW))


def test_the_password_is_not_changed_without_the_current_one(device, make_device, account, rows):
    other = make_device()
    other.sign_in(account)
    refused(change_password(device, "a wrong harbour at dawn"), 403, "password_wrong")
    assert other.me().status_code == 200
    make_device().sign_in(account)
    assert rows(device.app, "SELECT outcome FROM events WHERE kind = 'user.password_change_failed'") == [("failure",)]


def test_both_passwords_must_be_there(script):
    script.keep(join(script))
    for given, missing in (("newPassword", "currentPassword"), ("currentPassword", "newPassword")):
        answer = script.post("/auth/password", script.bearer(), **{given: PASSWORD})
        refused(answer, 422, "validation_failed", [missing])


def test_the_password_is_not_changed_without_a_credential(client):
    answer = client.post("/auth/password", json={"currentPassword": PASSWORD, "newPassword": NEW}, base_url=HOST)
    refused(answer, 401, "credentials_missing")


def test_of_two_changes_at_once_the_second_finds_its_current_password_wrong(script, rows):
    script.keep(join(script))
    while_hashing(script.app, lambda: rows(script.app, "UPDATE users SET password_hash = 'another' RETURNING id"))
    refused(change_password(script, PASSWORD), 403, "password_wrong")
    assert rows(script.app, "SELECT DISTINCT password_hash FROM users") == [("another",)]
