"""Roles, from the command line."""

import click

from authsvc.blueprints.admin.roles import RoleOut
from authsvc.cli import authority
from authsvc.cli.commands import Commands, after_asking, as_json, ask_before, in_tenant, limited
from authsvc.cli.sheets import everything, show_done, show_list, show_one
from authsvc.services import roles as service

roles = Commands("roles", help="Roles and what they allow: list, show, create, update, delete.")

COLUMNS = ("id", "name", "builtIn", "permissions")
_out = RoleOut()


@roles.command("list")
@in_tenant
@limited
@as_json
def list_roles(tenant: str | None, limit: int, in_json: bool) -> None:
    """The roles of a tenant."""
    mandate = authority.mandate(tenant)
    found = everything(lambda window: service.find(mandate, None, window), limit)
    show_list(found, _out, COLUMNS, in_json=in_json)


@roles.command()
@click.argument("role")
@in_tenant
@as_json
def show(role: str, tenant: str | None, in_json: bool) -> None:
    """One role, by name or id."""
    show_one(_out.dump(service.named(authority.mandate(tenant), role)), in_json=in_json)


@roles.command()
@click.argument("name")
@click.argument("permissions", nargs=-1)
@in_tenant
@as_json
def create(name: str, permissions: tuple[str, ...], tenant: str | None, in_json: bool) -> None:
    """Make a role with these permissions, such as restaurants:read."""
    show_one(_out.dump(service.create(authority.mandate(tenant), name=name, permissions=permissions)), in_json=in_json)


@roles.command()
@click.argument("role")
@in_tenant
@click.option("--add", multiple=True, metavar="PERMISSION", help="May be repeated.")
@click.option("--remove", multiple=True, metavar="PERMISSION", help="May be repeated.")
@click.option("--rename", metavar="NAME")
@as_json
def update(
    role: str, tenant: str | None, add: tuple[str, ...], remove: tuple[str, ...], rename: str | None, in_json: bool
) -> None:
    """Change what a role allows, for all who have it."""
    mandate = authority.mandate(tenant)
    found = service.named(mandate, role)
    missing = set(remove) - found.permissions
    if missing:
        raise click.UsageError(f"{found.name} does not hold {' '.join(sorted(missing))}.")
    changes: dict[str, object] = {"permissions": sorted((found.permissions | set(add)) - set(remove))}
    if rename is not None:
        changes["name"] = rename
    show_one(_out.dump(service.update(mandate, found.id, changes)), in_json=in_json)


@roles.command()
@click.argument("role")
@in_tenant
@after_asking
@as_json
def delete(role: str, tenant: str | None, yes: bool, in_json: bool) -> None:
    """Delete a role and take it from all who have it."""
    mandate = authority.mandate(tenant)
    found = service.named(mandate, role)
    ask_before(f"Delete {found.name} and take it from all who have it?", yes=yes)
    holders = service.delete(mandate, found.id)
    show_done(
        f"{found.name} was deleted and taken from those who had it: {holders}.",
        {"id": found.id, "holders": holders},
        in_json=in_json,
    )
