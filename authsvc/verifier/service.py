"""Asking authsvc over HTTP: connections that are kept, answers that are bounded, and one kind of failure."""

import http.client
import os
import ssl
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.message import Message
from typing import Any
from urllib.parse import urlsplit

import orjson

from authsvc.errors import Unavailable
from authsvc.logs import logger

LONGEST_ANSWER = 2**16
MOST_KEPT = 16


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: Message
    body: bytes = field(repr=False)

    def json(self) -> dict[str, Any]:
        """The object that the body is; an empty one if it is none."""
        try:
            told = orjson.loads(self.body)
        except ValueError:
            return {}
        return told if isinstance(told, dict) else {}


class Service:
    """authsvc, as this process reaches it. Redirects are not followed: whoever redirects is not authsvc."""

    def __init__(self, base_url: str, timeout: timedelta) -> None:
        url = urlsplit(base_url)
        if url.scheme not in ("http", "https") or not url.hostname or url.query or url.fragment or url.username:
            raise ValueError("base_url is the BASE_URL of authsvc, such as https://auth.example.org.")
        self._host, self._port, self._path = url.hostname, url.port, url.path
        self._timeout = timeout.total_seconds()
        self._tls = ssl.create_default_context() if url.scheme == "https" else None
        self._kept: deque[tuple[int, http.client.HTTPConnection]] = deque()

    def ask(
        self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None
    ) -> Answer:
        """Raises Unavailable."""
        question = (method, self._path + path, body, dict(headers or {}))
        try:
            connection = self._take()
            if connection is not None:
                try:
                    return self._exchange(connection, *question)
                except (ConnectionError, ssl.SSLError):
                    pass  # it was closed while nobody used it
            return self._exchange(self._opened(), *question)
        except (OSError, http.client.HTTPException) as error:
            logger.error("authsvc did not answer: %s", type(error).__name__)
            raise Unavailable from None

    def close(self) -> None:
        while self._kept:
            self._kept.pop()[1].close()

    def _exchange(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: bytes | None,
        headers: dict[str, str],
    ) -> Answer:
        try:
            connection.request(method, path, body, headers)
            response = connection.getresponse()
            content = response.read(LONGEST_ANSWER + 1)
        except BaseException:
            connection.close()
            raise
        if response.isclosed() and not response.will_close and len(self._kept) < MOST_KEPT:
            self._kept.append((os.getpid(), connection))
        else:
            connection.close()
        if len(content) > LONGEST_ANSWER:
            raise http.client.HTTPException
        return Answer(response.status, response.headers, content)

    def _take(self) -> http.client.HTTPConnection | None:
        """One that is open; never one that was opened before a fork, where two processes would read one's answers."""
        while self._kept:
            try:
                process, connection = self._kept.pop()
            except IndexError:  # another thread was faster
                break
            if process == os.getpid():
                return connection
            connection.close()
        return None

    def _opened(self) -> http.client.HTTPConnection:
        if self._tls is None:
            return http.client.HTTPConnection(self._host, self._port, timeout=self._timeout)
        return http.client.HTTPSConnection(self._host, self._port, timeout=self._timeout, context=self._tls)
