"""Tokens for scripts."""

from clients.postman.source.parts import NOBODY, bearer, delete, folder, get, patch, post
from clients.postman.source.scripts import A_TIME, AN_API_TOKEN, AN_ID, includes

ME_BY_TOKEN = {"data.user.id": "{{userId}}", "data.via": "api_token", "data.permissions": []}

FOLDER = folder(
    "API tokens",
    """Long-lived secrets for scripts, each with scopes and an end of its own. The text is shown once. They are made,
    changed and ended by a sign-in, never by an API token.""",
    post(
        "/api-tokens",
        "Make an API token",
        """With `scopes: []` it says who you are and no more. `allowInQuery` lets it stand in an address; `allowedIps`
        would bind it to networks.""",
        status=201,
        json={"name": "nightly export", "scopes": [], "expiresIn": 2592000, "allowInQuery": True},
        holds={
            "data.token": AN_API_TOKEN,
            "data.apiToken.id": AN_ID,
            "data.apiToken.name": "nightly export",
            "data.apiToken.scopes": [],
            "data.apiToken.allowInQuery": True,
            "data.apiToken.expiresAt": A_TIME,
            "data.apiToken.revokedAt": None,
        },
        saves={"apiToken": "data.token", "apiTokenId": "data.apiToken.id"},
    ),
    post(
        "/api-tokens",
        "Make one that lives for a second",
        "To be refused in *Errors worth seeing*.",
        status=201,
        json={"name": "gone in a second", "scopes": [], "expiresIn": 1},
        holds={"data.token": AN_API_TOKEN},
        saves={"expiredToken": "data.token"},
        example=False,
    ),
    get("/auth/me", "Use it as Bearer", "As an access token would be.", auth=bearer("apiToken"), holds=ME_BY_TOKEN),
    get(
        "/auth/me",
        "Use it as X-Api-Key",
        "The same in a header of its own.",
        auth=NOBODY,
        headers={"X-Api-Key": "{{apiToken}}"},
        holds=ME_BY_TOKEN,
        example=False,
    ),
    get(
        "/auth/me",
        "Use it as ?token=",
        """For what can send no header. Only tokens made with `allowInQuery` are taken there, and neither a view nor a
        log ever sees it.""",
        auth=NOBODY,
        query={"token": "{{apiToken}}"},
        holds=ME_BY_TOKEN,
        example=False,
    ),
    get(
        "/api-tokens",
        "My API tokens",
        "By the `hint` one knows them again; the text is shown to nobody.",
        query={"state": "live"},
        after=[
            'pm.test("this one is among them, and its text is not", () => {',
            '  pm.expect(body.data.items.map((one) => one.id)).to.include(pm.environment.get("apiTokenId"));',
            '  pm.expect(pm.response.text()).not.to.include(pm.environment.get("apiToken"));',
            "});",
        ],
    ),
    get(
        "/api-tokens/{{apiTokenId}}",
        "One API token",
        "When it was used last is written a moment after the use.",
        holds={"data.id": "{{apiTokenId}}", "data.userId": "{{userId}}", "data.hint": includes("asvc_")},
    ),
    patch(
        "/api-tokens/{{apiTokenId}}",
        "Rename and narrow it",
        "What a secret out there may do only ever shrinks: `allowInQuery: true` would be a 422 now.",
        json={"name": "weekly export", "allowInQuery": False},
        holds={"data.name": "weekly export", "data.allowInQuery": False},
    ),
    post(
        "/api-tokens/{{apiTokenId}}/rotate",
        "Its successor",
        "Another text, all else alike. The old one goes on for the overlap, here an hour.",
        status=201,
        json={"overlap": 3600},
        holds={"data.token": AN_API_TOKEN, "data.apiToken.name": "weekly export"},
        saves={"successor": "data.token", "successorId": "data.apiToken.id"},
    ),
    get(
        "/auth/me",
        "The old one still works",
        "Time to change it where it is used.",
        auth=bearer("apiToken"),
        holds=ME_BY_TOKEN,
        example=False,
    ),
    get(
        "/auth/me",
        "The successor works too",
        "It is the same script's.",
        auth=bearer("successor"),
        holds=ME_BY_TOKEN,
        example=False,
    ),
    delete(
        "/api-tokens/{{apiTokenId}}",
        "End the old one",
        "At once, everywhere.",
        holds={"data.id": "{{apiTokenId}}", "data.revoked": 1},
    ),
    delete(
        "/api-tokens/{{successorId}}",
        "End the successor",
        "So that nothing is left of this folder.",
        holds={"data.id": "{{successorId}}", "data.revoked": 1},
        example=False,
    ),
    get(
        "/auth/me",
        "An ended API token",
        "Refused from the next request on.",
        auth=bearer("apiToken"),
        status=401,
        code="token_revoked",
        answers_too="Me",
    ),
)
