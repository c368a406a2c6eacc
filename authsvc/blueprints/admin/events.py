"""The audit trail, to be read: nothing here changes it."""

from typing import Any

from flask import Blueprint, Response
from marshmallow import fields, validate

from authsvc.blueprints.bodies import Camel, Moment, Text, Uuid
from authsvc.blueprints.envelope import answer
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, asks, listed, window
from authsvc.credentials.guard import mandate, requires
from authsvc.services import events

bp = Blueprint("admin_events", __name__, url_prefix="/admin/events")


class EventOut(Camel):
    id = fields.String()
    kind = fields.String()
    at = Moment()
    tenant_id = fields.String()
    actor_id = fields.String()
    subject_id = fields.String()
    application_id = fields.String()
    refresh_token_id = fields.String()
    api_token_id = fields.String()
    ip = fields.String()
    user_agent = fields.String()
    request_id = fields.String()
    outcome = fields.String()
    detail = fields.Raw()


class EventListing(Listing):
    kind = fields.String(validate=validate.OneOf(sorted(events.KINDS), error="There is no such kind of event."))
    outcome = fields.String(validate=validate.OneOf(events.OUTCOMES, error="Send one of: {choices}."))
    actor_id = Uuid()
    subject_id = Uuid()
    application_id = Uuid()
    refresh_token_id = Uuid()
    api_token_id = Uuid()
    ip = Text(longest=64)
    request_id = Text(longest=128)
    after = Moment()
    before = Moment()


_event_out = EventOut()


@bp.get("")
@requires("events:read", in_any_tenant=True)
@asks(EventListing)
def find(query: dict[str, Any]) -> Response:
    """What happened, newest first."""
    return listed(events.find(mandate(), window(query), **query), _event_out, "Events.")


@bp.get("/<id>")
@requires("events:read", in_any_tenant=True)
@by_id
def get(event_id: str) -> Response:
    """One event."""
    return answer(_event_out.dump(events.get(mandate(), event_id)), "An event.")
