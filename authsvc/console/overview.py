"""The overview: what went on of late."""

from flask import Blueprint, Response

from authsvc.console.navigation import Section
from authsvc.console.pages import shown, staff
from authsvc.credentials.guard import mandate
from authsvc.services import overview

bp = Blueprint("overview", __name__, url_prefix="/overview")

SECTION = Section("Overview", "console.overview.show", "events:read")


@bp.get("")
@staff("events:read")
def show() -> Response:
    """Sign-ins day by day, and alarms."""
    return shown("overview/show.html", overview=overview.of(mandate()), most=overview.MOST_ROWS)
