"""What commands print: tables and lists for people, JSON for programs."""

import itertools
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

import click
import orjson
from marshmallow import Schema
from rich import box
from rich.console import Console
from rich.table import Table as Sheet
from rich.text import Text

from authsvc.models.paging import Page, Window
from authsvc.services.doctor.findings import BROKEN, FINE, WARNING, Finding

COLOURS = {FINE: "green", WARNING: "yellow", BROKEN: "bold red"}
PAGE = 200
WIDE = 1000


def everything(find: Callable[[Window], Page[Any]], limit: int) -> Iterator[Any]:
    """A list page by page, up to `limit` things of it; 0: to its end."""
    return itertools.islice(_pages(find), limit or None)


def show_list(found: Iterable[Any], schema: Schema, columns: tuple[str, ...], *, in_json: bool) -> None:
    show_items([schema.dump(one) for one in found], columns, in_json=in_json)


def show_items(items: list[dict[str, Any]], columns: tuple[str, ...], *, in_json: bool) -> None:
    """`columns` are the members that people see, in the order they see them."""
    if in_json:
        click.echo(orjson.dumps(items))
        return
    sheet = Sheet(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for column in columns:
        sheet.add_column(column, no_wrap=True)
    for item in items:
        sheet.add_row(*(_readable(item[column]) for column in columns))
    console = _console()
    if not items:
        console.print("None.")
    elif console.measure(sheet, options=console.options.update(max_width=WIDE)).maximum <= console.width:
        console.print(sheet)
    else:
        # Too narrow for the table: one thing below the other, so that nothing is broken that people copy.
        for number, item in enumerate(items):
            console.print(*([""] if number else []), _record({column: item[column] for column in columns}), sep="\n")


def show_one(thing: Mapping[str, Any], *, in_json: bool) -> None:
    if in_json:
        click.echo(orjson.dumps(thing))
        return
    _console().print(_record(thing))


def show_done(sentence: str, result: Mapping[str, Any], *, in_json: bool) -> None:
    """What was done: a sentence, or what the HTTP API would answer."""
    click.echo(orjson.dumps(result) if in_json else sentence)


def show_findings(findings: list[Finding], *, in_json: bool) -> None:
    """In a terminal each as long as it must be, with its advice below it; elsewhere one line for each."""
    if in_json or not sys.stdout.isatty():
        show_items([asdict(finding) for finding in findings], ("verdict", "check", "found", "advice"), in_json=in_json)
        return
    sheet = Sheet(box=None, show_header=False, pad_edge=False)
    for finding in findings:
        sheet.add_row(Text(finding.verdict, COLOURS[finding.verdict]), finding.check, _readable(finding.found))
        if finding.advice:
            sheet.add_row("", "", Text.assemble(("→ ", "bold"), _readable(finding.advice)))
    _console().print(sheet)


def _pages(find: Callable[[Window], Page[Any]]) -> Iterator[Any]:
    window: Window | None = Window(PAGE)
    while window is not None:
        page = find(window)
        yield from page.items
        window = None if page.next_cursor is None else Window(PAGE, page.next_cursor)


def _record(thing: Mapping[str, Any]) -> Sheet:
    sheet = Sheet(box=None, show_header=False, pad_edge=False)
    for name, value in thing.items():
        sheet.add_row(name, _readable(value))
    return sheet


def _console() -> Console:
    """In a pipe nothing is cut to a width that nobody looks at."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)


def _readable(value: Any) -> Text:
    """As people read it; what a stranger wrote must not steer the terminal."""
    if value is None:
        text = "-"
    elif isinstance(value, bool):
        text = "yes" if value else "no"
    elif isinstance(value, list):
        text = " ".join(map(str, value)) or "-"
    elif isinstance(value, dict):
        text = " ".join(f"{name}={one}" for name, one in value.items()) or "-"
    else:
        text = str(value)
    return Text("".join(letter if letter.isprintable() else "\N{REPLACEMENT CHARACTER}" for letter in text))
