"""Applications, from the command line."""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import click

from authsvc.blueprints.admin.applications import shown
from authsvc.cli import authority
from authsvc.cli.commands import Commands, after_asking, as_json, ask_before, in_tenant, limited, overlapping
from authsvc.cli.sheets import everything, show_done, show_items, show_one
from authsvc.services import applications as service

F = TypeVar("F", bound=Callable[..., Any])

applications = Commands(
    "applications", help="Applications: list, show, create, update, disable, enable, secret, delete."
)

COLUMNS = ("id", "slug", "name", "active", "transport", "rotate", "maxRefreshTokens", "corsOrigins", "confidential")
# What an option is given to leave a thing to the settings again.
UNSET = "default"
OPTIONS = (
    click.option("--slug"),
    click.option("--transport", type=click.Choice(["body", "cookie", UNSET])),
    click.option("--access-lifetime", metavar="SECONDS"),
    click.option("--refresh-idle-lifetime", metavar="SECONDS"),
    click.option("--refresh-lifetime", metavar="SECONDS"),
    click.option("--rotate/--no-rotate", default=None, help="Whether each refresh gives a new refresh token."),
    click.option("--max-refresh-tokens", metavar="NUMBER", help="Live sign-ins of one user; the oldest goes."),
    click.option("--cors-origin", "cors_origins", multiple=True, metavar="ORIGIN", help="May be repeated."),
    click.option("--cookie-same-site", type=click.Choice(["Strict", "Lax", "None", UNSET])),
    click.option("--confidential/--public", default=None, help="Whether it has a secret to prove itself with."),
    click.option("--scope", "scopes", multiple=True, metavar="PERMISSION", help="What it may do for itself."),
)
MOST = 2**31 - 1
NUMBERS = frozenset({"access_lifetime", "refresh_idle_lifetime", "refresh_lifetime", "max_refresh_tokens"})


def decided(command: F) -> F:
    """What an application may decide; a lifetime, a limit or a choice that is `default` is left to the settings."""
    for option in reversed(OPTIONS):
        command = option(command)
    return command


@applications.command("list")
@in_tenant
@limited
@as_json
def list_applications(tenant: str | None, limit: int, in_json: bool) -> None:
    """The applications of a tenant."""
    mandate = authority.mandate(tenant)
    found = everything(lambda window: service.find(mandate, window), limit)
    show_items([shown(one) for one in found], COLUMNS, in_json=in_json)


@applications.command()
@click.argument("application")
@in_tenant
@as_json
def show(application: str, tenant: str | None, in_json: bool) -> None:
    """One application, by slug or id."""
    mandate = authority.mandate(tenant)
    show_one(shown(service.get(mandate, service.named(mandate, application).id)), in_json=in_json)


@applications.command()
@click.argument("name")
@decided
@in_tenant
@as_json
def create(name: str, tenant: str | None, in_json: bool, **given: Any) -> None:
    """Make an application. The secret of a confidential one is printed once."""
    made = service.create(authority.mandate(tenant), {"name": name} | _decisions(given))
    show_one(shown(made), in_json=in_json)


@applications.command()
@click.argument("application")
@click.option("--name")
@click.option("--no-cors-origins", is_flag=True, help="Take all web origins away.")
@click.option("--no-scopes", is_flag=True, help="Let it do nothing for itself.")
@decided
@in_tenant
@as_json
def update(
    application: str,
    name: str | None,
    no_cors_origins: bool,
    no_scopes: bool,
    tenant: str | None,
    in_json: bool,
    **given: Any,
) -> None:
    """Change what an application decides; `default` leaves a thing to the settings."""
    changes = _decisions(given) | ({} if name is None else {"name": name})
    emptied = {"cors_origins": no_cors_origins, "scopes": no_scopes}
    _change(application, tenant, changes | {field: [] for field, is_so in emptied.items() if is_so}, in_json=in_json)


@applications.command()
@click.argument("application")
@in_tenant
@as_json
def disable(application: str, tenant: str | None, in_json: bool) -> None:
    """Let nobody sign in to it; every sign-in to it ends."""
    _change(application, tenant, {"active": False}, in_json=in_json)


@applications.command()
@click.argument("application")
@in_tenant
@as_json
def enable(application: str, tenant: str | None, in_json: bool) -> None:
    """Let people sign in to it again; no old sign-in comes back."""
    _change(application, tenant, {"active": True}, in_json=in_json)


@applications.command()
@click.argument("application")
@in_tenant
@overlapping(service.OVERLAP)
@as_json
def secret(application: str, tenant: str | None, overlap: int, in_json: bool) -> None:
    """Make a confidential application's next secret; it is printed once."""
    mandate = authority.mandate(tenant)
    found = service.named(mandate, application)
    show_one(shown(service.make_secret(mandate, found.id, timedelta(seconds=overlap))), in_json=in_json)


@applications.command()
@click.argument("application")
@in_tenant
@after_asking
@as_json
def delete(application: str, tenant: str | None, yes: bool, in_json: bool) -> None:
    """Delete an application; every sign-in to it ends."""
    mandate = authority.mandate(tenant)
    found = service.named(mandate, application)
    ask_before(f"Delete {found.slug} for good?", yes=yes)
    revoked = service.delete(mandate, found.id)
    show_done(
        f"{found.slug} was deleted; sign-ins ended: {revoked}.",
        {"id": found.id, "revoked": revoked},
        in_json=in_json,
    )


def _change(application: str, tenant: str | None, changes: dict[str, Any], *, in_json: bool) -> None:
    mandate = authority.mandate(tenant)
    show_one(shown(service.update(mandate, service.named(mandate, application).id, changes)), in_json=in_json)


def _decisions(given: dict[str, Any]) -> dict[str, Any]:
    """Those options that were given, as the service takes them."""
    return {name: _value(name, value) for name, value in given.items() if value not in (None, ())}


def _value(name: str, value: Any) -> Any:
    if value == UNSET:
        return None
    if name in NUMBERS:
        if not value.isdecimal() or not 1 <= int(value) <= MOST:
            raise click.UsageError(f"--{name.replace('_', '-')} is a whole number from 1 to {MOST}, or {UNSET}.")
        return int(value)
    return list(value) if name in ("cors_origins", "scopes") else value
