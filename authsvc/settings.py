"""The config object of the running app, and what is wrong with one before an app is made of it."""

import ipaddress
import itertools
import math
import os
import re
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import parse_qsl, unquote, urlsplit

from flask import current_app
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError
from werkzeug.sansio.utils import host_is_trusted

from authsvc.addresses import address

if TYPE_CHECKING:
    from config import Base

ALGORITHMS = ("ES256", "RS256", "EdDSA")
POSITIVE = (
    "ACCESS_LIFETIME",
    "API_TOKEN_LIFETIME",
    "API_TOKEN_MAX_LIFETIME",
    "DATABASE_TIMEOUT",
    "GUESS_WINDOW",
    "KEY_REREAD",
    "REFRESH_IDLE_LIFETIME",
    "REFRESH_LIFETIME",
)
NOT_NEGATIVE = ("CLOCK_SKEW", "KEY_ROTATION", "REFRESH_LEEWAY", "REVOCATION_LAG")
COUNTS = (
    "ARGON2_PARALLELISM",
    "ARGON2_TIME",
    "GUESSES_PER_ACCOUNT",
    "GUESSES_PER_ACCOUNT_AND_SOURCE",
    "GUESSES_PER_SOURCE",
    "HASHING_QUEUE",
    "MAX_BODY",
    "PASSWORD_MIN_LENGTH",
    "THREADS",
)
COUNTED_BY_ITSELF_AT_0 = ("DATABASE_POOL", "HASHING_CONCURRENCY", "WORKERS")
LONGEST = timedelta(days=3653)
SHORTEST_ROTATION = timedelta(hours=1)
SECRET_LENGTH = 32
# The files that a TLS connection to Redis may need.
CERTIFICATES = frozenset({"ssl_ca_certs", "ssl_certfile", "ssl_keyfile"})
# Said in guides and examples everywhere, ours included: no secret at all.
EXAMPLES = re.compile(r"change.?me|example|placeholder|secret.?key|your.?secret|only-for-tests|password|default", re.I)


class _OfRunningApp:
    """Werkzeug's LocalProxy does the same, in twice the time; every request asks a dozen times."""

    def __getattr__(self, name: str) -> Any:
        return getattr(current_app.extensions["authsvc"], name)


settings = cast("Base", _OfRunningApp())


class SettingsRefused(Exception):
    """The service does not start like this. The message names settings, never their values."""


@dataclass(frozen=True)
class _Rule:
    holds: bool
    message: str


def check(config: "Base") -> None:
    """Refuse a config object that is unusable or, in production, unsafe. All that is wrong is said at once."""
    rules = _always(config)
    if config.ENV == "production":
        rules = itertools.chain(rules, _in_production(config))
    wrong = [rule.message for rule in rules if not rule.holds]
    if wrong:
        raise SettingsRefused("authsvc does not start with these settings:\n  " + "\n  ".join(wrong))


def allowed_hosts(config: "Base") -> tuple[str, ...]:
    """The Host headers that are answered: in production at least our own, elsewhere any unless some are named."""
    public = urlsplit(config.BASE_URL).hostname or ""
    return config.ALLOWED_HOSTS or ((public,) if config.ENV == "production" else ())


def answers_to(config: "Base", host: str) -> bool:
    """Whether a request with this Host header is answered."""
    hosts = allowed_hosts(config)
    return not hosts or host_is_trusted(host, hosts)


def worker_count(config: "Base") -> int:
    """How many processes serve."""
    return config.WORKERS or max(2, os.cpu_count() or 1)


def database_pool(config: "Base") -> int:
    """How many connections to the database one process has at most: one for each thread, so that none waits."""
    return config.DATABASE_POOL or config.THREADS


def hashing_concurrency(config: "Base") -> int:
    """How many passwords one process hashes at once: its share of the cores."""
    return config.HASHING_CONCURRENCY or math.ceil((os.cpu_count() or 1) / worker_count(config))


def hashing_seats(config: "Base") -> int:
    """How many passwords one process hashes or lets wait."""
    return hashing_concurrency(config) + config.HASHING_QUEUE


def _one_of(config: "Base", name: str, choices: tuple[str, ...]) -> _Rule:
    return _Rule(getattr(config, name) in choices, f"{name} must be one of: {', '.join(choices)}.")


def _always(config: "Base") -> "itertools.chain[_Rule]":
    url = urlsplit(config.BASE_URL if is_url(config.BASE_URL) else "")
    return itertools.chain(
        (
            _one_of(config, "TRANSPORT", ("body", "cookie")),
            _one_of(config, "SIGNING_ALGORITHM", ALGORITHMS),
            _one_of(config, "REGISTRATION", ("open", "closed")),
            _one_of(config, "COOKIE_SAME_SITE", ("Strict", "Lax", "None")),
            _one_of(config, "LOG_FORMAT", ("text", "json")),
            _one_of(config, "LOG_LEVEL", ("debug", "info", "warning", "error")),
            _Rule(
                url.scheme in ("http", "https") and bool(url.hostname) and not (url.query or url.fragment),
                "BASE_URL must be the public address, such as https://auth.my-company.com.",
            ),
            _Rule(not config.BASE_URL.endswith("/"), "BASE_URL must not end with a slash."),
            _Rule(
                config.COOKIE_SAME_SITE != "None" or url.scheme == "https",
                "COOKIE_SAME_SITE=None needs a BASE_URL with https.",
            ),
            _Rule(
                is_database(config.DATABASE_URL),
                "DATABASE_URL must be sqlite:///… or postgresql+psycopg://….",
            ),
            _Rule(not is_in_memory(config.DATABASE_URL), "DATABASE_URL must not be in memory."),
            _Rule(
                not config.REDIS_URL or is_redis(config.REDIS_URL),
                "REDIS_URL must be redis://…, rediss://… or unix:///…, with a database's number at most behind it.",
            ),
            _Rule(all(map(is_network, config.TRUSTED_PROXIES)), "TRUSTED_PROXIES must be addresses or networks."),
            _Rule(all(map(is_network, config.METRICS_READERS)), "METRICS_READERS must be addresses or networks."),
            _Rule(
                config.ARGON2_MEMORY >= 8 * config.ARGON2_PARALLELISM,
                "ARGON2_MEMORY must be at least 8 for each of ARGON2_PARALLELISM.",
            ),
            _Rule(
                not config.KEY_ROTATION or config.KEY_ROTATION >= SHORTEST_ROTATION,
                "KEY_ROTATION must be 0 or at least an hour: a key is published long before it signs.",
            ),
            _Rule(bool(config.SECRET_KEY), "SECRET_KEY is missing. Make one: openssl rand -base64 48"),
        ),
        (_Rule(getattr(config, n).total_seconds() > 0, f"{n} must be more than 0 seconds.") for n in POSITIVE),
        (_Rule(getattr(config, n).total_seconds() >= 0, f"{n} can't be negative.") for n in NOT_NEGATIVE),
        (_Rule(getattr(config, n) <= LONGEST, f"{n} can't be longer than ten years.") for n in POSITIVE + NOT_NEGATIVE),
        (_Rule(getattr(config, n) > 0, f"{n} must be at least 1.") for n in COUNTS),
        (_Rule(getattr(config, n) >= 0, f"{n} can't be negative.") for n in COUNTED_BY_ITSELF_AT_0),
    )


def _in_production(config: "Base") -> tuple[_Rule, ...]:
    secret = config.SECRET_KEY
    database = make_url(config.DATABASE_URL) if is_database(config.DATABASE_URL) else None
    redis = urlsplit(config.REDIS_URL) if is_redis(config.REDIS_URL) else None
    others = (config.ADMIN_PASSWORD, database and database.password, redis and unquote(redis.password or ""))
    return (
        _Rule(
            not secret or len(secret.encode()) >= SECRET_LENGTH,
            f"SECRET_KEY must have at least {SECRET_LENGTH} bytes. Make one: openssl rand -base64 48",
        ),
        _Rule(
            not EXAMPLES.search(secret) and (not secret or len(set(secret)) > SECRET_LENGTH // 4),
            "SECRET_KEY looks like an example. Make one: openssl rand -base64 48",
        ),
        _Rule(
            not secret or secret not in others,
            "SECRET_KEY is used as another secret too. Each must be its own.",
        ),
        _Rule(config.BASE_URL.startswith("https://"), "BASE_URL must begin with https://."),
        _Rule("*" not in config.ALLOWED_HOSTS, "ALLOWED_HOSTS can't be everything."),
        _Rule(not config.DEBUG, "DEBUG (or FLASK_DEBUG) must be off."),
    )


def is_url(text: str) -> bool:
    try:
        urlsplit(text).port  # noqa: B018  (it is looked at when it is asked for)
    except ValueError:
        return False
    return True


def is_redis(url: str) -> bool:
    """As its client reads it, who would take any option and choke on it when it is first asked."""
    if not is_url(url):
        return False
    parts = urlsplit(url)
    options = {name for name, _ in parse_qsl(parts.query, keep_blank_values=True)}
    if parts.scheme == "unix":
        return bool(parts.path) and options <= {"db"}
    known = CERTIFICATES if parts.scheme == "rediss" else frozenset()
    is_numbered = re.fullmatch(r"/?|/[0-9]{1,4}", parts.path, re.ASCII) is not None
    return parts.scheme in ("redis", "rediss") and bool(parts.hostname) and is_numbered and options <= known


def is_local(host: str) -> bool:
    """Whether a host is this machine, and reached without leaving it."""
    found = address(host)
    return host == "localhost" or (found is not None and found.is_loopback)


def is_network(text: str) -> bool:
    try:
        ipaddress.ip_network(text, strict=False)
    except ValueError:
        return False
    return True


def is_in_memory(url: str) -> bool:
    """Then every process, and every connection, would have a database of its own."""
    if not is_database(url) or make_url(url).drivername != "sqlite":
        return False
    place = make_url(url).database or ":memory:"
    return ":memory:" in place or make_url(url).query.get("mode") == "memory"


def is_database(url: str) -> bool:
    try:
        return make_url(url).drivername in ("sqlite", "postgresql+psycopg")
    except (ArgumentError, ValueError):
        return False
