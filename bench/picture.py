"""The figures drawn: how many requests a second, as bars, by hand, since a drawing of ten bars needs no library."""

from html import escape

from bench.databases import NAMES
from bench.tables import STEPS, Results, number

JOBS = {
    "Protected request": ("guarded", "simplejwt guarded", "fastapi_users guarded", "flask_security_too guarded"),
    "Refresh that rotates": ("refresh", "simplejwt refresh", "flask_security_too refresh"),
}
LEFT, RIGHT, WIDTH, BAR, GAP = 290, 90, 860, 22, 8
LIGHT = {"paper": "#ffffff", "ink": "#1b2430", "dim": "#5b6675", "own": "#2f7d4f", "other": "#b9c3d1"}
DARK = {"paper": "#11161d", "ink": "#e6ebf2", "dim": "#9aa6b5", "own": "#5bbd85", "other": "#465264"}


def svg(results: Results) -> str:
    """A group of bars for each job on each database, each group to its own scale."""
    drawn: list[str] = []
    y = 16
    for kind, steps in results.get("throughput", {}).items():
        for job, names in JOBS.items():
            known = {name: steps[name]["rate"] for name in names if "rate" in steps.get(name, {})}
            if not known:
                continue
            drawn.append(_text(20, y + 16, f"{job}, {NAMES[kind]}", "ink", ' font-weight="600"'))
            y += 30
            for name, rate in known.items():
                drawn += _bar(y, _label(name), rate, rate / max(known.values()), own=name in names[:1])
                y += BAR + GAP
            y += 14
    title = "Requests a second on two workers: authsvc beside its peers."
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {y}" role="img" aria-labelledby="title" '
        'font-family="system-ui, -apple-system, \'Segoe UI\', sans-serif" font-size="14">'
    )
    paper = f'<rect class="paper" width="{WIDTH}" height="{y}" rx="10"/>'
    return "\n".join(
        [head, f'<title id="title">{title}</title>', f"<style>{_style()}</style>", paper, *drawn, "</svg>", ""]
    )


def _style() -> str:
    light, dark = (" ".join(f".{name} {{ fill: {fill}; }}" for name, fill in shade.items()) for shade in (LIGHT, DARK))
    return f"{light} @media (prefers-color-scheme: dark) {{ {dark} }}"


def _label(name: str) -> str:
    return "authsvc" if " " not in name else STEPS[name].partition(",")[0]


def _bar(y: int, label: str, rate: float, part: float, *, own: bool) -> list[str]:
    length = max(1, round((WIDTH - LEFT - RIGHT) * part))
    return [
        _text(LEFT - 12, y + 16, label, "ink", ' text-anchor="end"'),
        f'<rect class="{"own" if own else "other"}" x="{LEFT}" y="{y}" width="{length}" height="{BAR}" rx="3"/>',
        _text(LEFT + length + 8, y + 16, f"{number(rate)}/s", "dim"),
    ]


def _text(x: int, y: int, text: str, style: str, more: str = "") -> str:
    return f'<text class="{style}" x="{x}" y="{y}"{more}>{escape(text)}</text>'
