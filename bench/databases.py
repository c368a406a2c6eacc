"""Where the rows lie: files for SQLite, and one PostgreSQL of our own that waits for the disk as a real one does."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
from psycopg import sql

from tests.servers.postgresql import Postgresql

SQLITE, POSTGRESQL = "sqlite", "postgresql"
NAMES = {SQLITE: "SQLite", POSTGRESQL: "PostgreSQL"}
# Where it differs from how PostgreSQL comes: the rows of the largest table fit, and no checkpoint falls into each run.
SETTINGS = {"fsync": "on", "shared_buffers": "512MB", "max_wal_size": "4GB"}


class Databases:
    """As many of one kind as are asked for, each new and empty."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.folder = tempfile.TemporaryDirectory(prefix="authsvc-bench-")
        self.server = Postgresql(**SETTINGS) if kind == POSTGRESQL else None

    @property
    def path(self) -> Path:
        return Path(self.folder.name)

    @property
    def pid(self) -> int | None:
        """Of the database's server, if it has one."""
        return self.server.process.pid if self.server else None

    def new(self, name: str) -> str:
        """Its URL, as SQLAlchemy has it."""
        if self.server is None:
            return f"sqlite:///{self.path / name}.db"
        with psycopg.connect(plain(self.server.url("postgres")), autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return str(self.server.url(name))

    def settle(self, url: str) -> None:
        """After many rows were planted: what autovacuum and the next checkpoint would do in the middle of a round."""
        if self.server is not None:
            with psycopg.connect(plain(url), autocommit=True) as connection:
                connection.execute("VACUUM ANALYZE")
                connection.execute("CHECKPOINT")

    def stop(self) -> None:
        if self.server is not None:
            self.server.stop()
        self.folder.cleanup()


@contextmanager
def databases(kind: str) -> Iterator[Databases]:
    opened = Databases(kind)
    try:
        yield opened
    finally:
        opened.stop()


def plain(url: str) -> str:
    """Without the driver's name."""
    return url.replace("+psycopg", "")
