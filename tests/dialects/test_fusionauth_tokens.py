"""FusionAuth's Python client looks refresh tokens up and revokes them, by every selector that it has."""

import pytest

from tests.dialects.fusionauth import BASE, SCOPES, client_of, codes, empty, ok
from tests.dialects.in_process import HOST
from tests.flows.api_tokens import make_api_token
from tests.flows.oauth import add_client
from tests.flows.people import PASSWORD, told

NOBODY = "00000000-0000-7000-8000-000000000000"
# What its clients send for what was not set.
UNSET = ("", "undefined", "null", None)


@pytest.fixture
def phone(admin):
    return add_client(admin, name="Phone", slug="phone")


@pytest.fixture
def sign_in(anonymous):
    def make(person, **more):
        return ok(anonymous.login({"loginId": person.account.email, "password": PASSWORD, **more}))

    return make


@pytest.fixture
def live(app, rows):
    """The ids of the refresh tokens that live."""

    def ask():
        return {str(row.id) for row in rows(app, "SELECT id FROM refresh_tokens WHERE revoked_at IS NULL")}

    return ask


@pytest.fixture
def delete(app, keeper):
    """As no client of FusionAuth's would."""
    key = make_api_token(keeper, *SCOPES)["token"]
    client = app.test_client()

    def send(query="", **how):
        headers = {"Authorization": key}
        return client.delete(f"{BASE}/api/jwt/refresh{query}", headers=headers, base_url=HOST, **how)

    return send


def ids(answer):
    return [one["id"] for one in ok(answer)["refreshTokens"]]


def test_they_are_found_by_id_and_by_user(keyed, mix, sign_in, phone, age, app):
    held = sign_in(mix, applicationId=phone.id, metaData={"device": {"name": "My phone"}})
    one = ok(keyed.retrieve_refresh_token_by_id(held["refreshTokenId"]))["refreshToken"]
    assert (one["id"], one["userId"], one["applicationId"]) == (held["refreshTokenId"], mix.account.id, phone.id)
    assert one["metaData"]["device"]["name"] == "My phone"
    assert one["insertInstant"] == one["startInstant"] > 1_700_000_000_000
    assert "token" not in one
    assert one in ok(keyed.retrieve_refresh_tokens(mix.account.id))["refreshTokens"]
    assert ids(keyed.retrieve_refresh_tokens(NOBODY)) == []
    assert empty(keyed.retrieve_refresh_token_by_id(NOBODY)) == 404
    assert codes(keyed.retrieve_refresh_tokens("mix")) == {"userId": ["[couldNotConvert]userId"]}
    for unset in UNSET:
        assert codes(keyed.retrieve_refresh_tokens(unset)) == {"userId": ["[blank]userId"]}
    age(app, held["refreshTokenId"], days=40)
    assert empty(keyed.retrieve_refresh_token_by_id(held["refreshTokenId"])) == 404
    assert held["refreshTokenId"] not in ids(keyed.retrieve_refresh_tokens(mix.account.id))


def test_all_of_them_are_listed_though_there_are_no_pages(app, keyed, mix, rows):
    copy = """
        INSERT INTO refresh_tokens (id, tenant_id, user_id, application_id, generation, created_at, idle_expires_at,
            expires_at, ip, user_agent)
        SELECT :id, tenant_id, user_id, application_id, generation, created_at, idle_expires_at, expires_at, ip,
            user_agent
        FROM refresh_tokens WHERE id = :of
    """
    made = [f"00000000-0000-7000-8000-{number:012x}" for number in range(1, 202)]
    for one in made:
        rows(app, copy + " RETURNING id", id=one, of=mix.refresh_token_id)
    found = ids(keyed.retrieve_refresh_tokens(mix.account.id))
    assert sorted(found) == sorted([mix.refresh_token_id, *made])


def test_one_is_revoked_by_its_id_or_its_text(app, keyed, mix, sign_in, live):
    first, second, spent = (sign_in(mix) for _ in range(3))
    before = live()
    assert empty(keyed.revoke_refresh_token_by_id(first["refreshTokenId"])) == 200
    assert empty(keyed.revoke_refresh_token_by_token(second["refreshToken"])) == 200
    # Any generation of it will do.
    following = ok(keyed.exchange_refresh_token_for_jwt({"refreshToken": spent["refreshToken"]}))
    assert following["refreshToken"] != spent["refreshToken"]
    assert empty(keyed.revoke_refresh_token(spent["refreshToken"])) == 200
    assert before - live() == {one["refreshTokenId"] for one in (first, second, spent)}
    assert len(told(app, "refresh_token.revoked")) == 3
    for gone in (first, second):
        assert empty(keyed.retrieve_refresh_token_by_id(gone["refreshTokenId"])) == 404
        assert empty(keyed.revoke_refresh_token_by_id(gone["refreshTokenId"])) == 404
        assert empty(keyed.revoke_refresh_token_by_token(gone["refreshToken"])) == 404
    for junk in ("junk", "a.b.c", second["token"]):
        assert empty(keyed.revoke_refresh_token_by_token(junk)) == 404
    assert empty(keyed.revoke_refresh_token_by_id(NOBODY)) == 404


def test_many_are_revoked_by_user_by_application_and_by_both_together(keyed, mix, keeper, sign_in, phone, live):
    def signed_in():
        signed = {}
        for person, name in ((mix, "mix"), (keeper, "keeper")):
            for slug in ("phone", "default"):
                signed[name, slug] = sign_in(person, applicationId=slug)["refreshTokenId"]
        return signed

    for revoke, hit in (
        (lambda: keyed.revoke_refresh_tokens_by_user_id(mix.account.id), {("mix", "phone"), ("mix", "default")}),
        (
            lambda: keyed.revoke_refresh_tokens_by_application_id(phone.id),
            {("mix", "phone"), ("keeper", "phone")},
        ),
        (
            lambda: keyed.revoke_refresh_tokens_by_user_id_for_application(mix.account.id, phone.id),
            {("mix", "phone")},
        ),
        (
            lambda: keyed.revoke_refresh_tokens_with_request({"userId": mix.account.id, "applicationId": "phone"}),
            {("mix", "phone")},
        ),
        (
            lambda: keyed.revoke_refresh_tokens_with_request({"applicationId": phone.id}),
            {("mix", "phone"), ("keeper", "phone")},
        ),
    ):
        signed = signed_in()
        assert empty(revoke()) == 200
        assert {name for name, one in signed.items() if one not in live()} == hit
    # None left of many is no news.
    assert empty(keyed.revoke_refresh_tokens_by_application_id(phone.id)) == 200
    assert empty(keyed.revoke_refresh_tokens_by_application_id(phone.id)) == 200
    for unknown in (
        keyed.revoke_refresh_tokens_by_user_id(NOBODY),
        keyed.revoke_refresh_tokens_by_application_id(NOBODY),
        keyed.revoke_refresh_tokens_by_application_id("no-application"),
    ):
        assert empty(unknown) == 404


def test_what_was_not_set_is_absent_beside_a_selector(delete, mix, sign_in, live, phone):
    for unset in ("undefined", "null", ""):
        first, second, other = sign_in(mix), sign_in(mix), sign_in(mix, applicationId="phone")
        before = live()
        query = f"?token={first['refreshToken']}&userId={unset}&applicationId={unset}"
        assert delete(query).status_code == 200
        body = {"token": second["refreshToken"], "userId": None, "applicationId": unset}
        assert delete(json=body).status_code == 200
        assert delete(f"?token={unset}&userId={mix.account.id}&applicationId={phone.id}").status_code == 200
        assert before - live() == {one["refreshTokenId"] for one in (first, second, other)}


def test_nothing_is_revoked_where_nothing_is_named(delete, mix, sign_in, live):
    held = sign_in(mix)
    before = live()
    for query, body in (
        ("", None),
        ("", {}),
        *((f"?userId={unset}&applicationId={unset}&token={unset}", None) for unset in ("", "null", "undefined")),
        *(("", {"userId": unset, "applicationId": unset, "token": unset}) for unset in UNSET),
        ("?userId=mix", None),
        ("?token=%00", None),
        ("", {"userId": 5}),
        ("", {"userId": [mix.account.id]}),
        ("", {"userId": {"id": mix.account.id}, "applicationId": False}),
        # What was meant by a name that there isn't nobody knows: the rest alone would name more.
        (f"?applicationId=default&usrId={mix.account.id}", None),
        ("", {"applicationId": "default", "tokenn": held["refreshToken"]}),
        # One thing, in two ways.
        (f"?userId={mix.account.id}&userId={NOBODY}", None),
        (f"?userId={mix.account.id}", {"userId": NOBODY}),
        (f"?token={held['refreshToken']}&token=junk", None),
    ):
        answer = delete(query, json=body) if body is not None else delete(query)
        assert (answer.status_code, answer.mimetype) == (400, "application/json"), (query, body)
        assert answer.json.keys() <= {"fieldErrors", "generalErrors"}
    assert delete(data=b"{").status_code == 400
    assert live() == before


def test_a_key_without_the_scope_is_an_empty_401(app, fusionauth, keeper, mix, live):
    blind, reader = client_of(keeper), client_of(keeper, "tokens:read")
    assert ids(reader.retrieve_refresh_tokens(mix.account.id)) == [mix.refresh_token_id]
    before = live()
    key = reader.api_key
    for client in (blind, fusionauth(""), fusionauth("junk"), fusionauth(key.swapcase()), fusionauth(f"Basic {key}")):
        assert empty(client.retrieve_refresh_tokens(mix.account.id)) == 401
    for client in (blind, reader):
        assert empty(client.revoke_refresh_tokens_by_user_id(mix.account.id)) == 401
        assert empty(client.revoke_refresh_tokens_by_application_id("default")) == 401
    assert empty(blind.retrieve_refresh_token_by_id(mix.refresh_token_id)) == 401
    assert empty(blind.revoke_refresh_token_by_token("junk")) == 401
    assert empty(reader.revoke_refresh_token_by_id(mix.refresh_token_id)) == 401
    assert live() == before
    assert {event.detail["permission"] for event in told(app, "permission.denied")} == {"tokens:read", "tokens:revoke"}


def test_an_owner_reaches_their_own_by_access_token(fusionauth, mix, keeper, live, sign_in):
    own = fusionauth(f"Bearer {mix.access_token}")
    other = sign_in(mix)
    assert ids(own.retrieve_refresh_tokens(None)) == [other["refreshTokenId"], mix.refresh_token_id]
    assert empty(own.retrieve_refresh_tokens(keeper.account.id)) == 401
    assert empty(own.revoke_refresh_token_by_id(keeper.refresh_token_id)) == 404
    assert empty(own.revoke_refresh_token_by_token(other["refreshToken"])) == 200
    assert keeper.refresh_token_id in live()
    # A raw access token is no API key.
    assert empty(fusionauth(mix.access_token).retrieve_refresh_tokens(mix.account.id)) == 401
