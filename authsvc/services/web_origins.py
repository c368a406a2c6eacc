"""The one form of a web page's origin: what a browser sends, so that a list of them is compared to the letter."""

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import urlsplit

from authsvc.addresses import address
from authsvc.errors import ValidationFailed

LONGEST = 255
COUNTRY, LONGEST_BELOW_COUNTRY = 2, 3
LAST_PORT = 65535
_ORIGIN = re.compile(r"(https?)://(\[[0-9a-f:]+\]|[a-z0-9_.-]{1,253})(?::([1-9][0-9]{0,4}))?")
_LABEL = re.compile(r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_IMPLIED = {"http": "80", "https": "443"}


def canonical(texts: Iterable[str]) -> list[str]:
    """Each once, in order. Raises ValidationFailed, naming those that no browser would send."""
    found, wrong = set(), []
    for text in texts:
        origin = _canonical(text)
        if origin is None:
            wrong.append(
                f'"{text[:100]}" is no origin: write https://host or https://host:port, in lower case, '
                "international names in punycode, and nothing behind it."
            )
        else:
            found.add(origin)
    if wrong:
        raise ValidationFailed(fields={"corsOrigins": wrong})
    return sorted(found)


def are_same_site(one: str, other: str) -> bool:
    """Whether a browser takes both origins for one site, as far as that can be known without its list of suffixes.

    Of a name, the last two labels count; three where it ends as `co.uk` or `com.au` do. So pages of two customers of
    one host (`a.pages.example`) are taken for one site here, which a browser may know better.
    """
    return _site(one) == _site(other)


def _site(origin: str) -> tuple[str, str]:
    parts = urlsplit(origin)
    host = parts.hostname or ""
    labels = host.split(".")
    if address(host) is not None or len(labels) == 1:
        return parts.scheme, host
    country, below = labels[-1], labels[-2]
    is_below_country = len(country) == COUNTRY and len(below) <= LONGEST_BELOW_COUNTRY
    return parts.scheme, ".".join(labels[-3 if is_below_country else -2 :])


def _canonical(text: str) -> str | None:
    parts = _ORIGIN.fullmatch(text)
    if parts is None:
        return None
    scheme, host, port = parts.groups()
    if not _is_host(host) or (port and int(port) > LAST_PORT):
        return None
    # A browser leaves out the port that the scheme implies.
    origin = f"{scheme}://{host}" if port in (None, _IMPLIED[scheme]) else f"{scheme}://{host}:{port}"
    return origin if len(origin) <= LONGEST else None


def _is_host(text: str) -> bool:
    """A name or an address, written as browsers write it."""
    labels = text.split(".")
    if text.startswith("[") or _NUMBER.fullmatch(labels[-1]):
        try:
            return str(ipaddress.ip_address(text.strip("[]"))) == text.strip("[]")
        except ValueError:
            return False
    return all(map(_LABEL.fullmatch, labels))
