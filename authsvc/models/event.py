from typing import Annotated, Any

from sqlalchemy import JSON, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from authsvc.extensions import Table
from authsvc.models.columns import LongText, Moment, Owned, PlainId, PrimaryId

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
