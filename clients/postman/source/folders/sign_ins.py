"""One's sign-ins: seen and ended."""

from clients.postman.source.folders.people import device_signs_in
from clients.postman.source.parts import delete, folder, get
from clients.postman.source.scripts import A_TIME, AN_ID, TEXT, at_least, includes

FOLDER = folder(
    "My sign-ins",
    """One for each time you signed in somewhere. An ended one is dead at once: its refresh token and every access token
    that came of it.""",
    device_signs_in("Sign in on a phone", "Another sign-in, to look at and to end.", "phone", phoneId="refreshTokenId"),
    device_signs_in("Sign in on a tablet", "And one more.", "tablet", tabletId="refreshTokenId"),
    get(
        "/jwt/refresh",
        "Where I am signed in",
        "Newest first, a page at a time. `current` is the sign-in that asks.",
        query={"limit": "10"},
        holds={
            "data.items[0].id": "{{tabletId}}",
            "data.items[0].deviceName": "tablet",
            "data.items[0].current": False,
            "data.items[1].id": "{{phoneId}}",
            "data.nextCursor": None,
        },
        after=[
            'pm.test("one of them is this one", () => {',
            "  const current = body.data.items.filter((one) => one.current).map((one) => one.id);",
            '  pm.expect(current).to.eql([pm.environment.get("refreshTokenId")]);',
            "});",
        ],
    ),
    get(
        "/jwt/refresh/{{phoneId}}",
        "One sign-in",
        "Where it is from, how often it was refreshed, and when it ends.",
        holds={
            "data.id": "{{phoneId}}",
            "data.userId": "{{userId}}",
            "data.applicationId": "{{office}}",
            "data.tenantId": AN_ID,
            "data.generation": 0,
            "data.deviceName": "phone",
            "data.createdAt": A_TIME,
            "data.expiresAt": A_TIME,
            "data.revokedAt": None,
            "data.ip": TEXT,
        },
    ),
    delete(
        "/jwt/refresh",
        "What would end",
        """With `preview` nothing ends: the answer says what would. Here: all my sign-ins at one application, but for
        the second device's.""",
        json={
            "userId": "{{userId}}",
            "applicationId": "{{office}}",
            "except": ["{{spentSignInId}}"],
            "preview": True,
        },
        holds={"data.revoked": 2, "data.ids": includes("{{phoneId}}"), "data.preview": True},
    ),
    delete(
        "/jwt/refresh/{{phoneId}}",
        "End one",
        "Ending it once more is a 200 too, with `revoked: 0`.",
        holds={"data.revoked": 1, "data.ids": ["{{phoneId}}"]},
    ),
    get(
        "/jwt/refresh",
        "Those that have ended",
        "`state` is `live`, `revoked`, `expired` or `all`; `userId`, `applicationId`, `ip` and more narrow it down.",
        query={"tokenId": "{{phoneId}}", "state": "revoked"},
        holds={"data.items.length": 1, "data.items[0].revokeReason": "revoked", "data.items[0].revokedAt": A_TIME},
    ),
    delete(
        "/jwt/refresh",
        "End all but these",
        "Every sign-in of mine ends but those in `except`: this one and the second device's.",
        json={"userId": "{{userId}}", "except": ["{{refreshTokenId}}", "{{spentSignInId}}"]},
        holds={"data.ids": includes("{{tabletId}}"), "data.revoked": at_least(1)},
    ),
)
