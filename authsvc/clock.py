"""The only module that knows what time it is. Read once per request or command, then passed down as `now`."""

from datetime import UTC, datetime


def utcnow() -> datetime:
    return datetime.now(UTC)
