"""Alembic's entry: all revisions in one transaction, and one process at a time.

Whoever comes second waits for the lock, then finds the work done.
"""

from contextlib import suppress

from alembic import context
from sqlalchemy import Connection, text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from authsvc.extensions import Table, db
from authsvc.models.engine import LONGEST_STATEMENT, transaction


def make_bookkeeping() -> None:
    """PostgreSQL: the table that Alembic keeps its place in, which is also what processes wait for each other at.

    Two that make it at once collide in the catalogue, IF NOT EXISTS or not; the one that fails has what it wanted.
    """
    with suppress(IntegrityError, ProgrammingError), transaction() as session:
        session.execute(
            text(
                "CREATE TABLE IF NOT EXISTS alembic_version (version_num VARCHAR(32) NOT NULL "
                "CONSTRAINT alembic_version_pkc PRIMARY KEY)"
            )
        )


def wait_for_turn(connection: Connection) -> None:
    """Held to the end of the transaction; on SQLite, BEGIN IMMEDIATE has taken the write lock already.

    Waited for as long as another's work may take. The work itself waits no longer than usual for the tables of a
    service that runs: meanwhile, everybody else would wait behind it.
    """
    usual = connection.scalar(text("SHOW lock_timeout"))
    connection.execute(text(f"SET LOCAL lock_timeout = {LONGEST_STATEMENT}"))
    connection.execute(text("LOCK TABLE alembic_version IN EXCLUSIVE MODE"))
    connection.execute(text(f"SET LOCAL lock_timeout = '{usual}'"))


def run() -> None:
    if db.engine.dialect.name == "postgresql":
        make_bookkeeping()
    with transaction(unhurried=True) as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            wait_for_turn(connection)
        context.configure(
            connection=connection,
            target_metadata=Table.metadata,
            render_as_batch=True,
            compare_type=True,
            transactional_ddl=True,
            user_module_prefix="columns.",
        )
        with context.begin_transaction():
            context.run_migrations()


if context.is_offline_mode():
    context.configure(url=db.engine.url, target_metadata=Table.metadata, literal_binds=True)
    with context.begin_transaction():
        context.run_migrations()
else:
    run()
