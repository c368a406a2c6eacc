"""WSGI: the caller's address and scheme, taken from X-Forwarded-* where a trusted proxy speaks, and only there."""

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING

from authsvc.addresses import address, is_within

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment


class TrustedProxies:
    """The caller is the right-most address that is no proxy of ours: what stands further left, it may have made up."""

    def __init__(self, app: "WSGIApplication", proxies: Iterable[str]) -> None:
        self.app = app
        self.networks = [ipaddress.ip_network(proxy, strict=False) for proxy in proxies]

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        if self.trusts(environ.get("REMOTE_ADDR", "")):
            for hop in reversed(environ.get("HTTP_X_FORWARDED_FOR", "").split(",")):
                caller = hop.strip()
                if address(caller) is None:
                    break
                environ["REMOTE_ADDR"] = caller
                if not self.trusts(caller):
                    break
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        return self.app(environ, start_response)

    def trusts(self, text: str) -> bool:
        return bool(self.networks) and is_within(text, self.networks)
