"""Lists by the page: newest first, by id. The last page of a million rows costs what the first one does."""

from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sqlalchemy import Select, func, select
from sqlalchemy.orm import Session

T = TypeVar("T")

MOST_COUNTED = 10_000


@dataclass(frozen=True, slots=True)
class Window:
    """Which page is asked for. `cursor` is what the page before it answered."""

    limit: int
    cursor: str | None = None


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    items: list[T]
    next_cursor: str | None


def page(session: Session, statement: Select[T], key: Any, window: Window) -> Page[T]:
    """What stands in the window. `key` is the column of the id; rows that come later never shift a page."""
    if window.cursor is not None:
        statement = statement.where(key < window.cursor)
    # One more than the page holds tells whether there is another page.
    found = list(session.scalars(statement.order_by(key.desc()).limit(window.limit + 1)))
    items = found[: window.limit]
    is_last = len(found) <= window.limit
    return Page(items, None if is_last else str(getattr(items[-1], key.key)))


def counted(session: Session, rows: Select[Any]) -> int:
    """How many there are, as far as MOST_COUNTED; one more than that means "more". Nobody waits for millions."""
    return session.scalar(select(func.count()).select_from(rows.limit(MOST_COUNTED + 1).subquery())) or 0
