"""Which web pages may use us with cookies (against cross-site requests), and which may read our answers (CORS)."""

from urllib.parse import urlsplit

from flask import Response, g, request
from sqlalchemy.exc import SQLAlchemyError

from authsvc.errors import CsrfFailed
from authsvc.services import applications
from authsvc.settings import settings

ALLOWED_HEADERS = "Authorization, Content-Type, Idempotency-Key, X-CSRF-TOKEN, X-Request-Id, X-Tenant-Id"
EXPOSED_HEADERS = "Retry-After, WWW-Authenticate, X-Request-Id"
ALLOWED_METHODS = "GET, POST, PUT, PATCH, DELETE"


def refuse_foreign(application_id: str | None = None, refresh_token_id: str | None = None) -> None:
    """Raises CsrfFailed for a request that a browser sent from a page of another site.

    Our own origin is always allowed. So are the origins on the list of the application, which is named or follows from
    the refresh token; while it is not known yet, those on any list.
    """
    origin = request.headers.get("Origin")
    if origin is None:
        if request.headers.get("Sec-Fetch-Site", "none") == "cross-site":
            raise CsrfFailed
    elif origin not in _own() and not applications.allows_origin(origin, application_id, refresh_token_id):
        raise CsrfFailed


def add_cors(response: Response) -> Response:
    """Let a page read the answer if its origin is listed by the application that the request turned out to be for."""
    response.vary.add("Origin")
    origin = request.headers.get("Origin")
    if origin is None or origin in _own():
        return response
    try:
        if not applications.allows_origin(origin, g.get("application_id")):
            return response
    except SQLAlchemyError:
        return response  # the answer is made, and stays what it is: most likely that the database is away
    response.headers["Access-Control-Allow-Origin"] = origin
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
