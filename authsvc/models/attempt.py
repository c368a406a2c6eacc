from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, cast

from sqlalchemy import Connection, Delete, Integer, Select, String, Update, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, Session, mapped_column

from authsvc.extensions import Table
from authsvc.models.columns import Moment


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


def hit(session: Session, counters: Iterable[Counter], now: datetime, expires_at: datetime) -> datetime | None:
    """Count a try on each, up to the first that is full; answers when that one forgets. Then roll back."""
    dialect = session.get_bind().dialect.name
    # Every transaction takes its counters in the order of the reservation, so that no two wait for each other.
    for counter in counters:
        found = session.execute(_hit(dialect, counter.key, now, expires_at)).one()
        count, ends = cast("tuple[int, datetime]", found)
        if count > counter.limit:
            return ends
    return None


def full_until(connection: Connection, counter: Counter, now: datetime) -> datetime | None:
    """When a counter that has no try left forgets."""
    count, ends = connection.execute(_counted(counter.key, now)).one_or_none() or (0, now)
    return ends if count >= counter.limit else None


def give_back(session: Session, counters: Iterable[Counter]) -> None:
    for counter in counters:
        session.execute(_forget(counter.key) if counter.clears else _take_back(counter.key))


def _hit(dialect: str, key: str, now: datetime, expires_at: datetime) -> Any:
    """Count one and answer the new count and the end of its window; a window that has ended begins anew."""
    insert: Any = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}[dialect]
    fresh = Attempt.expires_at <= bindparam("now", now)
    ends = bindparam("ends", expires_at, Attempt.expires_at.type)  # `excluded` has it too, and is dear to make
    row = insert(Attempt).values(key=key, count=1, expires_at=expires_at)
    return row.on_conflict_do_update(
        index_elements=[Attempt.key],
        set_={
            "count": case((fresh, 1), else_=Attempt.count + 1),
            "expires_at": case((fresh, ends), else_=Attempt.expires_at),
        },
    ).returning(Attempt.count, Attempt.expires_at)


def _counted(key: str, now: datetime) -> Select[int, datetime]:
    """The count and the end of a window that has not ended."""
    return select(Attempt.count, Attempt.expires_at).where(Attempt.key == key, Attempt.expires_at > now)


def _take_back(key: str) -> Update:
    return update(Attempt).where(Attempt.key == key, Attempt.count > 0).values(count=Attempt.count - 1)


def _forget(key: str) -> Delete:
    return delete(Attempt).where(Attempt.key == key)


def forget_ended(now: datetime) -> Delete:
    return delete(Attempt).where(Attempt.expires_at <= now)
