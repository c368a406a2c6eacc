"""A user, as FusionAuth shows one. What we don't keep is left out, or empty where its clients look into it."""

from collections.abc import Iterable
from typing import Any

from flask import g

from authsvc import opaque
from authsvc.dialects.fusionauth.words import instant
from authsvc.models import Application
from authsvc.models.user import Account
from authsvc.services.accounts import SignIn


def shown(account: Account, registered_with: Iterable[Application]) -> dict[str, Any]:
    """A user and the user's registrations."""
    names = {"username": account.username, "fullName": account.name}
    return {
        "id": account.id,
        "tenantId": account.tenant_id,
        "active": account.active,
        "email": account.email,
        **{name: value for name, value in names.items() if value is not None},
        "usernameStatus": "ACTIVE",
        "verified": account.confirmed,
        "insertInstant": instant(account.created_at),
        "lastUpdateInstant": instant(account.created_at),
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
        "id": opaque.id_of_both(account.id, application.id),
        "applicationId": application.id,
        "roles": sorted(account.roles),
        "insertInstant": instant(account.created_at),
        "lastUpdateInstant": instant(account.created_at),
        "usernameStatus": "ACTIVE",
        "verified": account.confirmed,
        "data": {},
        "preferredLanguages": [],
        "tokens": {},
    }
