"""Forward-auth."""

from typing import Any

from clients.postman.source.parts import NOBODY, Request, folder
from clients.postman.source.scripts import AN_ID, includes

WHO = {
    "X-Auth-User-Id": "{{userId}}",
    "X-Auth-Tenant-Id": AN_ID,
    "X-Auth-Application-Id": "{{application}}",
    "X-Auth-Via": "access_token",
}


def asked(method: str, name: str, about: str, **more: Any) -> Request:
    return Request(method=method, path="/auth/verify", name=name, about=about, **more)


def passes(method: str) -> Request:
    return asked(
        method,
        f"May this {method} pass?",
        f"A proxy that was sent a {method} asks with the same method, and has the same answer.",
        empty=True,
        has_headers=WHO,
        example=method == "GET",
    )


FOLDER = folder(
    "Forward-auth",
    """nginx, Caddy and Traefik ask here before they pass a request on to an API: 200 with who it is in `X-Auth-…`
    headers, or 401, or 403. Any method will do, and no body is read.""",
    *(passes(method) for method in ("GET", "POST", "PUT", "PATCH", "DELETE")),
    asked(
        "GET",
        "May it pass with that permission?",
        "All permissions in `scope` are needed.",
        query={"scope": "auth:refresh"},
        empty=True,
        has_headers={**WHO, "X-Auth-Scopes": includes("auth:refresh")},
        example=False,
    ),
    asked(
        "GET",
        "It lacks a permission",
        "The proxy passes the 403 on to whoever asked.",
        query={"scope": "users:write"},
        status=403,
        code="permission_denied",
        answers_too="May this GET pass?",
    ),
    asked(
        "GET",
        "Nobody is signed in",
        "The proxy passes the 401 on, or sends the person to a page to sign in.",
        auth=NOBODY,
        status=401,
        code="credentials_missing",
        has_headers={"WWW-Authenticate": includes("Bearer")},
        answers_too="May this GET pass?",
    ),
)
