"""Signing keys, from the command line."""

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table as Sheet

from authsvc import clock
from authsvc.caller import Caller
from authsvc.services import signing_keys

keys = AppGroup("keys", help="Signing keys: list, rotate.")


@keys.command("list")
def list_keys() -> None:
    """The keys that tokens may be signed with."""
    sheet = Sheet("kid", "algorithm", "state")
    for key in signing_keys.usable(clock.utcnow()).values():
        sheet.add_row(key.kid, key.algorithm, key.state)
    Console().print(sheet)


@keys.command()
def rotate() -> None:
    """Sign with the published next key from now on, and publish another."""
    kid = signing_keys.rotate(Caller(), clock.utcnow())
    click.echo(f"{kid} signs from now on; every node follows within seconds.")
