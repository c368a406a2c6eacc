"""Commands: `flask --app wsgi …`."""

import click
from flask import Flask
from flask_migrate.cli import db as db_commands

from authsvc.cli.api_tokens import api_tokens
from authsvc.cli.applications import applications
from authsvc.cli.doctor import doctor
from authsvc.cli.events import events
from authsvc.cli.importing import import_users
from authsvc.cli.keys import keys
from authsvc.cli.prepare import prepare
from authsvc.cli.roles import roles
from authsvc.cli.tenants import tenants
from authsvc.cli.tokens import tokens
from authsvc.cli.users import users

COMMANDS: tuple[click.Command, ...] = (
    prepare,
    doctor,
    users,
    roles,
    applications,
    tenants,
    tokens,
    api_tokens,
    keys,
    events,
    import_users,
)


def install(app: Flask) -> None:
    for command in COMMANDS:
        app.cli.add_command(command)


def embedded(service: Flask) -> click.Group:
    """All commands as one group, for the app that the service lives in."""

    @click.group("authsvc", help="The token service: prepare, users, tokens, keys and the rest.")
    @click.pass_context
    def group(context: click.Context) -> None:
        context.with_resource(service.app_context())

    for command in (*COMMANDS, db_commands):
        group.add_command(command)
    return group
