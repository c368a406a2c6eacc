"""Sign-ins, from the command line: looked up, ended, and removed when they are long dead."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import click
from rich.progress import Progress

from authsvc import clock
from authsvc.blueprints.token_admin import RefreshTokenOut
from authsvc.cli import authority
from authsvc.cli.commands import Commands, Id, after_asking, as_json, ask_before, in_tenant, limited
from authsvc.cli.sheets import everything, show_done, show_list, show_one
from authsvc.credentials import jwts
from authsvc.errors import SelectorMissing
from authsvc.mandate import Mandate
from authsvc.services import applications, pruning, token_admin, users
from authsvc.services.token_admin import Filters, Selection

tokens = Commands("tokens", help="Sign-ins (refresh tokens): list, show, revoke, prune.")

COLUMNS = ("id", "userId", "applicationId", "createdAt", "lastUsedAt", "ip", "deviceName", "revokedAt")
BATCH = 1000
STATES = click.Choice(["live", "revoked", "expired", "all"])
_out = RefreshTokenOut(exclude=("current",))


@tokens.command("list")
@in_tenant
@click.option("--user", metavar="USER", help="Of this user: e-mail address, user name or id.")
@click.option("--application", metavar="APPLICATION", help="At this application: slug or id.")
@click.option("--state", type=STATES, default="live", show_default=True)
@click.option("--ip", help="Used last from this address.")
@click.option("--user-agent", help="With this in its user agent.")
@click.option("--idle-for", type=click.IntRange(0), metavar="DAYS", help="Not used for so many days.")
@limited
@as_json
def list_tokens(
    tenant: str | None,
    user: str | None,
    application: str | None,
    state: str,
    ip: str | None,
    user_agent: str | None,
    idle_for: int | None,
    limit: int,
    in_json: bool,
) -> None:
    """Sign-ins, newest first."""
    mandate = authority.mandate(tenant)
    selection = _selection(mandate, user, application)
    filters = Filters(state, ip, user_agent, last_used_before=_days_ago(idle_for, mandate.now))
    found = everything(lambda window: token_admin.find(mandate, selection, filters, window), limit)
    show_list(found, _out, COLUMNS, in_json=in_json)


@tokens.command()
@click.argument("token_id", type=Id())
@in_tenant
@as_json
def show(token_id: str, tenant: str | None, in_json: bool) -> None:
    """One sign-in."""
    show_one(_out.dump(token_admin.get(authority.mandate(tenant), token_id)), in_json=in_json)


@tokens.command()
@click.argument("token_id", type=Id(), required=False)
@in_tenant
@click.option("--user", metavar="USER", help="All of this user: e-mail address, user name or id.")
@click.option("--application", metavar="APPLICATION", help="All at this application: slug or id.")
@click.option("--string", type=click.File(), help="The one of the refresh token in this file; - reads it from stdin.")
@click.option("--all", "everyone", is_flag=True, help="The whole tenant's.")
@click.option(
    "--except", "spared", type=Id(), multiple=True, metavar="TOKEN_ID", help="But not this one. May be repeated."
)
@click.option("--preview", is_flag=True, help="Say what would end, and end nothing.")
@after_asking
@as_json
def revoke(
    token_id: str | None,
    tenant: str | None,
    user: str | None,
    application: str | None,
    string: Any,
    everyone: bool,
    spared: tuple[str, ...],
    preview: bool,
    yes: bool,
    in_json: bool,
) -> None:
    """End sign-ins: one by its id, or all that the options name together."""
    mandate = authority.mandate(tenant)
    if string is not None:
        token_id = jwts.sign_in_of(string.read().strip(), mandate.now).refresh_token_id
    if not (token_id or user or application or everyone):
        raise SelectorMissing("Say which: an id, --user, --application, --string or --all. Nothing was ended.")
    selection = replace(
        _selection(mandate, user, application),
        refresh_token_id=token_id,
        everyone=everyone,
        spared=frozenset(spared),
    )
    count = token_admin.preview(mandate, selection).count
    if preview:
        show_done(
            f"Nothing was ended. Sign-ins that would be: {count}.", {"revoked": count, "preview": True}, in_json=in_json
        )
        return
    if count:
        ask_before(f"Sign-ins that will end: {count}. Go on?", yes=yes)
        count = _revoke_all(mandate, selection, count)
    show_done(f"Sign-ins ended: {count}.", {"revoked": count}, in_json=in_json)


@tokens.command()
@click.option(
    "--older-than", type=click.IntRange(1), default=30, show_default=True, metavar="DAYS", help="Dead for so long."
)
@as_json
def prune(older_than: int, in_json: bool) -> None:
    """Remove the sign-ins of every tenant that have been dead for long, while the service goes on."""
    now, age = clock.utcnow(), timedelta(days=older_than)
    removed = 0
    with Progress(transient=True, disable=in_json) as progress:
        task = progress.add_task("Removing", total=pruning.count(age, BATCH, now))
        for number in pruning.prune(age, BATCH, now):
            removed += number
            progress.update(task, completed=removed)
    show_done(f"Sign-ins removed: {removed}.", {"removed": removed}, in_json=in_json)


def _revoke_all(mandate: Mandate, selection: Selection, expected: int) -> int:
    """In short transactions, so that nobody waits for a million rows. Cut short, what has ended stays ended."""
    ended = 0
    with Progress(transient=True) as progress:
        task = progress.add_task("Ending", total=expected)
        while ended % BATCH == 0:
            killed = token_admin.revoke(mandate, selection, at_most=BATCH).count
            ended += killed
            progress.update(task, completed=ended)
            if not killed:
                break
    return ended


def _selection(mandate: Mandate, user: str | None, application: str | None) -> Selection:
    return Selection(
        user_id=None if user is None else users.named(mandate, user).id,
        application_id=None if application is None else applications.named(mandate, application).id,
    )


def _days_ago(days: int | None, now: datetime) -> datetime | None:
    return None if days is None else now - timedelta(days=days)
