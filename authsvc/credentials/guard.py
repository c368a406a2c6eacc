"""The guard in front of every route: nothing is served to anybody unless the route says to whom.

`@public` says: to everybody. `@requires()` says: to whoever is signed in; `@requires("restaurants:read")`: to who may.
"""

from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar, cast

from flask import current_app, g, request
from flask.globals import request_ctx
from werkzeug.local import LocalProxy

from authsvc import clock, presenting
from authsvc.credentials import readers
from authsvc.credentials.readers import About, caller
from authsvc.errors import (
    AddressNotAllowed,
    AmbiguousRequest,
    BadRequest,
    CredentialsMissing,
    CsrfFailed,
    PermissionDenied,
    SignInNeeded,
    TenantMismatch,
    TokenExpired,
    TokenInvalid,
    TokenRevoked,
    Unavailable,
    ValidationFailed,
)
from authsvc.logs import logger
from authsvc.mandate import Mandate
from authsvc.models.engine import FAILURES
from authsvc.principals import ACCESS_TOKEN, API_TOKEN, CLIENT, CONSOLE, Principal
from authsvc.services import events, tenants
from authsvc.settings import answers_to, settings
from authsvc.verifier import Verifier

P = ParamSpec("P")
R = TypeVar("R")

principal = cast("Principal", LocalProxy(lambda: g.principal))

BY_ANYBODY = (ACCESS_TOKEN, API_TOKEN, CLIENT, CONSOLE)
BY_A_USER = (ACCESS_TOKEN, API_TOKEN, CONSOLE)
BY_SIGN_IN = (ACCESS_TOKEN, CONSOLE)


# What may be wrong with the credential of any guarded request.
CREDENTIALS = (
    CredentialsMissing,
    TokenInvalid,
    TokenExpired,
    TokenRevoked,
    TenantMismatch,
    AddressNotAllowed,
    AmbiguousRequest,
    CsrfFailed,  # of an access token in a cookie
)


@dataclass(frozen=True, slots=True)
class Guard:
    """What `requires` was told, for whoever describes the route."""

    permission: str | None
    in_any_tenant: bool
    via: tuple[str, ...]


def begin_request() -> None:
    """What every request starts with: its moment and its id, read once; and a route that says whom it serves."""
    g.now = clock.utcnow()
    asked = request_ctx.request
    g.request_id = asked.environ[presenting.REQUEST_ID]
    view: Any = current_app.view_functions.get(asked.endpoint or "")
    if not getattr(view, "on_any_host", False) and not answers_to(settings, asked.host):
        raise BadRequest("This service does not answer to that Host.")
    if view is None:
        return  # there is no such path, or it does not take this method: that is answered as it is
    if not is_open_to(view):
        raise PermissionDenied("route", "This route does not say whom it serves.")
    unknown = asked.args.keys() - getattr(view, "takes_query", frozenset()) if asked.query_string else None
    if unknown and not getattr(view, "judges_query", False):
        raise ValidationFailed(fields={name: ["There is no such parameter here."] for name in sorted(unknown)})


def is_open_to(view: Any) -> str:
    """Whom a view serves: "public", "signed in", a permission, or nobody ("")."""
    return str(getattr(view, "serves", ""))


def public(view: Callable[P, R]) -> Callable[P, R]:
    """Everybody may ask this."""
    view.serves = "public"  # type: ignore[attr-defined]
    return view


def on_any_host(view: Callable[P, R]) -> Callable[P, R]:
    """Asked by address, as a health check does, not by name."""
    view.on_any_host = True  # type: ignore[attr-defined]
    return view


def judges_query(view: Callable[P, R]) -> Callable[P, R]:
    """It says itself what is wrong with a query."""
    view.judges_query = True  # type: ignore[attr-defined]
    return view


def requires(
    permission: str | None = None,
    *,
    in_any_tenant: bool = False,
    via: Collection[str] = BY_ANYBODY,
    about: Callable[[], About] = readers.itself,
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Only who proves who they are may ask this and, with a permission, only who holds it.

    Works in any Flask app that authsvc or a verifier was given to by init_app. The view finds the caller in
    `authsvc.principal`. `in_any_tenant`: whoever holds `tenants:write` may ask it of another tenant, which the header
    names. `via`: with which kinds of credential. `about`: which request's credentials count.
    """

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            g.principal, g.tenant_id = who, _ = _admitted(about, in_any_tenant=in_any_tenant)
            g.application_id = who.application_id
            try:
                if who.via not in via:
                    raise SignInNeeded
                if permission is not None:
                    who.require(permission)
                return view(*args, **kwargs)
            except PermissionDenied as denied:
                _tell_of_denial(who, denied.permission)
                raise

        guarded.serves = permission or "signed in"  # type: ignore[attr-defined]
        guarded.guard = Guard(permission, in_any_tenant, tuple(via))  # type: ignore[attr-defined]
        return guarded

    return decorate


def mandate() -> Mandate:
    """What the principal may do, in the tenant that the request means."""
    return Mandate(
        g.tenant_id,
        principal.actor_id,
        principal.permissions,
        caller(),
        g.now,
        signed_in=principal.via in BY_SIGN_IN,
        api_token_id=principal.api_token_id,
    )


def _admitted(about: Callable[[], About], *, in_any_tenant: bool) -> tuple[Principal, str]:
    """Who this request is, and the tenant that it means.

    Raises CredentialsMissing, TenantMismatch, or what is wrong with the token.
    """
    verifier = _verifier()
    if verifier is not None:
        found = verifier.principal(request.environ)
        if found is None:
            raise CredentialsMissing
        return found, found.tenant_id
    with _at_home():
        asked = about()
        found = readers.identify(g.get("now") or clock.utcnow(), asked)
        if found is None:
            raise CredentialsMissing
        return found, _tenant_meant(found, asked.tenant or readers.tenant_named(), in_any_tenant=in_any_tenant)


def _verifier() -> Verifier | None:
    """What judges credentials in an app that authsvc is not part of."""
    found: Verifier | None = current_app.extensions.get("authsvc.verifier")
    return found


def _tenant_meant(who: Principal, named: str | None, *, in_any_tenant: bool) -> str:
    """What is named selects and never authorizes: beside a credential it is that one's tenant.

    The one exception is for whoever may make and unmake tenants anyway. Raises TenantMismatch, UnknownTenant.
    """
    if named in (None, who.tenant_id, who.tenant_slug):
        return who.tenant_id
    if not (in_any_tenant and who.may("tenants:write")):
        raise TenantMismatch
    return tenants.selected(named).id


def _tell_of_denial(who: Principal, permission: str) -> None:
    """An API elsewhere keeps no trail of ours."""
    if _verifier() is not None:
        return
    with _at_home():
        events.tell(
            "permission.denied",
            tenant_id=who.tenant_id,
            now=g.get("now") or clock.utcnow(),
            caller=caller(),
            outcome="failure",
            actor_id=who.actor_id,
            application_id=who.application_id,
            refresh_token_id=who.refresh_token_id,
            api_token_id=who.api_token_id,
            detail={"permission": permission},
        )


@contextmanager
def _at_home() -> Iterator[None]:
    """In somebody else's app, go to ours for settings, keys and the database, whose failures are told as ours."""
    home = current_app.extensions.get("authsvc.embedded")
    if home is None:
        yield
        return
    try:
        with home.app_context():
            yield
    except FAILURES as error:
        logger.error("The database did not answer: %s", type(getattr(error, "orig", None) or error).__name__)
        raise Unavailable from error
