"""What went on in a tenant of late: sign-ins day by day, and the alarms among them."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from authsvc import opaque
from authsvc.mandate import Mandate
from authsvc.models import Event, event, refresh_token
from authsvc.models.engine import reading

DAYS = 14
MOST_ALARMS = 5
# Of each table, the newest so many rows are looked at: whoever has millions waits for this page no longer than others.
MOST_ROWS = 100_000
SIGNED_IN = ("user.signed_in", "user.registered")
FAILED = ("user.sign_in_failed",)
REUSED = ("refresh_token.reused",)


@dataclass(frozen=True, slots=True)
class Day:
    """A day in UTC. `last_used`: the live sign-ins that were made or refreshed on it, and not since.

    What happened on a day that the newest rows don't reach is not known: None. Where they begin on that day, there is
    `more` than was counted.
    """

    at: datetime
    signed_in: int | None
    failed: int | None
    reused: int | None
    last_used: int
    more: bool = False


@dataclass(frozen=True, slots=True)
class Overview:
    """As of a moment. `more_live`: not all sign-ins were looked at, so there are at least that many."""

    at: datetime
    live: int
    more_live: bool
    days: list[Day]
    alarms: list[Event]

    @property
    def today(self) -> Day:
        return self.days[-1]

    @property
    def reused(self) -> int:
        return sum(day.reused or 0 for day in self.days)

    @property
    def more(self) -> bool:
        """Whether more happened in these days than was counted."""
        return any(day.more or day.signed_in is None for day in self.days)


def of(mandate: Mandate) -> Overview:
    """The last fourteen days, today as far as it has come; and the latest alarms. Raises PermissionDenied."""
    mandate.require("events:read")
    midnight = mandate.now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    starts = [midnight - timedelta(days=ago) for ago in reversed(range(DAYS))]
    with reading(within=mandate.tenant_id) as session:
        oldest = session.scalar(event.newest(starts[0], MOST_ROWS))
        told = {
            (kind, span): count
            for kind, span, count in session.execute(event.counted((*SIGNED_IN, *FAILED, *REUSED), starts, oldest))
        }
        oldest_sign_in = session.scalar(refresh_token.newest(MOST_ROWS))
        used = dict(session.execute(refresh_token.count_used(starts, mandate.now, oldest_sign_in)).all())
        alarms = list(session.scalars(event.latest(REUSED[0], starts[0], oldest).limit(MOST_ALARMS)))
    # What was not looked at is no newer than this.
    reach = starts[0] if oldest is None else opaque.made_at(oldest)

    def day(number: int, at: datetime) -> Day:
        if at + timedelta(days=1) <= reach:
            return Day(at, None, None, None, used.get(number, 0))
        signed_in, failed, reused = (
            sum(told.get((kind, number), 0) for kind in kinds) for kinds in (SIGNED_IN, FAILED, REUSED)
        )
        return Day(at, signed_in, failed, reused, used.get(number, 0), more=at < reach)

    days = [day(number, at) for number, at in enumerate(starts)]
    return Overview(mandate.now, sum(used.values()), oldest_sign_in is not None, days, alarms)
