"""API tokens: their owners make, see, narrow, replace and end them; administrators see, narrow and end the tenant's."""

from datetime import timedelta
from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError, fields, validate

from authsvc.blueprints.bodies import Body, Camel, Flag, Moment, Number, Overlap, Text, Texts, Uuid, takes
from authsvc.blueprints.envelope import answer
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, Switch, asks, listed, window
from authsvc.credentials.guard import BY_SIGN_IN, mandate, principal, requires
from authsvc.errors import AmbiguousRequest
from authsvc.services import api_token_admin
from authsvc.services.api_token_admin import MOST_NETWORKS, Filters, Made
from authsvc.services.roles import MOST_PERMISSIONS
from authsvc.settings import LONGEST

bp = Blueprint("api_tokens", __name__, url_prefix="/api-tokens")


class ApiTokenOut(Camel):
    id = fields.String()
    user_id = fields.String()
    application_id = fields.String()
    name = fields.String()
    hint = fields.String()
    scopes = fields.Function(lambda row: sorted(row.scopes))
    allow_in_query = fields.Boolean()
    allowed_ips = fields.Function(lambda row: sorted(row.allowed_ips))
    created_at = Moment()
    expires_at = Moment()
    revoked_at = Moment()
    revoke_reason = fields.String()
    successor_id = fields.String()
    last_used_at = Moment()
    last_used_ip = fields.String()


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


_out = ApiTokenOut()


@bp.post("")
@requires(via=BY_SIGN_IN)
@takes(ApiTokenIn)
def create(body: dict[str, Any]) -> Response:
    """Make an API token of mine; its text is shown here and never again."""
    if "expires_in" in body and "expires_at" in body:
        raise AmbiguousRequest("Send expiresIn or expiresAt, not both.")
    made = api_token_admin.create(mandate(), str(principal.user_id), body)
    return _made(made, "The API token was made. This is the only time that it is shown.")


@bp.get("")
@requires(in_any_tenant=True, via=BY_SIGN_IN)
@asks(ApiTokensQuery)
def find(query: dict[str, Any]) -> Response:
    """API tokens: my own or, with a filter or all=true, those that I may see."""
    asked = window(query)
    filters = Filters(everyone=query.pop("all", False), **query)
    return listed(api_token_admin.find(mandate(), filters, asked), _out, "The API tokens.")


@bp.get("/<id>")
@requires(in_any_tenant=True, via=BY_SIGN_IN)
@by_id
def get(api_token_id: str) -> Response:
    """One API token."""
    return answer(_out.dump(api_token_admin.get(mandate(), api_token_id)), "The API token.")


@bp.patch("/<id>")
@requires(in_any_tenant=True, via=BY_SIGN_IN)
@takes(ApiTokenChange)
@by_id
def update(api_token_id: str, body: dict[str, Any]) -> Response:
    """Give an API token another name, or narrow it."""
    return answer(_out.dump(api_token_admin.update(mandate(), api_token_id, body)), "The API token is as you said.")


@bp.delete("/<id>")
@requires(in_any_tenant=True, via=BY_SIGN_IN)
@by_id
def revoke(api_token_id: str) -> Response:
    """End an API token."""
    revoked = api_token_admin.revoke(mandate(), api_token_id)
    return answer({"id": api_token_id, "revoked": revoked}, "The API token has ended.")


@bp.post("/<id>/rotate")
@requires(via=BY_SIGN_IN)
@takes(RotationIn)
@by_id
def rotate(api_token_id: str, body: dict[str, Any]) -> Response:
    """Make the successor of an API token of mine; the old one dies after the overlap."""
    overlap = timedelta(seconds=body["overlap"]) if "overlap" in body else api_token_admin.OVERLAP
    made = api_token_admin.rotate(mandate(), api_token_id, overlap)
    return _made(made, "This is the successor, shown once; the old API token dies after the overlap.")


def _made(made: Made, message: str) -> Response:
    return answer({"apiToken": _out.dump(made.api_token), "token": made.text}, message, 201)
