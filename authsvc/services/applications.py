"""Applications: which one a sign-in is for, and what it decides."""

from sqlalchemy import select

from authsvc.errors import ValidationFailed
from authsvc.models import Application, RefreshToken, Tenant, application
from authsvc.models.engine import reading, single_statements
from authsvc.models.tenant import DEFAULT


def chosen(tenant: Tenant, name: str | None) -> Application:
    """The tenant's application of that id or slug, its default one if none is named. Raises ValidationFailed."""
    with reading(within=tenant.id) as session:
        found = session.scalars(application.named(name or DEFAULT)).one_or_none()
    if found is None or not found.active:
        raise ValidationFailed(fields={"applicationId": ["There is no such application."]})
    return found


def listing(origin: str) -> frozenset[str]:
    """The applications whose pages may come from that origin."""
    with single_statements() as connection:
        return frozenset(connection.scalars(application.allowing(origin)))


def of_sign_in(refresh_token_id: str) -> str | None:
    """The application that a sign-in is for."""
    with single_statements() as connection:
        return connection.scalar(select(RefreshToken.application_id).where(RefreshToken.id == refresh_token_id))
