"""`make bench`: measure, print the tables, write them down."""

import json
import sys
import time
from collections.abc import Callable
from functools import partial
from typing import Any

from bench import choices as chosen
from bench import machine, page, tables, targets
from bench.choices import ChoiceInvalid, Choices
from bench.databases import POSTGRESQL
from bench.parts.contention import contention
from bench.parts.growth import growth
from bench.parts.propagation import propagation
from bench.parts.sign_in import sign_in
from bench.parts.start import start
from bench.parts.throughput import throughput

Part = Callable[[str, Choices, Callable[[str], None]], dict[str, Any]]
ON_EACH_DATABASE: dict[str, Part] = {
    "throughput": throughput,
    "growth": growth,
    "propagation": propagation,
    "contention": contention,
    "sign_in": sign_in,
}


def main() -> int:
    try:
        choices = chosen.from_environment()
    except ChoiceInvalid as refused:
        sys.exit(str(refused))
    results = measure(choices)
    for table in (*tables.all_of(results), targets.table(results)):
        say(f"\n{table.name}\n\n{table.markdown()}")
    if warning := tables.distrust(results):
        say(f"\n{warning}")
    minutes = sum(results["took"].values()) / 60
    say(f"\nIt took {minutes:.0f} minutes. Every run's figures: {choices.into / 'results.json'}")
    page.write(results, choices.into)
    if choices.page and choices.is_whole:
        page.write(results, choices.page)
        say(f"Written: {choices.page / 'benchmarks.md'}")
    wrong = list(invalid(results))
    for one in wrong:
        say(f"INVALID: {one}")
    return 1 if wrong else 0


def measure(choices: Choices) -> dict[str, Any]:
    """All the figures; after each part they are saved, so that one that fails costs no other."""
    results: dict[str, Any] = {
        "machine": machine.facts(with_postgresql=POSTGRESQL in choices.databases, with_peers=bool(choices.peers)),
        "rounds": choices.rounds,
        "seconds": choices.seconds,
        "connections": choices.connections,
        "api_tokens": choices.api_tokens,
        "took": {},
    }
    for name, part in ON_EACH_DATABASE.items():
        if name in choices.parts:
            for kind in choices.databases:
                # Several servers on several machines share no file.
                if name != "propagation" or kind == POSTGRESQL:
                    told = timed(results, f"{name}, {kind}", partial(part, kind, choices))
                    results.setdefault(name, {})[kind] = told
                    save(results, choices)
    if "start" in choices.parts:
        results["start"] = timed(results, "start", partial(start, choices))
        save(results, choices)
    return results


def save(results: dict[str, Any], choices: Choices) -> None:
    choices.into.mkdir(parents=True, exist_ok=True)
    (choices.into / "results.json").write_text(json.dumps(results, indent=1) + "\n")


def timed(
    results: dict[str, Any], name: str, part: Callable[[Callable[[str], None]], dict[str, Any]]
) -> dict[str, Any]:
    say(f"{name} …")
    began = time.monotonic()
    told = part(lambda line: say(f"  {name}: {line}"))
    results["took"][name] = round(time.monotonic() - began)
    return told


def invalid(results: dict[str, Any]) -> list[str]:
    return [
        f"{name}, {kind}, {step}: {told['invalid']}"
        for name in ("throughput", "growth")
        for kind, steps in results.get(name, {}).items()
        for step, told in steps.items()
        if "invalid" in told
    ]


def say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
