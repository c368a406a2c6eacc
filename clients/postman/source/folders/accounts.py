"""Beginning a round, an account, and who one is."""

from clients.postman.source import scripts
from clients.postman.source.folders.people import SIGN_IN_ANSWER, admin_signs_in, signs_out, visitor_signs_in
from clients.postman.source.parts import NOBODY, folder, get, patch, post
from clients.postman.source.scripts import A_CLIENT_SECRET, A_TIME, AN_ID, at_least, includes_members

START = folder(
    "Start here",
    """Run this folder first. It looks whether the service is there and the environment filled in, chooses names that
    nobody has yet, and makes two applications to sign in to: one whose refresh tokens travel as the environment's
    `transport` says, and a confidential one.

    You need a `baseUrl`, the `adminEmail` and the `adminPassword` in the environment; `make run` prints the last two
    at its first start.""",
    get(
        "/readyz",
        "Is the service there?",
        """Also begins a new round: the next requests use new names, so the collection can be run again and again.""",
        auth=NOBODY,
        bare=True,
        holds={"status": "ready"},
        before=scripts.STARTS_ANEW,
        after=scripts.STOPS_UNLESS_FILLED_IN,
        stops=True,
        example=False,
    ),
    admin_signs_in(
        "Sign in as the administrator",
        """With `adminEmail` and `adminPassword`. If this fails, the run stops here: ten wrong passwords would stop the
        administrator for a quarter of an hour.""",
    ),
    post(
        "/admin/applications",
        "An application for this round",
        """Where you sign in to. Its transport is the environment's: the same server can have applications of both.""",
        status=201,
        json={"name": "Postman {{run}}", "slug": "postman-{{run}}", "transport": "{{transport}}"},
        holds={"data.slug": "postman-{{run}}", "data.transport": "{{transport}}", "data.confidential": False},
        saves={"application": "data.id"},
    ),
    post(
        "/admin/applications",
        "A confidential application for this round",
        """A program on a server that has a secret, for OAuth. Its secret is shown in this answer alone.""",
        status=201,
        json={
            "name": "Office {{run}}",
            "slug": "office-{{run}}",
            "transport": "body",
            "confidential": True,
            "scopes": ["tokens:read"],
        },
        holds={"data.clientSecret": A_CLIENT_SECRET, "data.scopes": ["tokens:read"]},
        saves={"office": "data.id", "officeSecret": "data.clientSecret"},
    ),
    signs_out("Sign the administrator out", "From here on you are a visitor."),
)

FOLDER = folder(
    "Sign up and sign in",
    """An account of your own, made by the first request, and signing in to it. What comes back is kept in the
    environment, and the requests after these send it.""",
    post(
        "/auth/register",
        "Sign up",
        """Makes an account and signs it in. In body transport the answer has the refresh token, in cookie transport it
        is in an HttpOnly cookie and the answer has the `csrfToken` that belongs to it.""",
        auth=NOBODY,
        status=201,
        json={
            "email": "{{email}}",
            "password": "{{password}}",
            "username": "{{username}}",
            "name": "Postman",
            "applicationId": "{{application}}",
        },
        holds={
            **SIGN_IN_ANSWER,
            "data.user.id": AN_ID,
            "data.user.email": "{{email}}",
            "data.user.username": "{{username}}",
            "data.user.roles": ["member"],
            "data.user.active": True,
            "data.user.createdAt": A_TIME,
        },
        saves={"userId": "data.user.id"},
        after=[*scripts.TRAVELS_AS_CHOSEN, *scripts.KEEPS_SIGN_IN],
    ),
    post(
        "/auth/login",
        "Sign in with a user name",
        """`identifier`, `email` and `username` all take an e-mail address or a user name. Each time somebody signs in
        is one sign-in, with a `refreshTokenId` that stays the same through every refresh.""",
        auth=NOBODY,
        json={
            "identifier": "{{username}}",
            "password": "{{password}}",
            "applicationId": "{{application}}",
            "deviceName": "Postman",
        },
        holds={**SIGN_IN_ANSWER, "data.user.id": "{{userId}}"},
        after=[*scripts.TRAVELS_AS_CHOSEN, *scripts.KEEPS_SIGN_IN],
    ),
)

ME = folder(
    "Who am I",
    "What the service knows of whoever sends the access token.",
    get(
        "/auth/me",
        "Me",
        "Who the access token is, what it may do, and what kind of token it is.",
        holds={
            "data.user.id": "{{userId}}",
            "data.user.email": "{{email}}",
            "data.permissions": includes_members("api-tokens:write", "auth:refresh"),
            "data.via": "access_token",
        },
    ),
    patch(
        "/auth/me",
        "Change my name",
        "The user name or the name; `null` takes one away.",
        json={"name": "Postman, renamed"},
        holds={"data.user.name": "Postman, renamed", "data.user.username": "{{username}}"},
    ),
    post(
        "/auth/password",
        "Change my password",
        """Every other sign-in of mine ends: here the one that came with signing up. This one stays.""",
        json={"currentPassword": "{{password}}", "newPassword": "another {{password}}"},
        holds={"data.revoked": at_least(1)},
        after=['pm.environment.set("password", `another ${pm.environment.get("password")}`);'],
    ),
    visitor_signs_in("Sign in with the new password", "The old one is wrong from now on."),
)
