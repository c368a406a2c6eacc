"""Tables and single statements. They do not know what time it is: `now` is an argument."""

from authsvc.models.api_token import ApiToken
from authsvc.models.application import AllowedOrigin, Application, ClientSecret
from authsvc.models.attempt import Attempt
from authsvc.models.event import Event
from authsvc.models.refresh_token import RefreshToken
from authsvc.models.role import Role, UserRole
from authsvc.models.signing_key import SigningKey
from authsvc.models.tenant import Tenant
from authsvc.models.user import User

__all__ = [
    "AllowedOrigin",
    "ApiToken",
    "Application",
    "Attempt",
    "ClientSecret",
    "Event",
    "RefreshToken",
    "Role",
    "SigningKey",
    "Tenant",
    "User",
    "UserRole",
]
