"""How the database is opened, and the two ways into it: one transaction, or reads and single statements by themselves.

On SQLite a transaction takes the write lock when it begins (BEGIN IMMEDIATE): one that reads first and writes later
would fail at once, without waiting, whenever another wrote in between. Whoever only reads never takes it.
"""

import itertools
import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from flask import current_app
from sqlalchemy import Connection, Engine, Update, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InterfaceError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import ORMExecuteState, Session, with_loader_criteria
from sqlalchemy.sql.base import ExecutableOption

from authsvc.extensions import db
from authsvc.models.columns import Owned
from authsvc.models.tenant import Tenant
from authsvc.settings import database_pool

if TYPE_CHECKING:
    from config import Base

# What SQLAlchemy raises when the database does not do what it can do at other times.
FAILURES = (OperationalError, InterfaceError, InternalError, PoolTimeout)
_ALONE = "authsvc.alone"
_AFTERWARDS = "authsvc.afterwards"
# Milliseconds. Ending a million sign-ins in one statement takes longer than any other statement may.
LONGEST_STATEMENT = 600_000


def options(config: "Base") -> dict[str, Any]:
    """What create_engine is told."""
    timeout = config.DATABASE_TIMEOUT.total_seconds()
    # Without hide_parameters an error's text, and so the log, would hold what a statement was given.
    pool = {"hide_parameters": True, "pool_size": database_pool(config), "max_overflow": 0, "pool_timeout": timeout}
    url = make_url(config.DATABASE_URL)
    if url.get_backend_name() == "sqlite":
        return pool | {"connect_args": {"timeout": timeout}}
    from authsvc.models import postgresql  # who has SQLite never loads its driver

    # The one that was used last is used next: the statements on it are prepared.
    pool["pool_use_lifo"] = True
    return pool | {"connect_args": postgresql.connecting(url, timeout, pooled=config.DATABASE_POOLER)}


def prepare(config: "Base", instance: Path) -> None:
    """Where the database is a file, make the folder it lies in, for its owner alone.

    A relative path is relative to the instance folder: Flask-SQLAlchemy has it so.
    """
    url = make_url(config.DATABASE_URL)
    if url.get_backend_name() == "sqlite" and url.database and url.database != ":memory:":
        (instance / url.database).parent.mkdir(mode=0o700, parents=True, exist_ok=True)


def instrument(engine: Engine) -> None:
    """Neither driver begins a transaction by itself: `transaction` does, and whatever else runs is one by itself."""
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _open_sqlite)
    else:
        from authsvc.models import postgresql

        postgresql.instrument(engine)
    event.listen(engine, "begin", _begin)


def _open_sqlite(connection: Any, _record: Any) -> None:
    connection.isolation_level = None
    _switch_to_wal(connection)
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")
    # Its own knows the letters of ASCII alone.
    connection.create_function("lower", 1, lambda text: text and str(text).lower(), deterministic=True)


def _switch_to_wal(connection: Any) -> None:
    """Many first starts of one new file meet here, and SQLite doesn't wait for this lock as it does for others."""
    for pause in (*itertools.repeat(0.02, 250), None):
        try:
            connection.execute("PRAGMA journal_mode=WAL")
        except sqlite3.OperationalError:
            if pause is None:
                raise
            time.sleep(pause)
        else:
            return


def _begin(connection: Connection) -> None:
    if not connection.get_execution_options().get(_ALONE):
        connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.dialect.name == "sqlite" else "BEGIN")


def journal_mode(connection: Connection) -> str:
    """SQLite's, as it is: where a WAL can't be, it keeps another without a word."""
    return str(connection.exec_driver_sql("PRAGMA journal_mode").scalar())


def _alone() -> Engine:
    """The same pool, with every statement its own transaction."""
    key = "authsvc.engine.alone"
    if key not in current_app.extensions:
        current_app.extensions[key] = db.engine.execution_options(**{_ALONE: True})
    return cast("Engine", current_app.extensions[key])


@contextmanager
def transaction(within: str | None = None, *, unhurried: bool = False) -> Iterator[Session]:
    """All or nothing. Committed at the end of the block, rolled back if it raises.

    `within` a tenant, nothing of any other is met. `unhurried`: one statement may touch very many rows.
    """
    with _session(db.engine, within) as session:
        with session.begin():
            if unhurried and db.engine.dialect.name == "postgresql":
                _give_time(session.connection())
            yield session
        for follow in session.info.pop(_AFTERWARDS, ()):
            follow()


def _give_time(connection: Connection) -> None:
    from authsvc.models import postgresql

    connection.exec_driver_sql(f"SET LOCAL statement_timeout = {LONGEST_STATEMENT}")
    postgresql.wait_longer(connection, LONGEST_STATEMENT)


def afterwards(session: Session, follow: Callable[[], None]) -> None:
    """What follows once the transaction is committed, and does not if it never is."""
    session.info.setdefault(_AFTERWARDS, []).append(follow)


@contextmanager
def reading(within: str | None = None) -> Iterator[Session]:
    """Objects to look at, outside any transaction. What is changed on them is not saved."""
    with _session(_alone(), within) as session:
        yield session


def _session(engine: Engine, within: str | None) -> Session:
    if within is None:
        return Session(engine, expire_on_commit=False)
    return _Walled(engine, expire_on_commit=False, info={"tenant_id": within})


class _Walled(Session):
    """A session within one tenant: the one place where a tenant filter is applied, to whatever is asked in it."""


def _stay_within(asked: ORMExecuteState) -> None:
    if not asked.is_orm_statement:
        raise RuntimeError("In a tenant's session, ask for models: the wall does not reach plain tables.")
    if asked.is_insert or isinstance(asked.parameters, list):
        raise RuntimeError("In a tenant's session, rows are added and changed one by one, or by a condition.")
    if asked.is_update and "tenant_id" in cast("Update", asked.statement).compile().params:
        raise RuntimeError("In a tenant's session, no row goes to another tenant.")
    asked.statement = asked.statement.options(*_wall(asked.session.info["tenant_id"]))


@lru_cache(maxsize=256)
def _wall(tenant_id: str) -> tuple[ExecutableOption, ...]:
    """What is added to every statement, wherever in it such a table stands. Making it costs more than adding it."""
    return (
        with_loader_criteria(Owned, lambda table: table.tenant_id == tenant_id, include_aliases=True),
        with_loader_criteria(Tenant, lambda table: table.id == tenant_id, include_aliases=True),
    )


def _add_within(session: Session, _context: Any, _instances: Any) -> None:
    for row in itertools.chain(session.new, session.dirty):
        if isinstance(row, Owned) and row.tenant_id != session.info["tenant_id"]:
            raise RuntimeError("In a tenant's session, only its own rows are added, and they stay.")


event.listen(_Walled, "do_orm_execute", _stay_within)
event.listen(_Walled, "before_flush", _add_within)


@contextmanager
def single_statements() -> Iterator[Connection]:
    """A connection on which each statement commits itself: for the hot paths, whose steps are one statement each."""
    with _alone().connect() as connection:
        yield connection
