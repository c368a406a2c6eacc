"""Folders and requests, and the JSON that Postman reads (collection format 2.1)."""

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from clients.postman.source import scripts

Json = dict[str, Any]


def bearer(variable: str) -> Json:
    return {"type": "bearer", "bearer": [{"key": "token", "value": f"{{{{{variable}}}}}", "type": "string"}]}


def basic(username: str, password: str) -> Json:
    pairs = {"username": username, "password": password}
    return {"type": "basic", "basic": [{"key": key, "value": text, "type": "string"} for key, text in pairs.items()]}


NOBODY: Json = {"type": "noauth"}


@dataclass(frozen=True, kw_only=True)
class Request:
    """One request and what its answer must be.

    `holds` names places in the answer's JSON and what stands there, `saves` those that later requests need. With
    `code` the answer is an error in the native envelope; `bare` answers have no envelope, `empty` ones no body.
    Where it `stops`, the run ends if the status is another. `answers_too` names the request to which this answer is an
    example as well.
    """

    name: str
    method: str
    path: str
    about: str
    json: Any = None
    raw: str | None = None
    form: dict[str, str] | None = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    auth: Json | None = None
    status: int = 200
    code: str | None = None
    bare: bool = False
    empty: bool = False
    holds: dict[str, Any] = field(default_factory=dict)
    has_headers: dict[str, Any] = field(default_factory=dict)
    saves: dict[str, str] = field(default_factory=dict)
    before: list[str] = field(default_factory=list)
    after: list[str] = field(default_factory=list)
    stops: bool = False
    example: bool = True
    answers_too: str | None = None

    def tests(self) -> Iterator[str]:
        """With another status one sentence, the body in it, says more than all that would fail after it."""
        yield from scripts.answers(self.status)
        yield f"if (pm.response.code === {self.status}) {{"
        yield from (f"  {line}" for line in self._judged())
        yield "} else pm.execution.setNextRequest(null);" if self.stops else "}"

    def _judged(self) -> Iterator[str]:
        if self.empty:
            yield from scripts.is_empty()
        else:
            yield "const body = pm.response.json();"
        if self.code is not None:
            yield from scripts.no(self.code)
        elif not (self.bare or self.empty):
            yield from scripts.yes()
        for name, value in self.has_headers.items():
            yield from scripts.has_header(name, value)
        for place, value in self.holds.items():
            yield from scripts.holds(place, value)
        for name, place in self.saves.items():
            yield from scripts.kept(name, place)
        yield from self.after

    def item(self, recorded: Json) -> Json:
        events = [_script("prerequest", self.before)] if self.before else []
        return {
            "name": self.name,
            "event": [*events, _script("test", list(self.tests()))],
            "request": self.request(),
            "response": [_example(one) for one in recorded.get(self.name, [])],
        }

    def request(self) -> Json:
        headers = dict(self.headers)
        made: Json = {"method": self.method, "header": [], "url": self._url(), "description": self.about}
        if self.json is not None or self.raw is not None:
            headers = {"Content-Type": "application/json"} | headers
            text = self.raw if self.json is None else json.dumps(self.json, indent=2, ensure_ascii=False)
            made["body"] = {"mode": "raw", "raw": text, "options": {"raw": {"language": "json"}}}
        elif self.form is not None:
            made["body"] = {"mode": "urlencoded", "urlencoded": _pairs(self.form)}
        made["header"] = _pairs(headers)
        if self.auth is not None:
            made["auth"] = self.auth
        return made

    def _url(self) -> Json:
        asked = "&".join(f"{name}={text}" for name, text in self.query.items())
        url: Json = {
            "raw": f"{{{{baseUrl}}}}{self.path}" + (f"?{asked}" if asked else ""),
            "host": ["{{baseUrl}}"],
            "path": self.path.lstrip("/").split("/"),
        }
        return url | ({"query": _pairs(self.query)} if asked else {})


@dataclass(frozen=True)
class Folder:
    name: str
    about: str
    items: "tuple[Request | Folder, ...]"

    def requests(self) -> Iterator[Request]:
        for one in self.items:
            yield from one.requests() if isinstance(one, Folder) else (one,)

    def item(self, recorded: Json) -> Json:
        return {"name": self.name, "description": self.about, "item": [one.item(recorded) for one in self.items]}


def folder(name: str, about: str, *items: Request | Folder) -> Folder:
    return Folder(name, _lines(about), items)


def get(path: str, name: str, about: str, **more: Any) -> Request:
    return Request(method="GET", path=path, name=name, about=_lines(about), **more)


def post(path: str, name: str, about: str, **more: Any) -> Request:
    return Request(method="POST", path=path, name=name, about=_lines(about), **more)


def put(path: str, name: str, about: str, **more: Any) -> Request:
    return Request(method="PUT", path=path, name=name, about=_lines(about), **more)


def patch(path: str, name: str, about: str, **more: Any) -> Request:
    return Request(method="PATCH", path=path, name=name, about=_lines(about), **more)


def delete(path: str, name: str, about: str, **more: Any) -> Request:
    return Request(method="DELETE", path=path, name=name, about=_lines(about), **more)


def _lines(text: str) -> str:
    """Paragraphs as they are, and no line breaks of ours in them."""
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in text.strip().split("\n\n"))


def _script(listen: str, lines: list[str]) -> Json:
    return {"listen": listen, "script": {"type": "text/javascript", "exec": lines}}


def _pairs(given: dict[str, str]) -> list[Json]:
    return [{"key": name, "value": text} for name, text in given.items()]


def _example(recorded: Json) -> Json:
    status = recorded["status"]
    return {
        "name": f"{status}: {recorded['name']}",
        "originalRequest": recorded["request"],
        "status": HTTPStatus(status).phrase,
        "code": status,
        "_postman_previewlanguage": "json",
        "header": _pairs(recorded["headers"]),
        "cookie": [],
        "body": recorded["body"],
    }
