"""What went on in a tenant of late: sign-ins day by day, and the alarms among them."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from authsvc.mandate import Mandate
from authsvc.models import Event, event, refresh_token
from authsvc.models.engine import reading

DAYS = 14
MOST_ALARMS = 5
SIGNED_IN = ("user.signed_in", "user.registered")
FAILED = ("user.sign_in_failed",)
REUSED = ("refresh_token.reused",)


@dataclass(frozen=True, slots=True)
class Day:
    """A day in UTC. `last_used`: the live sign-ins that were made or refreshed on it, and not since."""

    at: datetime
    signed_in: int
    failed: int
    reused: int
    last_used: int


@dataclass(frozen=True, slots=True)
class Overview:
    live: int
    days: list[Day]
    alarms: list[Event]

    @property
    def today(self) -> Day:
        return self.days[-1]

    @property
    def reused(self) -> int:
        return sum(day.reused for day in self.days)


def of(mandate: Mandate) -> Overview:
    """The last fourteen days, today as far as it has come; and the latest alarms. Raises PermissionDenied."""
    mandate.require("events:read")
    midnight = mandate.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [midnight - timedelta(days=ago) for ago in reversed(range(DAYS))]
    latest = event.between(starts[0], None).filter_by(kind=REUSED[0]).order_by(Event.id.desc()).limit(MOST_ALARMS)
    with reading(within=mandate.tenant_id) as session:
        told = {
            (kind, span): count
            for kind, span, count in session.execute(event.counted((*SIGNED_IN, *FAILED, *REUSED), starts))
        }
        used = dict(session.execute(refresh_token.count_used_since(starts, mandate.now)).all())
        live = session.scalar(refresh_token.count_live(mandate.now)) or 0
        alarms = list(session.scalars(latest))

    def count(kinds: Sequence[str], number: int) -> int:
        return sum(told.get((kind, number), 0) for kind in kinds)

    days = [
        Day(at, count(SIGNED_IN, number), count(FAILED, number), count(REUSED, number), used.get(number, 0))
        for number, at in enumerate(starts)
    ]
    return Overview(live, days, alarms)
