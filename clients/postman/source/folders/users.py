"""Users, roles, and what administrators see of users' sign-ins."""

from clients.postman.source.folders.people import admin_signs_in, signs_out
from clients.postman.source.parts import delete, folder, get, patch, post
from clients.postman.source.scripts import AN_API_TOKEN, AN_ID, at_least, includes, includes_members

SIGN_IN = admin_signs_in(
    "Sign in to administer",
    """From here on, the collection is the administrator, until *Sign out of administration*.""",
    example=False,
)
SIGN_OUT = signs_out("Sign out of administration", "You are nobody until the next sign-in.", example=False)

USERS = folder(
    "Users",
    """Made, found, changed, disabled and deleted. Nobody acts upward: who would change a user that may do more than
    they may gets a 403.""",
    post(
        "/admin/users",
        "Make a user",
        "Also while registration is closed. Without a password, nobody can sign in as this user with one.",
        status=201,
        json={
            "email": "desk-{{run}}@example.com",
            "username": "desk-{{run}}",
            "name": "Front desk",
            "roles": ["member"],
        },
        holds={
            "data.id": AN_ID,
            "data.email": "desk-{{run}}@example.com",
            "data.roles": ["member"],
            "data.active": True,
            "data.confirmed": False,
        },
        saves={"deskId": "data.id"},
    ),
    get(
        "/admin/users",
        "Find users",
        "`search` looks into e-mail addresses, user names and names; there are filters for role, activity and times.",
        query={"search": "desk-{{run}}", "limit": "20"},
        holds={"data.items.length": 1, "data.items[0].id": "{{deskId}}", "data.nextCursor": None},
    ),
    get(
        "/admin/users/{{deskId}}",
        "One user",
        "By id.",
        holds={"data.id": "{{deskId}}", "data.username": "desk-{{run}}"},
    ),
    patch(
        "/admin/users/{{deskId}}",
        "Disable a user",
        "Every sign-in of the user ends at once. `active: true` would let the user sign in again, and revives nothing.",
        json={"active": False},
        holds={"data.active": False, "data.id": "{{deskId}}"},
    ),
    delete(
        "/admin/users/{{deskId}}",
        "Delete a user",
        "The e-mail address is free for a new account, which has nothing of the old one.",
        holds={"data.id": "{{deskId}}", "data.revoked": 0},
    ),
)

ROLES = folder(
    "Roles",
    """Named sets of permissions. A user may do what the user's roles allow together. Any `resource:action` will do:
    your own APIs ask for theirs.""",
    post(
        "/admin/roles",
        "Make a role",
        "Nobody makes a role that holds a permission which they lack.",
        status=201,
        json={"name": "Reader {{run}}", "permissions": ["users:read", "events:read"]},
        holds={
            "data.id": AN_ID,
            "data.name": "Reader {{run}}",
            "data.permissions": ["events:read", "users:read"],
            "data.builtIn": False,
        },
        saves={"roleId": "data.id"},
    ),
    get(
        "/admin/roles",
        "Find roles",
        "All of them, or the one of a `name`.",
        query={"name": "Reader {{run}}"},
        holds={"data.items.length": 1, "data.items[0].id": "{{roleId}}"},
    ),
    get("/admin/roles/{{roleId}}", "One role", "By id.", holds={"data.id": "{{roleId}}", "data.builtIn": False}),
    patch(
        "/admin/roles/{{roleId}}",
        "Change what a role allows",
        "For all who have it: what is taken is gone at the next request, what is given comes with the next refresh.",
        json={"permissions": ["users:read"]},
        holds={"data.permissions": ["users:read"]},
    ),
    patch(
        "/admin/users/{{userId}}",
        "Give the visitor a role",
        "`roles` are exactly these from now on.",
        json={"roles": ["member", "Reader {{run}}"]},
        holds={"data.roles": includes_members("member", "Reader {{run}}"), "data.id": "{{userId}}"},
    ),
    delete(
        "/admin/roles/{{roleId}}",
        "Delete a role",
        "It is taken from all who had it.",
        holds={"data.id": "{{roleId}}", "data.holders": 1},
    ),
)

THEIR_TOKENS = folder(
    "Sign-ins and API tokens of others",
    """The same routes that owners use; with `tokens:read`, `tokens:revoke` and `api-tokens:admin` they reach the whole
    tenant's.""",
    get(
        "/jwt/refresh",
        "Where a user is signed in",
        "Everybody sees their own; this is somebody else's.",
        query={"userId": "{{userId}}"},
        holds={"data.items.length": at_least(1), "data.items[0].userId": "{{userId}}"},
    ),
    delete(
        "/jwt/refresh",
        "What would end for a user",
        """Without `preview` it would. Selectors stand in the query or in a JSON body: `userId`, `applicationId`,
        `tokenId`, `tokenString`, `all`.""",
        query={"userId": "{{userId}}", "preview": "true"},
        holds={"data.preview": True, "data.revoked": at_least(1)},
    ),
    get(
        "/api-tokens",
        "API tokens of the whole tenant",
        "With `api-tokens:admin`.",
        query={"all": "true", "state": "revoked", "userId": "{{userId}}"},
        holds={"data.items[0].userId": "{{userId}}", "data.items[0].revokeReason": includes("revoked")},
    ),
    post(
        "/api-tokens",
        "A key for an operator's script",
        """It may look up and end sign-ins and look after users, and nothing else. The folder *fusionauth* uses it as
        its API key. The collection's last folder ends it.""",
        status=201,
        json={
            "name": "Postman {{run}}",
            "scopes": ["tokens:read", "tokens:revoke", "users:read", "users:write"],
            "expiresIn": 3600,
        },
        holds={"data.token": AN_API_TOKEN, "data.apiToken.userId": "{{adminId}}"},
        saves={"scriptKey": "data.token", "scriptKeyId": "data.apiToken.id"},
        example=False,
    ),
)
