"""The requests of the first guide, as it prints them."""

from clients.postman.source.folders.people import device_signs_in
from clients.postman.source.parts import folder, post
from clients.postman.source.scripts import includes

TENANT = {"X-Stencil-TenantId": "default"}

FOLDER = folder(
    "The first guide's requests",
    """As the first guide prints them: `POST` throughout, with its own spellings `applicationsId` and `TokenString`
    and its header `X-Stencil-TenantId`. Where it prints one request for two things, POST looks up and DELETE ends. Here
    a visitor asks about their own sign-ins; with `tokens:read` and `tokens:revoke` it is the whole tenant's.""",
    device_signs_in("The guide's first device", "To look up and to end.", "first", guideId="refreshTokenId"),
    device_signs_in("The guide's second device", "To end by id.", "second", guideSecondId="refreshTokenId"),
    post(
        "/jwt/refresh/{{guideId}}",
        "Retrieve a refresh token",
        "By its id, in the path.",
        headers=TENANT,
        holds={"data.id": "{{guideId}}", "data.userId": "{{userId}}"},
    ),
    post(
        "/jwt/refresh",
        "Retrieve refresh tokens of a user",
        "`{userId}`.",
        headers=TENANT,
        json={"userId": "{{userId}}"},
        holds={"data.items[0].id": "{{guideSecondId}}", "data.items[1].id": "{{guideId}}"},
    ),
    post(
        "/jwt/refresh",
        "Delete by token id",
        "`{tokenId}`.",
        headers=TENANT,
        json={"tokenId": "{{guideSecondId}}"},
        holds={"data.revoked": 1, "data.ids": ["{{guideSecondId}}"]},
    ),
    post(
        "/jwt/refresh",
        "Delete by user and application",
        "`{userId, applicationsId}`: those that are both.",
        headers=TENANT,
        json={"userId": "{{userId}}", "applicationsId": "{{office}}"},
        holds={"data.ids": includes("{{guideId}}")},
    ),
    device_signs_in(
        "The guide's third device",
        "To end by the token itself.",
        "third",
        guideThirdId="refreshTokenId",
        guideTokenString="refreshToken",
    ),
    post(
        "/jwt/refresh",
        "Delete by the token itself",
        "`{TokenString}`: a refresh token, whatever its generation.",
        headers={"x-stencil-tenanid": "default"},
        json={"TokenString": "{{guideTokenString}}"},
        holds={"data.revoked": 1, "data.ids": ["{{guideThirdId}}"]},
    ),
    device_signs_in("The guide's fourth device", "To end by application.", "fourth", guideFourthId="refreshTokenId"),
    post(
        "/jwt/refresh/{{guideFourthId}}",
        "Delete by application",
        "`{applicationsId}` behind an id: what one may end of that application, whatever the id.",
        headers=TENANT,
        json={"applicationsId": "{{office}}"},
        holds={"data.revoked": 1, "data.ids": ["{{guideFourthId}}"]},
    ),
    post(
        "/jwt/refresh",
        "A selector that says nothing",
        "Empty, `null` or `undefined`: nothing was ended.",
        headers=TENANT,
        json={"userId": ""},
        status=400,
        code="selector_missing",
    ),
)
