"""What must be done before the first request, and after every upgrade."""

import click
from flask.cli import with_appcontext
from flask_migrate import upgrade

from authsvc import clock
from authsvc.services import installation
from authsvc.settings import settings


@click.command()
@with_appcontext
def prepare() -> None:
    """Bring the tables up to date; make signing keys and a first administrator where there are none."""
    upgrade()
    first = installation.complete(clock.utcnow())
    if first is None:
        return
    if first.password is None:
        click.echo(f"First administrator: {first.email} (with the ADMIN_PASSWORD you gave)")
    else:
        click.echo(f"First administrator: {first.email} password: {first.password} (shown this once)")
    click.echo(
        f"Sign in: curl -s {settings.BASE_URL}/auth/login -H 'Content-Type: application/json' "
        f'-d \'{{"email": "{first.email}", "password": "…"}}\''
    )
