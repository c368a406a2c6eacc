"""Signing out, and leaving the service as it was."""

from clients.postman.source.folders.people import admin_signs_in, signs_out, visitor_signs_in
from clients.postman.source.parts import NOBODY, bearer, delete, folder, get, post
from clients.postman.source.scripts import at_least

FOLDER = folder(
    "Sign out",
    """Out, everywhere; then the administrator takes away what this round made: its user, its applications and the
    script's key. The audit trail keeps what happened, and rotating left one more signing key.""",
    visitor_signs_in("Sign in a last time", "To sign out of something, whatever ran before."),
    post(
        "/auth/logout",
        "Sign out everywhere",
        "Without `everywhere`: this sign-in alone. Cookies that the request brought are cleared.",
        json={"everywhere": True},
        holds={"data.revoked": at_least(1)},
        after=['pm.environment.set("signedOutToken", pm.environment.get("accessToken"));'],
    ),
    get(
        "/auth/me",
        "Signed out is signed out",
        "The access token is dead at once, on every server.",
        auth=bearer("signedOutToken"),
        status=401,
        code="token_revoked",
        answers_too="Me",
    ),
    post(
        "/auth/logout",
        "Sign out without a token",
        "Who is out already gets a 200.",
        auth=NOBODY,
        holds={"data.revoked": 0},
        example=False,
    ),
    admin_signs_in("Sign in to clean up", "As the administrator, for the last time.", example=False),
    delete(
        "/api-tokens/{{scriptKeyId}}",
        "End the script's key",
        "At once.",
        holds={"data.revoked": 1},
        example=False,
    ),
    delete(
        "/admin/users/{{userId}}",
        "Delete the visitor",
        "Nothing of theirs is signed in any more.",
        holds={"data.id": "{{userId}}", "data.revoked": 0},
        example=False,
    ),
    delete(
        "/admin/applications/{{office}}",
        "Delete the confidential application",
        "With its secret.",
        holds={"data.id": "{{office}}"},
        example=False,
    ),
    delete(
        "/admin/applications/{{application}}",
        "Delete this round's application",
        "From here on, signing in by hand is to the application `default`.",
        holds={"data.id": "{{application}}"},
        after=['pm.environment.set("application", "default");'],
        example=False,
    ),
    get(
        "/admin/users",
        "Nobody of this round is left",
        "Each folder has removed the users that it made.",
        query={"search": "{{run}}"},
        holds={"data.items": []},
        example=False,
    ),
    signs_out("Sign out", "By the access token; in cookie transport the cookies are cleared too."),
)
