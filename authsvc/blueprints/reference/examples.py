"""What the description shows as examples: bodies that tests send as they stand here, and answers in their likeness."""

from collections.abc import Mapping
from typing import Any

USER = "01a1fe0b-6f40-71b5-86db-16a4c99c6652"
APPLICATION = "01a1fe0b-6eeb-7a01-8c3f-3d1f9e4a7b10"
SIGN_IN = "01a1fe0b-6f41-7782-bbab-7b558b3d7be2"
KEY = "01a1fe0b-6eeb-71b7-9099-7dbbb6146508.LLLT1VMu3ai_4XXZ"
JWT = "eyJ…"
MOMENT = "2026-11-21T12:18:44.661Z"
LATER = "2026-12-21T12:18:44.661Z"

# By the name of the schema.
BODIES: dict[str, dict[str, Any]] = {
    "RegisterIn": {"email": "me@example.com", "password": "a quiet harbour at dawn", "username": "me", "name": "Me"},
    "LoginIn": {"identifier": "me@example.com", "password": "a quiet harbour at dawn", "deviceName": "laptop"},
    "MeIn": {"name": "Me, renamed"},
    "PasswordIn": {"currentPassword": "a quiet harbour at dawn", "newPassword": "a loud harbour at dusk"},
    "LogoutIn": {"everywhere": False},
    "SelectorsInPost": {"refreshToken": JWT},
    "OfApplicationIn": {"applicationId": APPLICATION},
    "SelectorsInBody": {"userId": USER, "preview": True},
    "ApiTokenIn": {"name": "nightly export", "scopes": [], "expiresIn": 2592000, "allowedIps": ["192.0.2.0/24"]},
    "ApiTokenChange": {"name": "weekly export"},
    "RotationIn": {"overlap": 3600},
    "UserIn": {"email": "desk@example.com", "password": "a lamp in the window", "roles": ["member"]},
    "UserChangesIn": {"name": "Front desk", "active": True},
    "RoleIn": {"name": "waiter", "permissions": ["restaurants:read"]},
    "RoleChangesIn": {"permissions": ["restaurants:read", "restaurants:write"]},
    "ApplicationIn": {"name": "Reports", "slug": "reports", "transport": "body", "accessLifetime": 300},
    "ApplicationChange": {"corsOrigins": ["https://app.example.org"], "accessLifetime": None},
    "SecretIn": {"overlap": 3600},
    "TenantIn": {"name": "Harbour Hotel", "slug": "harbour"},
    "TenantChange": {"name": "The Harbour Hotel"},
    "NothingIn": {},
    "TokenForm": {"grant_type": "client_credentials", "scope": "restaurants:read"},
    "OneTokenForm": {"token": JWT},
}

# By the name of the member; what is not here is made up by its type.
VALUES: dict[str, Any] = {
    "id": USER,
    "userId": USER,
    "actorId": USER,
    "subjectId": USER,
    "applicationId": APPLICATION,
    "tenantId": "01a1fe0b-6eea-7c33-a5d8-0e5b1f6c2d90",
    "refreshTokenId": SIGN_IN,
    "apiTokenId": None,
    "successorId": None,
    "requestId": "01a1fe0b-6f72-717b-b50f-61ee824cbe92",
    "email": "me@example.com",
    "username": "me",
    "name": "Me",
    "slug": "reports",
    "roles": ["member"],
    "permissions": ["api-tokens:write", "auth:refresh"],
    "scopes": ["restaurants:read"],
    "scope": "restaurants:read",
    "via": "access_token",
    "active": True,
    "confirmed": False,
    "accessToken": JWT,
    "refreshToken": JWT,
    "access_token": JWT,
    "refresh_token": JWT,
    "token": "asvc_…",
    "hint": "asvc_Yk3f…",
    "tokenType": "Bearer",
    "token_type": "Bearer",
    "expiresIn": 900,
    "expires_in": 900,
    "refreshExpiresIn": 604800,
    "createdAt": MOMENT,
    "lastUsedAt": MOMENT,
    "at": MOMENT,
    "activatedAt": MOMENT,
    "expiresAt": LATER,
    "idleExpiresAt": LATER,
    "ip": "192.0.2.7",
    "lastUsedIp": "192.0.2.7",
    "allowedIps": ["192.0.2.0/24"],
    "userAgent": "curl/8.0",
    "deviceName": "laptop",
    "generation": 1,
    "current": True,
    "ids": [SIGN_IN],
    "revoked": 1,
    "holders": 0,
    "preview": False,
    "kid": KEY,
    "algorithm": "ES256",
    "state": "active",
    "publicJwk": {"kty": "EC", "crv": "P-256", "kid": KEY, "alg": "ES256", "use": "sig"},
    "keys": [{"kty": "EC", "crv": "P-256", "kid": KEY, "alg": "ES256", "use": "sig"}],
    "kind": "user.signed_in",
    "outcome": "success",
    "transport": "body",
    "corsOrigins": [],
    "rotate": True,
    "builtIn": False,
    "status": "ok",
    "message": "Done.",
    "nextCursor": None,
}
# Of several members that never come together, the one that the other transport has, and what is there once only.
UNUSUAL = frozenset({"csrfToken", "clientSecret", "preview"})
BY_TYPE: dict[str, Any] = {"string": "…", "integer": 1, "boolean": False, "object": {}, "array": [], "null": None}


def of(schema: Mapping[str, Any], components: Mapping[str, Any], name: str = "") -> Any:
    """A value that the schema takes; of several shapes, the first."""
    if "$ref" in schema:
        return of(components[schema["$ref"].rsplit("/", 1)[-1]], components, name)
    if "anyOf" in schema:
        return of(schema["anyOf"][0], components, name)
    if "properties" in schema:
        usual = {member: under for member, under in schema["properties"].items() if member not in UNUSUAL}
        return {member: of(under, components, member) for member, under in usual.items()}
    if schema.get("type") == "array" and name not in VALUES:
        return [of(schema["items"], components)]
    kinds = schema.get("type", "object")
    made_up = None if "null" in kinds else BY_TYPE[kinds]
    return schema.get("const", VALUES.get(name, made_up))
