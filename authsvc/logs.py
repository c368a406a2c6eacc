"""The log of the service: one line per entry, for people or for machines, each with its request id."""

import logging
import sys
from typing import Any

from flask import g, has_request_context
from pythonjsonlogger.json import JsonFormatter

from authsvc.hiding import without_secrets

logger = logging.getLogger("authsvc")

# Servers log request lines: gunicorn whatever its format says where a request is malformed or a worker fails.
SERVERS = ("gunicorn.access", "gunicorn.error", "werkzeug")


def start(level: str, form: str) -> None:
    """Send authsvc's log to standard error. The root logger belongs to whoever embeds us."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_add_request_id)
    handler.addFilter(hide_secrets)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False
    hide_in_servers()


def hide_in_servers() -> None:
    """Take tokens out of what the server that runs us logs of requests, whichever it is."""
    for name in SERVERS:
        logging.getLogger(name).addFilter(hide_secrets)


def hide_secrets(record: logging.LogRecord) -> bool:
    """Take tokens out of a line before anybody formats it, out of its traceback too."""
    try:
        message = record.getMessage()
    except (TypeError, ValueError, KeyError):
        return True  # whoever formats it says what is wrong with it
    record.msg, record.args = without_secrets(message), None
    if record.exc_info:
        record.exc_text = without_secrets(_plain.formatException(record.exc_info))
    return True


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = g.get("request_id", "") if has_request_context() else ""
    return True


_plain = logging.Formatter()


class _Json(JsonFormatter):
    def __init__(self) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{message}{request_id}",
            style="{",
            rename_fields={"asctime": "at", "levelname": "level", "request_id": "requestId"},
        )

    def formatException(self, ei: Any) -> str:  # noqa: N802  (logging's own way)
        """It makes its own, whatever the record has."""
        return without_secrets(_plain.formatException(ei))


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("{asctime} {levelname:<7} {message}  {request_id}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        # What a caller wrote may stand in a message: it must not begin a line of its own.
        head, *trace = super().format(record).split("\n")
        return "\n    ".join([head.rstrip().replace("\r", "\\r").replace("\x1b", "\\x1b"), *trace])
