"""Forward-auth: nginx, Caddy and Traefik ask here about a request before they pass it on (docs/forward-auth.md)."""

from typing import Any

from flask import Blueprint, Response, g

from authsvc import refused
from authsvc.blueprints.answers import gives_bare, refuses
from authsvc.blueprints.bodies import Text
from authsvc.blueprints.queries import Query, asks
from authsvc.credentials import readers
from authsvc.credentials.guard import on_any_host, requires
from authsvc.errors import PermissionDenied, TokenInvalid, TwoCredentials, ValidationFailed
from authsvc.permissions import PERMISSION
from authsvc.principals import Principal

bp = Blueprint("verify", __name__, url_prefix="/auth")

# Traefik and others can be told to ask with the method of the request they ask about.
METHODS = ("GET", "POST", "PUT", "PATCH", "DELETE")
IDENTITY = ("X-Auth-User-Id", "X-Auth-Tenant-Id", "X-Auth-Application-Id", "X-Auth-Scopes", "X-Auth-Via")


class _Empty(Response):
    """There is nothing in it, and so nothing that it is of."""

    default_mimetype = None


class VerifyQuery(Query):
    scope = Text(longest=4096)


@bp.route("/verify", methods=METHODS)
@on_any_host
@requires(about=readers.asked_about)
@gives_bare(headers=IDENTITY)
@refuses(PermissionDenied)
@asks(VerifyQuery)
def verify(query: dict[str, Any]) -> Response:
    """May the request be passed on, and who is it? The body is the API's, and is not read."""
    who: Principal = g.principal
    for permission in _permissions(query):
        who.require(permission)
    said = (who.user_id, who.tenant_id, who.application_id, " ".join(sorted(who.permissions)), who.via)
    return _Empty(headers=[(header, value or "") for header, value in zip(IDENTITY, said, strict=True)])


@bp.errorhandler(TwoCredentials)
def refuse_both(error: TwoCredentials) -> Response:
    """A proxy passes on a 401; of a 400 nginx makes a 500."""
    return refused.response(TokenInvalid(error.text))


@bp.after_request
def leave_nothing_unsaid(response: Response) -> Response:
    """Every answer says all of it, if only that there is none: what a client made up is always written over."""
    if IDENTITY[0] not in response.headers:
        response.headers.extend(dict.fromkeys(IDENTITY, ""))
    return response


def _permissions(query: dict[str, Any]) -> list[str]:
    """Raises ValidationFailed."""
    if "scope" not in query:
        return []
    named: list[str] = query["scope"].split()
    if not named or not all(PERMISSION.fullmatch(one) for one in named):
        sentence = "Name permissions such as restaurants:read, with spaces between."
        raise ValidationFailed(fields={"scope": [sentence]})
    return named
