"""Applications: which one a sign-in is for, and what it decides."""

from sqlalchemy import select

from authsvc.errors import ValidationFailed
from authsvc.models import AllowedOrigin, Application, RefreshToken, Tenant, application
from authsvc.models.engine import reading, single_statements
from authsvc.models.tenant import DEFAULT


def chosen(tenant: Tenant, name: str | None) -> Application:
    """The tenant's application of that id or slug, its default one if none is named. Raises ValidationFailed."""
    with reading() as session:
        found = session.scalars(application.named(tenant.id, name or DEFAULT)).one_or_none()
    if found is None or not found.active:
        raise ValidationFailed(fields={"applicationId": ["There is no such application."]})
    return found


def allows_origin(origin: str, application_id: str | None = None, refresh_token_id: str | None = None) -> bool:
    """Whether pages of that origin may use this application, or the one of this sign-in; if neither is named, any."""
    which = application.allowing(origin)
    if application_id is not None:
        which = which.where(AllowedOrigin.application_id == application_id)
    if refresh_token_id is not None:
        which = which.join(RefreshToken, RefreshToken.application_id == AllowedOrigin.application_id)
        which = which.where(RefreshToken.id == refresh_token_id)
    with single_statements() as connection:
        return bool(connection.scalar(select(which.exists())))
