"""Signing in and out as one of the two people of the collection: the visitor, whom each round makes, and the admin."""

from typing import Any

from clients.postman.source import scripts
from clients.postman.source.parts import NOBODY, Request, post
from clients.postman.source.scripts import A_JWT, AN_ID, SECONDS, includes_members

SIGN_IN_ANSWER = {
    "data.accessToken": A_JWT,
    "data.tokenType": "Bearer",
    "data.expiresIn": SECONDS,
    "data.refreshExpiresIn": SECONDS,
    "data.refreshTokenId": AN_ID,
}


def visitor_signs_in(name: str, about: str) -> Request:
    return post(
        "/auth/login",
        name,
        about,
        auth=NOBODY,
        json={"email": "{{email}}", "password": "{{password}}", "applicationId": "{{application}}"},
        holds=SIGN_IN_ANSWER | {"data.user.email": "{{email}}"},
        after=[*scripts.TRAVELS_AS_CHOSEN, *scripts.KEEPS_SIGN_IN],
    )


def device_signs_in(name: str, about: str, device: str, **saves: str) -> Request:
    """Beside the sign-in that the collection uses, at the office application, whose tokens travel in bodies."""
    return post(
        "/auth/login",
        name,
        about,
        auth=NOBODY,
        json={
            "email": "{{email}}",
            "password": "{{password}}",
            "applicationId": "{{office}}",
            "deviceName": device,
        },
        holds=SIGN_IN_ANSWER | {"data.refreshToken": A_JWT, "data.user.id": "{{userId}}"},
        saves={variable: f"data.{place}" for variable, place in saves.items()},
    )


def admin_signs_in(name: str, about: str, **more: Any) -> Request:
    return post(
        "/auth/login",
        name,
        about,
        auth=NOBODY,
        json={"email": "{{adminEmail}}", "password": "{{adminPassword}}"},
        holds=SIGN_IN_ANSWER | {"data.user.roles": includes_members("admin", "operator")},
        saves={"adminId": "data.user.id", "adminSignInId": "data.refreshTokenId"},
        before=['if (!pm.environment.get("adminPassword")) pm.execution.skipRequest();'],
        after=scripts.KEEPS_SIGN_IN,
        stops=True,
        **more,
    )


def signs_out(name: str, about: str, **more: Any) -> Request:
    return post("/auth/logout", name, about, holds={"data.revoked": 1}, after=scripts.FORGETS_SIGN_IN, **more)
