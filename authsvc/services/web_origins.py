"""The one form of a web page's origin: what a browser sends, so that a list of them is compared to the letter."""

import ipaddress
import re
from collections.abc import Iterable

from authsvc.errors import ValidationFailed

LONGEST = 255
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
