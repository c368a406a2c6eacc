"""A sign-in is ended on one server; the others, who share its database, are asked in the same moment."""

import time
from collections.abc import Callable
from contextlib import ExitStack
from statistics import median, quantiles
from typing import Any

from bench.choices import Choices
from bench.contenders import beside, planted_authsvc
from bench.crowd import Crowd
from bench.databases import databases

SERVERS = 3
# To each of the others, so that both of its workers are asked.
LINES = 4


def propagation(kind: str, choices: Choices, tell: Callable[[str], None]) -> dict[str, Any]:
    """How many were refused at their first request, and how long after the revocation was answered; milliseconds."""
    late, taken = 0, []
    with databases(kind) as opened, ExitStack() as running:
        first = planted_authsvc(
            "node0",
            opened,
            refresh_tokens=max(1000, choices.repeats),
        )
        running.callback(first.stop)
        nodes = [first]
        for number in range(1, SERVERS):
            nodes.append(beside(first, f"node{number}"))
            running.callback(nodes[-1].stop)
        [asked, *others] = [
            running.enter_context(Crowd(node.url, LINES if number else 1)) for number, node in enumerate(nodes)
        ]
        for token, _ in first.mint("access", first.planted.sign_ins[: choices.repeats] if first.planted else []):
            bearer = {"Authorization": f"Bearer {token}"}
            for other in others:
                _expect(200, other.ask("GET", "/auth/me", bearer))
            _expect(200, asked.ask("POST", "/auth/logout", bearer))
            ended = time.perf_counter()
            for other in others:
                other.send("GET", "/auth/me", bearer)
            statuses = [status for other in others for status, _ in other.answers()]
            taken.append((time.perf_counter() - ended) * 1000)
            late += sum(status != 401 for status in statuses)  # noqa: PLR2004
    tell(f"{len(taken)} sign-ins ended")
    return {
        "servers": SERVERS,
        "rounds": len(taken),
        "asked": len(taken) * LINES * (SERVERS - 1),
        "late": late,
        "p50": median(taken),
        "p99": quantiles(taken, n=100)[98] if len(taken) > 1 else taken[0],
    }


def _expect(status: int, answers: Any) -> None:
    for found, body in answers:
        if found != status:
            raise RuntimeError(f"{found} instead of {status}: {body!r}")
