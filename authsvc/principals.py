"""Who a request is: what the guard hands to a view, wherever the credential was judged."""

from dataclasses import dataclass

from authsvc.errors import PermissionDenied
from authsvc.permissions import allows

# How somebody proved who they are.
ACCESS_TOKEN, API_TOKEN, CLIENT, CONSOLE = "access_token", "api_token", "client_credentials", "console"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who this request is: user, tenant, how they proved it, what they may do.

    `user_id` is None where an application acts for itself. One of the last two says which credential it was. Elsewhere,
    a verifier does not know the tenant's slug, nor always the id of an API token.
    """

    user_id: str | None
    tenant_id: str
    tenant_slug: str | None
    application_id: str | None
    via: str
    permissions: frozenset[str]
    roles: frozenset[str]
    refresh_token_id: str | None = None
    api_token_id: str | None = None

    @property
    def actor_id(self) -> str | None:
        """Who did it, as events have it: the user, or the application that acts for itself."""
        return self.user_id or self.application_id

    def may(self, permission: str) -> bool:
        return allows(self.permissions, permission)

    def require(self, permission: str) -> None:
        """Raises PermissionDenied."""
        if not self.may(permission):
            raise PermissionDenied(permission)
