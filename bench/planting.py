"""Many rows at once, past the service, straight into the tables as its migrations made them."""

import random
import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import chain
from typing import Any

import psycopg
from argon2 import PasswordHasher
from psycopg import sql
from sqlalchemy.engine import make_url

from authsvc import opaque
from bench.databases import plain
from bench.load import Row
from config import Base

PASSWORD = "correct horse battery staple"  # noqa: S105
APPLICATIONS = 20
# What is asked for: rows that lie evenly among all that there are.
SAMPLED = 2000
CREATED_WITHIN = timedelta(days=6)
USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
# A row to be, by its columns; those that are not named are null.
Values = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Planted:
    """`sign_ins` are ids of refresh tokens; the rest are credentials, each with the id that answers to them hold."""

    sign_ins: list[str]
    api_tokens: list[Row]
    people: list[Row]
    client: Row


class Field:
    """The rows to be, with ids as the service makes them: ordered by the time they were made at."""

    def __init__(self, tenant_id: str, role_id: str, seed: int = 1) -> None:
        self.chance = random.Random(seed)  # noqa: S311  (nothing here is a secret)
        self.tenant_id = tenant_id
        self.role_id = role_id
        self.now = datetime.now(UTC).replace(tzinfo=None)
        self.password_hash = PasswordHasher(Base.ARGON2_TIME, Base.ARGON2_MEMORY, Base.ARGON2_PARALLELISM).hash(
            PASSWORD
        )

    def ids(self, count: int) -> Iterator[tuple[str, datetime]]:
        """Evenly over the last days."""
        for number in range(count):
            at = self.now - CREATED_WITHIN * (1 - number / count)
            made = int(at.replace(tzinfo=UTC).timestamp() * 1000)
            bits = self.chance.getrandbits(74)
            text = f"{made:012x}7{bits >> 62:03x}{8 | (bits >> 60) & 3:x}{bits & (1 << 60) - 1:015x}"
            yield f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}", at

    def applications(self) -> Iterator[Values]:
        for number, (new_id, at) in enumerate(self.ids(APPLICATIONS)):
            names = {"slug": f"planted-{number}", "name": f"Planted {number}"}
            kept = {"active": True, "rotate": True, "confidential": number == 0, "scopes": "", "generation": 0}
            yield self._own(new_id, at) | names | kept

    def users(self, count: int) -> Iterator[Values]:
        kept = {"password_hash": self.password_hash, "active": True, "confirmed": True}
        for number, (new_id, at) in enumerate(self.ids(count)):
            yield self._own(new_id, at) | kept | {"email": f"user{number}@example.org"}

    def memberships(self, user_ids: Iterable[str]) -> Iterator[Values]:
        for user_id in user_ids:
            yield {"tenant_id": self.tenant_id, "user_id": user_id, "role_id": self.role_id}

    def refresh_tokens(self, count: int, users: Sequence[str], applications: Sequence[str]) -> Iterator[Values]:
        for new_id, at in self.ids(count):
            yield self._own(new_id, at) | {
                "user_id": self.chance.choice(users),
                "application_id": self.chance.choice(applications),
                "generation": 0,
                "idle_expires_at": str(at + Base.REFRESH_IDLE_LIFETIME),
                "expires_at": str(at + Base.REFRESH_LIFETIME),
                "ip": f"192.0.2.{self.chance.randrange(256)}",
                "user_agent": USER_AGENT,
            }

    def api_tokens(self, digests: Iterable[str], count: int, users: Sequence[str]) -> Iterator[Values]:
        kept = {"name": "planted", "hint": "asvc_plan…ted", "scopes": "", "allow_in_query": False, "allowed_ips": ""}
        for (new_id, at), digest in zip(self.ids(count), digests, strict=True):
            expires = str(at + Base.API_TOKEN_LIFETIME)
            user_id = self.chance.choice(users)
            yield self._own(new_id, at) | kept | {"user_id": user_id, "digest": digest, "expires_at": expires}

    def client_secret(self, secret: str, application_id: str) -> Values:
        kept = {"application_id": application_id, "digest": opaque.digest(secret)}
        return self._own(opaque.new_id(), self.now) | kept

    def _own(self, new_id: str, at: datetime) -> Values:
        return {"id": new_id, "tenant_id": self.tenant_id, "created_at": str(at)}


def plant(url: str, *, refresh_tokens: int, api_tokens: int) -> Planted:
    """Ten of each to a user, from a thousand users up."""
    [(tenant_id, role_id)] = ask(url, "SELECT tenant_id, id FROM roles WHERE name = 'member'")
    field = Field(str(tenant_id), str(role_id))
    applications = [*field.applications()]
    users = [*field.users(max(1000, refresh_tokens // 10, api_tokens // 10))]
    application_ids, user_ids = ([row["id"] for row in rows] for rows in (applications, users))
    secret = opaque.new_secret()
    insert(url, "applications", applications)
    insert(url, "client_secrets", [field.client_secret(secret, application_ids[0])])
    insert(url, "users", users)
    insert(url, "user_roles", field.memberships(user_ids))

    sign_ins: list[Values] = []
    every = max(1, refresh_tokens // SAMPLED)
    rows = field.refresh_tokens(refresh_tokens, user_ids, application_ids)
    insert(url, "refresh_tokens", _noting(rows, sign_ins, lambda number, _: number % every == 0))

    owned: list[Values] = []
    texts = {opaque.digest(text): text for text in (opaque.new_api_token() for _ in range(min(SAMPLED, api_tokens)))}
    rows = field.api_tokens(_spread([*texts], api_tokens, field.chance), api_tokens, user_ids)
    insert(url, "api_tokens", _noting(rows, owned, lambda _, row: row["digest"] in texts))
    return Planted(
        [row["id"] for row in sign_ins[:SAMPLED]],
        [(texts[row["digest"]], row["user_id"]) for row in owned],
        [(row["email"], row["id"]) for row in users[:SAMPLED]],
        (application_ids[0], secret),
    )


def _noting(rows: Iterable[Values], noted: list[Values], is_meant: Callable[[int, Values], bool]) -> Iterator[Values]:
    """The rows as they come, and on the way by those that are meant."""
    for number, row in enumerate(rows):
        if is_meant(number, row):
            noted.append(row)
        yield row


def _spread(known: Sequence[str], count: int, chance: random.Random) -> Iterator[str]:
    """Those that will be asked for, evenly among as many that nobody holds."""
    every = max(1, count // max(1, len(known)))
    waiting = iter(known)
    for number in range(count):
        following = next(waiting, None) if number % every == 0 else None
        yield following or f"{chance.getrandbits(256):064x}"


def ask(url: str, statement: str) -> list[tuple[Any, ...]]:
    if make_url(url).get_backend_name() == "postgresql":
        with psycopg.connect(plain(url)) as connection:
            return connection.execute(statement).fetchall()
    database = sqlite3.connect(str(make_url(url).database))
    try:
        return database.execute(statement).fetchall()
    finally:
        database.close()


def insert(url: str, table: str, rows: Iterable[Values]) -> None:
    rows = iter(rows)
    first = next(rows, None)
    if first is None:
        return
    values = (tuple(row.values()) for row in chain([first], rows))
    if make_url(url).get_backend_name() == "postgresql":
        _copy(url, table, list(first), values)
    else:
        _execute_many(url, table, list(first), values)


def _copy(url: str, table: str, columns: list[str], values: Iterable[tuple[Any, ...]]) -> None:
    names = sql.SQL(", ").join(map(sql.Identifier, columns))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(table), names)
    with psycopg.connect(plain(url), options="-c timezone=UTC") as connection, connection.cursor() as cursor:
        # What the rows refer to is there; to look for it row by row takes longer than all the rest.
        cursor.execute("SET session_replication_role = replica")
        with cursor.copy(statement) as copy:
            for row in values:
                copy.write_row(row)


def _execute_many(url: str, table: str, columns: list[str], values: Iterable[tuple[Any, ...]]) -> None:
    marks = ", ".join("?" * len(columns))
    database = sqlite3.connect(str(make_url(url).database), timeout=30)
    try:
        with database:
            database.executemany(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({marks})", values)  # noqa: S608
        database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    finally:
        database.close()
