"""Guessing: how many wrong passwords one source, one account, and one source at one account may try in a window.

A try is counted before the password is looked at and given back if it was right: of a burst, only as many as the limit
allows are ever evaluated, whichever workers they reach. A try that is refused counts nowhere, so a stranger who is
already stopped can't run down the account's own limit. The counts are in the database: exact across workers, and they
survive a restart. Or, where REDIS_URL names one, in Redis, and in the database while that is away.

A client's secret is looked at first, and counted if it was wrong: nobody guesses 256 bits in a burst, and an API that
asks about every token that it is shown must not write twice for each, nor stop itself by asking much at once.
"""

import math
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import TYPE_CHECKING

from flask import current_app
from sqlalchemy.orm import Session

from authsvc import counting, opaque
from authsvc.caller import Caller
from authsvc.errors import TooManyAttempts
from authsvc.models import attempt
from authsvc.models.attempt import Counter
from authsvc.models.engine import afterwards, single_statements, transaction
from authsvc.settings import settings

if TYPE_CHECKING:
    from authsvc.models.attempt_in_redis import Attempts

COUNTERS = "authsvc.attempts_in_redis"


@dataclass(frozen=True, slots=True)
class Reservation:
    """What a try was counted on, and where: it is given back there and nowhere else."""

    counters: tuple[Counter, ...] = ()
    redis: "Attempts | None" = None


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
    counter, redis = _of_source(caller), _redis()
    if redis is not None:
        with suppress(attempt.Away):
            _refuse(redis.full_until(counter, now), now)
            return
    with single_statements() as connection:
        _refuse(attempt.full_until(connection, counter, now), now)


def forgive(session: Session, reservation: Reservation) -> None:
    """The try was right: the account's counts begin anew, the source gets this one back."""
    if reservation.redis is None:
        attempt.give_back(session, reservation.counters)
    else:
        # Once it is committed: nobody holds a row while another server is asked.
        afterwards(session, partial(_give_back, reservation.redis, reservation.counters))


def _of_source(caller: Caller) -> Counter:
    return Counter(opaque.digest(f"source|{caller.source}"), settings.GUESSES_PER_SOURCE, clears=False)


def _count(counters: tuple[Counter, ...], now: datetime) -> Reservation:
    if not settings.RATE_LIMITS:
        return Reservation()
    ends, redis = now + settings.GUESS_WINDOW, _redis()
    if redis is not None:
        with suppress(attempt.Away):
            full_until = redis.hit(counters, now, ends)
            counting.count("guesses", "redis")
            _refuse(full_until, now)
            return Reservation(counters, redis)
    counting.count("guesses", "database")
    with transaction() as session:
        _refuse(attempt.hit(session, counters, now, ends), now)
    return Reservation(counters)


def _give_back(redis: "Attempts", counters: tuple[Counter, ...]) -> None:
    """Where it can't be, the window's end does it."""
    with suppress(attempt.Away):
        redis.give_back(counters)


def _refuse(full_until: datetime | None, now: datetime) -> None:
    if full_until is not None:
        raise TooManyAttempts(math.ceil((full_until - now).total_seconds()))


def _redis() -> "Attempts | None":
    """The counters in Redis; None where there is no Redis."""
    found: Attempts | None = current_app.extensions.get(COUNTERS)
    return found
