from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast

from sqlalchemy import Connection, Delete, Integer, String, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from authsvc.extensions import Table
from authsvc.models.columns import Moment
from authsvc.models.prepared import Prepared


class Attempt(Table):
    """A counter of guesses that forgets at `expires_at`. It counts strangers, so it belongs to no tenant."""

    __tablename__ = "attempts"

    key: Mapped[Annotated[str, mapped_column(String(64), primary_key=True)]]
    count: Mapped[Annotated[int, mapped_column(Integer)]]
    expires_at: Mapped[Moment]


@dataclass(frozen=True, slots=True)
class Counter:
    """`clears`: a right password makes it begin anew; if not, it just gets that one try back."""

    key: str
    limit: int
    clears: bool


class Away(Exception):
    """Who was to count does not do it now."""


def _hit(insert: Any) -> Prepared:
    """Count one and answer the new count and the end of its window; a window that has ended begins anew."""
    ends = bindparam("ends", type_=Attempt.expires_at.type)
    fresh = Attempt.expires_at <= bindparam("now", type_=Attempt.expires_at.type)
    counted = insert(Attempt).values(key=bindparam("of"), count=1, expires_at=ends)
    again = counted.on_conflict_do_update(
        index_elements=[Attempt.key],
        set_={
            "count": case((fresh, 1), else_=Attempt.count + 1),
            "expires_at": case((fresh, ends), else_=Attempt.expires_at),
        },
    )
    return Prepared(again.returning(Attempt.count, Attempt.expires_at))


_HIT = {"postgresql": _hit(postgresql.insert), "sqlite": _hit(sqlite.insert)}
_IS_ITS = Attempt.key == bindparam("of")
_COUNTED = Prepared(
    select(Attempt.count, Attempt.expires_at).where(
        _IS_ITS, Attempt.expires_at > bindparam("now", type_=Attempt.expires_at.type)
    )
)
_TAKE_BACK = Prepared(update(Attempt).where(_IS_ITS, Attempt.count > 0).values(count=Attempt.count - 1))
_FORGET = Prepared(delete(Attempt).where(_IS_ITS))


def hit(session: Session, counters: Iterable[Counter], now: datetime, expires_at: datetime) -> datetime | None:
    """Count a try on each, up to the first that is full; answers when that one forgets. Then roll back."""
    one_more = _HIT[session.get_bind().dialect.name]
    # Every transaction takes its counters in the order of the reservation, so that no two wait for each other.
    for counter in counters:
        ((count, ends),) = one_more.rows(session, {"of": counter.key, "now": now, "ends": expires_at})
        if count > counter.limit:
            return cast("datetime", ends)
    return None


def full_until(connection: Connection, counter: Counter, now: datetime) -> datetime | None:
    """When a counter that has no try left forgets."""
    for count, ends in _COUNTED.rows(connection, {"of": counter.key, "now": now}):
        if count >= counter.limit:
            return cast("datetime", ends)
    return None


def give_back(session: Session, counters: Iterable[Counter]) -> None:
    for counter in counters:
        (_FORGET if counter.clears else _TAKE_BACK).count(session, {"of": counter.key})


def forget_ended(now: datetime) -> Delete:
    return delete(Attempt).where(Attempt.expires_at <= now)
