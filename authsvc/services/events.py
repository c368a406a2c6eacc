"""The audit trail: one line per thing that happened, in the transaction of what it tells."""

from collections.abc import Iterable
from datetime import datetime
from functools import partial
from typing import Any, TypedDict, Unpack

from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from authsvc import counting, opaque
from authsvc.caller import Caller
from authsvc.errors import NotFound
from authsvc.logs import logger
from authsvc.mandate import Mandate
from authsvc.models import Event, event
from authsvc.models.engine import afterwards, reading, transaction
from authsvc.models.paging import Page, Window, page

# Every kind there is; docs/events.md says when each is written.
KINDS = frozenset(
    {
        "api_token.created",
        "api_token.first_used",
        "api_token.revoked",
        "api_token.rotated",
        "api_token.updated",
        "application.created",
        "application.deleted",
        "application.disabled",
        "application.enabled",
        "application.secret_made",
        "application.sign_in_failed",
        "application.signed_in",
        "application.tokens_revoked",
        "application.updated",
        "key.retired",
        "key.revoked",
        "key.rotated",
        "permission.denied",
        "refresh_token.reused",
        "refresh_token.revoked",
        "role.created",
        "role.deleted",
        "role.updated",
        "tenant.created",
        "tenant.deleted",
        "tenant.disabled",
        "tenant.enabled",
        "tenant.updated",
        "user.created",
        "user.deleted",
        "user.disabled",
        "user.enabled",
        "user.imported",
        "user.password_change_failed",
        "user.password_changed",
        "user.registered",
        "user.roles_changed",
        "user.sign_in_failed",
        "user.signed_in",
        "user.signed_out",
        "user.updated",
    }
)
OUTCOMES = ("success", "failure", "alarm")
LONGEST_USER_AGENT = 512


class Ids(TypedDict, total=False):
    """What an event may name."""

    actor_id: str | None
    subject_id: str | None
    application_id: str | None
    refresh_token_id: str | None
    api_token_id: str | None


def record(
    session: Session,
    kind: str,
    *,
    tenant_id: str,
    now: datetime,
    caller: Caller,
    outcome: str = "success",
    detail: dict[str, Any] | None = None,
    **ids: Unpack[Ids],
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
            ip=caller.ip,
            user_agent=caller.user_agent[:LONGEST_USER_AGENT],
            request_id=caller.request_id,
            detail=detail or {},
            **ids,
        )
    )
    afterwards(session, partial(counting.count, "events", kind, outcome))


def record_by(session: Session, mandate: Mandate, kind: str, detail: dict[str, Any], **ids: Unpack[Ids]) -> None:
    """Add one line about what somebody did with this mandate, in the tenant where it was done."""
    ids["actor_id"] = mandate.actor_id
    ids.setdefault("api_token_id", mandate.api_token_id)
    tenant_id, now, caller = mandate.tenant_id, mandate.now, mandate.caller
    record(session, kind, tenant_id=tenant_id, now=now, caller=caller, detail=detail, **ids)


def tell(kind: str, *, tenant_id: str, now: datetime, caller: Caller, **more: Any) -> None:
    """One line in a transaction of its own: of what was refused there is no other."""
    try:
        with transaction() as session:
            record(session, kind, tenant_id=tenant_id, now=now, caller=caller, **more)
    except IntegrityError:
        # The tenant was deleted while this was refused, and its trail with it. The refusal stands.
        logger.warning("%s is told nowhere: its tenant %s is gone.", kind, tenant_id)


def spelled(fields: Iterable[str]) -> list[str]:
    """The names of fields as callers write them."""
    words = (name.split("_") for name in fields)
    return sorted(head + "".join(word.title() for word in rest) for head, *rest in words)


def find(
    mandate: Mandate,
    window: Window,
    *,
    after: datetime | None = None,
    before: datetime | None = None,
    user_id: str | None = None,
    **equal: str,
) -> Page[Event]:
    """The tenant's events, newest first: from `after` on, up to `before`, by or about a user, with these columns so."""
    statement = event.between(after, before).filter_by(**equal)
    if user_id is not None:
        statement = statement.where(event.by_or_about(user_id))
    with reading(within=mandate.tenant_id) as session:
        return page(session, statement, Event.id, window)


def get(mandate: Mandate, event_id: str) -> Event:
    """Raises NotFound."""
    with reading(within=mandate.tenant_id) as session:
        found = session.get(Event, event_id)
    if found is None:
        raise NotFound
    return found
