"""FusionAuth's Python client, with somebody's access token for a key, makes API keys, looks at them and ends them."""

import time

from tests.dialects.fusionauth import SCOPES, client_of, codes, empty, ok

READER = {"/api/user": ["GET"], "/api/jwt/refresh": ["GET"]}
ALL = {
    "/api/user": ["DELETE", "GET", "PATCH", "POST", "PUT"],
    "/api/user/registration": ["POST"],
    "/api/jwt/refresh": ["DELETE", "GET"],
}


def asked(endpoints, **more):
    return {"apiKey": {"name": "script", "permissions": {"endpoints": endpoints}, **more}}


def test_a_key_may_do_what_its_endpoints_say(fusionauth, keeper, mix):
    manager = fusionauth(f"Bearer {keeper.access_token}")
    ends = (int(time.time()) + 3600) * 1000
    made = ok(manager.create_api_key(asked(READER, expirationInstant=ends)))["apiKey"]
    assert (made["permissions"]["endpoints"], made["expirationInstant"]) == (READER, ends)
    assert (made["keyManager"], made["retrievable"]) == (False, False)
    text = made.pop("key")
    assert ok(manager.retrieve_api_key(made["id"]))["apiKey"] == made
    script = fusionauth(text)
    assert ok(script.retrieve_user(mix.account.id))
    assert ok(script.retrieve_refresh_tokens(mix.account.id))["refreshTokens"]
    assert empty(script.revoke_refresh_tokens_by_user_id(mix.account.id)) == 401
    assert empty(script.deactivate_user(mix.account.id)) == 401
    assert empty(manager.delete_api_key(made["id"])) == 200
    assert empty(script.retrieve_user(mix.account.id)) == 401
    for gone in (manager.retrieve_api_key, manager.delete_api_key):
        assert empty(gone(made["id"])) == 404
    again = manager.create_api_key(asked(READER), made["id"])
    assert codes(again) == {"keyId": ["[invalid]keyId"]}
    assert ok(manager.create_api_key(asked(ALL)))["apiKey"]["permissions"]["endpoints"] == ALL


def test_no_key_is_made_that_may_do_more_than_is_said(app, fusionauth, keeper, rows):
    manager = fusionauth(f"Bearer {keeper.access_token}")
    blank, wrong = "[blank]apiKey.permissions.endpoints", "[invalid]apiKey.permissions.endpoints"
    for body, code in (
        (asked({}), blank),
        (asked(None), blank),
        ({"apiKey": {"name": "script"}}, blank),
        (asked({"/api/application": ["GET"]}), wrong),
        (asked({"/api/user": ["TRACE"]}), wrong),
        (asked({"/api/user": []}), wrong),
        (asked({"/api/user": [["GET"]]}), wrong),
        (asked({"/api/user": "GET"}), wrong),
        (asked(READER, name=" "), "[invalid]apiKey.name"),
        (asked(READER, name=None), "[blank]apiKey.name"),
        (asked(READER, name="x" * 257), "[invalid]apiKey.name"),
        (asked(READER, key="chosen"), "[invalid]apiKey.key"),
        (asked(READER, expirationInstant=1), "[invalid]apiKey.expirationInstant"),
        (asked(READER, expirationInstant=10**13), "[invalid]apiKey.expirationInstant"),
        (asked(READER, expirationInstant=10**30), "[couldNotConvert]apiKey.expirationInstant"),
        (asked(READER, expirationInstant=True), "[couldNotConvert]apiKey.expirationInstant"),
    ):
        assert codes(manager.create_api_key(body)) == {code.partition("]")[2]: [code]}, body
    assert rows(app, "SELECT count(*) FROM api_tokens") == [(0,)]


def test_it_takes_a_manager_in_person(fusionauth, keeper, keyed, make_person):
    own = ok(fusionauth(f"Bearer {keeper.access_token}").create_api_key(asked(READER, name="own")))["apiKey"]
    helper, stranger = make_person("users:read", "api-tokens:write"), make_person("users:read")
    other = fusionauth(f"Bearer {helper.access_token}")
    for client in (keyed, fusionauth(own["key"]), fusionauth(""), client_of(keeper, *SCOPES[:1])):
        assert empty(client.create_api_key(asked(READER))) == 401
        assert empty(client.retrieve_api_key(own["id"])) == 401
        assert empty(client.delete_api_key(own["id"])) == 401
    # Nobody gives what they lack, nor sees what is another's.
    assert empty(other.create_api_key(asked(READER))) == 401
    assert empty(other.retrieve_api_key(own["id"])) == 404
    assert empty(other.delete_api_key(own["id"])) == 404
    assert empty(fusionauth(f"Bearer {stranger.access_token}").create_api_key(asked({"/api/user": ["GET"]}))) == 401
    assert ok(fusionauth(own["key"]).retrieve_user(keeper.account.id))


def test_a_key_is_renamed_and_narrowed_and_never_widened(fusionauth, keeper, mix):
    manager = fusionauth(f"Bearer {keeper.access_token}")
    made = ok(manager.create_api_key(asked(READER)))["apiKey"]
    text = made.pop("key")
    narrow = {"/api/user": ["GET"]}
    changed = ok(manager.update_api_key(made["id"], asked(narrow, name="renamed")))["apiKey"]
    assert changed == made | {"name": "renamed", "permissions": {"endpoints": narrow}}
    assert empty(fusionauth(text).retrieve_refresh_tokens(mix.account.id)) == 401
    assert ok(fusionauth(text).retrieve_user(mix.account.id))
    wider = manager.update_api_key(made["id"], asked(READER))
    assert codes(wider) == {"apiKey.permissions.endpoints": ["[invalid]apiKey.permissions.endpoints"]}
    later = manager.update_api_key(made["id"], asked(narrow, expirationInstant=made["expirationInstant"] + 1))
    assert codes(later) == {"apiKey.expirationInstant": ["[invalid]apiKey.expirationInstant"]}
    assert ok(manager.retrieve_api_key(made["id"]))["apiKey"] == changed
    assert empty(fusionauth(text).update_api_key(made["id"], asked(narrow))) == 401
    assert empty(manager.delete_api_key(made["id"])) == 200
    assert empty(manager.update_api_key(made["id"], asked(narrow))) == 404


def test_two_keys_have_two_names(fusionauth, keeper):
    manager = fusionauth(f"Bearer {keeper.access_token}")
    ok(manager.create_api_key(asked(READER)))
    other = ok(manager.create_api_key(asked(READER, name="other")))["apiKey"]
    for taken in (manager.create_api_key(asked(READER)), manager.update_api_key(other["id"], asked(READER))):
        assert codes(taken) == {"apiKey.name": ["[duplicate]apiKey.name"]}
