"""Carrying a sign-in on."""

from clients.postman.source import scripts
from clients.postman.source.folders.people import SIGN_IN_ANSWER, device_signs_in
from clients.postman.source.parts import NOBODY, folder, get, post
from clients.postman.source.scripts import A_JWT, other_than

ANSWER = SIGN_IN_ANSWER | {"data.refreshTokenId": "{{refreshTokenId}}"}
SENT = {
    "auth": NOBODY,
    "json": {"refreshToken": "{{refreshToken}}"},
    "headers": {"Idempotency-Key": "{{refreshAttempt}}", "X-CSRF-TOKEN": "{{csrfToken}}"},
    "before": scripts.CHOOSES_ATTEMPT,
}

FOLDER = folder(
    "Refresh",
    """Access tokens live for a quarter of an hour. The refresh token gets the next one, and is itself replaced: a spent
    one that comes back ends the sign-in. In cookie transport the cookie jar sends it, and `X-CSRF-TOKEN` proves that
    you may.

    The collection refreshes by itself, before any request, when its access token has less than half a minute left: look
    at *Pre-request Script* of the collection.""",
    post(
        "/jwt/refresh",
        "Refresh",
        """Trades the refresh token for the next one and another access token. The `Idempotency-Key` is kept before it
        is sent: if no answer comes, the same request again, at any later time, harms nobody. In cookie transport the
        script leaves the body away.""",
        holds=ANSWER | {"data.accessToken": other_than("{{accessToken}}")},
        after=[*scripts.TRAVELS_AS_CHOSEN, *scripts.KEEPS_SIGN_IN],
        **SENT,
    ),
    post(
        "/jwt/refresh",
        "Refresh again at once",
        """Within ten seconds the same refresh token comes back, with another access token: several tabs may refresh at
        the same time, and none of them is signed out.""",
        holds=ANSWER,
        after=[
            'pm.test("the refresh token is the same as before", () => {',
            '  pm.expect(body.data.refreshToken ?? "").to.eql(pm.environment.get("refreshToken"));',
            '  pm.expect(body.data.csrfToken ?? "").to.eql(pm.environment.get("csrfToken"));',
            "});",
            *scripts.KEEPS_SIGN_IN,
            "// As if the access token had nearly run out: the next request refreshes by itself.",
            'pm.environment.set("accessTokenBefore", body.data.accessToken);',
            'pm.environment.set("accessTokenEnds", 1);',
        ],
        **SENT,
    ),
    get(
        "/auth/me",
        "Refreshed by itself",
        """The request before this one made the collection believe that its access token has nearly run out, so the
        collection's script refreshed it before this was sent.""",
        holds={"data.user.id": "{{userId}}"},
        after=[
            'pm.test("the access token is a new one, with some time left", () => {',
            '  const now = pm.environment.get("accessToken");',
            '  pm.expect(now).to.match(/^eyJ/).and.not.eql(pm.environment.get("accessTokenBefore"));',
            '  pm.expect(pm.request.headers.get("Authorization")).to.eql(`Bearer ${now}`);',
            '  pm.expect(Number(pm.environment.get("accessTokenEnds"))).to.be.above(Date.now());',
            '  pm.expect(pm.environment.has("refreshAttempt")).to.be.false;',
            "});",
            'pm.environment.unset("accessTokenBefore");',
        ],
        example=False,
    ),
    device_signs_in(
        "Sign in on a second device",
        "Its refresh token will be spent by the next request, and come back in *Errors worth seeing*.",
        "second device",
        spentToken="refreshToken",
        spentSignInId="refreshTokenId",
    ),
    post(
        "/jwt/refresh",
        "Spend the second device's refresh token",
        "The sign-in goes on with the refresh token in this answer.",
        auth=NOBODY,
        json={"refreshToken": "{{spentToken}}"},
        holds={
            "data.refreshTokenId": "{{spentSignInId}}",
            "data.refreshToken": A_JWT,
            "data.accessToken": A_JWT,
        },
        after=[
            'pm.test("the refresh token is another one", () =>',
            '  pm.expect(body.data.refreshToken).not.to.eql(pm.environment.get("spentToken")));',
            'pm.environment.set("spentAt", Date.now());',
        ],
        example=False,
    ),
)
