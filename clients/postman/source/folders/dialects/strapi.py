"""Strapi: users-permissions, and API tokens."""

from clients.postman.source.parts import NOBODY, bearer, delete, folder, get, post, put
from clients.postman.source.scripts import A_JWT, ABSENT, AN_API_TOKEN, AN_ID, other_than

OWNER = "strapi-{{run}}@example.com"
PAIR = {"jwt": A_JWT, "refreshToken": A_JWT, "user.email": OWNER}
KEEPS = {"strapiJwt": "jwt", "strapiRefresh": "refreshToken", "strapiUserId": "user.id"}
JWT = {"auth": bearer("strapiJwt"), "bare": True}
HERE = {"auth": NOBODY, "bare": True}

SIGN_INS = folder(
    "strapi: users-permissions",
    "Signing in and out, in both of Strapi's login modes.",
    post(
        "/strapi/api/auth/local/register",
        "strapi: register",
        "200, and signed in.",
        json={"username": "strapi-{{run}}", "email": OWNER, "password": "{{password}}"},
        holds={**PAIR, "user.username": "strapi-{{run}}"},
        saves=KEEPS,
        **HERE,
    ),
    post(
        "/strapi/api/auth/local",
        "strapi: sign in",
        "Programs of the older mode know the `jwt` alone and ignore the rest.",
        json={"identifier": OWNER, "password": "{{password}}", "deviceId": "laptop"},
        holds=PAIR,
        saves=KEEPS,
        **HERE,
    ),
    get("/strapi/api/users/me", "strapi: me", "The user in no envelope.", holds={"email": OWNER, "id": AN_ID}, **JWT),
    post(
        "/strapi/api/auth/refreshToken",
        "strapi: another access token",
        "A good access token gives another one, of the same sign-in.",
        holds={"newJwt": A_JWT},
        after=[
            'pm.test("another one", () => pm.expect(body.newJwt).not.to.eql(pm.environment.get("strapiJwt")));',
        ],
        **JWT,
    ),
    post(
        "/strapi/api/auth/refresh",
        "strapi: refresh",
        "The next pair.",
        json={"refreshToken": "{{strapiRefresh}}"},
        holds={"jwt": A_JWT, "refreshToken": other_than("{{strapiRefresh}}")},
        saves={"strapiJwt": "jwt", "strapiRefresh": "refreshToken"},
        **HERE,
    ),
    get(
        "/strapi/api/auth/sessions",
        "strapi: sessions",
        "Where one is signed in.",
        holds={"data.length": 2, "data[0].deviceName": "laptop", "data[0].current": True, "data[1].current": False},
        saves={"strapiSession": "data[1].id"},
        **JWT,
    ),
    delete(
        "/strapi/api/auth/sessions/{{strapiSession}}",
        "strapi: end a session",
        "The one that came with registering.",
        holds={"data": {}},
        **JWT,
    ),
    post(
        "/strapi/api/auth/change-password",
        "strapi: change the password",
        "All other sign-ins end; this one goes on with the pair in the answer.",
        json={
            "currentPassword": "{{password}}",
            "password": "another {{password}}",
            "passwordConfirmation": "another {{password}}",
        },
        holds=PAIR,
        saves=KEEPS,
        **JWT,
    ),
    post(
        "/strapi/api/auth/local",
        "strapi: a wrong password",
        "A 400 there.",
        json={"identifier": OWNER, "password": "a wrong password"},
        status=400,
        holds={"data": None, "error.name": "ValidationError", "error.message": "Invalid identifier or password"},
        **HERE,
    ),
)

KEY = "/strapi/admin/api-tokens"

API_TOKENS = folder(
    "strapi: API tokens",
    "They are authsvc's API tokens, in Strapi's words.",
    post(
        KEY,
        "strapi: make an API token",
        "`full-access`, `read-only`, or `custom` with `permissions`. The `accessKey` is shown this once.",
        status=201,
        json={"name": "strapi {{run}}", "type": "custom", "permissions": [], "lifespan": 604800000},
        holds={
            "data.id": AN_ID,
            "data.accessKey": AN_API_TOKEN,
            "data.name": "strapi {{run}}",
            "data.lifespan": 604800000,
        },
        saves={"strapiKey": "data.accessKey", "strapiKeyId": "data.id"},
        **JWT,
    ),
    get(
        "/strapi/api/users/me",
        "strapi: me by ?token=",
        "It wins over every header here.",
        query={"token": "{{strapiKey}}"},
        holds={"email": OWNER},
        example=False,
        **HERE,
    ),
    get(
        KEY,
        "strapi: my API tokens",
        "The live ones by name, without their keys.",
        holds={"data.length": 1, "data[0].id": "{{strapiKeyId}}", "data[0].accessKey": ABSENT},
        **JWT,
    ),
    get(
        f"{KEY}/{{{{strapiKeyId}}}}",
        "strapi: one API token",
        "Without its key.",
        holds={"data.id": "{{strapiKeyId}}", "data.name": "strapi {{run}}"},
        **JWT,
    ),
    put(
        f"{KEY}/{{{{strapiKeyId}}}}",
        "strapi: rename an API token",
        "Narrowing works too, widening doesn't.",
        json={"name": "strapi, renamed {{run}}"},
        holds={"data.id": "{{strapiKeyId}}", "data.name": "strapi, renamed {{run}}"},
        **JWT,
    ),
    post(
        f"{KEY}/{{{{strapiKeyId}}}}/regenerate",
        "strapi: regenerate an API token",
        "The old key is dead at once; the id is the successor's.",
        status=201,
        holds={"data.accessKey": AN_API_TOKEN, "data.id": other_than("{{strapiKeyId}}")},
        saves={"strapiKeyId": "data.id"},
        **JWT,
    ),
    delete(
        f"{KEY}/{{{{strapiKeyId}}}}",
        "strapi: delete an API token",
        "Dead at once.",
        holds={"data.id": "{{strapiKeyId}}"},
        **JWT,
    ),
)

FOLDER = folder(
    "strapi",
    "Strapi 5: the base URL of its clients is `{{baseUrl}}/strapi/api`.",
    SIGN_INS,
    API_TOKENS,
    post(
        "/strapi/api/auth/logout", "strapi: sign out", "`{scope: all}` would be everywhere.", holds={"ok": True}, **JWT
    ),
    get(
        "/strapi/api/users/me",
        "strapi: me after signing out",
        "In Strapi's words.",
        status=401,
        holds={"data": None, "error.name": "UnauthorizedError", "error.message": "Missing or invalid credentials"},
        **JWT,
    ),
    delete(
        "/admin/users/{{strapiUserId}}",
        "strapi: remove the user of this folder",
        "Natively, by the operator's script.",
        auth=bearer("scriptKey"),
        holds={"data.id": "{{strapiUserId}}"},
        example=False,
    ),
)
