"""The figures as tables that read well in a terminal and on a page: Markdown, with its columns in line."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bench.databases import NAMES
from bench.parts.contention import CROWDS

Results = Mapping[str, Any]
NOTHING = "–"
MOST_NOISE = 0.1
# How the page calls what the steps are called in the figures.
STEPS = {
    "bare": "bare Flask",
    "guarded": "`@requires()`, access token",
    "guarded by api token": "`@requires()`, API token",
    "refresh": "refresh",
    "me": "`/auth/me`",
    "verify": "`/auth/verify`, access token",
    "api token": "`/auth/verify`, API token",
    "introspect": "`/oauth/introspect`",
    "simplejwt guarded": "simplejwt, protected GET",
    "simplejwt refresh": "simplejwt, refresh",
    "fastapi_users guarded": "fastapi-users, protected GET",
    "flask_security_too guarded": "Flask-Security, protected GET",
    "flask_security_too refresh": "Flask-Security, refresh",
}
HOT = ("refresh", "me", "verify", "api token", "introspect")
# Whom a step is set beside: what does the same job there.
PEER_OF = {
    "guarded": "simplejwt guarded",
    "guarded by api token": "simplejwt guarded",
    "me": "simplejwt guarded",
    "refresh": "simplejwt refresh",
}


@dataclass(frozen=True, slots=True)
class Table:
    name: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]

    def markdown(self) -> str:
        lines = [self.head, *self.rows]
        widths = [max(len(line[column]) for line in lines) for column in range(len(self.head))]
        told = [" | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)) for line in lines]
        rule = " | ".join("-" * width for width in widths)
        return "\n".join(f"| {line} |" for line in (told[0], rule, *told[1:]))


def number(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"  # noqa: PLR2004


def times(value: float | None) -> str:
    return NOTHING if value is None else f"{value:.2f} ×"


def ratio(steps: Results, of: str, to: str, figure: str) -> float | None:
    """None where one of them was not measured, or is invalid."""
    some, others = steps.get(of, {}).get(figure), steps.get(to, {}).get(figure)
    return some / others if some and others else None


def throughput(kind: str, steps: Results) -> Table:
    head = (
        "",
        "req/s",
        "CPU, µs",
        "× bare Flask",
        "database's CPU, µs",
        "× simplejwt's req/s",
        "p50, ms",
        "p99, ms",
        "connections of a worker",
    )
    rows = []
    for name, shown in STEPS.items():
        step = steps.get(name, {})
        if "invalid" in step:
            rows.append((shown, "INVALID", *[NOTHING] * 7))
        elif step:
            peer = PEER_OF.get(name)
            held = [of_worker for run in step["runs"] for of_worker in run["connections"]]
            rows.append(
                (
                    shown,
                    number(step["rate"]),
                    number(step["cpu"]),
                    times(ratio(steps, name, "bare", "cpu")),
                    number(step["database_cpu"]) if step["database_cpu"] else NOTHING,
                    times(ratio(steps, name, peer, "rate")) if peer else NOTHING,
                    number(step["p50"]),
                    number(step["p99"]),
                    f"{min(held)} to {max(held)}",
                )
            )
    return Table(f"On {NAMES[kind]}", head, rows)


def noise(results: Results) -> Table:
    """What was measured twice: by how much the second differs from the first."""
    rows = []
    for kind, steps in results.get("throughput", {}).items():
        for name in ("bare", "guarded"):
            again = [ratio(steps, f"{name} again", name, figure) for figure in ("rate", "cpu", "p99")]
            rows.append((STEPS[name], NAMES[kind], *(_percent(one) for one in again)))
    return Table("The same twice", ("", "database", "req/s", "CPU", "p99"), rows)


def _percent(value: float | None) -> str:
    return NOTHING if value is None else f"{(value - 1) * 100:+.1f} %"


def distrust(results: Results) -> str:
    """Where the same thing differs from itself by more than a little, nothing in the run is worth much."""
    pairs = [(steps, name) for steps in results.get("throughput", {}).values() for name in ("bare", "guarded")]
    found = [ratio(steps, f"{name} again", name, "cpu") for steps, name in pairs]
    worst = max((abs(one - 1) for one in found if one is not None), default=0)
    if worst <= MOST_NOISE:
        return ""
    return (
        f"**Distrust this run**: the CPU of one and the same thing, measured twice, differed by {worst * 100:.0f} %. "
        "The machine was busy with something else."
    )


def growth(results: Results) -> Table:
    sizes = growth_sizes(results)
    rows = []
    for kind, steps in results.get("growth", {}).items():
        for name in HOT:
            smallest = f"{name} {sizes[0]}"
            of_all = [f"{name} control", *(f"{name} {size}" for size in sizes[1:])]
            shown = [
                f"{times(grown(steps, one, smallest))}, {times(ratio(steps, one, smallest, 'p50'))}" for one in of_all
            ]
            rows.append((STEPS[name], NAMES[kind], *shown))
    head = [f"{size:,}" for size in sizes]
    return Table("Growth", ("CPU a request, and p50", "database", f"{head[0]} again" if head else "", *head[1:]), rows)


def growth_sizes(results: Results) -> list[int]:
    names = {name for steps in results.get("growth", {}).values() for name in steps}
    return sorted({int(name.rpartition(" ")[2]) for name in names if name.rpartition(" ")[2].isdecimal()})


def grown(steps: Results, of: str, to: str) -> float | None:
    """The cost of a request, the database's part in it, as a multiple."""
    costs = [steps.get(name, {}) for name in (of, to)]
    if any("cpu" not in cost for cost in costs):
        return None
    some, others = (float(cost["cpu"] + cost["database_cpu"]) for cost in costs)
    return some / others


def contention(results: Results) -> Table:
    rows = []
    for kind, told in results.get("contention", {}).items():
        for name in ("authsvc", "simplejwt"):
            for size in CROWDS:
                if one := told.get(f"{name} {size}"):
                    steps = number(one["steps"]) if "steps" in one else NOTHING
                    figures = (number(one[key]) for key in ("served", "refused", "distinct", "rate"))
                    forked = f"{one['forked']} of {one['rounds']}"
                    rows.append((f"{name}, {size} at once", NAMES[kind], steps, *figures, forked))
    return Table(
        "One token, many clients",
        ("", "database", "steps", "served", "refused", "different tokens given", "answers/s", "rounds that forked"),
        rows,
    )


def sign_in(results: Results) -> Table:
    rows = []
    for kind, told in results.get("sign_in", {}).items():
        rows += [
            ("argon2id alone", NAMES[kind], number(told["limit"]), NOTHING, NOTHING, NOTHING),
            (
                *("sign-in", NAMES[kind], number(told["rate"]), f"{told['part']:.2f}"),
                *(f"{told['hashing']:.2f}", number(told["p99"])),
            ),
            *(
                (f"{label}, in a flood", NAMES[kind], number(one["rate"]), NOTHING, NOTHING, p99)
                for label, one, p99 in (
                    ("sign-in", told["flood"], NOTHING),
                    ("`/healthz`", told["healthz"], number(told["healthz"]["p99"])),
                    ("refresh", told["refresh"], number(told["refresh"]["p99"])),
                )
            ),
        ]
    return Table(
        "Sign-in", ("", "database", "a second", "part of the limit", "hashing's part of the CPU", "p99, ms"), rows
    )


def propagation(results: Results) -> Table:
    rows = [
        (
            NAMES[kind],
            *(str(told[key]) for key in ("servers", "rounds", "asked", "late")),
            number(told["p50"]),
            number(told["p99"]),
        )
        for kind, told in results.get("propagation", {}).items()
    ]
    head = ("database", "servers", "revocations", "requests at once", "not refused", "p50, ms", "p99, ms")
    return Table("Revocation on the other servers", head, rows)


def start(results: Results) -> Table:
    told = results.get("start")
    if not told:
        return Table("Start and memory", ("", ""), [])
    memory = told["memory"]
    rows = [
        ("`make run` to ready, first start", f"{told['first']:.1f} s"),
        ("`make run` to ready, again", f"{told['again']:.1f} s"),
        *(
            (f"a worker's memory {label}: resident, and its share", f"{at['rss']:.0f} MB, {at['pss']:.0f} MB")
            for label, at in (
                ("after the start", memory["start"]),
                ("warm", memory["warm"]),
                (f"after {memory['requests']:,} more requests", memory["after"]),
            )
        ),
    ]
    return Table("Start and memory", ("", ""), rows)


def all_of(results: Results) -> Iterator[Table]:
    for kind, steps in results.get("throughput", {}).items():
        yield throughput(kind, steps)
    for table in (noise, growth, propagation, contention, sign_in, start):
        made = table(results)
        if made.rows:
            yield made
