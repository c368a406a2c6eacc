"""The files that people import, as texts by their names."""

import json
from pathlib import Path
from typing import Any

from clients.postman.source.folders import FOLDERS
from clients.postman.source.parts import Json, Request, bearer
from clients.postman.source.recording import shown

HERE = Path(__file__).parent
PLACE = HERE.parent
ANSWERS = HERE / "answers.json"
COLLECTION = "authsvc.postman_collection.json"
TRANSPORTS = ("body", "cookie")
ABOUT = """\
A self-hosted token service: sign-ins with rotating refresh tokens, API tokens, OAuth 2, administration, and the wires
of other systems.

**To begin:** choose an environment (*authsvc, body* or *authsvc, cookie*), fill in `baseUrl`, `adminEmail` and
`adminPassword`, and run the folder *Start here*. Then send what you like, or run everything from top to bottom: each
round makes names of its own and removes what it made.

**Who you are:** the collection is signed in as one person at a time, whose access token goes with every request: the
visitor, whom the folder *Sign up and sign in* makes, or the administrator, from *Sign in to administer* to *Sign out of
administration*. An access token that is about to run out is refreshed by itself.

**Transports:** in *authsvc, body* refresh tokens travel in JSON; in *authsvc, cookie* in an HttpOnly cookie, which
Postman's cookie jar keeps, and `X-CSRF-TOKEN` goes with it. The same server serves both.

Every request has tests, and a saved answer to look at before you send anything."""


def environment_file(transport: str) -> str:
    return f"authsvc-{transport}.postman_environment.json"


def requests() -> list[Request]:
    return [request for folder in FOLDERS for request in folder.requests()]


def files() -> dict[str, str]:
    made = {COLLECTION: collection(json.loads(ANSWERS.read_text()))}
    made |= {environment_file(transport): environment(transport) for transport in TRANSPORTS}
    return {name: json.dumps(content, indent=2, ensure_ascii=False) + "\n" for name, content in made.items()}


def collection(answers: dict[str, Json]) -> Json:
    examples = shown(requests(), answers)
    return {
        "info": {
            "_postman_id": "5f0c8c4e-6d0b-4c58-9d3a-7a6f0b2a9c11",
            "name": "authsvc",
            "description": ABOUT,
            "schema": "https://schema.getpostman.com/json/collection/v2.1.0/collection.json",
        },
        "auth": bearer("accessToken"),
        "event": [_event("prerequest", "refresh.js"), _event("test", "every.js")],
        "item": [folder.item(examples) for folder in FOLDERS],
    }


def environment(transport: str) -> Json:
    filled_in: dict[str, tuple[str, str]] = {
        "baseUrl": ("http://127.0.0.1:8000", "default"),
        "adminEmail": ("admin@example.com", "default"),
        "adminPassword": ("", "secret"),
        "transport": (transport, "default"),
        "application": ("default", "default"),
        "accessToken": ("", "secret"),
        "refreshToken": ("", "secret"),
        "csrfToken": ("", "secret"),
    }
    values: list[dict[str, Any]] = [
        {"key": key, "value": value, "type": kind, "enabled": True} for key, (value, kind) in filled_in.items()
    ]
    number = TRANSPORTS.index(transport) + 1
    return {
        "id": f"5f0c8c4e-6d0b-4c58-9d3a-7a6f0b2a9c2{number}",
        "name": f"authsvc, {transport}",
        "values": values,
        "_postman_variable_scope": "environment",
    }


def _event(listen: str, script: str) -> Json:
    lines = (HERE / script).read_text().splitlines()
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}
