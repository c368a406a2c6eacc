"""The running service, asked through the address that everybody uses: is it there, and is it ours?"""

import http.client
import ssl
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import orjson

from authsvc.services.doctor.findings import Finding, broken, fine, warning

PATIENCE = timedelta(seconds=5)
LONGEST_ANSWER = 2**16
METADATA = "/.well-known/oauth-authorization-server"
OK, BAD_REQUEST = 200, 400


def examine(url: str, issuer: str | None) -> Iterator[Finding]:
    """`issuer` is our BASE_URL, if that can be known."""
    try:
        yield from _alive(url)
        yield from _itself(url, issuer)
        yield from _numbers(url)
    except (OSError, http.client.HTTPException) as error:
        what = str(error) or type(error).__name__
        yield broken("public address", f"{url} does not answer: {what}.", "Look at DNS, the proxy and its certificate.")


def _alive(url: str) -> Iterator[Finding]:
    status, told = _ask(url, "/healthz")
    if status != OK or told.get("status") != "ok":
        yield broken(
            "public address",
            f"{url}/healthz says {status}, and not what authsvc says.",
            "Let the proxy pass all paths on to authsvc, as they are.",
        )
        return
    yield fine("public address", f"{url} answers.")
    status, _ = _ask(url, "/readyz")
    if status == OK:
        yield fine("ready", "The service there is ready.")
    else:
        yield broken("ready", f"{url}/readyz says {status}.", "Look at the log of the service, which says why.")


def _itself(url: str, issuer: str | None) -> Iterator[Finding]:
    """What is answered under the right Host alone, and says whose it is."""
    status, told = _ask(url, METADATA)
    if status == BAD_REQUEST:
        yield broken("host", f"{url} does not get its own Host header.", "Let the proxy pass Host on as it is.")
    elif issuer is not None and told.get("issuer") != issuer:
        yield broken(
            "host",
            f"{url} is not the service that these settings are of: its issuer is another one.",
            "Run the doctor with the environment of that service, or point the proxy at this one.",
        )
    elif status == OK:
        yield fine("host", "Its Host header arrives, and the issuer is ours.")


def _numbers(url: str) -> Iterator[Finding]:
    if _ask(url, "/metrics")[0] == OK:
        yield warning(
            "metrics",
            f"This machine may read {url}/metrics. If there is a proxy between, so may everybody.",
            "Take the proxy's address out of AUTHSVC_METRICS_READERS.",
        )


def _ask(url: str, path: str) -> tuple[int, dict[str, Any]]:
    """The status and the object that the body is. Redirects are not followed: whoever redirects is not authsvc."""
    parts, seconds = urlsplit(url), PATIENCE.total_seconds()
    connection = (
        http.client.HTTPSConnection(
            parts.hostname or "", parts.port, timeout=seconds, context=ssl.create_default_context()
        )
        if parts.scheme == "https"
        else http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=seconds)
    )
    try:
        connection.request("GET", parts.path + path)
        answer = connection.getresponse()
        body = answer.read(LONGEST_ANSWER)
    finally:
        connection.close()
    try:
        told = orjson.loads(body)
    except ValueError:
        told = None
    return answer.status, told if isinstance(told, dict) else {}
