"""The application that sign-ins to the console are for: `console`, one in each tenant, made when somebody first comes.

So they can be told from others, have lifetimes of their own, and are closed to a tenant by turning its application off.
"""

from datetime import datetime

from authsvc import opaque
from authsvc.caller import Caller
from authsvc.errors import AlreadyExists, PermissionDenied
from authsvc.models import Application, Tenant, application
from authsvc.models.engine import reading, transaction
from authsvc.services import events, slugs

SLUG = "console"


def of(tenant: Tenant, caller: Caller, now: datetime) -> Application:
    """Raises PermissionDenied where it is turned off."""
    found = _found(tenant) or _made(tenant, caller, now)
    if not found.active:
        raise PermissionDenied("sign-in", "The console is turned off here.")
    return found


def _found(tenant: Tenant) -> Application | None:
    with reading(within=tenant.id) as session:
        return session.scalars(application.named(SLUG)).one_or_none()


def _made(tenant: Tenant, caller: Caller, now: datetime) -> Application:
    made = Application(
        id=opaque.new_id(),
        tenant_id=tenant.id,
        slug=SLUG,
        name="Console",
        active=True,
        transport="cookie",
        rotate=True,
        confidential=False,
        created_at=now,
    )
    try:
        with transaction(within=tenant.id) as session:
            session.add(made)
            slugs.flush(session)
            events.record(
                session,
                "application.created",
                tenant_id=tenant.id,
                now=now,
                caller=caller,
                application_id=made.id,
                detail={"slug": SLUG, "confidential": False},
            )
    except AlreadyExists:  # somebody else came first at the same moment
        return _found(tenant) or made
    return made
