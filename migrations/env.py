"""Alembic's entry: all revisions in one transaction, and one process at a time.

Whoever comes second waits for the lock, then finds the work done.
"""

from contextlib import suppress

from alembic import context
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError, ProgrammingError

from authsvc.extensions import Table, db
from authsvc.models.engine import transaction


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


def run() -> None:
    if db.engine.dialect.name == "postgresql":
        make_bookkeeping()
    with transaction() as session:
        connection = session.connection()
        if connection.dialect.name == "postgresql":
            # Held to the end of the transaction; on SQLite, BEGIN IMMEDIATE has taken the write lock already.
            connection.execute(text("LOCK TABLE alembic_version IN EXCLUSIVE MODE"))
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
