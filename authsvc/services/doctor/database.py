"""The database: whether it answers and how it is set up. What lies in it is in contents.py."""

from collections.abc import Callable, Iterator
from datetime import timedelta

from sqlalchemy import Connection, Interval, cast, extract, func, select
from sqlalchemy.engine import make_url
from sqlalchemy.exc import SQLAlchemyError

from authsvc import clock
from authsvc.hiding import without_secrets
from authsvc.models import engine, tenant
from authsvc.models.engine import single_statements
from authsvc.services import installation
from authsvc.services.doctor.findings import Finding, broken, fine, warning
from authsvc.services.doctor.machine import database_file
from authsvc.settings import database_pool, settings, worker_count

Check = Callable[[Connection], Iterator[Finding]]

ANSWERS = "database"
OLDEST_POSTGRESQL = 14
NOTICED = timedelta(seconds=5)
PREPARE = "Run: flask --app wsgi prepare"
LIMITS = ("statement_timeout", "lock_timeout")
# pgbouncer's answer to what a connection of ours brings along.
SAID_BY_A_POOLER = "unsupported startup parameter"


def examine() -> Iterator[Finding]:
    place = database_file()
    if place is not None and not place.exists():
        yield broken("tables", f"There is no {place} yet.", PREPARE)
        return
    try:
        with single_statements() as connection:
            yield from _answers(connection)
            checks = _ON_POSTGRESQL if connection.dialect.name == "postgresql" else _ON_SQLITE
            for check in checks:
                yield from check(connection)
    except SQLAlchemyError as error:
        advice = "Look at it, and at AUTHSVC_DATABASE_URL."
        if SAID_BY_A_POOLER in str(error):
            advice = "That is pgbouncer: set AUTHSVC_DATABASE_POOLER=on."
        yield broken(ANSWERS, f"It does not answer: {said(error)}", advice)


def said(error: SQLAlchemyError) -> str:
    """What the database says of itself, in one line and without its password."""
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    password = make_url(settings.DATABASE_URL).password
    line = without_secrets(lines[0])
    return line.replace(str(password), "(hidden)") if password else line


def _answers(connection: Connection) -> Iterator[Finding]:
    numbers = connection.dialect.server_version_info or ()
    version = ".".join(map(str, numbers))
    if connection.dialect.name == "postgresql" and numbers[:1] < (OLDEST_POSTGRESQL,):
        yield warning(ANSWERS, f"PostgreSQL {version} answers; nobody mends it any more.", "Upgrade PostgreSQL.")
    else:
        name = {"postgresql": "PostgreSQL", "sqlite": "SQLite"}[connection.dialect.name]
        yield fine(ANSWERS, f"{name} {version} answers.")


def _journal(connection: Connection) -> Iterator[Finding]:
    mode = engine.journal_mode(connection)
    if mode == "wal":
        yield fine("journal", "Its journal is a WAL: who reads never waits for who writes.")
    else:
        yield warning(
            "journal",
            f"Its journal is {mode}, and can't be a WAL here: readers and writers wait for each other.",
            "Put the file of AUTHSVC_DATABASE_URL on a disk of this machine, not of the network.",
        )


def _isolation(connection: Connection) -> Iterator[Finding]:
    level = connection.scalar(select(func.current_setting("default_transaction_isolation")))
    if level == "read committed":
        yield fine("isolation", "Transactions are read committed.")
    else:
        yield broken(
            "isolation",
            f"Transactions are {level} by default: two that meet fail, where one should wait for the other.",
            "Set default_transaction_isolation to read committed, for the database and its user.",
        )
    if connection.scalar(select(func.current_setting("synchronous_commit"))) == "off":
        yield warning(
            "durability",
            "synchronous_commit is off: after a crash, what was ended last may live again.",
            "Set synchronous_commit to on, for the database and its user.",
        )


def _connections(connection: Connection) -> Iterator[Finding]:
    """PostgreSQL keeps a few for its superusers."""
    names = ("max_connections", "superuser_reserved_connections")
    most, kept = (int(connection.scalar(select(func.current_setting(name))) or 0) for name in names)
    wanted = worker_count(settings) * database_pool(settings)
    if settings.DATABASE_POOLER:
        yield fine("connections", f"This server may want {wanted} of the pooler, whose max_client_conn must be above.")
        return
    found = f"This server may want {wanted} (workers times pool), of {most - kept} that PostgreSQL has for all."
    if wanted > most - kept:
        yield warning(
            "connections",
            found,
            "Lower AUTHSVC_THREADS or AUTHSVC_WORKERS, raise max_connections, or put pgbouncer between.",
        )
    else:
        yield fine("connections", found)


def _limits(connection: Connection) -> Iterator[Finding]:
    """Told to each connection as it is made; behind a pooler, the role must bring them along."""
    most = settings.DATABASE_TIMEOUT.total_seconds()
    missing = [name for name in LIMITS if not 0 < _seconds(connection, name) <= most]
    if not missing:
        yield fine("limits", "A statement or a lock that takes longer than AUTHSVC_DATABASE_TIMEOUT is given up.")
        return
    found = f"Not in force, or above AUTHSVC_DATABASE_TIMEOUT: {', '.join(missing)}."
    if settings.DATABASE_POOLER:
        role = connection.scalar(select(func.quote_ident(func.current_user())))
        change = "; ".join(f"ALTER ROLE {role} SET {name} = {round(most * 1000)}" for name in missing)
        advice = f"Run in PostgreSQL: {change}; and in pgbouncer's console: RECONNECT"
    else:
        advice = "Something between keeps them from PostgreSQL. If it is pgbouncer, set AUTHSVC_DATABASE_POOLER=on."
    yield warning("limits", found, advice)


def _seconds(connection: Connection, name: str) -> float:
    """PostgreSQL writes such a setting as it writes an interval, in the unit that suits it."""
    return float(connection.scalar(select(extract("epoch", cast(func.current_setting(name), Interval)))) or 0)


def _clock(connection: Connection) -> Iterator[Finding]:
    before = clock.utcnow()  # read here, on both sides of theirs: the answer takes a while
    theirs = connection.scalars(select(func.clock_timestamp())).one()
    after = clock.utcnow()
    apart = max(theirs - after, before - theirs, timedelta(0))
    found = f"Our clock and the database server's are {apart.total_seconds():.1f} s apart."
    advice = "Let NTP set the clocks of all servers."
    if apart > settings.CLOCK_SKEW:
        yield broken("clock", f"{found} Tokens from servers that agree with it are refused here.", advice)
    elif apart > NOTICED:
        yield warning("clock", found, advice)
    else:
        yield fine("clock", found)


def _tables(connection: Connection) -> Iterator[Finding]:
    state = installation.schema()
    if state == installation.CURRENT:
        yield fine("tables", "They are those of this version.")
        yield from _writing(connection)
    elif state == installation.AHEAD:
        yield broken("tables", "They are of a newer version.", "Run the newer version, or restore an older backup.")
    else:
        yield broken("tables", "They are of an older version." if state == installation.BEHIND else "None.", PREPARE)


def _writing(connection: Connection) -> Iterator[Finding]:
    try:
        connection.execute(tenant.change_none())
    except SQLAlchemyError as error:
        yield broken(
            "writing",
            f"Nothing can be written: {said(error)}",
            "Point AUTHSVC_DATABASE_URL at a database, and a user, that may write: no replica, no read-only disk.",
        )
    else:
        yield fine("writing", "It can be written.")


_ON_SQLITE: tuple[Check, ...] = (_journal, _tables)
_ON_POSTGRESQL: tuple[Check, ...] = (_isolation, _connections, _limits, _clock, _tables)
