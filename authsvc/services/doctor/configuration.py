"""What the settings say, and whether they fit each other. Nothing but them is asked, and no secret is told."""

import ipaddress
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from authsvc.services.doctor.findings import Finding, broken, fine, warning
from authsvc.settings import answers_to, database_pool, hashing_seats, is_local, is_network, is_url

if TYPE_CHECKING:
    from config import Base

_SETTING = re.compile(r"[A-Z_0-9]+\b")


def examine(config: "Base | None", refused: str | None) -> Iterator[Finding]:
    yield from _settings(config, refused)
    if config is None or not is_url(config.BASE_URL) or not urlsplit(config.BASE_URL).hostname:
        return
    for check in (_stage, _scheme, _hosts, _proxies, _threads, _pool, _first_password):
        yield from check(config)


def _settings(config: "Base | None", refused: str | None) -> Iterator[Finding]:
    if refused is None:
        yield fine("settings", f"The service starts with them; AUTHSVC_ENV is {config.ENV if config else 'unknown'}.")
        return
    head, *complaints = refused.splitlines()
    for complaint in complaints or [head]:
        yield broken("settings", "The service does not start.", _in_full(config, complaint.strip()))


def _in_full(config: "Base | None", sentence: str) -> str:
    """With the setting that it begins with as the environment has it."""
    first = _SETTING.match(sentence)
    return f"AUTHSVC_{sentence}" if first and hasattr(config, first[0]) else sentence


def _stage(config: "Base") -> Iterator[Finding]:
    if config.ENV != "production" and not _is_local(config):
        yield warning(
            "stage",
            f"AUTHSVC_ENV is {config.ENV}, and the public address is not of this machine alone.",
            "Set AUTHSVC_ENV=production: it refuses what is unsafe, such as a short AUTHSVC_SECRET_KEY.",
        )


def _scheme(config: "Base") -> Iterator[Finding]:
    if config.BASE_URL.startswith("https://"):
        yield fine("https", "The public address has https: cookies are Secure and named __Host-….")
    elif _is_local(config):
        yield fine("https", "Plain http, on this machine alone: cookies are not Secure and have plain names.")
    else:
        yield broken(
            "https",
            "Passwords and tokens travel in plain http.",
            "Let a proxy speak TLS and give AUTHSVC_BASE_URL with https://.",
        )


def _hosts(config: "Base") -> Iterator[Finding]:
    """As browsers write it: in lower case."""
    host = urlsplit(config.BASE_URL).netloc.rpartition("@")[2].lower()
    if answers_to(config, host):
        yield fine("hosts", f"Requests to {host} are answered.")
        return
    yield broken(
        "hosts",
        f"AUTHSVC_ALLOWED_HOSTS leaves out {host}, the host of AUTHSVC_BASE_URL: whoever asks it gets a 400.",
        f"Add {host} to AUTHSVC_ALLOWED_HOSTS, or leave that away.",
    )


def _proxies(config: "Base") -> Iterator[Finding]:
    if any(
        ipaddress.ip_network(one, strict=False).prefixlen == 0 for one in filter(is_network, config.TRUSTED_PROXIES)
    ):
        yield broken(
            "proxies",
            "Every caller is believed to be a proxy, and so chooses the address that guesses are counted by.",
            "Name the proxies alone in AUTHSVC_TRUSTED_PROXIES.",
        )
    elif config.TRUSTED_PROXIES:
        yield fine("proxies", f"X-Forwarded-For and -Proto are believed from {', '.join(config.TRUSTED_PROXIES)}.")
    elif config.BASE_URL.startswith("https://"):
        yield warning(
            "proxies",
            "The public address has https, so a proxy speaks TLS, but none is trusted: all callers have its address, "
            "and one who guesses passwords locks out everybody.",
            "Name the proxy's address in AUTHSVC_TRUSTED_PROXIES, and let it write X-Forwarded-For and -Proto.",
        )
    else:
        yield fine("proxies", "None is trusted; callers are those who connect.")


def _threads(config: "Base") -> Iterator[Finding]:
    seats = hashing_seats(config)
    if seats >= config.THREADS:
        yield warning(
            "threads",
            f"{seats} sign-ins may hash or wait in each worker, which has {config.THREADS} threads: a crowd that signs "
            "in leaves none for refreshing.",
            "Lower AUTHSVC_HASHING_QUEUE or raise AUTHSVC_THREADS.",
        )


def _pool(config: "Base") -> Iterator[Finding]:
    pool = database_pool(config)
    if pool < config.THREADS:
        yield warning(
            "pool",
            f"{config.THREADS} threads share {pool} connections: in a crowd, who gets none in time is answered 503.",
            "Leave AUTHSVC_DATABASE_POOL away, or lower AUTHSVC_THREADS; if PostgreSQL has too few, use pgbouncer.",
        )


def _first_password(config: "Base") -> Iterator[Finding]:
    if config.ADMIN_PASSWORD and config.ENV == "production":
        yield warning(
            "first password",
            "AUTHSVC_ADMIN_PASSWORD is still there. It is read at the first start alone.",
            "Take AUTHSVC_ADMIN_PASSWORD away once there is an administrator.",
        )


def _is_local(config: "Base") -> bool:
    return is_local(urlsplit(config.BASE_URL).hostname or "")
