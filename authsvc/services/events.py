"""The audit trail: one line per thing that happened, in the transaction of what it tells."""

from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from authsvc import opaque
from authsvc.caller import Caller
from authsvc.models import Event

# Every kind there is; docs/events.md says when each is written.
KINDS = frozenset(
    {
        "key.rotated",
        "refresh_token.reused",
        "refresh_token.revoked",
        "user.password_change_failed",
        "user.password_changed",
        "user.registered",
        "user.sign_in_failed",
        "user.signed_in",
        "user.signed_out",
        "user.updated",
    }
)
LONGEST_USER_AGENT = 512


def record(
    session: Session,
    kind: str,
    *,
    tenant_id: str,
    now: datetime,
    caller: Caller,
    outcome: str = "success",
    actor_id: str | None = None,
    subject_id: str | None = None,
    application_id: str | None = None,
    refresh_token_id: str | None = None,
    detail: dict[str, Any] | None = None,
) -> None:
    """Add one line. Ids only: no secret, no token, no password ever stands here."""
    if kind not in KINDS:
        raise ValueError(f"{kind} is not a kind of event")
    session.add(
        Event(
            id=opaque.new_id(),
            tenant_id=tenant_id,
            kind=kind,
            at=now,
            outcome=outcome,
            actor_id=actor_id,
            subject_id=subject_id,
            application_id=application_id,
            refresh_token_id=refresh_token_id,
            api_token_id=None,
            ip=caller.ip,
            user_agent=caller.user_agent[:LONGEST_USER_AGENT],
            request_id=caller.request_id,
            detail=detail or {},
        )
    )
