"""Which web pages may use us with cookies (against cross-site requests), and which may read our answers (CORS)."""

from urllib.parse import urlsplit

from flask import Response, g, request

from authsvc.errors import CsrfFailed
from authsvc.services import applications
from authsvc.settings import settings

ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-CSRF-TOKEN, X-Request-Id, X-Tenant-Id"
EXPOSED_HEADERS = "Retry-After, WWW-Authenticate, X-Request-Id"
ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE"


def look_up() -> None:
    """Before anything else happens: which applications have this request's foreign origin on their list."""
    g.is_foreign, g.listed_by = False, frozenset()
    origin = request.headers.get("Origin")
    if origin is not None and origin not in _own():
        g.is_foreign = True
        g.listed_by = applications.listing(origin)


def refuse_foreign(application_id: str | None = None, refresh_token_id: str | None = None) -> None:
    """Raises CsrfFailed for a request that a browser sent from a page of another site.

    Our own origin is always allowed. So are the origins on the list of the application, which is named or follows from
    the refresh token; while it is not known yet, those on any list.
    """
    if "is_foreign" not in g:
        look_up()  # a view of the app around us was asked, and our hooks did not run
    if not g.is_foreign:
        is_allowed = "Origin" in request.headers or request.headers.get("Sec-Fetch-Site", "none") != "cross-site"
    elif refresh_token_id is not None:
        is_allowed = applications.of_sign_in(refresh_token_id) in g.listed_by
    else:
        is_allowed = application_id in g.listed_by if application_id else bool(g.listed_by)
    if not is_allowed:
        raise CsrfFailed


def add_cors(response: Response) -> Response:
    """Let a page read the answer if its origin is listed by the application that the request turned out to be for."""
    response.vary.add("Origin")
    listed_by = g.get("listed_by", frozenset())
    if not (listed_by & {g.application_id} if "application_id" in g else listed_by):
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


def _own() -> set[str]:
    public = urlsplit(settings.BASE_URL)
    return {f"{public.scheme}://{public.netloc}", f"{request.scheme}://{request.host}"}
