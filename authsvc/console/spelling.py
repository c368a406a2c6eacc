"""How things are written on pages."""

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from flask import g
from markupsafe import Markup

from authsvc.models import ApiToken, RefreshToken
from authsvc.models.paging import MOST_COUNTED

_BROWSERS = (
    ("Edge", r"Edg/"),
    ("Opera", r"OPR/"),
    ("Firefox", r"Firefox/"),
    ("Chrome", r"Chrome/|CriOS/"),
    ("Safari", r"Safari/"),
    ("curl", r"curl/"),
    ("Python", r"[Pp]ython"),
    ("Postman", r"Postman"),
)
_SYSTEMS = (
    ("Android", r"Android"),
    ("iPhone", r"iPhone"),
    ("iPad", r"iPad"),
    ("Windows", r"Windows"),
    ("macOS", r"Mac OS X|Macintosh"),
    ("Linux", r"Linux"),
)
_UNITS = ((86400, "day"), (3600, "hour"), (60, "minute"), (1, "second"))
_LONGEST = 60


def moment(at: datetime | None) -> str:
    """To the minute, in UTC; the machine-readable whole beside it."""
    if at is None:
        return "never"
    utc = at.astimezone(UTC)
    whole = utc.isoformat(timespec="seconds").replace("+00:00", "Z")
    return Markup('<time datetime="{}" title="{} UTC">{} UTC</time>').format(
        whole, f"{utc:%Y-%m-%d %H:%M:%S}", f"{utc:%Y-%m-%d %H:%M}"
    )


def browser(user_agent: str) -> str:
    """What most people would call that browser; what is not known is shown as it is."""
    program = _first(_BROWSERS, user_agent)
    system = _first(_SYSTEMS, user_agent)
    if program is None:
        return user_agent[:_LONGEST] or "unknown"
    return f"{program} on {system}" if system else program


def state(row: RefreshToken | ApiToken) -> str:
    """live, revoked or expired, at the moment of this request."""
    if row.revoked_at is not None:
        return "revoked"
    ends = min(row.idle_expires_at, row.expires_at) if isinstance(row, RefreshToken) else row.expires_at
    return "live" if g.now < ends else "expired"


def in_words(kind: str) -> str:
    """`api_token.first_used` is `API token first used`."""
    text = kind.replace("_", " ").replace(".", " ").replace("api token", "API token")
    return text[:1].upper() + text[1:]


def span(length: int | timedelta) -> str:
    """`15 minutes`, `7 days`: in the largest unit that tells it exactly."""
    seconds = int(length.total_seconds()) if isinstance(length, timedelta) else length
    size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
    return counted(seconds // size, unit)


def counted(number: int, one: str, many: str | None = None) -> str:
    """`1 sign-in`, `2 sign-ins`."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def bounded(number: int, one: str) -> str:
    """The same of what was counted only so far: `more than 10,000 users`."""
    return counted(number, one) if number <= MOST_COUNTED else f"more than {counted(MOST_COUNTED, one)}"


def _first(kinds: tuple[tuple[str, str], ...], text: str) -> str | None:
    return next((name for name, pattern in kinds if re.search(pattern, text)), None)


FILTERS: dict[str, Callable[..., Any]] = {
    "moment": moment,
    "browser": browser,
    "counted": counted,
    "bounded": bounded,
    "state": state,
    "in_words": in_words,
    "span": span,
}
