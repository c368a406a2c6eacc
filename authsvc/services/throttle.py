"""Guessing: how many wrong passwords one source, one account, and one source at one account may try in a window.

A try is counted before the password is looked at and given back if it was right: of a burst, only as many as the limit
allows are ever evaluated, whichever workers they reach. A try that is refused counts nowhere, so a stranger who is
already stopped can't run down the account's own limit. The counts are in the database: exact across workers, and they
survive a restart.

A client's secret is looked at first, and counted if it was wrong: nobody guesses 256 bits in a burst, and an API that
asks about every token that it is shown must not write twice for each, nor stop itself by asking much at once.
"""

import math
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy.orm import Session

from authsvc import opaque
from authsvc.caller import Caller
from authsvc.errors import TooManyAttempts
from authsvc.models import attempt
from authsvc.models.engine import single_statements, transaction
from authsvc.settings import settings


@dataclass(frozen=True, slots=True)
class Counter:
    """`clears`: a right password makes it begin anew; if not, it just gets that one try back."""

    key: str
    limit: int
    clears: bool


Reservation = tuple[Counter, ...]


def reserve(tenant_id: str, account: str, caller: Caller, now: datetime) -> Reservation:
    """Count a try at an account. Raises TooManyAttempts, counting nothing, when a limit is reached."""
    place = f"{tenant_id}|{account}"
    return _count(
        (
            Counter(
                opaque.digest(f"both|{place}|{caller.source}"),
                settings.GUESSES_PER_ACCOUNT_AND_SOURCE,
                clears=True,
            ),
            _of_source(caller),
            Counter(opaque.digest(f"account|{place}"), settings.GUESSES_PER_ACCOUNT, clears=True),
        ),
        now,
    )


def reserve_source(caller: Caller, now: datetime) -> Reservation:
    """Count a try that is at no account yet, such as asking whether a name is taken."""
    return _count((_of_source(caller),), now)


def refuse_stopped_source(caller: Caller, now: datetime) -> None:
    """Raises TooManyAttempts where a source has no try left; counts nothing."""
    if not settings.RATE_LIMITS:
        return
    counter = _of_source(caller)
    with single_statements() as connection:
        found = connection.execute(attempt.counted(counter.key, now)).one_or_none()
    count, ends = found or (0, now)
    if count >= counter.limit:
        raise _stopped_until(ends, now)


def forgive(session: Session, reservation: Reservation) -> None:
    """The try was right: the account's counts begin anew, the source gets this one back."""
    for counter in reservation:
        session.execute(attempt.forget(counter.key) if counter.clears else attempt.take_back(counter.key))


def _of_source(caller: Caller) -> Counter:
    return Counter(opaque.digest(f"source|{caller.source}"), settings.GUESSES_PER_SOURCE, clears=False)


def _count(reservation: Reservation, now: datetime) -> Reservation:
    if not settings.RATE_LIMITS:
        return ()
    with transaction() as session:
        dialect = session.get_bind().dialect.name
        # Every transaction takes its counters in the order of the reservation, so that no two wait for each other.
        for counter in reservation:
            hit = attempt.hit(dialect, counter.key, now, now + settings.GUESS_WINDOW)
            count, ends = session.execute(hit).one()
            if count > counter.limit:
                raise _stopped_until(ends, now)
    return reservation


def _stopped_until(ends: datetime, now: datetime) -> TooManyAttempts:
    return TooManyAttempts(math.ceil((ends - now).total_seconds()))
