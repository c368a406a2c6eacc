"""Load: wrk asks, checks every answer and counts. One connection to a thread, so that each carries its own chains."""

import json
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

SCRIPT = Path(__file__).with_name("load.lua")
# A credential, and what the answer to it must hold.
Row = tuple[str, str]


class Spoiled(Exception):
    """Answers were wrong, or the connections failed: what was measured is not what was meant."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A request, with `{}` where the credential goes.

    `proof_in` is the header that holds what shows the answer to be right; without one, its body does. `carries` is the
    pattern (Lua's) by which the next credential is found in the answer.
    """

    method: str
    path: str
    headers: dict[str, str] = field(default_factory=dict)
    body: str = ""
    proof_in: str = ""
    carries: str = ""


@dataclass(frozen=True, slots=True)
class Answered:
    """What came of it. Latencies in milliseconds."""

    requests: int
    seconds: float
    right: int
    wrong: int
    p50: float
    p99: float

    @property
    def rate(self) -> float:
        return self.right / self.seconds


def drive(
    url: str,
    ask: Ask,
    rows: Sequence[Row],
    *,
    seconds: int,
    connections: int,
    midway: Callable[[], None] = lambda: None,
    may_refuse: bool = False,
) -> Answered:
    """Ask for so many seconds; `midway` is called once meanwhile. Raises Spoiled, unless wrong answers `may` come."""
    if ask.carries and len(rows) < connections:
        raise ValueError("A chain can't be on two connections.")
    with tempfile.TemporaryDirectory(prefix="authsvc-bench-") as folder:
        plan = Path(folder, "plan.lua")
        plan.write_text(_plan(ask, rows, connections))
        many = ("-t", str(connections), "-c", str(connections))
        command = ["wrk", *many, "-d", f"{seconds}s", "--timeout", "20s", "-s", str(SCRIPT), url, "--", str(plan)]
        asking = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        time.sleep(seconds / 2)
        midway()
        said, _ = asking.communicate(timeout=seconds + 60)
    if asking.returncode:
        raise Spoiled(f"wrk failed: {said}")
    numbers, first_wrong = said.rstrip("\n").split("\n")[-2:]
    requests, microseconds, right, wrong, closed, p50, p99, errors = map(float, numbers.split())
    if (wrong and not may_refuse) or errors or closed or not right:
        what = (
            f"{wrong:g} wrong answers, {errors:g} failed connections, {closed:g} closed ones, {right:g} right answers"
        )
        raise Spoiled(f"{ask.method} {ask.path}: {what}. {first_wrong}")
    return Answered(int(requests), microseconds / 1e6, int(right), int(wrong), p50 / 1000, p99 / 1000)


def _plan(ask: Ask, rows: Sequence[Row], threads: int) -> str:
    facts = {
        "method": ask.method,
        "path": ask.path,
        "proof_in": ask.proof_in,
        "carries": ask.carries,
        "body": ask.body,
    }
    headers = ", ".join(f"[{json.dumps(name)}] = {json.dumps(value)}" for name, value in ask.headers.items())
    lines = [f"   {name} = {json.dumps(value)}," for name, value in facts.items() if value or name != "body"]
    lines += [f"   threads = {threads},", f"   headers = {{ {headers} }},", "   rows = {"]
    lines += [f"      {{ {json.dumps(credential)}, {json.dumps(proof)} }}," for credential, proof in rows]
    return "\n".join(["return {", *lines, "   },", "}", ""])
