"""Laravel with jwt-auth: the same by the guides' names and by the library's."""

from typing import Any

from clients.postman.source import scripts
from clients.postman.source.parts import NOBODY, Folder, Request, bearer, delete, folder, post
from clients.postman.source.scripts import A_JWT, AN_ID, SECONDS

TOKEN = {"access_token": A_JWT, "token_type": "bearer", "expires_in": SECONDS}


def speaking(name: str, about: str, *, register: str, login: str, me: str, refresh: str, logout: str) -> Folder:
    at, owner = "/laravel/api", f"{name.replace(' ', '-')}-{{{{run}}}}@example.com"
    variable = f"{name.rsplit(maxsplit=1)[-1]}Token"
    here: dict[str, Any] = {"auth": NOBODY, "bare": True}
    shown: dict[str, Any] = {"auth": bearer(variable), "bare": True}
    saves = {variable: "access_token"}

    def asks(method: str) -> Request:
        return Request(
            name=f"{name}: me ({method})",
            method=method,
            path=f"{at}/{me}",
            about="The user, and nothing around it.",
            holds={"email": owner, "id": AN_ID},
            saves={f"{variable}Id": "id"},
            **shown,
        )

    def exchanges(method: str) -> Request:
        return Request(
            name=f"{name}: refresh ({method})",
            method=method,
            path=f"{at}/{refresh}",
            about="The access token itself is exchanged, once: the old one is refused here from now on.",
            holds=TOKEN,
            after=[
                f'pm.environment.set("{variable}Spent", pm.environment.get("{variable}"));',
                *scripts.kept(variable, "access_token"),
            ],
            **shown,
        )

    return folder(
        name,
        about,
        post(
            f"{at}/{register}",
            f"{name}: {register}",
            "Who expects the user and logs in next finds that; who goes on with the token finds that too.",
            json={
                "name": "Laravel",
                "email": owner,
                "password": "{{password}}",
                "password_confirmation": "{{password}}",
            },
            status=201,
            holds={**TOKEN, "user.email": owner},
            **here,
        ),
        post(
            f"{at}/{login}",
            f"{name}: {login}",
            "`expires_in` is in seconds.",
            json={"email": owner, "password": "{{password}}"},
            holds=TOKEN,
            saves=saves,
            **here,
        ),
        asks("GET"),
        asks("POST"),
        exchanges("POST"),
        exchanges("GET"),
        post(
            f"{at}/{me}",
            f"{name}: an exchanged token",
            "It was exchanged, so it is as good as blacklisted.",
            status=401,
            holds={"message": "The token has been blacklisted"},
            auth=bearer(f"{variable}Spent"),
            bare=True,
        ),
        post(
            f"{at}/{logout}",
            f"{name}: {logout}",
            "The sign-in ends, with all its access tokens.",
            holds={"message": "Successfully logged out"},
            **shown,
        ),
        post(
            f"{at}/{login}",
            f"{name}: a wrong password",
            "As Laravel says it.",
            json={"email": owner, "password": "a wrong password"},
            status=401,
            holds={"error": "Unauthorized"},
            **here,
        ),
        delete(
            f"/admin/users/{{{{{variable}Id}}}}",
            f"{name}: remove the user of this folder",
            "Natively, by the operator's script.",
            auth=bearer("scriptKey"),
            holds={"data.id": f"{{{{{variable}Id}}}}"},
            example=False,
        ),
    )


FOLDER = folder(
    "laravel",
    "Laravel with jwt-auth: the base URL is `{{baseUrl}}/laravel`.",
    speaking(
        "laravel guide",
        "As the guides name the routes.",
        register="signup",
        login="signin",
        me="user",
        refresh="refresh",
        logout="signout",
    ),
    speaking(
        "laravel library",
        "As the library's documents name them. `auth/refresh` takes an expired token too.",
        register="auth/register",
        login="auth/login",
        me="auth/me",
        refresh="auth/refresh",
        logout="auth/logout",
    ),
)
