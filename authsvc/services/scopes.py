"""Scopes: the permissions that are asked for, or given to what acts without a user's sign-in."""

from collections.abc import Collection

from authsvc.errors import InvalidScope, PermissionDenied, ValidationFailed
from authsvc.mandate import Mandate
from authsvc.models import role
from authsvc.models.engine import reading
from authsvc.permissions import BUILT_IN, CUSTOM, NEVER_BY_API_TOKEN
from authsvc.services import roles


def asked_for(text: str) -> frozenset[str]:
    """As OAuth writes them, with spaces between. Raises InvalidScope."""
    try:
        return roles.known([word for word in text.split(" ") if word], "scope")
    except ValidationFailed:
        raise InvalidScope from None


def giveable(wanted: Collection[str], to: str) -> frozenset[str]:
    """Those that may be given to such a thing at all.

    Raises ValidationFailed for what is no permission, PermissionDenied for what none of these can have.
    """
    scopes = roles.known(wanted, "scopes")
    if CUSTOM in scopes:
        raise ValidationFailed(fields={"scopes": ["Name each scope: * is none."]})
    for scope in sorted(scopes & NEVER_BY_API_TOKEN):
        raise PermissionDenied(scope, f"No {to} can have the scope {scope}.")
    return scopes


def giveable_by(mandate: Mandate) -> frozenset[str]:
    """What the actor may give to an API token or an application, as far as a role names it."""
    return frozenset(s for s in BUILT_IN - NEVER_BY_API_TOKEN if mandate.may(s)) | of_apis(mandate)


def of_apis(mandate: Mandate) -> frozenset[str]:
    """What the actor may do at the APIs behind this service: each permission that is not built in and some role names.

    Who holds `*` holds those of all roles.
    """
    with reading(within=mandate.tenant_id) as session:
        named = roles.united(session.scalars(role.matching(None)).all())
    return frozenset(permission for permission in named - BUILT_IN - {CUSTOM} if mandate.may(permission))
