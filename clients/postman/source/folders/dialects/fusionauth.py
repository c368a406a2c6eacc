"""FusionAuth."""

from typing import Any

from clients.postman.source.parts import NOBODY, Request, bearer, delete, folder, get, patch, post, put
from clients.postman.source.scripts import (
    A_JWT,
    ABSENT,
    AN_API_TOKEN,
    AN_ID,
    MILLISECONDS,
    SOME,
    TEXT,
    includes_members,
)

AT = "/fusionauth"
OWNER = "fusion-{{run}}@example.com"
HERE: dict[str, Any] = {"auth": NOBODY, "bare": True}
# The API key stands alone in the header, as its clients send it.
KEY: dict[str, Any] = {"auth": NOBODY, "headers": {"Authorization": "{{scriptKey}}"}}
JWT: dict[str, Any] = {"auth": bearer("fusionToken"), "bare": True}
MANAGER: dict[str, Any] = {"auth": bearer("managerToken")}
CHOOSES_ID = ['pm.environment.set("chosenId", pm.variables.replaceIn("{{$guid}}"));']


def signs_in(name: str, about: str, password: str = "{{password}}") -> Request:  # noqa: S107
    return post(
        f"{AT}/api/login",
        name,
        about,
        json={"loginId": OWNER, "password": password, "applicationId": "{{application}}"},
        holds={
            "token": A_JWT,
            "tokenExpirationInstant": MILLISECONDS,
            "refreshToken": A_JWT,
            "refreshTokenId": AN_ID,
            "user.id": "{{fusionId}}",
            "user.registrations[0].applicationId": "{{application}}",
        },
        saves={"fusionToken": "token", "fusionRefresh": "refreshToken", "fusionSignInId": "refreshTokenId"},
        bare=True,
        **KEY,
    )


USERS = folder(
    "fusionauth: users",
    "By an API key: the operator's script's, made in *Administration*, alone in the `Authorization` header.",
    post(
        f"{AT}/api/user",
        "fusionauth: make a user",
        "No tokens come with it.",
        json={"user": {"email": OWNER, "password": "{{password}}", "fullName": "Fusion"}, "skipVerification": True},
        holds={"user.id": AN_ID, "user.email": OWNER, "user.fullName": "Fusion", "user.active": True, "token": ABSENT},
        saves={"fusionId": "user.id"},
        bare=True,
        **KEY,
    ),
    get(
        f"{AT}/api/user",
        "fusionauth: find a user",
        "By `email`, `loginId`, `username` or `userId`.",
        query={"email": OWNER},
        holds={"user.id": "{{fusionId}}"},
        bare=True,
        **KEY,
    ),
    get(
        f"{AT}/api/user/{{{{fusionId}}}}",
        "fusionauth: one user",
        "By id.",
        holds={"user.id": "{{fusionId}}", "user.email": OWNER},
        bare=True,
        **KEY,
    ),
    patch(
        f"{AT}/api/user/{{{{fusionId}}}}",
        "fusionauth: rename a user",
        "What is not named stays; with `PUT` it goes.",
        json={"user": {"fullName": "Fusion, renamed"}},
        holds={"user.id": "{{fusionId}}", "user.fullName": "Fusion, renamed"},
        bare=True,
        **KEY,
    ),
    delete(f"{AT}/api/user/{{{{fusionId}}}}", "fusionauth: deactivate a user", "Empty 200.", empty=True, **KEY),
    put(
        f"{AT}/api/user/{{{{fusionId}}}}",
        "fusionauth: reactivate a user",
        "The user may sign in again.",
        query={"reactivate": "true"},
        holds={"user.id": "{{fusionId}}", "user.active": True},
        bare=True,
        **KEY,
    ),
    post(
        f"{AT}/api/user/{{{{chosenId}}}}",
        "fusionauth: make a user with an id",
        "The id is the caller's choice.",
        json={"user": {"email": "fusion-2-{{run}}@example.com"}},
        holds={"user.id": "{{chosenId}}"},
        before=CHOOSES_ID,
        bare=True,
        **KEY,
    ),
    delete(
        f"{AT}/api/user/{{{{chosenId}}}}",
        "fusionauth: delete the user with an id",
        "With `hardDelete` the user is gone.",
        query={"hardDelete": "true"},
        empty=True,
        **KEY,
    ),
    post(
        f"{AT}/api/user/registration/{{{{chosenId}}}}",
        "fusionauth: register a user with an id",
        "Makes a user who may use the application, which everybody may.",
        json={
            "user": {"email": "fusion-3-{{run}}@example.com"},
            "registration": {"applicationId": "{{application}}"},
        },
        holds={"user.id": "{{chosenId}}", "registration.applicationId": "{{application}}"},
        before=CHOOSES_ID,
        bare=True,
        **KEY,
    ),
    delete(
        f"{AT}/api/user/{{{{chosenId}}}}",
        "fusionauth: delete the registered user with an id",
        "Nothing stays of this folder.",
        query={"hardDelete": "true"},
        empty=True,
        example=False,
        **KEY,
    ),
    post(
        f"{AT}/api/user/registration",
        "fusionauth: register a user",
        "The same, with an id that is made here.",
        json={
            "user": {"email": "fusion-4-{{run}}@example.com"},
            "registration": {"applicationId": "{{application}}", "roles": ["member"]},
        },
        holds={"registration.roles": ["member"], "user.id": AN_ID},
        saves={"registeredId": "user.id"},
        bare=True,
        **KEY,
    ),
    delete(
        f"{AT}/api/user/{{{{registeredId}}}}",
        "fusionauth: delete the registered user",
        "Nothing stays of this folder.",
        query={"hardDelete": "true"},
        empty=True,
        example=False,
        **KEY,
    ),
)

SIGN_INS = folder(
    "fusionauth: signing in",
    "With an API key, as programs sign people in, tokens travel in bodies, whatever the application's transport is.",
    signs_in("fusionauth: sign in", "A wrong name or password is an empty 404."),
    post(
        f"{AT}/api/login",
        "fusionauth: a wrong password",
        "As FusionAuth says it.",
        auth=NOBODY,
        json={"loginId": OWNER, "password": "a wrong password"},
        status=404,
        empty=True,
    ),
    get(
        f"{AT}/api/jwt/validate",
        "fusionauth: validate",
        "The claims, while the sign-in lives.",
        holds={"jwt.sub": "{{fusionId}}", "jwt.sid": "{{fusionSignInId}}", "jwt.aud": "{{application}}"},
        **JWT,
    ),
    get(
        f"{AT}/api/jwt/issue",
        "fusionauth: another access token",
        "Of the same sign-in, for the same application.",
        query={"applicationId": "{{application}}"},
        holds={"token": A_JWT},
        **JWT,
    ),
    post(
        f"{AT}/api/jwt/vend",
        "fusionauth: vend",
        "An empty 401: a token that hangs on no sign-in could not be ended, so nobody gets one.",
        json={"claims": {}, "timeToLiveInSeconds": 60},
        status=401,
        empty=True,
        **KEY,
    ),
    get(
        f"{AT}/api/user",
        "fusionauth: me",
        "With an access token and no filter: oneself.",
        holds={"user.id": "{{fusionId}}"},
        **JWT,
    ),
    get(
        f"{AT}/oauth2/userinfo",
        "fusionauth: userinfo",
        "The same as claims.",
        holds={"sub": "{{fusionId}}", "email": OWNER},
        **JWT,
    ),
    post(
        f"{AT}/oauth2/introspect",
        "fusionauth: introspect",
        "By whoever holds the token and knows its application.",
        form={"client_id": "{{application}}", "token": "{{fusionToken}}"},
        holds={"active": True, "sub": "{{fusionId}}"},
        **HERE,
    ),
    post(
        f"{AT}/api/jwt/refresh",
        "fusionauth: refresh",
        "`refreshTokenId` never changes.",
        json={"refreshToken": "{{fusionRefresh}}"},
        holds={"token": A_JWT, "refreshToken": A_JWT, "refreshTokenId": "{{fusionSignInId}}"},
        saves={"fusionToken": "token", "fusionRefresh": "refreshToken"},
        **HERE,
    ),
    post(
        f"{AT}/oauth2/token",
        "fusionauth: refresh by OAuth",
        "As `/oauth/token`, with two ids more. Within ten seconds the same refresh token comes back.",
        form={
            "grant_type": "refresh_token",
            "refresh_token": "{{fusionRefresh}}",
            "client_id": "{{application}}",
        },
        holds={"access_token": A_JWT, "refresh_token_id": "{{fusionSignInId}}", "userId": "{{fusionId}}"},
        **HERE,
    ),
    post(
        f"{AT}/api/jwt/refresh",
        "fusionauth: refresh with garbage",
        "A 400 with FusionAuth's `Errors`.",
        json={"refreshToken": "garbage"},
        status=400,
        holds={"fieldErrors.refreshToken[0].code": "[invalid]refreshToken"},
        **HERE,
    ),
    post(
        f"{AT}/api/user/change-password",
        "fusionauth: change the password",
        "With the user's access token; every other sign-in ends.",
        json={"currentPassword": "{{password}}", "password": "another {{password}}"},
        after=['pm.test("nothing more is said", () => pm.expect(body).to.eql({}));'],
        **JWT,
    ),
    get(
        f"{AT}/.well-known/jwks.json",
        "fusionauth: JWKS",
        "As plain JSON: its client reads no other type.",
        holds={"keys": SOME},
        **HERE,
    ),
    get(
        f"{AT}/api/jwt/public-key",
        "fusionauth: public keys",
        "The same as PEM, by their `kid`.",
        after=[
            'pm.test("PEM", () => Object.values(body.publicKeys).forEach((one) =>',
            "  pm.expect(one).to.match(/^-----BEGIN PUBLIC KEY-----/)));",
        ],
        **HERE,
    ),
)

REFRESH_TOKENS = folder(
    "fusionauth: refresh tokens",
    "Looked up with `tokens:read`, revoked with `tokens:revoke`, or by their owner's access token.",
    get(
        f"{AT}/api/jwt/refresh",
        "fusionauth: refresh tokens of a user",
        "Those that live, without their texts.",
        query={"userId": "{{fusionId}}"},
        holds={
            "refreshTokens.length": 1,
            "refreshTokens[0].id": "{{fusionSignInId}}",
            "refreshTokens[0].token": ABSENT,
        },
        bare=True,
        **KEY,
    ),
    get(
        f"{AT}/api/jwt/refresh/{{{{fusionSignInId}}}}",
        "fusionauth: one refresh token",
        "404 for one that has ended.",
        holds={"refreshToken.id": "{{fusionSignInId}}", "refreshToken.userId": "{{fusionId}}"},
        bare=True,
        **KEY,
    ),
    delete(
        f"{AT}/api/jwt/refresh/{{{{fusionSignInId}}}}",
        "fusionauth: revoke one refresh token",
        "Empty 200.",
        empty=True,
        **KEY,
    ),
    get(
        f"{AT}/api/jwt/refresh/{{{{fusionSignInId}}}}",
        "fusionauth: a revoked refresh token",
        "An empty 404.",
        status=404,
        empty=True,
        **KEY,
    ),
    signs_in("fusionauth: sign in again", "To revoke it by user and application.", "another {{password}}"),
    delete(
        f"{AT}/api/jwt/refresh",
        "fusionauth: revoke by user and application",
        "All that are given must hold; a value that is empty, `null` or `undefined` is absent.",
        query={"userId": "{{fusionId}}", "applicationId": "{{application}}", "token": "undefined"},
        empty=True,
        **KEY,
    ),
    signs_in("fusionauth: sign in once more", "To sign out.", "another {{password}}"),
    post(
        f"{AT}/api/logout",
        "fusionauth: sign out",
        "Always an empty 200.",
        auth=NOBODY,
        json={"refreshToken": "{{fusionRefresh}}"},
        empty=True,
    ),
    delete(
        f"{AT}/api/user/{{{{fusionId}}}}",
        "fusionauth: delete the user",
        "Nothing stays of this folder.",
        query={"hardDelete": "true"},
        empty=True,
        example=False,
        **KEY,
    ),
)

KEY_PATH = f"{AT}/api/api-key/{{{{apiKeyId}}}}"

API_KEYS = folder(
    "fusionauth: API keys",
    "Made by somebody who holds what they open: the administrator, who signs in here and out again.",
    post(
        f"{AT}/api/login",
        "fusionauth: sign in as the administrator",
        "To `default`, as no application is named.",
        json={"loginId": "{{adminEmail}}", "password": "{{adminPassword}}"},
        holds={"token": A_JWT, "user.registrations[0].roles": includes_members("admin")},
        saves={"managerToken": "token", "managerRefresh": "refreshToken"},
        before=['if (!pm.environment.get("adminPassword")) pm.execution.skipRequest();'],
        **HERE,
    ),
    post(
        f"{AT}/api/api-key",
        "fusionauth: make an API key",
        "Endpoints become scopes; a key without any would open everything, and is refused.",
        json={
            "apiKey": {
                "name": "fusion {{run}}",
                "permissions": {"endpoints": {"/api/user": ["GET"], "/api/jwt/refresh": ["GET", "DELETE"]}},
            }
        },
        holds={
            "apiKey.id": AN_ID,
            "apiKey.key": AN_API_TOKEN,
            "apiKey.permissions.endpoints": {"/api/jwt/refresh": ["DELETE", "GET"], "/api/user": ["GET"]},
        },
        saves={"apiKeyId": "apiKey.id"},
        bare=True,
        **MANAGER,
    ),
    post(
        f"{AT}/api/api-key/{{{{apiKeyId}}}}",
        "fusionauth: an API key with an id that is taken",
        "The id may be chosen; this one is the first key's.",
        json={"apiKey": {"name": "again {{run}}", "permissions": {"endpoints": {"/api/user": ["GET"]}}}},
        status=400,
        holds={"fieldErrors.keyId[0].code": TEXT},
        bare=True,
        **MANAGER,
    ),
    get(
        KEY_PATH,
        "fusionauth: one API key",
        "Without the key itself.",
        holds={"apiKey.id": "{{apiKeyId}}", "apiKey.name": TEXT, "apiKey.key": ABSENT},
        bare=True,
        **MANAGER,
    ),
    put(
        KEY_PATH,
        "fusionauth: narrow an API key",
        "Another name, or fewer endpoints.",
        json={"apiKey": {"name": "fusion {{run}}", "permissions": {"endpoints": {"/api/user": ["GET"]}}}},
        holds={"apiKey.permissions.endpoints": {"/api/user": ["GET"]}},
        bare=True,
        **MANAGER,
    ),
    delete(KEY_PATH, "fusionauth: delete an API key", "Empty 200.", empty=True, **MANAGER),
    post(
        f"{AT}/api/logout",
        "fusionauth: sign the administrator out",
        "In the query, as one of its clients does.",
        auth=NOBODY,
        query={"refreshToken": "{{managerRefresh}}"},
        empty=True,
        example=False,
    ),
)

FOLDER = folder(
    "fusionauth",
    "FusionAuth: the base URL is `{{baseUrl}}/fusionauth`.",
    USERS,
    SIGN_INS,
    REFRESH_TOKENS,
    API_KEYS,
)
