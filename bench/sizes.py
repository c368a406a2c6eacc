"""What rows take on a disk, what refreshes write, and how fast rows go: `python -m bench.sizes`.

A number behind it is how many rows, names of databases behind that are those alone. docs/growing.md has the figures.
Sizes and bytes are exact whatever else the machine does; times are not.
"""

import random
import shutil
import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
from argon2 import PasswordHasher
from flask_migrate import upgrade
from sqlalchemy import Connection, text

from authsvc import clock, create_app, opaque
from authsvc.extensions import db
from authsvc.models import refresh_token
from authsvc.models.engine import single_statements
from authsvc.services import installation, pruning
from bench.databases import plain
from bench.planting import Values, insert
from config import Base, Testing
from tests.servers.postgresql import Postgresql

TABLES = ("users", "user_roles", "refresh_tokens", "api_tokens", "events")
USER_AGENT = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36"
)
IP = "2001:db8:7d3:9a10::4c"
WITHIN = timedelta(days=30)
# How many refreshes one look at the WAL takes, and how often each sign-in of the small table refreshes.
REFRESHES = 10_000
ROUNDS = 5
FILLFACTORS = (100, 90, 80)
# PostgreSQL as it comes, but with room for all rows, no checkpoint but ours and nobody who vacuums meanwhile.
SETTINGS = {
    "fsync": "on",
    "synchronous_commit": "off",
    "shared_buffers": "1GB",
    "max_wal_size": "20GB",
    "checkpoint_timeout": "1d",
    "autovacuum": "off",
}
CHANCE = random.Random(1)  # noqa: S311  (nothing here is a secret)


def main(rows: str = "1000000", *kinds: str) -> None:
    for kind in kinds or ("postgresql", "sqlite"):
        folder = Path(tempfile.mkdtemp(prefix="authsvc-bench-"))
        server = Postgresql(**SETTINGS) if kind == "postgresql" else None
        try:
            _measure(kind, server.url("postgres") if server else f"sqlite:///{folder / 'sizes.db'}", int(rows))
        finally:
            if server:
                server.stop()
            shutil.rmtree(folder)


def _measure(kind: str, url: str, rows: int) -> None:
    app = create_app(type("Configured", (Testing,), {"DATABASE_URL": url})())
    with app.app_context():
        upgrade()
        installation.complete(clock.utcnow())
        field = Field(url, rows)
        for table, made in field.tables().items():
            insert(url, table, made)
        planted = [new_id for new_id, _ in field.sign_ins]
        (_sizes_on_postgresql if kind == "postgresql" else _sizes_on_sqlite)(url)
        if kind == "postgresql":
            _wal_of_refreshes(url, planted)
            _connection_memory(planted)
        _prune(kind, url, rows)
        if kind == "postgresql":
            for fillfactor in FILLFACTORS:
                _updates_in_place(url, fillfactor, min(REFRESHES, rows))
        db.engine.dispose()


class Field:
    """The rows to be: two sign-ins to a user, of which the newer half has refreshed, with an attempt key."""

    def __init__(self, url: str, rows: int) -> None:
        [(self.tenant_id, self.role_id)] = _ask(url, "SELECT tenant_id, id FROM roles WHERE name = 'member'")
        [(self.application_id,)] = _ask(url, "SELECT id FROM applications")
        self.rows = rows
        self.users, self.sign_ins = ([*_ids(count)] for count in (rows // 2, rows))
        hasher = PasswordHasher(Base.ARGON2_TIME, Base.ARGON2_MEMORY, Base.ARGON2_PARALLELISM)
        self.password_hash = hasher.hash("a quiet harbour")

    def tables(self) -> dict[str, Iterator[Values]]:
        return {
            "users": self._users(),
            "user_roles": self._memberships(),
            "refresh_tokens": self._refresh_tokens(),
            "api_tokens": self._api_tokens(),
            "events": self._events(),
        }

    def _users(self) -> Iterator[Values]:
        kept = {"password_hash": self.password_hash, "active": True, "confirmed": True}
        for number, (new_id, at) in enumerate(self.users):
            names = {"email": f"firstname.lastname{number}@example.org", "name": f"Firstname Lastname {number}"}
            yield self._own(new_id, at) | names | kept

    def _memberships(self) -> Iterator[Values]:
        for new_id, _ in self.users:
            yield {"tenant_id": self.tenant_id, "user_id": new_id, "role_id": self.role_id}

    def _refresh_tokens(self) -> Iterator[Values]:
        for number, (new_id, at) in enumerate(self.sign_ins):
            has_refreshed = number >= self.rows // 2
            yield self._own(new_id, at) | {
                "user_id": self._user_id(),
                "application_id": self.application_id,
                "generation": int(has_refreshed),
                "rotated_at": str(at + Base.ACCESS_LIFETIME) if has_refreshed else None,
                "attempt_digest": _digest() if has_refreshed else None,
                "idle_expires_at": str(at + Base.REFRESH_IDLE_LIFETIME),
                "expires_at": str(at + Base.REFRESH_LIFETIME),
                "ip": IP,
                "user_agent": USER_AGENT,
            }

    def _api_tokens(self) -> Iterator[Values]:
        kept = {"name": "nightly export", "hint": "asvc_plan…ted", "scopes": "restaurants:read menus:read"}
        more = {"allow_in_query": False, "allowed_ips": "", "last_used_ip": IP}
        for new_id, at in _ids(self.rows):
            moments = {"expires_at": str(at + Base.API_TOKEN_LIFETIME), "last_used_at": str(at)}
            yield self._own(new_id, at) | kept | more | moments | {"user_id": self._user_id(), "digest": _digest()}

    def _events(self) -> Iterator[Values]:
        kept = {"tenant_id": self.tenant_id, "application_id": self.application_id, "ip": IP, "user_agent": USER_AGENT}
        kept |= {"kind": "user.signed_in", "outcome": "success", "detail": "{}"}
        for (new_id, at), (refresh_token_id, _) in zip(_ids(self.rows), self.sign_ins, strict=True):
            user_id = self._user_id()
            about = {"actor_id": user_id, "subject_id": user_id, "refresh_token_id": refresh_token_id}
            yield kept | {"id": new_id, "at": str(at), "request_id": opaque.new_jti()} | about

    def _user_id(self) -> str:
        return CHANCE.choice(self.users)[0]

    def _own(self, new_id: str, at: datetime) -> Values:
        return {"id": new_id, "tenant_id": self.tenant_id, "created_at": str(at)}


def _ids(count: int) -> Iterator[tuple[str, datetime]]:
    """Evenly over the last days, as the service makes them: ordered by the time they were made at."""
    now = datetime.now(UTC).replace(tzinfo=None)
    for number in range(count):
        at = now - WITHIN * (1 - number / count)
        made, bits = int(at.replace(tzinfo=UTC).timestamp() * 1000), CHANCE.getrandbits(72)
        last = f"{made:012x}7{bits >> 60:03x}8{bits & (1 << 60) - 1:015x}"
        yield f"{last[:8]}-{last[8:12]}-{last[12:16]}-{last[16:20]}-{last[20:]}", at


def _digest() -> str:
    return f"{CHANCE.getrandbits(256):064x}"


def _sizes_on_postgresql(url: str) -> None:
    _ask(url, "VACUUM ANALYZE")
    print("\nPostgreSQL: rows, bytes a row in the table, in its indexes, together")
    for table in TABLES:
        question = f"SELECT count(*), pg_table_size('{table}'), pg_indexes_size('{table}') FROM {table}"  # noqa: S608
        [(count, heap, indexes)] = _ask(url, question)
        print(f"{table:16} {count:>9,} {heap / count:6.0f} {indexes / count:6.0f} {(heap + indexes) / count:6.0f}")
    [(size,)] = _ask(url, "SELECT pg_database_size(current_database())")
    print(f"the database     {size / 1e6:,.0f} MB")


def _sizes_on_sqlite(url: str) -> None:
    """By the size of the file, table by table taken out of it: only some builds can tell it of a table."""
    print("\nSQLite: rows, bytes a row with its indexes")
    _ask(url, "PRAGMA wal_checkpoint(TRUNCATE)")
    size = Path(_path(url)).stat().st_size
    copy = f"{_path(url)}.copy"
    shutil.copyfile(_path(url), copy)
    print(f"the database     {size / 1e6:,.0f} MB")
    for table in reversed(TABLES):
        with closing(sqlite3.connect(copy, isolation_level=None)) as database:
            before = _bytes_used(database)
            count = database.execute(f"DELETE FROM {table}").rowcount  # noqa: S608
            print(f"{table:16} {count:>9,} {(before - _bytes_used(database)) / count:6.0f}")
    Path(copy).unlink()


def _bytes_used(database: sqlite3.Connection) -> int:
    pages, free, size = (
        database.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count", "page_size")
    )
    return int((pages - free) * size)


def _wal_of_refreshes(url: str, planted: list[str]) -> None:
    """Of sign-ins all over the table: with pages as full as they can be, and with room in each, as use leaves them."""
    print(f"\n{min(REFRESHES, len(planted)):,} refreshes of random sign-ins: bytes of WAL each, updates in place")
    for fullness, compression in ((100, "off"), (100, "on"), (90, "off"), (90, "on")):
        _ask(url, f"ALTER SYSTEM SET wal_compression = {compression}")
        _ask(url, "SELECT pg_reload_conf()")
        _ask(url, f"ALTER TABLE refresh_tokens SET (fillfactor = {fullness})")
        _ask(url, "VACUUM FULL refresh_tokens")
        chosen = CHANCE.sample(planted, min(REFRESHES, len(planted)))
        _ask(url, "CHECKPOINT")
        for when in ("right after a checkpoint", "again"):
            written, in_place, _ = _refresh(url, chosen)
            told = f"pages {fullness} % full, wal_compression {compression}, {when}:"
            print(f"{told:64} {written:6.0f} {in_place:6.1%}")


def _updates_in_place(url: str, fillfactor: int, count: int) -> None:
    """A table of sign-ins that have never refreshed, each of which does so several times, in any order."""
    _ask(url, "TRUNCATE refresh_tokens")
    _ask(url, f"ALTER TABLE refresh_tokens SET (fillfactor = {fillfactor})")
    [(tenant_id, user_id)] = _ask(url, "SELECT tenant_id, id FROM users LIMIT 1")
    [(application_id,)] = _ask(url, "SELECT id FROM applications")
    sign_ins = [*_ids(count)]
    kept = {"tenant_id": tenant_id, "user_id": user_id, "application_id": application_id, "generation": 0}
    kept |= {"ip": IP, "user_agent": USER_AGENT, "expires_at": "2099-01-01", "idle_expires_at": "2099-01-01"}
    insert(url, "refresh_tokens", ({"id": new_id, "created_at": str(at)} | kept for new_id, at in sign_ins))
    _ask(url, "VACUUM ANALYZE refresh_tokens")
    chosen = [new_id for new_id, _ in sign_ins]
    print(f"\nfillfactor {fillfactor}: bytes of WAL each, updates in place, dead rows after, MB of table, of indexes")
    print(f"before   {'':21} {_megabytes(url)}")
    for number in range(1, ROUNDS + 1):
        CHANCE.shuffle(chosen)
        print(f"round {number} {_told(*_refresh(url, chosen))} {_megabytes(url)}")
    with psycopg.connect(plain(url)) as backup:
        backup.isolation_level = psycopg.IsolationLevel.REPEATABLE_READ
        backup.execute("SELECT FROM users LIMIT 1")
        print(f"a backup {_told(*_refresh(url, chosen))[1:]} {_megabytes(url)}")


def _told(written: float, in_place: float, dead: int) -> str:
    return f"{written:7.0f} {in_place:7.1%} {dead:7,}"


def _megabytes(url: str) -> str:
    [(heap, indexes)] = _ask(url, "SELECT pg_table_size('refresh_tokens'), pg_indexes_size('refresh_tokens')")
    return f"{heap / 1e6:6.2f} {indexes / 1e6:6.2f}"


def _refresh(url: str, refresh_token_ids: list[str]) -> tuple[float, float, int]:
    """The service's own UPDATE. Answers bytes of WAL for each, the share of updates in place, and the dead rows."""
    [(kid,)] = _ask(url, "SELECT kid FROM signing_keys WHERE state = 'active'")
    generations = dict(_ask(url, "SELECT id::text, generation FROM refresh_tokens"))
    before = _written(url)
    with single_statements() as connection:
        for refresh_token_id in refresh_token_ids:
            _step(connection, refresh_token_id, kid, generations[refresh_token_id])
        connection.execute(text("SELECT pg_stat_force_next_flush()"))
    after = _written(url)
    lsn, updates, in_place = (later - earlier for later, earlier in zip(after[:3], before[:3], strict=True))
    return lsn / len(refresh_token_ids), in_place / updates, after[3]


def _step(connection: Connection, refresh_token_id: str, kid: str, seen: int) -> None:
    now = clock.utcnow()
    until, digest = now + Base.REFRESH_IDLE_LIFETIME, _digest()
    named: dict[str, Any] = {"now": now, "idle_until": until, "attempt_digest": digest, "ip": IP}
    named |= {"signing_kid": kid, "seen": seen, "to": seen + 1, "user_agent": USER_AGENT}
    if not refresh_token.advance(connection, refresh_token_id, **named):
        raise SystemExit(f"{refresh_token_id} did not step.")


def _written(url: str) -> tuple[int, int, int, int]:
    question = """
        SELECT (pg_current_wal_insert_lsn() - '0/0')::bigint, n_tup_upd, n_tup_hot_upd, n_dead_tup
        FROM pg_stat_user_tables WHERE relname = 'refresh_tokens'
    """
    [(lsn, updates, in_place, dead)] = _ask(url, question)
    return int(lsn), int(updates), int(in_place), int(dead)


def _connection_memory(planted: list[str]) -> None:
    """Of one that has done what refreshes do: what it has for itself alone."""
    with single_statements() as connection:
        for refresh_token_id in planted[:100]:
            refresh_token.standing(connection, refresh_token_id, kid="")
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar_one()
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    [own] = [int(line.split()[1]) for line in lines if line.startswith("Pss_Anon:")]
    print(f"\na connection of PostgreSQL's: {own / 1024:.1f} MB of its own")


def _prune(kind: str, url: str, rows: int) -> None:
    """One half has been dead for long."""
    with single_statements() as connection:
        last = connection.scalar(refresh_token.end_of_slice(None, rows // 2))
    long_ago = clock.utcnow() - timedelta(days=60)
    _ask(url, f"UPDATE refresh_tokens SET revoked_at = '{long_ago:%F %T}' WHERE id <= '{last}'")  # noqa: S608
    started, spent = time.monotonic(), time.process_time()
    gone = sum(pruning.prune(timedelta(days=30), 1000, clock.utcnow()))
    # What they did not tell the statistics yet, they tell as they go.
    db.engine.dispose()
    spent, seconds = time.process_time() - spent, time.monotonic() - started
    print(f"\nprune on {kind}: {gone:,} of {rows:,} rows in {seconds:.0f} s, {spent:.0f} s of them our own CPU")


def _ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    """Past the service and its limits."""
    if url.startswith("sqlite"):
        with closing(sqlite3.connect(_path(url), isolation_level=None)) as database:
            return database.execute(statement).fetchall()
    with psycopg.connect(plain(url), autocommit=True) as connection:
        done = connection.execute(statement.encode())
        return done.fetchall() if done.description else []


def _path(url: str) -> str:
    return url.removeprefix("sqlite:///")


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        main(*sys.argv[1:])
