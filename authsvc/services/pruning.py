"""Dead sign-ins, taken out for good, a slice at a time.

Rows don't grow with use, so nothing has to be pruned for the service to go on; but each sign-in leaves one. Only the
operator's command does this, to all tenants alike and with nobody's mandate, so nothing here is within a tenant.

What was pruned is refused as `token_revoked`, like what was ended. After a restore from an older copy, leave rows for
longer than the copy is old: one that looks idle may belong to somebody who has refreshed since.
"""

import time
from collections.abc import Iterator
from datetime import datetime, timedelta

from authsvc.models import refresh_token
from authsvc.models.engine import single_statements, transaction

# SQLite has one writer at a time and no queue: between two slices, others get their turn.
PAUSE = 0.02


def count(older_than: timedelta, batch: int, now: datetime) -> int:
    """How many rows `prune` would delete now."""
    died_before = _died_before(older_than, now)
    found = 0
    for after, last in _slices(batch):
        with single_statements() as connection:
            found += connection.scalar(refresh_token.count_dead(after, last, died_before)) or 0
    return found


def prune(older_than: timedelta, batch: int, now: datetime) -> Iterator[int]:
    """Delete the rows that have been dead for longer than that; answers, slice by slice, how many went.

    The table is walked once, by id, `batch` rows at a time, each slice in a transaction of its own: whoever refreshes
    or signs in meanwhile waits for one slice at most.
    """
    died_before = _died_before(older_than, now)
    for after, last in _slices(batch):
        with transaction() as session:
            gone = refresh_token.delete_dead(session, after, last, died_before)
        yield gone
        if gone:
            time.sleep(PAUSE)


def _died_before(older_than: timedelta, now: datetime) -> datetime:
    if older_than < timedelta(0):
        raise ValueError("What is not dead yet is never pruned.")
    return now - older_than


def _slices(batch: int) -> Iterator[tuple[str | None, str | None]]:
    """The whole table, as ids: after the one, up to and with the other. What is added meanwhile is not dead."""
    if batch < 1:
        raise ValueError("A slice has one row at least.")
    after: str | None = None
    while True:
        with single_statements() as connection:
            last = connection.scalar(refresh_token.end_of_slice(after, batch))
        yield after, last
        if last is None:
            return
        after = last
