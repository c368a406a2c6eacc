"""The log of the service: one line per entry, for people or for machines, each with its request id."""

import logging
import sys

from flask import g, has_request_context
from pythonjsonlogger.json import JsonFormatter

logger = logging.getLogger("authsvc")


def start(level: str, form: str) -> None:
    """Send authsvc's log to standard error. The root logger belongs to whoever embeds us."""
    handler = logging.StreamHandler(sys.stderr)
    handler.addFilter(_add_request_id)
    handler.setFormatter(_Json() if form == "json" else _Text())
    logger.handlers[:] = [handler]
    logger.setLevel(level.upper())
    logger.propagate = False


def _add_request_id(record: logging.LogRecord) -> bool:
    record.request_id = g.get("request_id", "") if has_request_context() else ""
    return True


class _Json(JsonFormatter):
    def __init__(self) -> None:
        super().__init__(
            "{asctime}{levelname}{name}{message}{request_id}",
            style="{",
            rename_fields={"asctime": "at", "levelname": "level", "request_id": "requestId"},
        )


class _Text(logging.Formatter):
    def __init__(self) -> None:
        super().__init__("{asctime} {levelname:<7} {message}  {request_id}", style="{")

    def format(self, record: logging.LogRecord) -> str:
        # What a caller wrote may stand in a message: it must not begin a line of its own.
        head, *trace = super().format(record).split("\n")
        return "\n    ".join([head.rstrip().replace("\r", "\\r").replace("\x1b", "\\x1b"), *trace])
