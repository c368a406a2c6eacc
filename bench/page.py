"""The page of the documentation: bench/template.md with the figures put in, so that prose and figures stay together.

`python -m bench.page` writes it again from the figures of the last run.
"""

import json
import re
from pathlib import Path
from string import Template

from bench import picture, tables, targets
from bench.choices import Choices, from_environment
from bench.tables import Results, Table

TEMPLATE = Path(__file__).with_name("template.md")


def write(results: Results, folder: Path) -> None:
    drawn = folder / "pictures" / "benchmarks.svg"
    drawn.parent.mkdir(parents=True, exist_ok=True)
    drawn.write_text(picture.svg(results))
    filled = Template(TEMPLATE.read_text()).substitute(
        machine="\n".join(_machine(results)),
        distrust=tables.distrust(results),
        picture=drawn.relative_to(folder),
        targets=_shown(targets.table(results)),
        throughput="\n\n".join(
            f"### {table.name}\n\n{_shown(table)}"
            for table in (tables.throughput(kind, steps) for kind, steps in results.get("throughput", {}).items())
        ),
        noise=_shown(tables.noise(results)),
        growth=_shown(tables.growth(results)),
        propagation=_shown(tables.propagation(results)),
        contention=_shown(tables.contention(results)),
        sign_in=_shown(tables.sign_in(results)),
        start=_shown(tables.start(results)),
        rounds=results["rounds"],
        seconds=results["seconds"],
        connections=results["connections"],
        api_tokens=f"{results['api_tokens']:,}",
    )
    # Where there is nothing to say, no empty lines tell of it.
    (folder / "benchmarks.md").write_text(re.sub(r"\n{3,}", "\n\n", filled))


def _machine(results: Results) -> list[str]:
    return ["| | |", "| --- | --- |", *(f"| {name} | {fact} |" for name, fact in results["machine"].items())]


def _shown(table: Table) -> str:
    return table.markdown() if table.rows else "Not measured in this run."


def again(choices: Choices) -> None:
    write(json.loads((choices.into / "results.json").read_text()), choices.page or choices.into)


if __name__ == "__main__":
    again(from_environment())
