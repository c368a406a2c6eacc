"""What is to be reached, and whether it was. A target that was not measured is neither met nor missed."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

from bench.databases import NAMES
from bench.tables import HOT, NOTHING, Results, Table, grown, growth_sizes, ratio, times

# What was seen, as it is told, and whether that is enough.
Seen = tuple[str, bool]
MET, MISSED = "yes", "**no**"
MOST_SECONDS, MOST_MEGABYTES, MOST_MILLISECONDS = 3, 90, 200
# A worker's memory moves by some pages whatever it does.
STEADY_MEGABYTES = 2
PER_CORE = 875


def table(results: Results) -> Table:
    rows = [
        (what, target, where, seen, MET if met else MISSED)
        for what, target, found in _targets(results)
        for where, (seen, met) in found
    ]
    return Table("To reach", ("", "target", "database", "seen", "met"), rows)


def _targets(results: Results) -> Iterator[tuple[str, str, Sequence[tuple[str, Seen]]]]:
    steps = results.get("throughput", {})
    yield "refresh that steps each time", "≥ 5 × simplejwt's req/s", _each(steps, _rate_at_least("refresh", 5))
    yield "refresh that steps each time", "≤ 4.0 × bare Flask's CPU", _each(steps, _cpu_at_most("refresh", 4.0))
    yield "refresh that steps each time", f"> {PER_CORE} a second of CPU, the database's too", _each(steps, _per_core)
    yield "protected request, access token", "≤ 1.8 × bare Flask's CPU", _each(steps, _cpu_at_most("guarded", 1.8))
    yield "protected request, access token", "≥ 2.5 × simplejwt's req/s", _each(steps, _rate_at_least("guarded", 2.5))
    many = f"API token among {results.get('api_tokens', 0):,}"
    yield many, "≤ 1.8 × bare Flask's CPU", _each(steps, _cpu_at_most("guarded by api token", 1.8))
    yield "sign-in", "≥ 0.85 of the argon2id limit", _each(results.get("sign_in", {}), _sign_in)
    for name in ("healthz", "refresh"):
        yield f"{name} in a flood of sign-ins", "p99 < 200 ms", _each(results.get("sign_in", {}), _in_flood(name))
    sizes = growth_sizes(results)
    if sizes:
        span = f"{sizes[0]:,} → {sizes[-1]:,} rows, CPU of the costliest step"
        yield span, "≤ 1.3 ×", _each(results["growth"], lambda told: _growth(told, sizes))
    yield "revocation on every other server", "at the next request", _each(results.get("propagation", {}), _revoked)
    if told := results.get("start"):
        yield from _start(told)


def _each(by_kind: Results, judge: Callable[[Any], Seen | None]) -> list[tuple[str, Seen]]:
    judged = ((NAMES[kind], judge(told)) for kind, told in by_kind.items())
    return [(name, seen) for name, seen in judged if seen is not None]


def _rate_at_least(name: str, least: float) -> Callable[[Results], Seen | None]:
    peer = {"refresh": "simplejwt refresh", "guarded": "simplejwt guarded"}[name]

    def judge(steps: Results) -> Seen | None:
        found = ratio(steps, name, peer, "rate")
        return None if found is None else (times(found), found >= least)

    return judge


def _cpu_at_most(name: str, most: float) -> Callable[[Results], Seen | None]:
    def judge(steps: Results) -> Seen | None:
        found = ratio(steps, name, "bare", "cpu")
        return None if found is None else (times(found), found <= most)

    return judge


def _per_core(steps: Results) -> Seen | None:
    step = steps.get("refresh", {})
    if "cpu" not in step:
        return None
    found = 1e6 / (step["cpu"] + step["database_cpu"])
    return f"{found:,.0f}", found > PER_CORE


def _sign_in(told: Results) -> Seen:
    return f"{told['part']:.2f}", told["part"] >= 0.85  # noqa: PLR2004


def _in_flood(name: str) -> Callable[[Results], Seen]:
    return lambda told: (f"{told[name]['p99']:.0f} ms", told[name]["p99"] < MOST_MILLISECONDS)


def _growth(steps: Results, sizes: Sequence[int]) -> Seen | None:
    found = {name: grown(steps, f"{name} {sizes[-1]}", f"{name} {sizes[0]}") for name in HOT}
    known = {name: value for name, value in found.items() if value is not None}
    if not known:
        return None
    worst = max(known, key=lambda name: known[name])
    return f"{times(known[worst])} ({worst})", known[worst] <= 1.3  # noqa: PLR2004


def _revoked(told: Results) -> Seen:
    return f"{told['asked'] - told['late']:,} of {told['asked']:,} refused", told["late"] == 0


def _start(told: Results) -> Iterator[tuple[str, str, Sequence[tuple[str, Seen]]]]:
    memory = told["memory"]
    grew = memory["after"]["rss"] - memory["warm"]["rss"]
    first, most = told["first"], memory["after"]["rss"]
    for what, target, seen in (
        ("`make run` to ready, first start", f"≤ {MOST_SECONDS} s", (f"{first:.1f} s", first <= MOST_SECONDS)),
        ("memory of a worker", f"≤ {MOST_MEGABYTES} MB", (f"{most:.0f} MB", most <= MOST_MEGABYTES)),
        (f"growth over {memory['requests']:,} requests", "none", (f"{grew:+.1f} MB", grew <= STEADY_MEGABYTES)),
    ):
        yield what, target, [(NAMES["sqlite"] if what else NOTHING, seen)]
