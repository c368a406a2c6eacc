"""A user, as FusionAuth shows one. What we don't keep is left out, or empty where its clients look into it."""

from collections.abc import Iterable
from typing import Any

from flask import g

from authsvc import opaque
from authsvc.dialects.fusionauth.words import instant
from authsvc.models import Application
from authsvc.services.accounts import Account, SignIn


def shown(account: Account, registered_with: Iterable[Application]) -> dict[str, Any]:
    """A user and the user's registrations."""
    owner = account.user
    names = {"username": owner.username, "fullName": owner.name}
    return {
        "id": owner.id,
        "tenantId": owner.tenant_id,
        "active": owner.active,
        "email": owner.email,
        **{name: value for name, value in names.items() if value is not None},
        "usernameStatus": "ACTIVE",
        "verified": owner.confirmed,
        "insertInstant": instant(owner.created_at),
        "lastUpdateInstant": instant(owner.created_at),
        "passwordChangeRequired": False,
        "data": {},
        "memberships": [],
        "preferredLanguages": [],
        "twoFactor": {"methods": []},
        "registrations": [registration(account, one) for one in registered_with],
    }


def signed_in_to(signed_in: SignIn, application: Application) -> dict[str, Any]:
    """Whoever signs in right now, and is registered with that application."""
    now = {"lastLoginInstant": instant(g.now)}
    here = registration(signed_in.account, application) | now
    return shown(signed_in.account, []) | {"registrations": [here]} | now


def registration(account: Account, application: Application) -> dict[str, Any]:
    """Everybody may sign in to every application, and roles are the same for all: its id only says whose and where."""
    return {
        "id": opaque.id_of_both(account.user.id, application.id),
        "applicationId": application.id,
        "roles": sorted(account.roles),
        "insertInstant": instant(account.user.created_at),
        "lastUpdateInstant": instant(account.user.created_at),
        "usernameStatus": "ACTIVE",
        "verified": account.user.confirmed,
        "data": {},
        "preferredLanguages": [],
        "tokens": {},
    }
