"""Which web pages may use us with cookies (against cross-site requests), and which may read our answers (CORS)."""

from urllib.parse import urlsplit

from flask import Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from authsvc.errors import CsrfFailed
from authsvc.services import applications
from authsvc.settings import settings

ALLOWED_HEADERS = (
    "Authorization, Content-Type, Idempotency-Key, X-Api-Key, X-CSRF-TOKEN, X-Request-Id, X-Tenant-Id"
    # What pages of other systems send, to the dialects.
    ", X-FusionAuth-TenantId, X-Strapi-Refresh-Cookie"
)
EXPOSED_HEADERS = "Retry-After, WWW-Authenticate, X-CSRF-TOKEN, X-Request-Id"
ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE"


def refuse_foreign(application_id: str | None = None, refresh_token_id: str | None = None) -> None:
    """Raises CsrfFailed for a request that a browser sent from a page of another site.

    Our own origin is always allowed. So are the origins on the list of the application, which is named or follows from
    the refresh token; while it is not known yet, those on any list.
    """
    if "Origin" not in request.headers:
        is_allowed = request.headers.get("Sec-Fetch-Site", "none") != "cross-site"
    elif not is_foreign():
        is_allowed = True
    elif refresh_token_id is not None:
        is_allowed = applications.of_sign_in(refresh_token_id) in _listed_by()
    else:
        is_allowed = application_id in _listed_by() if application_id else bool(_listed_by())
    if not is_allowed:
        raise CsrfFailed


def refuse_other_pages() -> None:
    """Raises CsrfFailed for a request from any page but our own, whatever stands on any list."""
    if is_foreign() or request.headers.get("Sec-Fetch-Site", "none") not in ("none", "same-origin"):
        raise CsrfFailed


def add_cors(response: Response) -> Response:
    """Let a page read the answer if its origin is listed by the application that the request turned out to be for."""
    if "Origin" not in request.headers or not is_foreign() or not _may_read():
        return response
    response.headers["Access-Control-Allow-Origin"] = request.headers["Origin"]
    response.headers["Access-Control-Allow-Credentials"] = "true"
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        response.headers["Access-Control-Allow-Methods"] = ALLOWED_METHODS
        response.headers["Access-Control-Allow-Headers"] = ALLOWED_HEADERS
        response.headers["Access-Control-Max-Age"] = "600"
    else:
        response.headers["Access-Control-Expose-Headers"] = EXPOSED_HEADERS
    return response


def _may_read() -> bool:
    try:
        listed_by = _listed_by()
    except SQLAlchemyError:
        return False  # the answer is made and stays what it is: most likely that the database is away
    return g.application_id in listed_by if "application_id" in g else bool(listed_by)


def is_foreign() -> bool:
    """Whether the request names an origin that is not our own."""
    public = urlsplit(settings.BASE_URL)
    own = (f"{public.scheme}://{public.netloc}", f"{request.scheme}://{request.host}")
    return request.headers.get("Origin", own[0]) not in own


def _listed_by() -> frozenset[str]:
    """The applications that have this request's origin on their list; asked once per request."""
    if "listed_by" not in g:
        g.listed_by = applications.listing(request.headers["Origin"])
    found: frozenset[str] = g.listed_by
    return found
