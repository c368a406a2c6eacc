"""Commands: `flask --app wsgi …`. They are loaded when somebody asks for one: whoever serves requests never does."""

import click
from flask import Flask
from flask.cli import AppGroup


class Commands(AppGroup):
    """All of them, and what extensions add."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        self._load()
        return super().list_commands(ctx)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        self._load()
        return super().get_command(ctx, cmd_name)

    def _load(self) -> None:
        for command in every():
            self.add_command(command)


def every() -> tuple[click.Command, ...]:
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

    return prepare, doctor, users, roles, applications, tenants, tokens, api_tokens, keys, events, import_users


def install(app: Flask) -> None:
    app.cli = Commands(app.name, commands=app.cli.commands)


def embedded(service: Flask) -> click.Group:
    """All commands as one group, for the app that the service lives in."""
    from flask_migrate.cli import db as db_commands

    @click.group("authsvc", help="The token service: prepare, users, tokens, keys and the rest.")
    @click.pass_context
    def group(context: click.Context) -> None:
        context.with_resource(service.app_context())

    for command in (*every(), db_commands):
        group.add_command(command)
    return group
