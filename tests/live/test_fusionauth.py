"""FusionAuth's TypeScript client and a running service: it sends what was not set as `undefined`."""

import uuid

from tests.live.test_clients import PASSWORD, Service
from tests.servers.node import told_by

SCOPES = ["users:read", "users:write", "tokens:read", "tokens:revoke"]


def tell(service, key, *calls):
    """What the client makes of each answer."""
    # The slash at the end makes //api/login of it.
    asked = {"url": f"{service.url}/fusionauth/", "key": key, "calls": calls}
    return [(one["status"], one["body"]) for one in told_by("fusionauth.mjs", asked)]


def test_its_typescript_client_does_all_that_it_did_before(lenient):
    service = Service(lenient)
    key = service.post("/api-tokens", {"name": "FusionAuth", "scopes": SCOPES}, service.admin)["token"]
    email = f"{uuid.uuid4().hex}+a@example.com"
    credentials = {"loginId": email, "password": PASSWORD, "applicationId": "default"}
    told = tell(
        service,
        key,
        ["createUser", "", {"user": {"email": email, "password": PASSWORD}}],  # 1
        ["login", credentials],
        ["login", credentials | {"password": "wrong"}],
        ["exchangeRefreshTokenForJWT", {"refreshToken": "$2.refreshToken"}],
        ["exchangeRefreshTokenForJWT", {"refreshToken": "junk"}],  # 5
        ["validateJWT", "$4.token"],
        ["retrieveUserUsingJWT", "$4.token"],
        ["retrieveUserByEmail", email],
        ["retrieveRefreshTokens", "$1.user.id"],
        ["retrieveRefreshTokenById", "$2.refreshTokenId"],  # 10
        ["introspectAccessToken", "$10.refreshToken.applicationId", "$4.token"],
        ["retrieveJsonWebKeySet"],
        ["revokeRefreshToken", "$4.refreshToken"],
        ["validateJWT", "$4.token"],
        ["revokeRefreshToken"],  # 15
        ["revokeRefreshTokensWithRequest", {}],
        ["login", credentials],
        ["revokeRefreshTokensWithRequest", {"userId": "$1.user.id"}],
        ["exchangeRefreshTokenForJWT", {"refreshToken": "$17.refreshToken"}],
        ["login", credentials],  # 20
        ["logout", None, "$20.refreshToken"],
        ["validateJWT", "$20.token"],
        ["logout", False, None],
        ["deleteUser", "$1.user.id"],
        ["retrieveUser", "$1.user.id"],  # 25
    )
    statuses = [status for status, _ in told]
    assert statuses[:5] == [200, 200, 404, 200, 400]
    assert statuses[5:12] == [200] * 7
    assert statuses[12:20] == [200, 401, 400, 400, 200, 200, 400, 200]
    assert statuses[20:] == [200, 401, 200, 200, 404]
    bodies = dict(enumerate((body for _, body in told), 1))
    assert bodies[2]["refreshTokenId"] == bodies[4]["refreshTokenId"] == bodies[10]["refreshToken"]["id"]
    assert bodies[5]["fieldErrors"]["refreshToken"][0]["code"] == "[invalid]refreshToken"
    assert bodies[6]["jwt"]["sid"] == bodies[2]["refreshTokenId"]
    assert bodies[7]["user"] == bodies[8]["user"] == bodies[1]["user"]
    assert [one["id"] for one in bodies[9]["refreshTokens"]] == [bodies[2]["refreshTokenId"]]
    assert bodies[11]["active"] is True
    assert bodies[12]["keys"]
    assert bodies[15]["generalErrors"][0]["code"] == bodies[16]["generalErrors"][0]["code"] == "[selector_missing]"
    assert [bodies[number] for number in (3, 13, 14, 18, 21, 22, 23, 24, 25)] == [None] * 9


def test_its_typescript_client_gets_tokens_for_a_password_and_renames(lenient):
    service = Service(lenient)
    key = service.post("/api-tokens", {"name": "FusionAuth", "scopes": SCOPES}, service.admin)["token"]
    email = f"{uuid.uuid4().hex}@example.com"
    told = tell(
        service,
        key,
        ["createUser", "", {"user": {"email": email, "password": PASSWORD}}],  # 1
        ["exchangeUserCredentialsForAccessToken", email, PASSWORD, "default", None, "offline_access"],
        ["exchangeUserCredentialsForAccessToken", email, PASSWORD, "default"],
        ["exchangeUserCredentialsForAccessToken", email, "wrong", "default"],
        ["exchangeRefreshTokenForAccessToken", "$2.refresh_token", "default"],  # 5
        ["issueJWT", "default", "$5.access_token"],
        ["validateJWT", "$6.token"],
        ["vendJWT", {"claims": {}}],
        ["updateUser", "$1.user.id", {"user": {"email": email, "username": "fox", "fullName": "The Fox"}}],
        ["patchUser", "$1.user.id", {"user": {"username": None}}],  # 10
        ["deleteUser", "$1.user.id"],
    )
    assert [status for status, _ in told] == [200, 200, 200, 400, 200, 200, 200, 401, 200, 200, 200]
    bodies = dict(enumerate((body for _, body in told), 1))
    assert bodies[2]["refresh_token_id"] == bodies[5]["refresh_token_id"] == bodies[7]["jwt"]["sid"]
    assert "refresh_token" not in bodies[3]
    assert bodies[4]["error_reason"] == "invalid_user_credentials"
    assert (bodies[9]["user"]["username"], bodies[10]["user"].get("username")) == ("fox", None)
    assert bodies[10]["user"]["fullName"] == "The Fox"
