"""WSGI: the caller's address and scheme, taken from X-Forwarded-* where a trusted proxy speaks, and only there."""

import ipaddress
from collections.abc import Iterable
from typing import TYPE_CHECKING

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
                address = hop.strip()
                if _address(address) is None:
                    break
                environ["REMOTE_ADDR"] = address
                if not self.trusts(address):
                    break
            scheme = environ.get("HTTP_X_FORWARDED_PROTO", "").rpartition(",")[2].strip().lower()
            if scheme in ("http", "https"):
                environ["wsgi.url_scheme"] = scheme
        return self.app(environ, start_response)

    def trusts(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self.networks)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    """A socket that takes both kinds says ::ffff:10.0.0.1 of 10.0.0.1."""
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address
