"""API tokens: their owners make, see, narrow, replace and end them; administrators see, narrow and end the tenant's."""

from datetime import timedelta
from typing import Any

from flask import Blueprint
from marshmallow import ValidationError, fields, validate

from authsvc.blueprints.answers import DeletedOut, Sorted, gives, page_of, refuses
from authsvc.blueprints.bodies import Body, Camel, Flag, Moment, Number, Overlap, Text, Texts, Uuid, takes
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, Switch, asks, window
from authsvc.credentials.guard import BY_SIGN_IN, mandate, principal, requires
from authsvc.errors import AmbiguousRequest, Conflict, NotFound, PermissionDenied
from authsvc.models import ApiToken
from authsvc.models.paging import Page
from authsvc.services import api_token_admin
from authsvc.services.api_token_admin import MOST_NETWORKS, Filters, Made
from authsvc.services.roles import MOST_PERMISSIONS
from authsvc.settings import LONGEST

bp = Blueprint("api_tokens", __name__, url_prefix="/api-tokens")


class ApiTokenOut(Camel):
    id = fields.String()
    user_id = fields.String()
    application_id = fields.String(allow_none=True)
    name = fields.String()
    hint = fields.String()
    scopes = Sorted()
    allow_in_query = fields.Boolean()
    allowed_ips = Sorted()
    created_at = Moment()
    expires_at = Moment()
    revoked_at = Moment(allow_none=True)
    revoke_reason = fields.String(allow_none=True)
    successor_id = fields.String(allow_none=True)
    last_used_at = Moment(allow_none=True)
    last_used_ip = fields.String(allow_none=True)


class Name(Text):
    """Something to know it again by."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).strip()
        if not text:
            raise ValidationError("A name has to say something.")
        return text


class ApiTokenIn(Body):
    name = Name(required=True)
    scopes = Texts(required=True, most=MOST_PERMISSIONS, longest=129)
    expires_in = Number(1, int(LONGEST.total_seconds()))
    expires_at = Moment()
    allow_in_query = Flag()
    allowed_ips = Texts(most=MOST_NETWORKS, longest=64)
    application_id = Text(longest=64)


class ApiTokenChange(Body):
    name = Name()
    scopes = Texts(most=MOST_PERMISSIONS, longest=129)
    allow_in_query = Flag()
    allowed_ips = Texts(most=MOST_NETWORKS, longest=64)


class RotationIn(Body):
    overlap = Overlap()


class ApiTokensQuery(Listing):
    user_id = Uuid()
    application_id = Uuid()
    all = Switch()
    state = fields.String(validate=validate.OneOf(("live", "revoked", "expired", "all")))


class MadeOut(Camel):
    api_token = fields.Nested(ApiTokenOut)
    token = fields.String(attribute="text")


@bp.post("")
@requires(via=BY_SIGN_IN)
@gives(MadeOut, "The API token was made. This is the only time that it is shown.", 201)
@refuses(PermissionDenied, Conflict)
@takes(ApiTokenIn)
def create(body: dict[str, Any]) -> Made:
    """Make an API token of mine; its text is shown here and never again."""
    if "expires_in" in body and "expires_at" in body:
        raise AmbiguousRequest("Send expiresIn or expiresAt, not both.")
    return api_token_admin.create(mandate(), str(principal.user_id), body)


@bp.get("")
@requires(in_any_tenant=True, via=BY_SIGN_IN)
@gives(page_of(ApiTokenOut), "The API tokens.")
@refuses(PermissionDenied, NotFound)
@asks(ApiTokensQuery)
def find(query: dict[str, Any]) -> Page[ApiToken]:
    """API tokens: my own or, with a filter or all=true, those that I may see."""
    asked = window(query)
    filters = Filters(everyone=query.pop("all", False), **query)
    return api_token_admin.find(mandate(), filters, asked)


@bp.get("/<id>")
@requires(in_any_tenant=True, via=BY_SIGN_IN)
@gives(ApiTokenOut, "The API token.")
@by_id
def get(api_token_id: str) -> ApiToken:
    """One API token."""
    return api_token_admin.get(mandate(), api_token_id)


@bp.patch("/<id>")
@requires(in_any_tenant=True, via=BY_SIGN_IN)
@gives(ApiTokenOut, "The API token is as you said.")
@refuses(PermissionDenied, Conflict)
@takes(ApiTokenChange)
@by_id
def update(api_token_id: str, body: dict[str, Any]) -> ApiToken:
    """Give an API token another name, or narrow it."""
    return api_token_admin.update(mandate(), api_token_id, body)


@bp.delete("/<id>")
@requires(in_any_tenant=True, via=BY_SIGN_IN)
@gives(DeletedOut, "The API token has ended.")
@refuses(PermissionDenied)
@by_id
def revoke(api_token_id: str) -> dict[str, Any]:
    """End an API token."""
    return {"id": api_token_id, "revoked": api_token_admin.revoke(mandate(), api_token_id)}


@bp.post("/<id>/rotate")
@requires(via=BY_SIGN_IN)
@gives(MadeOut, "This is the successor, shown once; the old API token dies after the overlap.", 201)
@refuses(PermissionDenied, Conflict)
@takes(RotationIn)
@by_id
def rotate(api_token_id: str, body: dict[str, Any]) -> Made:
    """Make the successor of an API token of mine; the old one dies after the overlap."""
    overlap = timedelta(seconds=body["overlap"]) if "overlap" in body else api_token_admin.OVERLAP
    return api_token_admin.rotate(mandate(), api_token_id, overlap)
