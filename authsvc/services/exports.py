"""What other systems' exports of users say, in one shape, whatever their columns are called. Nothing is judged here."""

import csv
import itertools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TextIO, cast

Row = Mapping[str, Any]
_TRUE = frozenset({"1", "true", "t", "yes"})
# What databases write for nothing at all.
_NOTHING = frozenset({"", "NULL", r"\N"})
_CHUNK = 2**16
_DECODER = json.JSONDecoder()


class Unreadable(Exception):
    """The file is not what it is said to be. The message says where."""


@dataclass(frozen=True, slots=True)
class Exported:
    """A user as another system had them. `place` says where in the file."""

    place: str
    email: str
    username: str | None
    name: str | None
    password_hash: str | None = field(repr=False)
    active: bool
    confirmed: bool
    created_at: datetime | None
    user_id: str | None = None


def users(system: str, file: TextIO) -> Iterator[Exported]:
    """Those in a CSV file with a head line, or in JSON: a list, an object that holds one, or one object after another.

    Raises Unreadable.
    """
    reading = _Json(file)
    rows = reading.objects() if reading.next_letter() in ("[", "{") else _csv_rows(reading.text, file)
    translate = SYSTEMS[system]
    for place, row in rows:
        found = translate(row)
        if found is not None:
            yield Exported(place=place, **found)


class _Json:
    """JSON read an object at a time, however large the file is."""

    HOLDER = re.compile(r'\s*\{\s*"(users|data|results)"\s*:\s*\[')

    def __init__(self, file: TextIO) -> None:
        self.file = file
        self.text = file.read(_CHUNK).removeprefix("\ufeff")
        self.at = 0

    def objects(self) -> Iterator[tuple[str, Row]]:
        holder = self.HOLDER.match(self.text)
        if holder:
            self.at = holder.end()
        elif self.next_letter() == "[":
            self.at += 1
        for number in itertools.count(1):
            letter = self.next_letter(",")
            if letter != "{":
                break
            yield f"number {number}", self._object(number)
        if letter not in ("]", ""):
            raise Unreadable(f"What comes after number {number - 1} is no object.")

    def next_letter(self, also_skipped: str = "") -> str:
        """The next one that is no space, where this stands then; "" at the end."""
        while True:
            rest = self.text[self.at :].lstrip(" \t\r\n" + also_skipped)
            if rest or not self._read_on():
                self.at = len(self.text) - len(rest)
                return rest[:1]

    def _object(self, number: int) -> Row:
        while True:
            try:
                found, self.at = _DECODER.raw_decode(self.text, self.at)
            except ValueError:
                if not self._read_on():
                    raise Unreadable(f"Number {number} is no JSON.") from None
            else:
                return cast("Row", found)

    def _read_on(self) -> bool:
        chunk = self.file.read(_CHUNK)
        self.text, self.at = self.text[self.at :] + chunk, 0
        return bool(chunk)


def _csv_rows(begun: str, file: TextIO) -> Iterator[tuple[str, Row]]:
    """`begun` is what was read of it already, perhaps to the middle of a line."""
    first, last = begun.splitlines(keepends=True)[:-1], begun.splitlines(keepends=True)[-1:]
    lines = itertools.chain(first, ["".join(last) + file.readline()], file)
    reader = csv.DictReader(lines, strict=True)
    try:
        for row in reader:
            if None in row or None in row.values():
                raise Unreadable(f"Line {reader.line_num} has another number of columns than the first line.")
            yield f"line {reader.line_num}", row
    except csv.Error as error:
        raise Unreadable(f"Line {reader.line_num} is no CSV: {error}.") from None


def _strapi(row: Row) -> dict[str, Any] | None:
    """The users of the users-permissions plugin: `up_users`."""
    return {
        "email": _text(row, "email") or "",
        "username": _text(row, "username"),
        "name": None,
        "password_hash": _text(row, "password"),
        "active": not _flag(row, "blocked"),
        "confirmed": _flag(row, "confirmed"),
        "created_at": _moment(row, "createdAt", "created_at"),
    }


def _laravel(row: Row) -> dict[str, Any] | None:
    """The table `users`."""
    return {
        "email": _text(row, "email") or "",
        "username": _text(row, "username"),
        "name": _text(row, "name"),
        "password_hash": _text(row, "password"),
        "active": _flag(row, "active", "is_active", default=True),
        "confirmed": _text(row, "email_verified_at") is not None,
        "created_at": _moment(row, "created_at"),
    }


def _django(row: Row) -> dict[str, Any] | None:
    """`dumpdata auth.user`, whose other models are left out, or the table `auth_user`."""
    if "model" in row:
        fields = row.get("fields")
        if not str(row["model"]).lower().endswith(".user") or not isinstance(fields, dict):
            return None
        row = fields
    # An unusable password begins with an exclamation mark; argon2 stands behind its name.
    kept = (_text(row, "password") or "!").removeprefix("argon2$argon2")
    is_argon2 = (_text(row, "password") or "").startswith("argon2$argon2")
    name = " ".join(filter(None, (_text(row, "first_name"), _text(row, "last_name"))))
    return {
        "email": _text(row, "email") or "",
        "username": _text(row, "username"),
        "name": name or None,
        "password_hash": f"$argon2{kept}" if is_argon2 else None if kept.startswith("!") else kept,
        "active": _flag(row, "is_active", default=True),
        "confirmed": False,
        "created_at": _moment(row, "date_joined"),
    }


def _fusionauth(row: Row) -> dict[str, Any] | None:
    """The users of its import and search API; their ids stay."""
    name = " ".join(filter(None, (_text(row, "firstName"), _text(row, "lastName"))))
    return {
        "email": _text(row, "email") or "",
        "username": _text(row, "username"),
        "name": _text(row, "fullName") or name or None,
        "password_hash": _fusionauth_hash(row),
        "active": _flag(row, "active", default=True),
        "confirmed": _flag(row, "verified"),
        "created_at": _moment(row, "insertInstant"),
        "user_id": _text(row, "id"),
    }


def _fusionauth_hash(row: Row) -> str | None:
    scheme, factor, salt, kept = (_text(row, name) for name in ("encryptionScheme", "factor", "salt", "password"))
    if kept is None:
        return None
    if scheme == "bcrypt":
        return f"$2a${int(factor or 0):02d}${salt}{kept}" if (factor or "").isdecimal() else kept
    digest = {
        "salted-pbkdf2-hmac-sha256": "sha256",
        "salted-pbkdf2-hmac-sha512": "sha512",
        "salted-pbkdf2-hmac-sha512-512": "sha512",
    }.get(scheme or "")
    return f"fusionauth_{digest}${factor}${salt}${kept}"


SYSTEMS: dict[str, Callable[[Row], dict[str, Any] | None]] = {
    "django": _django,
    "fusionauth": _fusionauth,
    "laravel": _laravel,
    "strapi": _strapi,
}


def _text(row: Row, name: str) -> str | None:
    value = row.get(name)
    if value is None or isinstance(value, dict | list):
        return None
    text = str(value).strip()
    return None if text in _NOTHING else text


def _flag(row: Row, *names: str, default: bool = False) -> bool:
    """What no column tells is the default; what neither is yes is no."""
    for name in names:
        if name in row:
            return str(row[name]).strip().lower() in _TRUE
    return default


def _moment(row: Row, *names: str) -> datetime | None:
    """ISO 8601 as databases write it, or milliseconds since 1970; None for anything else."""
    for name in names:
        text = _text(row, name)
        if text is None:
            continue
        try:
            if text.isdecimal():
                return datetime.fromtimestamp(int(text) / 1000, UTC)
            at = datetime.fromisoformat(text)
        except (ValueError, OverflowError, OSError):
            return None
        return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
    return None
