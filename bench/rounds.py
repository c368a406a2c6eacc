"""Steps measured by turns, A B C A B C: what disturbs the machine for a while disturbs them all. Medians are kept."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Any

from bench import processes
from bench.choices import Choices
from bench.contenders import Contender
from bench.load import Ask, Row, Spoiled, drive

MOST_TRIES = 4
# With fewer than this part of all connections, a worker has too little to do for the run to count.
LEAST_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Step:
    """What is asked of whom; `rows` makes the credentials of one run, new ones where they are used up."""

    name: str
    contender: Contender
    ask: Ask
    rows: Callable[[], Sequence[Row]]


@dataclass(frozen=True, slots=True)
class Run:
    """`cpu` and `database_cpu` are microseconds a request; `connections` are each worker's."""

    rate: float
    p50: float
    p99: float
    cpu: float
    database_cpu: float
    connections: tuple[int, ...]


def measure(
    steps: Sequence[Step],
    *,
    choices: Choices,
    seconds: int,
    database_pid: int | None,
    tell: Callable[[str], None],
) -> dict[str, dict[str, Any]]:
    """The medians of each step, and its runs. A step whose answers are wrong has `invalid` instead, which says why."""
    runs: dict[str, list[Run]] = {step.name: [] for step in steps}
    invalid: dict[str, str] = {}

    def attempt(step: Step, lasting: int) -> Run | None:
        if step.name in invalid:
            return None
        try:
            return _run(step, seconds=lasting, connections=choices.connections, database_pid=database_pid)
        except Spoiled as spoiled:
            invalid[step.name] = str(spoiled)
            tell(f"{step.name}: {spoiled}")
            return None

    for step in steps:
        if choices.warm_up:
            attempt(step, choices.warm_up)
    for number in range(choices.rounds):
        # There and back again: what drifts in one direction falls on all alike.
        for step in steps if number % 2 == 0 else reversed(steps):
            if run := attempt(step, seconds):
                runs[step.name].append(run)
        tell(f"round {number + 1} of {choices.rounds}")
    return {name: {"invalid": invalid[name]} if name in invalid else _medians(runs[name]) for name in runs}


def _run(step: Step, *, seconds: int, connections: int, database_pid: int | None) -> Run:
    """Again where one worker had nearly all of the connections, or some were not taken up by half-time."""
    port = int(step.contender.url.rpartition(":")[2])
    held: tuple[int, ...] = ()

    def count() -> None:
        nonlocal held
        held = processes.connections(step.contender.pid, port)

    for _ in range(MOST_TRIES):
        rows = step.rows()
        before = processes.cpu_seconds(step.contender.pid)
        database_before = processes.cpu_seconds(database_pid) if database_pid else 0.0
        answered = drive(step.contender.url, step.ask, rows, seconds=seconds, connections=connections, midway=count)
        spent = processes.cpu_seconds(step.contender.pid) - before
        database_spent = (processes.cpu_seconds(database_pid) if database_pid else 0.0) - database_before
        if sum(held) == connections and min(held) >= connections * LEAST_SHARE:
            break
    return Run(
        answered.rate,
        answered.p50,
        answered.p99,
        spent / answered.requests * 1e6,
        database_spent / answered.requests * 1e6,
        held,
    )


def _medians(runs: Sequence[Run]) -> dict[str, Any]:
    kept = {name: median(getattr(run, name) for run in runs) for name in ("rate", "p50", "p99", "cpu", "database_cpu")}
    return {**kept, "runs": [asdict(run) for run in runs]}
