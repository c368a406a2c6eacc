"""Tenants, from the command line."""

from typing import Any

import click

from authsvc.blueprints.admin.tenants import TenantOut
from authsvc.cli import authority
from authsvc.cli.commands import Commands, after_asking, as_json, ask_before, limited
from authsvc.cli.sheets import everything, show_done, show_list, show_one
from authsvc.services import tenants as service

tenants = Commands("tenants", help="Tenants: list, show, create, update, disable, enable, delete.")

COLUMNS = ("id", "slug", "name", "active", "createdAt")
_out = TenantOut()


@tenants.command("list")
@limited
@as_json
def list_tenants(limit: int, in_json: bool) -> None:
    """All tenants."""
    mandate = authority.mandate()
    show_list(everything(lambda window: service.find(mandate, window), limit), _out, COLUMNS, in_json=in_json)


@tenants.command()
@click.argument("tenant")
@as_json
def show(tenant: str, in_json: bool) -> None:
    """One tenant, by slug or id."""
    mandate = authority.mandate(tenant)
    show_one(_out.dump(service.get(mandate, mandate.tenant_id)), in_json=in_json)


@tenants.command()
@click.argument("name")
@click.argument("slug")
@as_json
def create(name: str, slug: str, in_json: bool) -> None:
    """Make a tenant, with its built-in roles and its default application."""
    show_one(_out.dump(service.create(authority.mandate(), name=name, slug=slug)), in_json=in_json)


@tenants.command()
@click.argument("tenant")
@click.option("--name")
@click.option("--slug")
@as_json
def update(tenant: str, name: str | None, slug: str | None, in_json: bool) -> None:
    """Give a tenant another name or another slug."""
    given = {"name": name, "slug": slug}
    _change(tenant, {field: value for field, value in given.items() if value is not None}, in_json=in_json)


@tenants.command()
@click.argument("tenant")
@after_asking
@as_json
def disable(tenant: str, yes: bool, in_json: bool) -> None:
    """Let nobody of a tenant sign in; every sign-in of it ends."""
    ask_before(f"End every sign-in of {tenant}?", yes=yes)
    _change(tenant, {"active": False}, in_json=in_json)


@tenants.command()
@click.argument("tenant")
@as_json
def enable(tenant: str, in_json: bool) -> None:
    """Let the people of a tenant sign in again; no old sign-in comes back."""
    _change(tenant, {"active": True}, in_json=in_json)


@tenants.command()
@click.argument("tenant")
@after_asking
@as_json
def delete(tenant: str, yes: bool, in_json: bool) -> None:
    """Delete a tenant with its users, applications, sign-ins and events."""
    mandate = authority.mandate(tenant)
    ask_before(f"Delete {tenant} and all that belongs to it, for good?", yes=yes)
    revoked = service.delete(mandate, mandate.tenant_id)
    show_done(
        f"{tenant} was deleted; sign-ins ended: {revoked}.",
        {"id": mandate.tenant_id, "revoked": revoked},
        in_json=in_json,
    )


def _change(tenant: str, changes: dict[str, Any], *, in_json: bool) -> None:
    changed = service.update(authority.mandate(), authority.mandate(tenant).tenant_id, changes)
    show_one(_out.dump(changed), in_json=in_json)
