"""Saved answers: taken from a report of newman's, without what is secret, and shown with the requests."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from clients.postman.source.parts import Json, Request

SECRETS = {
    r"eyJ[\w-]+\.[\w-]+\.[\w-]+": "eyJ…",
    r"\b(asvcs?_)[\w-]+": r"\1…",
    r'("(?:csrfToken|user_session)": ")[^"]+': r"\1…",
    r"(-----BEGIN PUBLIC KEY-----)[^-]+(-----END)": r"\1…\2",
}
SHOWN = ("Content-Type", "WWW-Authenticate", "Allow", "X-Auth-User-Id", "X-Auth-Scopes", "X-Auth-Via")
MOST_ITEMS = 2


def recorded(report: Json) -> dict[str, Json]:
    """By the request's name: what newman's JSON report says that it was answered."""
    return {run["item"]["name"]: _answer(run["response"]) for run in report["run"]["executions"]}


def renewed(kept: dict[str, Json], new: dict[str, Json]) -> dict[str, Json]:
    """The new answers, but the old one where the two differ in nothing but ids, times and the like."""
    return {
        name: kept[name] if name in kept and _shape(kept[name]) == _shape(one) else one for name, one in new.items()
    }


def shown(requests: Iterable[Request], answers: dict[str, Json]) -> dict[str, list[Json]]:
    """The examples of each request: its own answer, and those of requests that say that they are one too."""
    found: dict[str, list[Json]] = {}
    for request in requests:
        for name, example in _examples(request, answers):
            found.setdefault(name, []).append(example)
    return found


def _examples(request: Request, answers: dict[str, Json]) -> Iterator[tuple[str, Json]]:
    if not request.example or request.name not in answers:
        return
    sent = {key: value for key, value in request.request().items() if key not in ("auth", "description")}
    example = {"name": request.name, "request": sent, **answers[request.name]}
    yield request.name, example
    if request.answers_too is not None:
        yield request.answers_too, example


def _answer(response: Json) -> Json:
    body = bytes(response["stream"]["data"]).decode()
    headers = {one["key"]: one["value"] for one in response["header"]}
    return {
        "status": response["code"],
        "headers": {name: without_secrets(headers[name]) for name in SHOWN if name in headers},
        "body": without_secrets(_pretty(body)),
    }


def _shape(answer: Json) -> Any:
    try:
        body = json.loads(answer["body"])
    except ValueError:
        body = ""
    return answer["status"], sorted(answer["headers"]), _kinds(body)


def _kinds(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _kinds(one) for name, one in value.items()}
    if isinstance(value, list):
        return [_kinds(one) for one in value]
    return type(value)


def _pretty(text: str) -> str:
    try:
        return json.dumps(_shortened(json.loads(text)), indent=2, ensure_ascii=False)
    except ValueError:
        return text


def _shortened(value: Any) -> Any:
    """Long lists of things by their beginning: an example is to be read."""
    if isinstance(value, dict):
        return {name: _shortened(one) for name, one in value.items()}
    if isinstance(value, list) and all(isinstance(one, dict) for one in value):
        return [_shortened(one) for one in value[:MOST_ITEMS]]
    return value


def without_secrets(text: str) -> str:
    for secret, instead in SECRETS.items():
        text = re.sub(secret, instead, text)
    return text
