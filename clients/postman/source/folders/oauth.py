"""OAuth 2."""

from clients.postman.source.folders.people import device_signs_in
from clients.postman.source.parts import NOBODY, basic, folder, get, post
from clients.postman.source.scripts import A_JWT, ABSENT, SECONDS, SOME, includes_members

CLIENT = basic("{{office}}", "{{officeSecret}}")

FOLDER = folder(
    "OAuth",
    """For programs that speak the standards: RFC 6749 (tokens), 7662 (introspection), 7009 (revocation), 8414
    (metadata), 7517 (keys). Bodies are forms, answers have no envelope. The client is the confidential application of
    *Start here*; it proves itself by HTTP Basic.""",
    get(
        "/.well-known/oauth-authorization-server",
        "Where everything is",
        "What a client library reads first.",
        auth=NOBODY,
        bare=True,
        holds={"grant_types_supported": includes_members("client_credentials", "refresh_token")},
    ),
    get(
        "/.well-known/jwks.json",
        "The public keys",
        "With these any service checks access tokens for itself.",
        auth=NOBODY,
        bare=True,
        holds={"keys": SOME, "keys[0].use": "sig"},
        after=['pm.test("nothing private", () => pm.expect(body.keys[0]).not.to.have.any.keys("d", "p", "q"));'],
    ),
    post(
        "/oauth/token",
        "A token for the client itself",
        "The grant `client_credentials`: a service signs in for itself. There is no refresh token; it asks again.",
        auth=CLIENT,
        form={"grant_type": "client_credentials", "scope": "tokens:read"},
        bare=True,
        holds={
            "access_token": A_JWT,
            "token_type": "Bearer",
            "expires_in": SECONDS,
            "scope": "tokens:read",
            "refresh_token": ABSENT,
        },
    ),
    device_signs_in(
        "A user signs in to the client",
        "As people do, at `/auth/login`.",
        "office",
        officeRefreshToken="refreshToken",
        officeAccessToken="accessToken",
    ),
    post(
        "/oauth/token",
        "Refresh as the client",
        "The grant `refresh_token`: the same step as `POST /jwt/refresh`, and the client proves itself beside it.",
        auth=CLIENT,
        form={"grant_type": "refresh_token", "refresh_token": "{{officeRefreshToken}}"},
        bare=True,
        holds={"access_token": A_JWT, "refresh_token": A_JWT, "token_type": "Bearer"},
        saves={"officeRefreshToken": "refresh_token"},
    ),
    post(
        "/oauth/introspect",
        "What is this access token worth?",
        "Asked of the database at this moment. The answer says whose it is and what it may do.",
        auth=CLIENT,
        form={"token": "{{officeAccessToken}}"},
        bare=True,
        holds={"active": True, "token_type": "Bearer", "sub": "{{userId}}", "client_id": "{{office}}", "exp": SECONDS},
    ),
    post(
        "/oauth/introspect",
        "And this refresh token?",
        "`token_type` tells what opens doors from what doesn't.",
        auth=CLIENT,
        form={"token": "{{officeRefreshToken}}", "token_type_hint": "refresh_token"},
        bare=True,
        holds={"active": True, "token_type": "refresh_token", "scope": "auth:refresh"},
        example=False,
    ),
    post(
        "/oauth/revoke",
        "End it by its text",
        "200 and empty, also where there was nothing to end.",
        auth=CLIENT,
        form={"token": "{{officeRefreshToken}}"},
        empty=True,
    ),
    post(
        "/oauth/introspect",
        "It is worth nothing now",
        "Whatever is wrong with a token, the answer is the same.",
        auth=CLIENT,
        form={"token": "{{officeAccessToken}}"},
        bare=True,
        holds={"active": False, "sub": ABSENT},
        answers_too="What is this access token worth?",
    ),
    post(
        "/oauth/token",
        "A spent refresh token as the client",
        "Errors have the form of the standard.",
        auth=CLIENT,
        form={"grant_type": "refresh_token", "refresh_token": "{{officeRefreshToken}}"},
        status=400,
        bare=True,
        holds={"error": "invalid_grant"},
        answers_too="Refresh as the client",
    ),
    post(
        "/oauth/token",
        "A client with a wrong secret",
        "Whether the name or the secret was wrong is not said.",
        auth=basic("{{office}}", "a wrong secret"),
        form={"grant_type": "client_credentials"},
        status=401,
        bare=True,
        holds={"error": "invalid_client"},
        answers_too="A token for the client itself",
    ),
)
