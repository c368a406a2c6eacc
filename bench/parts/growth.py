"""What each hot step costs as the tables grow: the same service on a thousand rows and on many."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from bench import asking
from bench.asking import Credentials
from bench.choices import Choices
from bench.contenders import planted_authsvc
from bench.databases import databases
from bench.rounds import Step, measure


def growth(kind: str, choices: Choices, tell: Callable[[str], None]) -> dict[str, Any]:
    """By step and number of rows; the smallest is measured twice, as a control."""
    with databases(kind) as opened, ExitStack() as running:
        steps: list[Step] = []
        for size in choices.growth:
            tell(f"planting {size:,} rows")
            served = planted_authsvc(f"rows{size}", opened, refresh_tokens=size, api_tokens=size, REFRESH_LEEWAY="0")
            running.callback(served.stop)
            credentials = Credentials(served, choices.connections)
            steps += asking.steps(served, credentials, f" {size}")
            if size == choices.growth[0]:
                control = asking.steps(served, credentials, " control")
        return measure(
            _by_step([*steps, *control]),
            choices=choices,
            # There are many of them.
            seconds=max(1, choices.seconds // 2),
            database_pid=opened.pid,
            tell=tell,
        )


def _by_step(steps: list[Step]) -> list[Step]:
    """What is compared stands side by side."""
    order = [step.name.rpartition(" ")[0] for step in steps]
    return sorted(steps, key=lambda step: order.index(step.name.rpartition(" ")[0]))
