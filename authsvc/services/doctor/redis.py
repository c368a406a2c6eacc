"""Redis, where there is one: whether it counts guesses as the database would, and who else can reach it."""

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit

from authsvc.services.doctor.findings import Finding, fine, warning
from authsvc.settings import is_local, is_redis, settings

OLDEST = (6, 2)


def examine() -> Iterator[Finding]:
    if not settings.REDIS_URL or not is_redis(settings.REDIS_URL):
        return
    yield from _way()
    from redis import RedisError  # only who has a Redis waits for its client

    from authsvc.models import attempt_in_redis

    try:
        with attempt_in_redis.connection(settings.REDIS_URL) as asked:
            told = asked.info()
    except (RedisError, OSError) as error:
        yield warning(
            "redis",
            f"It does not answer, so the database counts guesses: {attempt_in_redis.said(error)}",
            "Look at it, and at AUTHSVC_REDIS_URL, or leave that away.",
        )
        return
    yield from _state(told)
    yield from _memory(told)


def _way() -> Iterator[Finding]:
    """Whom it takes for us, and who listens."""
    parts = urlsplit(settings.REDIS_URL)
    if settings.ENV != "production" or parts.scheme == "unix":
        return
    if not parts.password:
        yield warning(
            "redis", "Whoever reaches it may set every guess back.", "Give it a password, and AUTHSVC_REDIS_URL too."
        )
    if parts.scheme == "redis" and not is_local(parts.hostname or ""):
        yield warning(
            "redis",
            "Its password travels in the clear, and whoever is between may change what it says.",
            "Let it speak TLS and give AUTHSVC_REDIS_URL with rediss://.",
        )


def _state(told: dict[str, Any]) -> Iterator[Finding]:
    version = str(told["redis_version"])
    numbers = tuple(int(part) for part in re.findall(r"\d+", version)[:2])
    if told["role"] != "master":
        yield warning(
            "redis",
            f"Redis {version} is a replica, which can't count: the database does.",
            "Point AUTHSVC_REDIS_URL at the one that is written to.",
        )
    elif numbers < OLDEST:
        yield warning("redis", f"Redis {version} answers; nobody mends it any more.", "Upgrade Redis.")
    else:
        yield fine("redis", f"Redis {version} answers.")


def _memory(told: dict[str, Any]) -> Iterator[Finding]:
    policy, most = told["maxmemory_policy"], told["maxmemory"]
    if most and policy != "noeviction":
        yield warning(
            "eviction",
            f"When it is full, Redis forgets guesses to make room ({policy}): they can be tried again.",
            "Set maxmemory-policy to noeviction, or give authsvc a Redis of its own.",
        )
    else:
        yield fine("eviction", "It forgets no guess before its time.")
