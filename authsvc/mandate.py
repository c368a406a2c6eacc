"""With what authority something is done to others: handed down from a request or a command to the services."""

from dataclasses import dataclass
from datetime import datetime

from authsvc.caller import Caller
from authsvc.errors import PermissionDenied
from authsvc.permissions import allows


@dataclass(frozen=True, slots=True)
class Mandate:
    """Who acts (nobody in particular, at the command line), in which tenant, what they may do, from where and when."""

    tenant_id: str
    user_id: str | None
    permissions: frozenset[str]
    caller: Caller
    now: datetime

    def may(self, permission: str) -> bool:
        return allows(self.permissions, permission)

    def require(self, permission: str) -> None:
        """Raises PermissionDenied."""
        if not self.may(permission):
            raise PermissionDenied(permission)
