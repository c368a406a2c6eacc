"""What a principal may do: permissions are `resource:action`; roles are named sets of them."""

import re
from collections.abc import Iterable

PERMISSION = re.compile(r"[a-z][a-z0-9_.-]{0,63}:[a-z][a-z0-9_.-]{0,63}")

MEMBER = frozenset({"auth:refresh", "api-tokens:write"})
TENANT_WIDE = MEMBER | {
    "tokens:read",
    "tokens:revoke",
    "users:read",
    "users:write",
    "roles:write",
    "applications:read",
    "applications:write",
    "api-tokens:admin",
    "events:read",
}
OPERATORS_ALONE = frozenset({"keys:rotate", "tenants:write"})

# In a role: every permission of its tenant, those an API made up included, but never an operator's.
EVERYTHING = "*"

BUILT_IN_ROLES = {
    "member": MEMBER,
    "admin": TENANT_WIDE | {EVERYTHING},
    "operator": OPERATORS_ALONE,
}


def allows(held: Iterable[str], permission: str) -> bool:
    """Whether these permissions include that one."""
    held = frozenset(held)
    return permission in held or (EVERYTHING in held and permission not in OPERATORS_ALONE)


def shared(some: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """What both allow."""
    return frozenset(p for p in some if allows(others, p)) | frozenset(p for p in others if allows(some, p))
