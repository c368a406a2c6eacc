"""Connections that are kept open and asked all at once: every request is on its way before an answer is read."""

import socket
from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from http.client import HTTPResponse
from types import TracebackType
from typing import Self

Answer = tuple[int, bytes]


class Crowd:
    """So many connections to one server."""

    def __init__(self, url: str, size: int) -> None:
        host, _, port = url.removeprefix("http://").partition(":")
        self.address = f"{host}:{port}"
        self.lines = [socket.create_connection((host, int(port)), 30) for _ in range(size)]
        for line in self.lines:
            line.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        with ExitStack() as closing:
            for line in self.lines:
                closing.callback(line.close)

    def send(self, method: str, path: str, headers: Mapping[str, str], body: str = "") -> None:
        fields = {"Host": self.address, "Content-Length": str(len(body)), **headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        request = f"{method} {path} HTTP/1.1\r\n{head}\r\n{body}".encode()
        for line in self.lines:
            line.sendall(request)

    def answers(self) -> Sequence[Answer]:
        return [_answer(line) for line in self.lines]

    def ask(self, method: str, path: str, headers: Mapping[str, str], body: str = "") -> Sequence[Answer]:
        self.send(method, path, headers, body)
        return self.answers()


def _answer(line: socket.socket) -> Answer:
    with HTTPResponse(line) as response:
        response.begin()
        return response.status, response.read()
