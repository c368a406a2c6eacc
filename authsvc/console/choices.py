"""What forms and filters offer to choose from."""

from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any

from authsvc.credentials.guard import mandate
from authsvc.models.paging import Window
from authsvc.services import applications as services
from authsvc.services import scopes as giveable

MOST = 200
HOUR, DAY = 3600, 86400

# For how long what is replaced stays good. The first one is what the APIs take if nobody says.
OVERLAPS = [
    (str(DAY), "for one more day"),
    ("0", "not at all: it ends at once"),
    (str(HOUR), "for one more hour"),
    (str(7 * DAY), "for seven more days"),
    (str(30 * DAY), "for thirty more days"),
]


def overlap(given: Mapping[str, Any], usual: timedelta) -> timedelta:
    """What was picked of them."""
    return timedelta(seconds=given["overlap"]) if "overlap" in given else usual


def applications() -> list[tuple[str, str]]:
    """Those of the tenant, for whoever may know them."""
    if not mandate().may("applications:read"):
        return []
    found = services.find(mandate(), Window(MOST)).items
    return [(one.application.id, one.application.name) for one in found]


def scopes(there: Collection[str] = ()) -> list[tuple[str, str]]:
    """What somebody may give, and what is there already."""
    return [(scope, "") for scope in sorted(giveable.giveable_by(mandate()).union(there))]
