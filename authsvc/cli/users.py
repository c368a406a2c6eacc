"""Users, from the command line."""

import sys
from typing import Any

import click

from authsvc import opaque
from authsvc.blueprints.auth import UserOut, user_out
from authsvc.cli import authority
from authsvc.cli.commands import Commands, after_asking, as_json, ask_before, in_tenant, limited
from authsvc.cli.sheets import everything, show_done, show_list, show_one
from authsvc.services import accounts
from authsvc.services import users as service
from authsvc.services.users import Filters

users = Commands("users", help="Users: list, show, create, update, disable, enable, password, delete.")

COLUMNS = ("id", "email", "username", "name", "roles", "active", "createdAt")
from_stdin = click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")


@users.command("list")
@in_tenant
@click.option("--role", metavar="NAME", help="Who has this role.")
@click.option("--active/--disabled", default=None, help="Who may, or may not, sign in.")
@click.option("--search", metavar="TEXT", help="With this in the e-mail address, user name or name.")
@limited
@as_json
def list_users(
    tenant: str | None, role: str | None, active: bool | None, search: str | None, limit: int, in_json: bool
) -> None:
    """Users, newest first."""
    mandate, filters = authority.mandate(tenant), Filters(role=role, active=active, search=search)
    found = everything(lambda window: service.find(mandate, filters, window), limit)
    show_list(found, UserOut(), COLUMNS, in_json=in_json)


@users.command()
@click.argument("user")
@in_tenant
@as_json
def show(user: str, tenant: str | None, in_json: bool) -> None:
    """One user: by e-mail address, user name or id."""
    show_one(user_out(service.named(authority.mandate(tenant), user)), in_json=in_json)


@users.command()
@click.argument("email")
@in_tenant
@click.option("--username")
@click.option("--name")
@click.option("--role", "roles", multiple=True, metavar="NAME", help="May be repeated; `member` without it.")
@from_stdin
@as_json
def create(
    email: str,
    tenant: str | None,
    username: str | None,
    name: str | None,
    roles: tuple[str, ...],
    password_stdin: bool,
    in_json: bool,
) -> None:
    """Make a user. The password is made up and printed once, unless it is given on standard input."""
    password, shown = _password(password_stdin)
    made = service.create(
        authority.mandate(tenant),
        email=email,
        password=password,
        username=username,
        name=name,
        role_names=roles or accounts.EVERYONE,
    )
    show_one(user_out(made) | shown, in_json=in_json)


@users.command()
@click.argument("user")
@in_tenant
@click.option("--username")
@click.option("--name")
@click.option("--role", "roles", multiple=True, metavar="NAME", help="The roles from now on. May be repeated.")
@click.option("--no-roles", is_flag=True, help="No role at all.")
@click.option("--confirmed/--unconfirmed", default=None)
@as_json
def update(
    user: str,
    tenant: str | None,
    username: str | None,
    name: str | None,
    roles: tuple[str, ...],
    no_roles: bool,
    confirmed: bool | None,
    in_json: bool,
) -> None:
    """Change names or roles."""
    if roles and no_roles:
        raise click.UsageError("--role and --no-roles say different things.")
    given = {"username": username, "name": name, "roles": list(roles) or None, "confirmed": confirmed}
    changes = {field: value for field, value in given.items() if value is not None}
    _change(user, tenant, changes | ({"roles": []} if no_roles else {}), in_json=in_json)


@users.command()
@click.argument("user")
@in_tenant
@as_json
def disable(user: str, tenant: str | None, in_json: bool) -> None:
    """Let somebody sign in no more; every sign-in of theirs ends."""
    _change(user, tenant, {"active": False}, in_json=in_json)


@users.command()
@click.argument("user")
@in_tenant
@as_json
def enable(user: str, tenant: str | None, in_json: bool) -> None:
    """Let somebody sign in again; no old sign-in comes back."""
    _change(user, tenant, {"active": True}, in_json=in_json)


@users.command()
@click.argument("user")
@in_tenant
@from_stdin
@as_json
def password(user: str, tenant: str | None, password_stdin: bool, in_json: bool) -> None:
    """Give a new password; every sign-in of the user ends."""
    mandate = authority.mandate(tenant)
    text, shown = _password(password_stdin)
    found = service.named(mandate, user)
    revoked = service.set_password(mandate, found.id, text)
    sentence = f"{found.email} has a new password; sign-ins ended: {revoked}."
    show_done(
        " ".join([sentence, *(f"It is shown this once: {one}" for one in shown.values())]),
        {"id": found.id, "revoked": revoked} | shown,
        in_json=in_json,
    )


@users.command()
@click.argument("user")
@in_tenant
@after_asking
@as_json
def delete(user: str, tenant: str | None, yes: bool, in_json: bool) -> None:
    """Delete a user, with all that is the user's."""
    mandate = authority.mandate(tenant)
    found = service.named(mandate, user)
    ask_before(f"Delete {found.email} for good?", yes=yes)
    revoked = service.delete(mandate, found.id)
    show_done(
        f"{found.email} was deleted; sign-ins ended: {revoked}.",
        {"id": found.id, "revoked": revoked},
        in_json=in_json,
    )


def _change(user: str, tenant: str | None, changes: dict[str, Any], *, in_json: bool) -> None:
    mandate = authority.mandate(tenant)
    changed = service.update(mandate, service.named(mandate, user).id, changes)
    show_one(user_out(changed), in_json=in_json)


def _password(from_standard_input: bool) -> tuple[str, dict[str, str]]:
    """The password, and what is shown of it: one that was given is never shown, and none stands in a command line."""
    if from_standard_input:
        return sys.stdin.readline().rstrip("\r\n"), {}
    made = opaque.new_password()
    return made, {"password": made}
