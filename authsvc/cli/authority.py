"""With what authority a command acts: whoever can run it has the database, so all of it."""

from collections.abc import Iterator
from contextlib import contextmanager

import click

from authsvc import clock, permissions
from authsvc.caller import Caller
from authsvc.errors import Refusal
from authsvc.mandate import Mandate
from authsvc.services import tenants


def mandate(tenant: str | None = None) -> Mandate:
    """For what is done in that tenant, `default` if none is named; nobody in particular does it."""
    with refusals_in_a_line():
        tenant_id = tenants.selected(tenant).id
    return Mandate(
        tenant_id=tenant_id,
        user_id=None,
        permissions=permissions.EVERYTHING,
        caller=Caller(),
        now=clock.utcnow(),
    )


@contextmanager
def refusals_in_a_line() -> Iterator[None]:
    """A service's no ends the command with its sentence, not with a trace."""
    try:
        yield
    except Refusal as refusal:
        raise click.ClickException(refusal.text) from None
