"""What is wrong with this installation, and what to change. It works where the service itself does not start."""

from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext

from authsvc import clock
from authsvc.cli.commands import Away, Command, Refused, as_json
from authsvc.cli.sheets import show_findings
from authsvc.errors import Unavailable
from authsvc.extensions import db
from authsvc.models import engine
from authsvc.services import doctor as service
from authsvc.services.doctor.database import ANSWERS
from authsvc.services.signing_keys import Ring
from authsvc.settings import is_database, is_in_memory, is_url

if TYPE_CHECKING:
    from config import Base

NAME = "doctor"


class Address(click.ParamType[str]):
    """Where a service is."""

    name = "url"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        parts = urlsplit(value) if is_url(value) else None
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            self.fail("An address is such as https://auth.example.org, without a name or a password in it.", param, ctx)
        return str(value).rstrip("/")


@click.command(NAME, cls=Command)
@with_appcontext
@click.option("--url", type=Address(), help="Ask the running service at this address too, such as its BASE_URL.")
@as_json
@click.pass_context
def doctor(context: click.Context, url: str | None, in_json: bool) -> None:
    """Look at settings, database, keys, cookies, proxies and files, and say what to change. Changes nothing.

    Exit codes: 0 nothing is broken, 1 something is, 3 the database does not answer.
    """
    findings = list(service.examine(clock.utcnow(), url))
    show_findings(findings, in_json=in_json)
    wrong = {finding.check for finding in findings if finding.is_broken}
    if wrong:
        context.exit(Away.exit_code if ANSWERS in wrong else Refused.exit_code)


def is_asked_for(arguments: list[str]) -> bool:
    """Whether a command line is for this one command."""
    return arguments.count(NAME) == 1


def alone(config: "Base | None", refused: Exception) -> Flask:
    """An app that serves nobody and has this one command: for settings with which the service does not start."""
    app = Flask("authsvc", static_folder=None)
    app.extensions[service.REFUSED] = str(refused) or type(refused).__name__
    app.before_request(_refuse)
    app.cli = _Alone(refused)
    if config is None:
        return app
    app.extensions.update({"authsvc": config, "authsvc.ring": Ring()})
    if is_database(config.DATABASE_URL) and not is_in_memory(config.DATABASE_URL):
        app.config.update(SQLALCHEMY_DATABASE_URI=config.DATABASE_URL, SQLALCHEMY_ENGINE_OPTIONS=engine.options(config))
        db.init_app(app)
        with app.app_context():
            engine.instrument(db.engine)
    return app


class _Alone(AppGroup):
    """Whoever asks for another command is told why there is none."""

    def __init__(self, refused: Exception) -> None:
        super().__init__(commands=[doctor])
        self.refused = str(refused) or type(refused).__name__

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command:
        if cmd_name != NAME:
            raise Refused(self.refused)
        return doctor


def _refuse() -> None:
    raise Unavailable
