"""When an API token was used last, and from where: written behind, by a thread that lives while there is any to write.

A use that is asked about waits for nothing of this. A token's is written at most once a minute, whichever workers it
reaches: the statement itself looks.
"""

import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import cast

from flask import current_app
from sqlalchemy.exc import SQLAlchemyError

from authsvc import behind
from authsvc.caller import Caller
from authsvc.logs import logger
from authsvc.models import api_token
from authsvc.models.api_token import Standing
from authsvc.models.engine import transaction
from authsvc.services import events

INTERVAL = timedelta(minutes=1)
# In seconds: what is used meanwhile is written together.
GATHERING = 0.2
MOST_WAITING = 10_000


@dataclass(frozen=True, slots=True)
class Use:
    standing: Standing
    caller: Caller
    at: datetime


@dataclass(slots=True)
class Uses:
    """What one worker has still to write, and what it wrote of late."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    waiting: dict[str, Use] = field(default_factory=dict)
    noted: dict[str, datetime] = field(default_factory=dict)
    hurry: threading.Event = field(default_factory=threading.Event)
    writer: threading.Thread | None = None


def note(standing: Standing, caller: Caller, now: datetime) -> None:
    """It was used, from there. Costs a look into a dictionary, and once a minute a little more."""
    if standing.last_used_at is not None and now - standing.last_used_at < INTERVAL:
        return
    uses = _uses()
    with uses.lock:
        noted = uses.noted.get(standing.id)
        if (noted is not None and now - noted < INTERVAL) or len(uses.waiting) >= MOST_WAITING:
            return
        if len(uses.noted) >= MOST_WAITING:
            uses.noted.clear()
        uses.noted[standing.id] = now
        uses.waiting[standing.id] = Use(standing, caller, now)
        if uses.writer is None:
            uses.writer = behind.start(_write_all, "last uses")


def _write_all() -> None:
    uses = _uses()
    while True:
        uses.hurry.wait(GATHERING)
        with uses.lock:
            batch, uses.waiting = list(uses.waiting.values()), {}
            if not batch:
                uses.writer = None
                return
        try:
            _write(batch)
        except SQLAlchemyError as error:
            # The next use will be written instead.
            logger.warning("When %d API tokens were used was not written: %s", len(batch), type(error).__name__)
            with uses.lock:
                for use in batch:
                    uses.noted.pop(use.standing.id, None)


def _uses() -> Uses:
    return cast("Uses", current_app.extensions["authsvc.uses"])


def _write(batch: list[Use]) -> None:
    with transaction() as session:
        # In the order of the ids, like all that write to these rows.
        for use in sorted(batch, key=lambda use: use.standing.id):
            row, caller = use.standing, use.caller
            done = api_token.note_use(session, row.id, use.at, caller.ip, unless_since=use.at - INTERVAL)
            if done and row.last_used_at is None:
                events.record(
                    session,
                    "api_token.first_used",
                    tenant_id=row.tenant_id,
                    now=use.at,
                    caller=caller,
                    actor_id=row.user_id,
                    subject_id=row.user_id,
                    application_id=row.application_id,
                    api_token_id=row.id,
                )
