"""Signing keys, from the command line."""

import click
from flask.cli import AppGroup
from rich.console import Console
from rich.table import Table as Sheet

from authsvc import clock
from authsvc.cli.authority import mandate, refusals_in_a_line
from authsvc.services import key_rotation, signing_keys

keys = AppGroup("keys", help="Signing keys: list, rotate, retire, revoke.")


@keys.command("list")
def list_keys() -> None:
    """The keys that tokens may be signed with."""
    sheet = Sheet("kid", "algorithm", "state")
    with refusals_in_a_line():
        for key in signing_keys.usable(clock.utcnow()).values():
            sheet.add_row(key.kid, key.algorithm, key.state)
    Console().print(sheet)


@keys.command()
def rotate() -> None:
    """Sign with the published next key from now on, and publish another."""
    with refusals_in_a_line():
        key = key_rotation.rotate(mandate())
    click.echo(f"{key.kid} signs from now on; every node follows at its next answer.")


@keys.command()
@click.argument("kid")
def retire(kid: str) -> None:
    """Believe a replaced key no more. Refused while anybody is signed in by it."""
    with refusals_in_a_line():
        key = key_rotation.retire(mandate(), kid)
    click.echo(f"{key.kid} is retired.")


@keys.command()
@click.argument("kid")
def revoke(kid: str) -> None:
    """Believe a key no more, from this moment on, and end the sign-ins whose tokens it may have signed."""
    with refusals_in_a_line():
        revoked = key_rotation.revoke(mandate(), kid)
    click.echo(f"{revoked.key.kid} is revoked. Sign-ins that ended with it: {revoked.count}")
