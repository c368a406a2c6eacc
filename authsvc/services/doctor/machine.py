"""The machine under the service: files that others may read, room on the disk, Python and its libraries."""

import platform
import re
import shutil
import sqlite3
import ssl
import stat
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from flask import current_app
from sqlalchemy.engine import make_url

from authsvc.services.doctor.findings import Finding, broken, fine, warning
from authsvc.services.installation import MIGRATIONS
from authsvc.settings import is_database, settings

PINS = MIGRATIONS.parent / "requirements.txt"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^\s;\\]+)(?!.*;)", re.M)
MIB = 1024**2
LITTLE_ROOM, NO_ROOM = 1024 * MIB, 64 * MIB
MOST_NAMED = 5


def database_file() -> Path | None:
    """Where SQLite's one file lies or will lie."""
    if not is_database(settings.DATABASE_URL):
        return None
    url = make_url(settings.DATABASE_URL)
    if url.get_backend_name() != "sqlite" or not url.database:
        return None
    return Path(current_app.instance_path, url.database)


def examine_files() -> Iterator[Finding]:
    place = database_file()
    if place is not None:
        beside = [place.with_name(place.name + end) for end in ("", "-wal", "-shm")]
        yield from _readers("database file", beside, broken_if_read=False)
        yield from _room(place)
    secret = Path(current_app.instance_path, "secret_key")
    if settings.ENV == "development":
        yield from _readers("secret file", [secret], broken_if_read=True)


def _readers(check: str, places: list[Path], *, broken_if_read: bool) -> Iterator[Finding]:
    """A file is open to others if they may enter its folder too."""
    there = [place for place in places if place.exists()]
    open_to_others = [place for place in there if _others_may(place, stat.S_IRGRP | stat.S_IROTH)]
    changeable = [place for place in there if _others_may(place, stat.S_IWGRP | stat.S_IWOTH)]
    if changeable or (open_to_others and broken_if_read):
        what = "read and write" if changeable else "read"
        yield broken(
            check, f"Other users of this machine may {what} {(changeable or open_to_others)[0]}.", _close(there)
        )
    elif open_to_others:
        found = f"Other users of this machine may read {open_to_others[0]}: addresses, hashes, sealed keys."
        yield warning(check, found, _close(there))
    elif there:
        yield fine(check, f"{there[0]} is its owner's alone.")


def _others_may(place: Path, how: int) -> bool:
    mode, folder = place.stat().st_mode, place.parent.stat().st_mode
    by_group = bool(mode & how & stat.S_IRWXG and folder & stat.S_IXGRP)
    by_all = bool(mode & how & stat.S_IRWXO and folder & stat.S_IXOTH)
    return by_group or by_all


def _close(places: list[Path]) -> str:
    return f"Run: chmod 700 {places[0].parent}; chmod 600 {' '.join(map(str, places))}"


def _room(place: Path) -> Iterator[Finding]:
    if not place.parent.exists():
        return
    free = shutil.disk_usage(place.parent).free
    used = f"{place.stat().st_size / MIB:.0f} MiB" if place.exists() else "nothing yet"
    found = f"{free / MIB:.0f} MiB are free for the database file ({used})."
    if free < NO_ROOM:
        yield broken("disk", found, "Make room: without it nobody can sign in or refresh.")
    elif free < LITTLE_ROOM:
        yield warning(
            "disk", found, "Make room, or prune what has ended: flask --app wsgi tokens prune --older-than 30"
        )
    else:
        yield fine("disk", found)


def examine_software() -> Iterator[Finding]:
    yield fine(
        "python",
        f"Python {platform.python_version()}, {ssl.OPENSSL_VERSION}, SQLite {sqlite3.sqlite_version}.",
    )
    yield from _libraries()


def _libraries() -> Iterator[Finding]:
    """Against those that were tested together; in somebody else's app there is no such list."""
    pins = _PIN.findall(PINS.read_text()) if PINS.exists() else []
    missing = [name for name, _ in pins if _installed(name) is None]
    others = [f"{name} {_installed(name)} (not {pin})" for name, pin in pins if _installed(name) not in (pin, None)]
    if missing:
        found = f"Not installed: {_some(missing)}."
        yield broken("libraries", found, "Run: pip install --require-hashes -r requirements.txt")
    elif others:
        found = f"Not the versions that were tested together: {_some(others)}."
        yield warning("libraries", found, "Run: pip install --require-hashes -r requirements.txt")
    elif pins:
        yield fine("libraries", f"All {len(pins)} are those that were tested together.")


def _installed(name: str) -> str | None:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return None


def _some(names: list[str]) -> str:
    more = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + more
