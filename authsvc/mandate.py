"""With what authority something is done to others: handed down from a request or a command to the services."""

from dataclasses import dataclass
from datetime import datetime

from authsvc.caller import Caller
from authsvc.errors import PermissionDenied
from authsvc.permissions import allows


@dataclass(frozen=True, slots=True)
class Mandate:
    """Who acts (nobody in particular, at the command line), in which tenant, what they may do, from where and when.

    `signed_in`: it is the user in person, who may do more to what is their own than any API token of theirs.
    """

    tenant_id: str
    actor_id: str | None
    permissions: frozenset[str]
    caller: Caller
    now: datetime
    signed_in: bool = False
    api_token_id: str | None = None

    def owns(self, user_id: str) -> bool:
        """Whether it is about what is the actor's own, by a sign-in of the actor's."""
        return self.signed_in and user_id == self.actor_id

    def may(self, permission: str) -> bool:
        return allows(self.permissions, permission)

    def require(self, permission: str) -> None:
        """Raises PermissionDenied."""
        if not self.may(permission):
            raise PermissionDenied(permission)
