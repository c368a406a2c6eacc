"""What every page of the console has: whom it is for, its frame, its headers, and how it says no."""

from collections.abc import Callable
from functools import partial
from typing import Any, ParamSpec, TypeVar
from urllib.parse import quote, unquote, urlencode

from flask import Flask, Response, g, make_response, redirect, render_template, request, url_for

from authsvc.blueprints import queries
from authsvc.console import assets, navigation, spelling
from authsvc.credentials import console_cookie, readers
from authsvc.credentials.guard import BY_SIGN_IN, requires
from authsvc.credentials.transports import prefixed
from authsvc.errors import (
    CredentialsMissing,
    CsrfFailed,
    RefreshTokenReused,
    Refusal,
    TenantMismatch,
    Unauthenticated,
    UnknownTenant,
)
from authsvc.settings import settings

P = ParamSpec("P")
R = TypeVar("R")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        "form-action 'self'; frame-ancestors 'none'; base-uri 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    # With no-referrer a browser would send our own forms with `Origin: null`.
    "Referrer-Policy": "same-origin",
}
LONGEST_SAID = 400


def staff(permission: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """A page about the tenant, for whoever holds the permission."""
    return requires(permission, in_any_tenant=True, via=BY_SIGN_IN, about=readers.of_page)


def everybody(view: Callable[P, R]) -> Callable[P, R]:
    """A page about whoever is signed in."""
    return requires(via=BY_SIGN_IN, about=readers.of_own_page)(view)


def filled_in() -> dict[str, str]:
    """The parameters that say something: a form sends its empty fields too."""
    return {name: value.strip() for name, value in queries.parameters().items() if value.strip()}


asks = partial(queries.asks, read=filled_in)


def shown(template: str, status: int = 200, **context: Any) -> Response:
    """A page."""
    return make_response(render_template(f"console/{template}", **context), status)


def to(address: str) -> Response:
    """On to another page, which is read anew."""
    return make_response(redirect(address, 303))


def done(said: str, endpoint: str, **values: Any) -> Response:
    """On to the next page, which begins with this sentence."""
    return told(to(url_for(f"console.{endpoint}", **values)), said)


def told(response: Response, said: str) -> Response:
    """The sentence waits in a cookie for the page that comes next."""
    secure = settings.BASE_URL.startswith("https://")
    text = quote(said[:LONGEST_SAID])
    response.set_cookie(_said(), text, max_age=60, httponly=True, samesite="Strict", secure=secure)
    return response


def finish(response: Response) -> Response:
    """After every request of ours: the step that was taken goes out, and what was said is said once."""
    response.headers.update(HEADERS)
    delivery = g.pop("console_delivery", None)
    if g.pop("console_left", False):
        console_cookie.clear(response)
    elif delivery is not None:
        console_cookie.deliver(delivery, response, g.now)
    if g.pop("console_said", False):
        response.delete_cookie(
            _said(), httponly=True, samesite="Strict", secure=settings.BASE_URL.startswith("https://")
        )
    return response


def refusal(error: Refusal) -> Response:
    """Every no below /console, as a page. Who has to sign in is led there, and back."""
    if isinstance(error, Unauthenticated) and not isinstance(error, CsrfFailed):
        return _to_the_door(error)
    # There is nothing else on it that could fail again: no database is asked for this page.
    response = shown("error.html", error.status, error=error)
    response.headers.update(error.headers)
    response.headers.pop("WWW-Authenticate", None)
    if isinstance(error, TenantMismatch | UnknownTenant):
        console_cookie.choose_tenant(response, None)
    return finish(response)


def install(app: Flask) -> None:
    """What templates know, besides what a view gives them."""
    app.jinja_env.filters.update(spelling.FILTERS)
    app.jinja_env.globals.update(asset=assets.address)
    app.context_processor(_frame)


def _frame() -> dict[str, Any]:
    who = g.get("principal")
    return {
        "principal": who,
        "sections": navigation.visible(),
        "may": who.may if who else lambda _: False,
        "csrf": console_cookie.csrf_value() if who else None,
        "tenant": who and (console_cookie.chosen_tenant() or who.tenant_slug),
        "is_elsewhere": who is not None and g.get("tenant_id") != who.tenant_id,
        "said": _take_said(),
        "page_at": _page_at,
    }


def _page_at(cursor: str | None) -> str:
    """This list again, from there on."""
    query = {name: value for name, value in request.args.items() if value and name != "cursor"}
    if cursor is not None:
        query["cursor"] = cursor
    return f"{request.script_root}{request.path}?{urlencode(query)}"


def _take_said() -> str:
    """What the page before left to say."""
    text = unquote(request.cookies.get(_said(), ""))
    if text:
        g.console_said = True
    return text


def _said() -> str:
    return prefixed("console_said")


def _can_be_read() -> bool:
    """Whether this is a page to come back to; a form that was sent too late stands on one, mostly."""
    methods = request.url_rule.methods if request.url_rule else None
    return request.method in readers.SAFE_METHODS or "GET" in (methods or ())


def _to_the_door(error: Unauthenticated) -> Response:
    place = request.script_root + request.full_path.rstrip("?") if _can_be_read() else None
    address = url_for("console.door.sign_in", next=place)
    response = to(address)
    if request.headers.get("HX-Request"):
        response = Response(status=401, headers={"HX-Redirect": address})
    console_cookie.clear(response)
    if isinstance(error, RefreshTokenReused):
        told(
            response,
            "This sign-in was used from two places, so it was ended. If you don't know why, change your password.",
        )
    elif not isinstance(error, CredentialsMissing) and _said() not in request.cookies:
        told(response, "You have been signed out. Sign in to go on.")
    return finish(response)
