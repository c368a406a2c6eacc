"""What all groups of commands share: their options, and how they say no.

Exit codes: 0 done, 1 refused, 2 wrongly called, 3 the database or another part is away (nothing was changed).
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any, TypeVar

import click
from flask.cli import AppGroup

from authsvc.blueprints.bodies import Overlap
from authsvc.errors import Refusal, Unavailable
from authsvc.models.engine import FAILURES
from authsvc.opaque import is_id

F = TypeVar("F", bound=Callable[..., Any])


class Refused(click.ClickException):
    exit_code = 1


class Away(click.ClickException):
    exit_code = 3


class _SayingNo(click.Command):
    """Ends with a sentence and an exit code, not with a traceback."""

    def invoke(self, ctx: click.Context) -> Any:
        try:
            return super().invoke(ctx)
        except Unavailable as refusal:
            raise Away(refusal.text) from None
        except Refusal as refusal:
            raise Refused(refusal.text) from None
        except FAILURES as failure:
            what = type(getattr(failure, "orig", None) or failure).__name__
            raise Away(f"The database did not answer ({what}); nothing was changed.") from None


class Commands(_SayingNo, AppGroup):
    """A group of commands."""


class Command(_SayingNo):
    """A command that stands for itself."""


class Id(click.ParamType[str]):
    """An id, as lists show it."""

    name = "id"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        text = str(value).lower()
        return text if is_id(text) else self.fail(f"{value} is no id: a UUID with its dashes.", param, ctx)


def in_tenant(command: F) -> F:
    """Which tenant is meant."""
    return click.option("--tenant", metavar="ID|SLUG", help="The tenant; `default` without it.")(command)


def as_json(command: F) -> F:
    """For programs."""
    return click.option("--json", "in_json", is_flag=True, help="Answer in JSON, as the HTTP API does.")(command)


def after_asking(command: F) -> F:
    """For what can't be undone."""
    return click.option("--yes", is_flag=True, help="Don't ask.")(command)


def limited(command: F) -> F:
    """How much of a list."""
    return click.option("--limit", default=50, type=click.IntRange(0), help="How many at most; 0: all of them.")(
        command
    )


def overlapping(usual: timedelta) -> Callable[[F], F]:
    """How long what is replaced stays good."""
    return click.option(
        "--overlap",
        type=click.IntRange(0, int(Overlap.LONGEST.total_seconds())),
        metavar="SECONDS",
        default=int(usual.total_seconds()),
        show_default=True,
        help="How long what it replaces stays good.",
    )


def ask_before(question: str, *, yes: bool) -> None:
    if not yes:
        click.confirm(question, abort=True, err=True)
