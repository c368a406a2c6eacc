"""API tokens, from the command line."""

from datetime import timedelta
from typing import Any

import click

from authsvc.blueprints.api_tokens import ApiTokenOut
from authsvc.cli import authority
from authsvc.cli.commands import Commands, Id, after_asking, as_json, ask_before, in_tenant, limited, overlapping
from authsvc.cli.sheets import everything, show_done, show_list, show_one
from authsvc.services import api_token_admin as service
from authsvc.services import applications, users
from authsvc.services.api_token_admin import Filters, Made

api_tokens = Commands("api-tokens", help="API tokens: list, show, create, rotate, revoke.")

COLUMNS = ("id", "userId", "name", "hint", "scopes", "createdAt", "expiresAt", "lastUsedAt", "revokedAt")
STATES = click.Choice(["live", "revoked", "expired", "all"])
DAY = timedelta(days=1)
_out = ApiTokenOut()


@api_tokens.command("list")
@in_tenant
@click.option("--user", metavar="USER", help="Of this user: e-mail address, user name or id.")
@click.option("--application", metavar="APPLICATION", help="Bound to this application: slug or id.")
@click.option("--state", type=STATES, default="live", show_default=True)
@limited
@as_json
def list_api_tokens(
    tenant: str | None, user: str | None, application: str | None, state: str, limit: int, in_json: bool
) -> None:
    """API tokens, newest first."""
    mandate = authority.mandate(tenant)
    filters = Filters(
        user_id=None if user is None else users.named(mandate, user).id,
        application_id=None if application is None else applications.named(mandate, application).id,
        everyone=user is None,
        state=state,
    )
    found = everything(lambda window: service.find(mandate, filters, window), limit)
    show_list(found, _out, COLUMNS, in_json=in_json)


@api_tokens.command()
@click.argument("api_token_id", type=Id())
@in_tenant
@as_json
def show(api_token_id: str, tenant: str | None, in_json: bool) -> None:
    """One API token."""
    show_one(_out.dump(service.get(authority.mandate(tenant), api_token_id)), in_json=in_json)


@api_tokens.command()
@click.argument("user")
@click.argument("name")
@click.option("--scope", "scopes", multiple=True, metavar="PERMISSION", help="May be repeated; the user must hold it.")
@click.option("--days", type=click.IntRange(1, 3653), help="How long it lives; API_TOKEN_LIFETIME without it.")
@click.option("--allow-in-query", is_flag=True, help="Take it as ?token= too.")
@click.option("--allowed-ip", "allowed_ips", multiple=True, metavar="NETWORK", help="May be repeated.")
@click.option("--application", metavar="APPLICATION", help="It ends with this application: slug or id.")
@in_tenant
@as_json
def create(
    user: str,
    name: str,
    scopes: tuple[str, ...],
    days: int | None,
    allow_in_query: bool,
    allowed_ips: tuple[str, ...],
    application: str | None,
    tenant: str | None,
    in_json: bool,
) -> None:
    """Make an API token of a user's; it is printed once."""
    mandate = authority.mandate(tenant)
    given: dict[str, Any] = {
        "name": name,
        "scopes": scopes,
        "allow_in_query": allow_in_query,
        "allowed_ips": allowed_ips,
        "application_id": application,
    }
    if days is not None:
        given["expires_in"] = int(days * DAY.total_seconds())
    _show(service.create(mandate, users.named(mandate, user).id, given), in_json=in_json)


@api_tokens.command()
@click.argument("api_token_id", type=Id())
@in_tenant
@overlapping(service.OVERLAP)
@as_json
def rotate(api_token_id: str, tenant: str | None, overlap: int, in_json: bool) -> None:
    """Make its successor, which is printed once."""
    _show(service.rotate(authority.mandate(tenant), api_token_id, timedelta(seconds=overlap)), in_json=in_json)


@api_tokens.command()
@click.argument("api_token_id", type=Id())
@in_tenant
@after_asking
@as_json
def revoke(api_token_id: str, tenant: str | None, yes: bool, in_json: bool) -> None:
    """End an API token."""
    mandate = authority.mandate(tenant)
    found = service.get(mandate, api_token_id)
    ask_before(f"End the API token {found.name} ({found.hint})?", yes=yes)
    revoked = service.revoke(mandate, api_token_id)
    show_done(f"API tokens ended: {revoked}.", {"id": api_token_id, "revoked": revoked}, in_json=in_json)


def _show(made: Made, *, in_json: bool) -> None:
    shown = _out.dump(made.api_token)
    show_one({"apiToken": shown, "token": made.text} if in_json else shown | {"token": made.text}, in_json=in_json)
