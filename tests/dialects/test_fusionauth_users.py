"""FusionAuth's Python client makes users, finds them, locks them out; users look at themselves."""

from tests.dialects.fusionauth import BASE, client_of, codes, empty, ok
from tests.dialects.in_process import HOST
from tests.drivers import Script
from tests.flows.api_tokens import make_api_token
from tests.flows.oauth import add_client
from tests.flows.people import NEW, PASSWORD, told

CHOSEN = "3b2a1c00-0000-4000-8000-00000000abcd"
NOBODY = "00000000-0000-7000-8000-000000000000"
MIX = {"email": "mix+a@example.com", "username": "Mix", "fullName": "Mix the Fox", "password": PASSWORD}


def user(answer):
    return ok(answer)["user"]


def status(app, token):
    device = Script(app)
    device.access_token = token
    return device.me().status_code


def test_a_user_is_made_and_found_in_every_way(app, admin, keyed):
    phone = add_client(admin, name="Phone")
    made = user(
        keyed.create_user({"user": MIX, "skipVerification": True, "sendSetPasswordEmail": False}, CHOSEN.upper())
    )
    assert made["id"] == CHOSEN
    assert (made["email"], made["username"], made["fullName"]) == (MIX["email"], MIX["username"], MIX["fullName"])
    assert (made["active"], made["usernameStatus"]) == (True, "ACTIVE")
    assert not {"password", "salt"} & made.keys()
    assert {one["applicationId"] for one in made["registrations"]} > {phone.id}
    assert [one["roles"] for one in made["registrations"]] == [["member"]] * 2
    for found in (
        keyed.retrieve_user(CHOSEN),
        keyed.retrieve_user_by_email("MIX+a@example.com"),
        keyed.retrieve_user_by_login_id("mix"),
        keyed.retrieve_user_by_login_id(MIX["email"]),
        keyed.retrieve_user_by_username("MIX"),
    ):
        assert user(found) == made
    for missing in (
        keyed.retrieve_user(NOBODY),
        keyed.retrieve_user("mix"),
        keyed.retrieve_user_by_email("nobody@example.com"),
        keyed.retrieve_user_by_email("mix"),
        keyed.retrieve_user_by_username(MIX["email"]),
        keyed.retrieve_user_by_login_id("a b"),
    ):
        assert empty(missing) == 404
    assert ok(keyed.login({"loginId": "mix", "password": PASSWORD}))["user"]["id"] == CHOSEN
    assert len(told(app, "user.created")) == 1


def test_a_user_that_can_not_be_made_is_told_why(app, keyed, rows):
    user(keyed.create_user({"user": MIX}, CHOSEN))
    before = rows(app, "SELECT count(*) FROM users")
    for own, code in (
        ({"email": None}, "[blank]user.email"),
        ({"email": "mix"}, "[notEmail]user.email"),
        ({"email": ["mix"]}, "[couldNotConvert]user.email"),
        ({"username": "other"}, "[duplicate]user.email"),
        ({"email": "other@example.com"}, "[duplicate]user.username"),
        ({"email": "other@example.com", "username": "a b"}, "[invalid]user.username"),
        ({"password": "short"}, "[tooShort]user.password"),
        ({"password": "x" * 300}, "[invalid]user.password"),
        ({"password": "a\0" * 8}, "[couldNotConvert]user.password"),
        ({"fullName": "x" * 257}, "[tooLong]user.fullName"),
        ({"id": "mix"}, "[couldNotConvert]userId"),
        ({"id": CHOSEN, "email": "other@example.com", "username": "other"}, "[duplicate]userId"),
    ):
        answer = keyed.create_user({"user": MIX | own})
        assert codes(answer) == {code.partition("]")[2]: [code]}, own
    assert codes(keyed.create_user({})) == {"user.email": ["[blank]user.email"]}
    assert codes(keyed.create_user({"user": "mix"})) == {"user": ["[couldNotConvert]user"]}
    assert codes(keyed.create_user({"user": MIX}, "mix")) == {"userId": ["[couldNotConvert]userId"]}
    assert rows(app, "SELECT count(*) FROM users") == before


def test_registering_makes_a_user_with_roles_or_gives_them(app, admin, fusionauth, keyed):
    phone = add_client(admin, name="Phone")
    admin.tenant = {}
    master = fusionauth(make_api_token(admin, "users:write", "users:read", "tokens:read", "tokens:revoke")["token"])
    assert admin.ask("POST", "/admin/roles", {"name": "cook", "permissions": []}).status_code == 201
    here = {"applicationId": phone.id, "roles": ["cook"]}
    told_of = ok(master.register({"user": MIX, "registration": here}, CHOSEN))
    assert (told_of["user"]["id"], told_of["registration"]["applicationId"]) == (CHOSEN, phone.id)
    assert told_of["registration"]["roles"] == ["cook", "member"]
    other = user(master.create_user({"user": {"email": "other@example.com"}}))["id"]
    assert ok(master.register({"registration": {"applicationId": phone.id}}, other))["registration"]["roles"] == [
        "member"
    ]
    for _ in range(2):
        assert ok(master.register({"registration": here}, other))["registration"]["roles"] == ["cook", "member"]
    assert empty(master.register({"registration": here}, NOBODY)) == 404
    for wanted, code in (
        ({}, "[blank]registration.applicationId"),
        ({"applicationId": NOBODY}, "[invalid]registration.applicationId"),
        ({"applicationId": phone.id, "roles": ["nobody's"]}, "[invalid]registration.roles"),
        ({"applicationId": phone.id, "roles": "cook"}, "[couldNotConvert]registration.roles"),
    ):
        body = {"user": MIX | {"email": "third@example.com", "username": "third"}, "registration": wanted}
        assert codes(master.register(body)) == {code.partition("]")[2]: [code]}
    # Nobody gives what they lack.
    assert empty(keyed.register({"registration": {"applicationId": phone.id, "roles": ["admin"]}}, other)) == 401
    assert user(master.retrieve_user(other))["registrations"][0]["roles"] == ["cook", "member"]


def test_locked_out_let_in_again_and_deleted(app, keyed):
    user(keyed.create_user({"user": MIX}, CHOSEN))
    held = ok(keyed.login({"loginId": "mix", "password": PASSWORD}))
    assert empty(keyed.deactivate_user(CHOSEN)) == 200
    assert user(keyed.retrieve_user(CHOSEN))["active"] is False
    assert status(app, held["token"]) == 401
    assert empty(keyed.login({"loginId": "mix", "password": PASSWORD})) == 404
    assert user(keyed.reactivate_user(CHOSEN))["active"] is True
    assert status(app, held["token"]) == 401
    assert ok(keyed.login({"loginId": "mix", "password": PASSWORD}))
    assert empty(keyed.delete_user(CHOSEN)) == 200
    for gone in (keyed.retrieve_user, keyed.delete_user, keyed.deactivate_user, keyed.reactivate_user):
        assert empty(gone(CHOSEN)) == 404
    assert [len(told(app, kind)) for kind in ("user.disabled", "user.enabled", "user.deleted")] == [1, 1, 1]


def test_names_are_changed_and_nothing_else(app, keyed):
    whole = user(keyed.create_user({"user": MIX}, CHOSEN))

    def names(answer):
        made = user(answer)
        assert made.keys() | {"username", "fullName"} == whole.keys()
        return made.get("username"), made.get("fullName")

    # What was read can be sent back whole.
    assert user(keyed.update_user(CHOSEN, {"user": whole})) == whole
    assert names(keyed.update_user(CHOSEN, {"user": {"email": "MIX+a@example.com", "username": "fox"}})) == (
        "fox",
        None,
    )
    for given, found in (
        ({"fullName": "The Fox"}, ("fox", "The Fox")),
        ({"firstName": "Mix", "lastName": "Fox"}, ("fox", "Mix Fox")),
        ({"username": None}, (None, "Mix Fox")),
        ({"username": "mix", "data": {"any": "thing"}}, ("mix", "Mix Fox")),
        ({"fullName": ""}, ("mix", None)),
    ):
        assert names(keyed.patch_user(CHOSEN, {"user": given})) == found
    user(keyed.create_user({"user": {"email": "other@example.com", "username": "other"}}))
    before = user(keyed.retrieve_user(CHOSEN))
    for given, code in (
        (None, "[blank]user"),
        ("mix", "[couldNotConvert]user"),
        ({"email": "new@example.com"}, "[invalid]user.email"),
        ({"email": "mix"}, "[notEmail]user.email"),
        ({"password": NEW}, "[invalid]user.password"),
        ({"username": "OTHER"}, "[duplicate]user.username"),
        ({"username": "a b"}, "[invalid]user.username"),
        ({"username": ["mix"]}, "[couldNotConvert]user.username"),
        ({"fullName": "x" * 257}, "[tooLong]user.fullName"),
    ):
        for change in (keyed.update_user, keyed.patch_user):
            assert codes(change(CHOSEN, {"user": given})) == {code.partition("]")[2]: [code]}, given
    half = keyed.patch_user(CHOSEN, {"user": {"firstName": "Mix"}})
    assert codes(half) == {"user.firstName": ["[invalid]user.firstName"]}
    assert user(keyed.retrieve_user(CHOSEN)) == before
    for change in (keyed.update_user, keyed.patch_user):
        assert empty(change(NOBODY, {"user": MIX})) == 404
    assert len(told(app, "user.updated")) == 6


def test_a_key_without_the_scope_is_an_empty_401(fusionauth, keeper, mix):
    blind, reader = client_of(keeper), client_of(keeper, "users:read")
    someone = mix.account.id
    assert user(reader.retrieve_user(someone))["id"] == someone
    assert codes(reader.retrieve_user_by_email("undefined")) == {"userId": ["[blank]userId"]}
    for client in (blind, fusionauth(""), fusionauth("junk")):
        assert empty(client.retrieve_user(someone)) == 401
        assert empty(client.retrieve_user_by_email(mix.account.email)) == 401
    for client in (blind, reader, fusionauth("")):
        assert empty(client.create_user({"user": MIX})) == 401
        assert empty(client.register({"user": MIX, "registration": {"applicationId": "default"}})) == 401
        assert empty(client.delete_user(someone)) == 401
        assert empty(client.reactivate_user(someone)) == 401
        assert empty(client.patch_user(someone, {"user": {"fullName": "Nobody"}})) == 401
    assert user(reader.retrieve_user(someone))["active"] is True


def test_users_look_at_themselves_and_change_their_password(app, anonymous, fusionauth, keeper, mix):
    held = ok(anonymous.login({"loginId": mix.account.email, "password": PASSWORD}))
    assert user(anonymous.retrieve_user_using_jwt(held["token"]))["id"] == mix.account.id
    assert empty(fusionauth(f"Bearer {held['token']}").retrieve_user_by_email(keeper.account.email)) == 401
    for bad in ("junk", held["refreshToken"]):
        assert empty(anonymous.retrieve_user_using_jwt(bad)) == 401

    def change(**how):
        body = {"currentPassword": PASSWORD, "password": NEW} | how
        return anonymous.change_password_using_jwt(held["token"], body)

    for wrong, code in (
        ({"currentPassword": "wrong"}, "[invalid]currentPassword"),
        ({"currentPassword": ""}, "[blank]currentPassword"),
        ({"password": None}, "[blank]password"),
        ({"password": "short"}, "[tooShort]password"),
    ):
        assert codes(change(**wrong)) == {code.partition("]")[2]: [code]}
    assert status(app, mix.access_token) == 200
    assert change().status == 200
    assert (status(app, held["token"]), status(app, mix.access_token)) == (200, 401)
    assert ok(anonymous.login({"loginId": mix.account.email, "password": NEW}))
    key = make_api_token(keeper, "users:write")["token"]
    answer = app.test_client().post(f"{BASE}/api/user/change-password", headers={"Authorization": key}, base_url=HOST)
    assert (answer.status_code, answer.data) == (401, b"")
