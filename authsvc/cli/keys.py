"""Signing keys, from the command line."""

import click

from authsvc.blueprints.admin.keys import KeyOut
from authsvc.cli import authority
from authsvc.cli.commands import Commands, after_asking, as_json, ask_before, limited
from authsvc.cli.sheets import everything, show_done, show_list, show_one
from authsvc.services import key_rotation as service

keys = Commands("keys", help="Signing keys: list, rotate, retire, revoke.")

COLUMNS = ("kid", "algorithm", "state", "createdAt", "activatedAt", "replacedAt", "retiredAt")
_out = KeyOut()


@keys.command("list")
@limited
@as_json
def list_keys(limit: int, in_json: bool) -> None:
    """All keys, newest first, retired ones too."""
    show_list(everything(service.find, limit), _out, COLUMNS, in_json=in_json)


@keys.command()
@as_json
def rotate(in_json: bool) -> None:
    """Sign with the published next key from now on, and publish another."""
    signing = service.rotate(authority.mandate())
    show_done(f"{signing.kid} signs from now on, on every server.", _out.dump(signing), in_json=in_json)


@keys.command()
@click.argument("kid")
@as_json
def retire(kid: str, in_json: bool) -> None:
    """Believe a replaced key no more, once nobody is signed in by it."""
    show_one(_out.dump(service.retire(authority.mandate(), kid)), in_json=in_json)


@keys.command()
@click.argument("kid")
@after_asking
@as_json
def revoke(kid: str, yes: bool, in_json: bool) -> None:
    """Believe a key no more from this moment on, and end the sign-ins whose tokens it may have signed."""
    ask_before("End every sign-in whose tokens this key may have signed?", yes=yes)
    revoked = service.revoke(authority.mandate(), kid)
    result = {"key": _out.dump(revoked.key), "revoked": revoked.count}
    show_done(f"{kid} is revoked; sign-ins ended: {revoked.count}.", result, in_json=in_json)
