"""What a principal may do: permissions are `resource:action`; roles are named sets of them."""

import re

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

BUILT_IN = TENANT_WIDE | OPERATORS_ALONE

# What no API token may do, whatever its scopes: make or change API tokens, and carry a sign-in on.
NEVER_BY_API_TOKEN = frozenset({"api-tokens:write", "api-tokens:admin", "auth:refresh"})

# In a role: every permission that is not built in, such as an API makes up for itself. Built-in ones are always named,
# so that taking one from a role takes it away.
CUSTOM = "*"

# What the command line may do: whoever can run it has the database.
EVERYTHING = BUILT_IN | {CUSTOM}

BUILT_IN_ROLES = {
    "member": MEMBER,
    "admin": TENANT_WIDE | {CUSTOM},
    "operator": OPERATORS_ALONE,
}


def allows(held: frozenset[str], permission: str) -> bool:
    """Whether these permissions include that one."""
    return permission in held or (CUSTOM in held and permission not in BUILT_IN)


def shared(some: frozenset[str], others: frozenset[str]) -> frozenset[str]:
    """What both allow."""
    both = some & others
    if CUSTOM in some:
        both |= others - BUILT_IN
    if CUSTOM in others:
        both |= some - BUILT_IN
    return both
