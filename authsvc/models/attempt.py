from datetime import datetime
from typing import Annotated, Any

from sqlalchemy import Delete, Integer, Select, String, Update, bindparam, case, delete, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Mapped, mapped_column

from authsvc.extensions import Table
from authsvc.models.columns import Moment


class Attempt(Table):
    """A counter of guesses that forgets at `expires_at`. It counts strangers, so it belongs to no tenant."""

    __tablename__ = "attempts"

    key: Mapped[Annotated[str, mapped_column(String(64), primary_key=True)]]
    count: Mapped[Annotated[int, mapped_column(Integer)]]
    expires_at: Mapped[Moment]


def hit(dialect: str, key: str, now: datetime, expires_at: datetime) -> Any:
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


def counted(key: str, now: datetime) -> Select[int, datetime]:
    """The count and the end of a window that has not ended."""
    return select(Attempt.count, Attempt.expires_at).where(Attempt.key == key, Attempt.expires_at > now)


def take_back(key: str) -> Update:
    return update(Attempt).where(Attempt.key == key, Attempt.count > 0).values(count=Attempt.count - 1)


def forget(key: str) -> Delete:
    return delete(Attempt).where(Attempt.key == key)


def forget_ended(now: datetime) -> Delete:
    return delete(Attempt).where(Attempt.expires_at <= now)
