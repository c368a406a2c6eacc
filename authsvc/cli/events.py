"""The audit trail, from the command line."""

from datetime import UTC, datetime
from typing import Any

import click

from authsvc.blueprints.admin.events import EventOut
from authsvc.cli import authority
from authsvc.cli.commands import Commands, Id, as_json, in_tenant, limited
from authsvc.cli.sheets import everything, show_list, show_one
from authsvc.services import events as service
from authsvc.services import users

events = Commands("events", help="The audit trail: list, show.")

COLUMNS = ("at", "kind", "outcome", "actorId", "subjectId", "refreshTokenId", "ip", "detail")
_out = EventOut()


@events.command("list")
@in_tenant
@click.option("--kind", type=click.Choice(sorted(service.KINDS)), metavar="KIND")
@click.option("--outcome", type=click.Choice(service.OUTCOMES))
@click.option("--user", metavar="USER", help="What happened to this user: e-mail address, user name or id.")
@click.option("--token", type=Id(), metavar="TOKEN_ID", help="What happened to this sign-in.")
@click.option("--ip", help="From this address.")
@click.option("--after", type=click.DateTime(), help="Not before this moment, in UTC.")
@click.option("--before", type=click.DateTime(), help="Before this moment, in UTC.")
@limited
@as_json
def list_events(
    tenant: str | None,
    kind: str | None,
    outcome: str | None,
    user: str | None,
    token: str | None,
    ip: str | None,
    after: datetime | None,
    before: datetime | None,
    limit: int,
    in_json: bool,
) -> None:
    """What happened, newest first."""
    mandate = authority.mandate(tenant)
    given = {
        "kind": kind,
        "outcome": outcome,
        "subject_id": None if user is None else users.named(mandate, user).id,
        "refresh_token_id": token,
        "ip": ip,
        "after": None if after is None else after.replace(tzinfo=UTC),
        "before": None if before is None else before.replace(tzinfo=UTC),
    }
    filters: dict[str, Any] = {name: value for name, value in given.items() if value is not None}
    show_list(
        everything(lambda window: service.find(mandate, window, **filters), limit), _out, COLUMNS, in_json=in_json
    )


@events.command()
@click.argument("event_id", type=Id())
@in_tenant
@as_json
def show(event_id: str, tenant: str | None, in_json: bool) -> None:
    """One event."""
    show_one(_out.dump(service.get(authority.mandate(tenant), event_id)), in_json=in_json)
