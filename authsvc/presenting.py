"""What a request presents, as it stands in its WSGI environment: a credential, a tenant, a request id.

The service and verifiers elsewhere look in the same places, by the same rules.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING

from authsvc import opaque
from authsvc.caller import Caller
from authsvc.errors import TwoCredentials
from authsvc.hiding import without_secrets

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIEnvironment

# Where the service keeps what a request is called, once it has decided that.
REQUEST_ID = "authsvc.request_id"
TENANT_HEADERS = ("HTTP_X_TENANT_ID", "HTTP_X_STENCIL_TENANTID", "HTTP_X_STENCIL_TENANID")
# Two Authorization headers arrive as one, with a comma between.
_SECOND_CREDENTIAL = re.compile(r",\s*(bearer|token|jwt)\s", re.IGNORECASE)
_LONGEST_REQUEST_ID = 128
# `JWT` is what clients of Baserow and of early FusionAuth say.
SCHEMES = ("bearer", "token", "jwt")


class Place(Enum):
    """Where a credential stood in the request."""

    HEADER = "Authorization"
    KEY = "X-Api-Key"
    QUERY = "?token="
    COOKIE = "Cookie"
    PAGE = "the cookie of a page of our own"


@dataclass(frozen=True, slots=True)
class Presented:
    """One credential as it stands in the request. `csrf` is what must be proven with it, if it came in a cookie."""

    text: str = field(repr=False)
    place: Place = Place.HEADER
    csrf: str | None = field(default=None, repr=False)


def credential(environ: "WSGIEnvironment", in_query: Iterable[str]) -> Presented | None:
    """The one that stands in the query or a header. Raises TwoCredentials."""
    found = [Presented(text, Place.QUERY) for text in in_query]
    for place, text in (
        (Place.HEADER, bearer(environ)),
        (Place.KEY, environ.get("HTTP_X_API_KEY")),
    ):
        if text is not None:
            found.append(Presented(text, place))
    if len(found) > 1:
        raise TwoCredentials
    return found[0] if found else None


def bearer(environ: "WSGIEnvironment") -> str | None:
    """The token of the Authorization header; the scheme's case does not matter (RFC 9110 section 11.1)."""
    scheme, _, text = environ.get("HTTP_AUTHORIZATION", "").strip().partition(" ")
    if scheme.lower() not in SCHEMES:
        return None
    if _SECOND_CREDENTIAL.search(text):
        raise TwoCredentials
    return str(text.strip())


def tenant_named(environ: "WSGIEnvironment") -> str | None:
    """The tenant that the header names, if any does. Two that differ name none that could exist."""
    named = {environ[header] for header in TENANT_HEADERS if header in environ}
    return ",".join(sorted(named)) if named else None


def caller(environ: "WSGIEnvironment") -> Caller:
    """Where the request comes from, as far as its connection tells."""
    user_agent = without_secrets(environ.get("HTTP_USER_AGENT", ""))
    return Caller(environ.get("REMOTE_ADDR", ""), user_agent, request_id(environ))


def request_id(environ: "WSGIEnvironment") -> str:
    """The caller's, if it is sane; otherwise a new one."""
    given: str = environ.get("HTTP_X_REQUEST_ID", "")
    return given if _is_sane(given) else opaque.new_id()


def _is_sane(request_id: str) -> bool:
    """It is repeated and kept: nothing that needs quoting, and no token that was put there by mistake."""
    plain = request_id.replace("-", "").replace("_", "").replace(".", "")
    is_plain = plain.isascii() and plain.isalnum() and len(request_id) <= _LONGEST_REQUEST_ID
    return is_plain and without_secrets(request_id) == request_id
