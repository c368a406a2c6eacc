"""Moving in from another system, from the command line."""

import csv
import io
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import BinaryIO, TextIO

import click
from flask.cli import with_appcontext
from rich.progress import BarColumn, DownloadColumn, Progress, TimeRemainingColumn

from authsvc.cli import authority
from authsvc.cli.commands import Command, Refused, after_asking, as_json, ask_before, in_tenant
from authsvc.cli.sheets import show_done
from authsvc.mandate import Mandate
from authsvc.services import exports, importing
from authsvc.services.exports import Exported
from authsvc.services.importing import Report

SHOWN = 20


@click.command("import", cls=Command)
@click.argument("system", type=click.Choice(sorted(exports.SYSTEMS)))
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@in_tenant
@click.option("--dry-run", is_flag=True, help="Say what would become of each row, and change nothing.")
@click.option("--report", type=click.File("w"), help="Write every row that was refused, or lost its user name, as CSV.")
@after_asking
@as_json
@with_appcontext
def import_users(
    system: str, file: Path, tenant: str | None, dry_run: bool, report: TextIO | None, yes: bool, in_json: bool
) -> None:
    """Take users over from an export of Strapi, Laravel, Django or FusionAuth, in CSV or JSON, with their passwords."""
    mandate = authority.mandate(tenant)
    if not dry_run:
        ask_before(f"Import the users of {file} for good?", yes=yes)
    try:
        done = _import(mandate, system, file, dry_run=dry_run, is_watched=not in_json)
    except (exports.Unreadable, UnicodeDecodeError) as error:
        raise Refused(f"{file} can't be read, and nobody was imported: {error}") from None
    if report is not None:
        _write(done, report)
    _tell(done, dry_run=dry_run, in_json=in_json)


def _import(mandate: Mandate, system: str, file: Path, *, dry_run: bool, is_watched: bool) -> Report:
    columns = (BarColumn(), DownloadColumn(), TimeRemainingColumn())
    watching = Progress(*columns, transient=True, disable=not is_watched)
    with file.open("rb") as raw, io.TextIOWrapper(raw, encoding="utf-8", newline="") as text, watching as progress:
        rows = _followed(exports.users(system, text), raw, progress, file.stat().st_size)
        return importing.run(mandate, system, rows, is_trial=dry_run)


def _followed(rows: Iterator[Exported], raw: BinaryIO, progress: Progress, size: int) -> Iterator[Exported]:
    """How far the file is read is how far the import is."""
    task = progress.add_task("", total=size)
    for row in rows:
        progress.update(task, completed=raw.tell())
        yield row


def _write(done: Report, file: TextIO) -> None:
    writer = csv.writer(file)
    writer.writerow(("place", "email", "imported", "reason"))
    for rows, is_imported in ((done.refused, "no"), (done.renamed, "without user name")):
        writer.writerows((one.place, one.address, is_imported, one.reason) for one in rows)


def _tell(done: Report, *, dry_run: bool, in_json: bool) -> None:
    result = {
        "imported": done.imported,
        "refused": len(done.refused),
        "withoutUsername": len(done.renamed),
        "firstRefused": [asdict(one) for one in done.refused[:SHOWN]],
        "dryRun": dry_run,
    }
    what = "would be imported" if dry_run else "were imported"
    counts = f"rows refused: {len(done.refused)}; without user name: {len(done.renamed)}"
    lines = [f"  {one.place}: {one.reason}" for one in done.refused[:SHOWN]]
    show_done("\n".join([f"Users that {what}: {done.imported}; {counts}.", *lines]), result, in_json=in_json)
