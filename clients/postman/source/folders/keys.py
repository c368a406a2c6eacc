"""Signing keys."""

from clients.postman.source.parts import folder, get, post
from clients.postman.source.scripts import SOME, includes

STATES = ("next", "active")

SAVES = [
    f'pm.environment.set("{state}Kid", body.data.items.find((one) => one.state === "{state}").kid);' for state in STATES
]

FOLDER = folder(
    "Keys",
    """What signs access tokens and refresh tokens. Rotating signs nobody out: the next key has been published for a
    while, and what the one before signed stays good. Revoking is for a key that somebody else may have: it ends every
    sign-in that it may have signed. Here the new next key is revoked, which has signed nothing yet.""",
    get("/admin/keys", "The keys", "Newest first, with their public halves.", holds={"data.items": SOME}, after=SAVES),
    get(
        "/admin/keys/{{activeKid}}",
        "The key that signs",
        "`next` → `active` → `previous` → `retired`.",
        holds={"data.kid": "{{activeKid}}", "data.state": "active", "data.publicJwk.use": "sig"},
    ),
    post(
        "/admin/keys/rotate",
        "Rotate",
        "The published next key signs from now on, and another is published.",
        holds={"data.kid": "{{nextKid}}", "data.state": "active"},
    ),
    post(
        "/admin/keys/{{activeKid}}/retire",
        "Retire the key before",
        """Refused while anybody may still hold a refresh token that it signed: retiring signs nobody out. It happens by
        itself, at a later rotation.""",
        status=409,
        code="conflict",
        holds={"message": includes("live sign-in")},
    ),
    get(
        "/admin/keys",
        "The keys after rotating",
        "One more than before.",
        after=[
            'pm.test("the two have moved on", () => {',
            "  const states = Object.fromEntries(body.data.items.map((one) => [one.kid, one.state]));",
            '  pm.expect(states[pm.environment.get("activeKid")]).to.eql("previous");',
            '  pm.expect(states[pm.environment.get("nextKid")]).to.eql("active");',
            "});",
            *SAVES,
        ],
        example=False,
    ),
    post(
        "/admin/keys/{{nextKid}}/revoke",
        "Revoke the next key",
        "It has signed nothing, so nobody is signed out, and there is another next key at once.",
        holds={"data.key.kid": "{{nextKid}}", "data.key.state": "retired", "data.revoked": 0},
    ),
    post(
        "/admin/keys/{{nextKid}}/retire",
        "Retire the revoked key",
        "It is retired already: 200.",
        holds={"data.kid": "{{nextKid}}", "data.state": "retired"},
        example=False,
    ),
)
