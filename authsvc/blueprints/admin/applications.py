"""Applications of a tenant: what they decide, and what confidential ones prove themselves with."""

from datetime import timedelta
from typing import Any, cast

from flask import Blueprint
from marshmallow import fields, post_dump, validate

from authsvc.blueprints.answers import SOMETIMES, DeletedOut, Sorted, gives, page_of, refuses
from authsvc.blueprints.bodies import Body, Camel, Flag, Moment, Number, Overlap, Text, Texts, Uuid, takes
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, Switch, asks, window
from authsvc.credentials.guard import mandate, requires
from authsvc.errors import AlreadyExists, Conflict
from authsvc.models.paging import Page
from authsvc.services import applications
from authsvc.services.applications import Described
from authsvc.services.roles import MOST_PERMISSIONS
from authsvc.settings import LONGEST

bp = Blueprint("admin_applications", __name__, url_prefix="/admin/applications")

MOST_REFRESH_TOKENS = 10_000
MOST_ORIGINS = 50


class ApplicationOut(Camel):
    id = fields.String(attribute="application.id")
    tenant_id = fields.String(attribute="application.tenant_id")
    name = fields.String(attribute="application.name")
    slug = fields.String(attribute="application.slug")
    active = fields.Boolean(attribute="application.active")
    transport = fields.String(attribute="application.transport", allow_none=True)
    access_lifetime = fields.Integer(attribute="application.access_lifetime", allow_none=True)
    refresh_idle_lifetime = fields.Integer(attribute="application.refresh_idle_lifetime", allow_none=True)
    refresh_lifetime = fields.Integer(attribute="application.refresh_lifetime", allow_none=True)
    rotate = fields.Boolean(attribute="application.rotate")
    max_refresh_tokens = fields.Integer(attribute="application.max_refresh_tokens", allow_none=True)
    cors_origins = fields.List(fields.String())
    cookie_same_site = fields.String(attribute="application.cookie_same_site", allow_none=True)
    confidential = fields.Boolean(attribute="application.confidential")
    scopes = Sorted(attribute="application.scopes")
    created_at = Moment(attribute="application.created_at")
    client_secret = fields.String(attribute="secret", metadata={SOMETIMES: True})

    @post_dump
    def leave_out(self, shown: dict[str, Any], **_: Any) -> dict[str, Any]:
        """The secret is there only in the answer that made it."""
        if shown["clientSecret"] is None:
            del shown["clientSecret"]
        return shown


class ApplicationsQuery(Listing):
    slug = Text()
    active = Switch()


class Choice(fields.String):
    """One of a few words; null leaves it to the settings."""

    def __init__(self, *choices: str) -> None:
        super().__init__(allow_none=True, validate=validate.OneOf(choices))


class Seconds(Number):
    """A lifetime; null leaves it to the settings."""

    def __init__(self) -> None:
        super().__init__(1, int(LONGEST.total_seconds()), allow_none=True)


class Decided(Body):
    """What an application decides for its sign-ins."""

    transport = Choice("body", "cookie")
    access_lifetime = Seconds()
    refresh_idle_lifetime = Seconds()
    refresh_lifetime = Seconds()
    rotate = Flag()
    max_refresh_tokens = Number(1, MOST_REFRESH_TOKENS, allow_none=True)
    cors_origins = fields.List(Text(longest=None), validate=validate.Length(max=MOST_ORIGINS))
    cookie_same_site = Choice("Strict", "Lax", "None")
    confidential = Flag()
    scopes = Texts(most=MOST_PERMISSIONS, longest=129)


class ApplicationIn(Decided):
    id = Uuid()
    name = Text(required=True)
    slug = Text()


class ApplicationChange(Decided):
    name = Text()
    slug = Text()
    active = Flag()


class SecretIn(Body):
    overlap = Overlap()


_out = ApplicationOut()


def shown(described: Described) -> dict[str, Any]:
    return cast("dict[str, Any]", _out.dump(described))


@bp.get("")
@requires("applications:read", in_any_tenant=True)
@gives(page_of(ApplicationOut), "The applications.")
@asks(ApplicationsQuery)
def find(query: dict[str, Any]) -> Page[Described]:
    """The tenant's applications, by the page."""
    return applications.find(mandate(), window(query), **query)


@bp.post("")
@requires("applications:write", in_any_tenant=True)
@gives(ApplicationOut, "The application was made.", 201)
@refuses(AlreadyExists)
@takes(ApplicationIn)
def create(body: dict[str, Any]) -> Described:
    """Make an application; a confidential one gets its secret, shown here and never again."""
    return applications.create(mandate(), body)


@bp.get("/<id>")
@requires("applications:read", in_any_tenant=True)
@gives(ApplicationOut, "The application.")
@by_id
def get(application_id: str) -> Described:
    """One application."""
    return applications.get(mandate(), application_id)


@bp.patch("/<id>")
@requires("applications:write", in_any_tenant=True)
@gives(ApplicationOut, "The application is as you said.")
@refuses(AlreadyExists, Conflict)
@takes(ApplicationChange)
@by_id
def update(application_id: str, body: dict[str, Any]) -> Described:
    """Change what an application decides, or turn it off or on; null leaves a thing to the settings."""
    return applications.update(mandate(), application_id, body)


@bp.delete("/<id>")
@requires("applications:write", in_any_tenant=True)
@gives(DeletedOut, "The application was deleted, and its sign-ins ended.")
@refuses(Conflict)
@by_id
def delete(application_id: str) -> dict[str, Any]:
    """Delete an application; every sign-in to it ends."""
    return {"id": application_id, "revoked": applications.delete(mandate(), application_id)}


@bp.post("/<id>/secret")
@requires("applications:write", in_any_tenant=True)
@gives(ApplicationOut, "This secret is shown once; those before it end after the overlap.", 201)
@refuses(Conflict)
@takes(SecretIn)
@by_id
def make_secret(application_id: str, body: dict[str, Any]) -> Described:
    """Make a confidential application's next secret; those before it end after the overlap."""
    overlap = timedelta(seconds=body["overlap"]) if "overlap" in body else applications.OVERLAP
    return applications.make_secret(mandate(), application_id, overlap)
