"""Baserow, and the same for pages made after the Appsmith guide."""

from typing import Any

from clients.postman.source.parts import NOBODY, Folder, folder, post
from clients.postman.source.scripts import A_JWT, ABSENT, TEXT

REFUSED = {"error": "ERROR_INVALID_REFRESH_TOKEN"}


def speaking(name: str, about: str) -> Folder:
    at, refresh = f"/{name}/api/user", f"{name}Refresh"
    here: dict[str, Any] = {"auth": NOBODY, "bare": True}
    token = {"refresh_token": f"{{{{{refresh}}}}}"}
    return folder(
        name,
        about,
        post(
            f"{at}/token-auth/",
            f"{name}: sign in",
            "Both access tokens in the answer are one.",
            json={"email": "{{email}}", "password": "{{password}}"},
            holds={
                "access_token": A_JWT,
                "token": A_JWT,
                "refresh_token": A_JWT,
                "user_session": TEXT,
                "user.id": "{{userId}}",
            },
            saves={refresh: "refresh_token"},
            **here,
        ),
        post(
            f"{at}/token-refresh/",
            f"{name}: refresh",
            "No other refresh token comes back: these clients keep their first one.",
            json=token,
            holds={"access_token": A_JWT, "refresh_token": ABSENT, "user.id": "{{userId}}"},
            **here,
        ),
        post(
            f"{at}/token-verify/",
            f"{name}: whose token is this?",
            "If it is good.",
            json=token,
            holds={"user.id": "{{userId}}", "user.username": "{{email}}"},
            **here,
        ),
        post(f"{at}/token-blacklist/", f"{name}: sign out", "204.", auth=NOBODY, json=token, status=204, empty=True),
        post(
            f"{at}/token-refresh/",
            f"{name}: refresh after signing out",
            "With Baserow's code.",
            json=token,
            status=401,
            holds=REFUSED,
            **here,
        ),
    )


BASEROW = speaking("baserow", "Baserow: the base URL is `{{baseUrl}}/baserow`.")
APPSMITH = speaking("appsmith", "Pages made after the Appsmith guide: Baserow's wire at `{{baseUrl}}/appsmith`.")
