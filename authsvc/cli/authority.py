"""With what authority a command acts: whoever can run it has the database, so all of it."""

from authsvc import clock, permissions
from authsvc.caller import Caller
from authsvc.errors import NotFound, UnknownTenant
from authsvc.mandate import Mandate
from authsvc.services import tenants


def mandate(tenant: str | None = None) -> Mandate:
    """For what is done in that tenant, `default` if none is named, by nobody in particular. Raises NotFound."""
    try:
        tenant_id = tenants.selected(tenant).id
    except UnknownTenant:
        raise NotFound(f"There is no tenant {tenant}.") from None
    return Mandate(tenant_id, None, permissions.EVERYTHING, Caller(user_agent="command line"), clock.utcnow())
