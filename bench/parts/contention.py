"""Many clients, or the tabs of one browser, present the same refresh token at the same moment."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from statistics import mean
from typing import Any

from bench.asking import JSON
from bench.choices import Choices
from bench.contenders import authsvc, peer, threads
from bench.crowd import Crowd
from bench.databases import databases
from bench.load import Row
from bench.planting import ask, plant

CROWDS = (1, 2, 8, 32)


def contention(kind: str, choices: Choices, tell: Callable[[str], None]) -> dict[str, Any]:
    """By contender and size of the crowd: means of a round, and answers a second."""
    told: dict[str, Any] = {}
    with databases(kind) as opened, ExitStack() as running:
        # As it comes, with the leeway that is there for just this.
        url = opened.new("authsvc")
        own = authsvc("authsvc", opened, url)
        running.callback(own.stop)
        planted = plant(url, refresh_tokens=choices.repeats * len(CROWDS), api_tokens=0)
        minted = own.mint("refresh", planted.sign_ins[: choices.repeats * len(CROWDS)])
        for number, size in enumerate(CROWDS):
            rows = minted[number :: len(CROWDS)]
            told[f"authsvc {size}"] = _rounds(own.url, "/jwt/refresh", "refreshToken", rows, size)
            told[f"authsvc {size}"]["steps"] = _steps(url, rows) / len(rows)
        tell("authsvc")
        if "simplejwt" not in choices.peers:
            return told
        other = peer("simplejwt", opened, users=choices.repeats, worker=threads())
        running.callback(other.stop)
        for size in CROWDS:
            rows = other.run("refresh", str(choices.repeats))
            told[f"simplejwt {size}"] = _rounds(other.url, "/api/token/refresh/", "refresh", rows, size)
        tell("simplejwt")
    return told


def _rounds(url: str, path: str, name: str, rows: Sequence[Row], size: int) -> dict[str, Any]:
    served, distinct, several = [], [], 0
    spent = 0.0
    with Crowd(url, size) as crowd:
        for token, _ in rows:
            began = time.perf_counter()
            answers = crowd.ask("POST", path, JSON, json.dumps({name: token}))
            spent += time.perf_counter() - began
            following = [_find(json.loads(body), name) for status, body in answers if status == 200]  # noqa: PLR2004
            served.append(len(following))
            distinct.append(len(set(following)))
            several += len(set(following)) > 1
    return {
        "rounds": len(rows),
        "served": mean(served),
        "refused": size - mean(served),
        "distinct": mean(distinct),
        "forked": several,
        "rate": size * len(rows) / spent,
    }


def _find(told: dict[str, Any], name: str) -> str:
    return str(told.get("data", told)[name])


def _steps(url: str, rows: Sequence[Row]) -> int:
    """By how much the generations of these sign-ins went up: they began at none."""
    ids = ", ".join(f"'{sign_in}'" for _, sign_in in rows)
    [(steps,)] = ask(url, f"SELECT sum(generation) FROM refresh_tokens WHERE id IN ({ids})")  # noqa: S608
    return int(steps)
