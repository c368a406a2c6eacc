"""The audit trail, to be read: nothing here changes it."""

from typing import Any

from flask import Blueprint
from marshmallow import fields, validate

from authsvc.blueprints.answers import gives, page_of
from authsvc.blueprints.bodies import Camel, Moment, Text, Uuid
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, asks, window
from authsvc.credentials.guard import mandate, requires
from authsvc.models import Event
from authsvc.models.paging import Page
from authsvc.services import events

bp = Blueprint("admin_events", __name__, url_prefix="/admin/events")


class EventOut(Camel):
    id = fields.String()
    kind = fields.String()
    at = Moment()
    tenant_id = fields.String(allow_none=True)
    actor_id = fields.String(allow_none=True)
    subject_id = fields.String(allow_none=True)
    application_id = fields.String(allow_none=True)
    refresh_token_id = fields.String(allow_none=True)
    api_token_id = fields.String(allow_none=True)
    ip = fields.String(allow_none=True)
    user_agent = fields.String(allow_none=True)
    request_id = fields.String(allow_none=True)
    outcome = fields.String()
    detail = fields.Dict(allow_none=True)


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


@bp.get("")
@requires("events:read", in_any_tenant=True)
@gives(page_of(EventOut), "Events.")
@asks(EventListing)
def find(query: dict[str, Any]) -> Page[Event]:
    """What happened, newest first."""
    return events.find(mandate(), window(query), **query)


@bp.get("/<id>")
@requires("events:read", in_any_tenant=True)
@gives(EventOut, "An event.")
@by_id
def get(event_id: str) -> Event:
    """One event."""
    return events.get(mandate(), event_id)
