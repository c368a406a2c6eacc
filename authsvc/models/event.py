from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Annotated, Any

from sqlalchemy import JSON, ColumnElement, Index, Select, String, case, func, or_, select
from sqlalchemy.orm import Mapped, mapped_column

from authsvc import opaque
from authsvc.extensions import Table
from authsvc.models.columns import LongText, Moment, Owned, PlainId, PrimaryId

# No clock goes back further than this between the reading of `at` and the making of the id.
LARGEST_STEP_BACK = timedelta(hours=1)
Word = Annotated[str, mapped_column(String(64))]


class Event(Owned, Table):
    """One line of the audit trail. What it names may be gone already, so it refers to nothing but its tenant."""

    __tablename__ = "events"
    __table_args__ = (Index(None, "tenant_id", "id"), Index(None, "subject_id", "id"))

    id: Mapped[PrimaryId]
    kind: Mapped[Word]
    at: Mapped[Moment]
    outcome: Mapped[Word]
    actor_id: Mapped[PlainId | None]
    subject_id: Mapped[PlainId | None]
    application_id: Mapped[PlainId | None]
    refresh_token_id: Mapped[PlainId | None]
    api_token_id: Mapped[PlainId | None]
    ip: Mapped[Word]
    user_agent: Mapped[LongText]
    request_id: Mapped[Annotated[str, mapped_column(String(128))]]
    detail: Mapped[Annotated[dict[str, Any], mapped_column(JSON)]]


def by_or_about(user_id: str) -> ColumnElement[bool]:
    """What a user did, and what happened to them."""
    return or_(Event.actor_id == user_id, Event.subject_id == user_id)


def between(after: datetime | None, before: datetime | None) -> Select[Event]:
    """From a moment on, and up to another."""
    found = select(Event)
    if after is not None:
        # An event's id is made after its moment. Ids are in the index, so what happened last is found among millions.
        found = found.where(Event.at >= after, Event.id >= opaque.first_id_at(after, LARGEST_STEP_BACK))
    return found if before is None else found.where(Event.at < before)


def newest(after: datetime, number: int) -> Select[str]:
    """The id of the one before the newest so many since a moment; none where there is none before them."""
    ids = select(Event.id).where(Event.id >= opaque.first_id_at(after, LARGEST_STEP_BACK))
    return ids.order_by(Event.id.desc()).offset(number).limit(1)


def latest(kind: str, after: datetime, oldest: str | None) -> Select[Event]:
    """Those of a kind since a moment, newest first; with an `oldest`, only those that are newer than that one."""
    found = between(after, None).where(Event.kind == kind).order_by(Event.id.desc())
    return found if oldest is None else found.where(Event.id > oldest)


def counted(kinds: Collection[str], starts: Sequence[datetime], oldest: str | None) -> Select[str, int, int]:
    """How many there are of each kind in each of the spans that begin at these moments; the last one has no end.

    With an `oldest`, only those that are newer than that one.
    """
    ends = [(Event.at < end, number) for number, end in enumerate(starts[1:])]
    span = case(*ends, else_=len(ends)).label("span")
    since = (Event.at >= starts[0], Event.id > (oldest or opaque.first_id_at(starts[0], LARGEST_STEP_BACK)))
    # By its name: PostgreSQL does not see that two expressions with parameters are the same one.
    return select(Event.kind, span, func.count()).where(*since, Event.kind.in_(kinds)).group_by(Event.kind, "span")
