"""What dialects share: bodies as other systems' clients send them, and sign-ins by our own rules.

Refresh tokens travel in bodies here, whatever transport the application has: that is what these clients can. Two
systems have cookies of their own, which cookies.py keeps.
"""

from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar
from urllib.parse import parse_qsl

from flask import g, request

from authsvc.blueprints.bodies import json_object, whole_body
from authsvc.blueprints.forms import FORM
from authsvc.credentials import origins, readers
from authsvc.credentials.guard import judges_query, public
from authsvc.errors import MalformedJson, TokenInvalid
from authsvc.services import accounts, applications, tenants
from authsvc.services.accounts import SignIn

# What Postman sends for `form-data`.
MULTIPART = "multipart/form-data"

P = ParamSpec("P")
R = TypeVar("R")


def spoken(view: Callable[P, R]) -> Callable[P, R]:
    """A route that its own client asks: everybody may, and what stands in its address is its own affair."""
    return public(judges_query(view))


def given() -> dict[str, Any]:
    """The body: JSON, whatever its type says, a form of either kind, or nothing. Raises MalformedJson, TooLarge."""
    if request.mimetype == MULTIPART:
        return request.form.to_dict()
    raw = whole_body()
    if not raw:
        return {}
    # curl -d calls everything a form.
    if request.mimetype == FORM and not raw.lstrip().startswith(b"{"):
        try:
            return dict(parse_qsl(raw.decode(), keep_blank_values=True, errors="strict"))
        except ValueError:
            raise MalformedJson from None
    return json_object(raw)


def text_of(value: Any) -> str:
    """A token as it was sent. What is no text is no token of ours. Raises TokenInvalid."""
    if not isinstance(value, str):
        raise TokenInvalid
    return value


def sign_in(identifier: str, password: str, device_name: str | None = None, *, by_cookie: bool = False) -> SignIn:
    """To the default application of the tenant that the header names.

    Raises CredentialsInvalid, UnknownTenant, TooManyAttempts, Unavailable; `by_cookie`, CsrfFailed for pages elsewhere.
    """
    tenant = tenants.selected(readers.tenant_named())
    application = applications.chosen(tenant, None)
    if by_cookie:
        origins.refuse_foreign(application.id)
    return accounts.sign_in(
        tenant,
        application,
        identifier=identifier,
        password=password,
        device_name=device_name,
        caller=readers.caller(),
        now=g.now,
    )
