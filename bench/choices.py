"""What a run does, as the environment chooses: how much of it, for how long, and how many rows."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from bench.databases import POSTGRESQL, SQLITE
from tests.servers.gunicorn import ROOT

PARTS = ("throughput", "growth", "propagation", "contention", "sign_in", "start")
PEERS = ("simplejwt", "fastapi_users", "flask_security_too")
TENFOLDS = (1000, 100_000, 1_000_000, 10_000_000)


@dataclass(frozen=True, slots=True)
class Choices:
    parts: tuple[str, ...]
    databases: tuple[str, ...]
    peers: tuple[str, ...]
    # Of the requests that are measured by turns, these alone; all, if none are named.
    steps: tuple[str, ...]
    rounds: int
    seconds: int
    warm_up: int
    connections: int
    # API tokens in the table that one of them is looked for in; rows at which growth is measured.
    api_tokens: int
    growth: tuple[int, ...]
    # How often something is repeated that is not measured by time: a revocation, a crowd with one token.
    repeats: int
    # How many requests a worker's memory is looked at after.
    requests: int
    into: Path
    # Where a whole run leaves its page and its picture.
    page: Path | None

    def is_chosen(self, step: str) -> bool:
        """What is measured twice is named once."""
        return not self.steps or step.removesuffix(" again") in self.steps

    @property
    def is_whole(self) -> bool:
        whole = (PARTS, (SQLITE, POSTGRESQL), PEERS, ())
        return (self.parts, self.databases, self.peers, self.steps) == whole


class ChoiceInvalid(Exception):
    """Says which."""


def from_environment(environ: Mapping[str, str] = os.environ) -> Choices:
    largest = _number(environ, "GROWTH", 1_000_000)
    return Choices(
        parts=_some(environ, "BENCH", PARTS),
        databases=_some(environ, "DATABASES", (SQLITE, POSTGRESQL)),
        peers=_some(environ, "PEERS", PEERS),
        steps=tuple(word.strip() for word in environ.get("STEPS", "").split(",") if word.strip()),
        rounds=_number(environ, "ROUNDS", 5),
        seconds=_number(environ, "DURATION", 3),
        warm_up=_number(environ, "WARM_UP", 2, least=0),
        connections=_number(environ, "CONNECTIONS", 16),
        api_tokens=_number(environ, "API_TOKENS", 1_000_000),
        growth=(*(size for size in TENFOLDS if size < largest), largest),
        repeats=_number(environ, "REPEATS", 300),
        requests=_number(environ, "REQUESTS", 50_000),
        into=Path(environ.get("INTO") or ROOT / "build" / "bench"),
        page=None if environ.get("INTO") else ROOT / "docs",
    )


def _some(environ: Mapping[str, str], name: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """In their own order. None of them is said by `none`."""
    asked = (environ.get(name) or " ".join(known)).replace(",", " ").split()
    unknown = [word for word in asked if word not in (*known, "none")]
    if unknown:
        raise ChoiceInvalid(f"{name} may hold: {', '.join(known)}.")
    return tuple(one for one in known if one in asked)


def _number(environ: Mapping[str, str], name: str, default: int, *, least: int = 1) -> int:
    text = environ.get(name) or str(default)
    if not text.isdecimal() or int(text) < least:
        raise ChoiceInvalid(f"{name} must be a number from {least} up.")
    return int(text)
