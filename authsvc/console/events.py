"""The audit trail, to be read: found by kind, outcome, user, application, address and time."""

from typing import Any

from flask import Blueprint, Response

from authsvc.blueprints.admin.events import EventListing
from authsvc.blueprints.bodies import Text
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import window
from authsvc.console import choices
from authsvc.console.navigation import Section
from authsvc.console.pages import asks, shown, staff
from authsvc.console.spelling import in_words
from authsvc.credentials.guard import mandate
from authsvc.opaque import is_id
from authsvc.services import events, naming, users

bp = Blueprint("events", __name__, url_prefix="/events")

SECTION = Section("Events", "console.events.find", "events:read")


class EventsQuery(EventListing):
    """`user` is an id, an e-mail address or a user name: what they did, and what happened to them."""

    class Meta(EventListing.Meta):
        exclude = ("actor_id", "subject_id")

    user = Text()


@bp.get("")
@staff("events:read")
@asks(EventsQuery)
def find(query: dict[str, Any]) -> Response:
    """What happened, newest first."""
    asked = window(query)
    if "user" in query:
        query["user_id"] = _id_of(query.pop("user"))
    found = events.find(mandate(), asked, **query)
    return shown(
        "events/list.html",
        found=found,
        names=naming.of_events(mandate(), found.items),
        applications=choices.applications(),
        kinds=[(kind, in_words(kind)) for kind in sorted(events.KINDS)],
        outcomes=[(outcome, outcome) for outcome in events.OUTCOMES],
    )


@bp.get("/<id>")
@staff("events:read")
@by_id
def get(event_id: str) -> Response:
    """One event."""
    one = events.get(mandate(), event_id)
    return shown("events/one.html", one=one, names=naming.of_events(mandate(), [one]))


def _id_of(user: str) -> str:
    """The trail remembers who is gone, by their id. Raises NotFound."""
    return user.lower() if is_id(user.lower()) else users.named(mandate(), user).id
