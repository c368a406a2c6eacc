"""How we are connected to a PostgreSQL: what a connection is told, how long it is waited for, when it is let go of."""

import math
import select
from collections.abc import Mapping
from typing import Any, cast

import psycopg
from psycopg.errors import ReadOnlySqlTransaction, UndefinedTable
from psycopg.pq import TransactionStatus
from psycopg.types.string import TextLoader
from sqlalchemy import URL, Connection, Engine, ExceptionContext, event
from sqlalchemy.exc import DisconnectionError, OperationalError

# Milliseconds. One of us that is gone in the middle of a transaction holds its rows until PostgreSQL notices.
LONGEST_PAUSE = 60_000
# Seconds. PostgreSQL's own word that it took too long comes before we stop listening: it leaves the connection whole.
FOR_ITS_WORD = 1.0
_PATIENCE = "patience"
_POLLED = "authsvc.polled"


def connecting(url: URL, timeout: float, *, pooled: bool) -> dict[str, Any]:
    """What each connection is made with, in libpq's words and psycopg's. What the address says of these, stays so."""
    # Without keepalives a pool would not notice for hours that the other machine has lost its power.
    seconds, third = max(1, round(timeout)), max(1, round(timeout / 3))
    network: dict[str, Any] = {
        "connect_timeout": seconds,
        "keepalives": 1,
        "keepalives_idle": seconds,
        "keepalives_interval": third,
        "keepalives_count": 3,
        "tcp_user_timeout": seconds * 1000,
    }
    ours = {name: value for name, value in network.items() if name not in url.query} | {
        _PATIENCE: timeout + FOR_ITS_WORD
    }
    if pooled:
        # The next statement may meet another connection of the pooler's, where this one was never prepared.
        return ours | {"prepare_threshold": None}
    limit = round(timeout * 1000)
    limits = {
        "statement_timeout": limit,
        "lock_timeout": limit,
        "idle_in_transaction_session_timeout": LONGEST_PAUSE,
        "timezone": "UTC",
    }
    given = url.query.get("options", "")
    words = [given if isinstance(given, str) else " ".join(given)]
    words += [f"-c {name}={value}" for name, value in limits.items()]
    # What is asked for twice on one connection is asked for again: to plan a hot statement takes PostgreSQL longer than
    # to carry it out. What is asked for once, such as a list in the console, is not worth the extra round trip.
    return ours | {"options": " ".join(words).strip(), "prepare_threshold": 1}


def instrument(engine: Engine) -> None:
    event.listen(engine, "do_connect", _connect)
    event.listen(engine, "checkout", _look_at)
    event.listen(engine, "handle_error", _let_go_of_standby)
    event.listen(engine, "handle_error", _miss_tables, retval=True)


class NotAnswered(psycopg.OperationalError):
    """PostgreSQL said nothing for so long that nobody waits any more."""


class Patient(psycopg.Connection[Any]):
    """One that is waited for so long and no longer.

    PostgreSQL's own limits don't end the wait for one that stands still, or that pgbouncer has no connection to; and
    TCP's end only the wait for a machine that is gone.
    """

    usual = patience = math.inf

    def wait(self, gen: Any, interval: float = 0.1, timeout: float | None = None) -> Any:
        if self._is(TransactionStatus.IDLE):
            self.patience = self.usual
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except psycopg.OperationalError:
            if self._is(TransactionStatus.ACTIVE):
                self.pgconn.finish()  # an answer that came after all would be taken for that to the next statement
                raise NotAnswered from None
            raise

    def _is(self, status: TransactionStatus) -> bool:
        return self.pgconn.transaction_status == status


def wait_longer(connection: Connection, milliseconds: int) -> None:
    """In the transaction that has begun, each statement may take so long."""
    driver = cast("Patient", connection.connection.dbapi_connection)
    driver.patience = milliseconds / 1000 + FOR_ITS_WORD


def _connect(_dialect: Any, _record: Any, arguments: tuple[Any, ...], named: Mapping[str, Any]) -> Patient:
    told = dict(named)
    patience = told.pop(_PATIENCE, math.inf)
    # It begins no transaction by itself.
    made = Patient.connect(*arguments, autocommit=True, **told)
    made.usual = made.patience = patience
    # An id is a str here; the driver would make an object of it, which would be written out again at once.
    made.adapters.register_loader("uuid", TextLoader)
    return made


def _look_at(connection: Patient, record: Any, _pooled: Any) -> None:
    """Whether anything came while nobody asked: then most likely it was closed, as at a restart, and another is made.

    To look takes a microsecond, where to ask each time would take a round trip.
    """
    poll = record.info.get(_POLLED)
    if poll is None:  # made this moment
        poll = record.info[_POLLED] = select.poll()
        poll.register(connection.fileno(), select.POLLIN)
    elif connection.closed or poll.poll(0):
        try:
            connection.execute("SELECT 1")
        except psycopg.Error as error:
            raise DisconnectionError(type(error).__name__) from error


def _let_go_of_standby(context: ExceptionContext) -> None:
    """It was the primary once, or the address led there: the next connection may lead to the one that is."""
    if isinstance(context.original_exception, ReadOnlySqlTransaction):
        context.is_disconnect = True
        context.invalidate_pool_on_disconnect = False


def _miss_tables(context: ExceptionContext) -> OperationalError | None:
    """A database without our tables is being put back, or is the wrong one: it fails like one that is away, as SQLite
    says of itself.
    """
    orig = context.original_exception
    if isinstance(orig, UndefinedTable):
        return OperationalError(context.statement, None, orig, hide_parameters=True)
    return None
