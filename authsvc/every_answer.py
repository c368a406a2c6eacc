"""WSGI: what stands on every answer, whoever made it, unless it says otherwise itself; and how every request is called.

Here and not in Flask, because there each header is looked at many times over, for every request that there is.
"""

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from authsvc.presenting import REQUEST_ID, request_id

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

# By the name of the header that replaces them.
USUAL = {
    "cache-control": [("Cache-Control", "no-store"), ("Pragma", "no-cache")],
    "content-security-policy": [("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")],
    "x-content-type-options": [("X-Content-Type-Options", "nosniff")],
    "referrer-policy": [("Referrer-Policy", "no-referrer")],
}
# CORS headers, or that there are none, follow from it.
ALWAYS = [("Vary", "Origin")]
OVER_TLS = [("Strict-Transport-Security", "max-age=31536000; includeSubDomains")]


class EveryAnswer:
    def __init__(self, app: "WSGIApplication", *, over_tls: bool) -> None:
        self.app = app
        self.always = ALWAYS + OVER_TLS if over_tls else ALWAYS

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        called = environ[REQUEST_ID] = request_id(environ)
        is_options = environ["REQUEST_METHOD"] == "OPTIONS"

        def start(status: str, headers: list[tuple[str, str]], *rest: Any) -> Any:
            there = {name.lower() for name, _ in headers}
            if is_options:  # there is nothing in it
                headers = [header for header in headers if header[0].lower() != "content-type"]
            for name, usual in USUAL.items():
                if name not in there:
                    headers += usual
            if "x-request-id" not in there:
                headers.append(("X-Request-Id", called))
            return start_response(status, headers + self.always, *rest)

        return self.app(environ, start)
