"""Coming in and going out: signing in, signing out, and which tenant an operator looks at."""

from typing import Any

from flask import Blueprint, Response, g, request, url_for

from authsvc.blueprints.bodies import Body, Text
from authsvc.blueprints.queries import Query
from authsvc.console import navigation
from authsvc.console.forms import Form, confirmed
from authsvc.console.pages import asks, done, everybody, shown, staff, to
from authsvc.console.spelling import counted
from authsvc.credentials import console_cookie, origins, readers
from authsvc.credentials.guard import mandate, principal, public
from authsvc.credentials.readers import caller
from authsvc.errors import Unauthenticated
from authsvc.models.paging import Window
from authsvc.services import accounts, console_application, refresh_tokens, tenants
from authsvc.services.accounts import SignIn

bp = Blueprint("door", __name__)

MOST_TENANTS = 200


class Next(Query):
    """`next` is where somebody wanted to go when they were asked to sign in."""

    next = Text(longest=2000)
    tenant = Text(longest=64)


class SignInForm(Body):
    identifier = Text(required=True)
    password = Text(required=True, longest=4096)
    tenant = Text(longest=64)


class TenantForm(Body):
    tenant = Text(longest=64, required=True)


@bp.get("/")
@everybody
def home() -> Response:
    """The first section that there is for whoever is signed in."""
    return to(url_for(navigation.visible()[0].endpoint))


@bp.route("/sign-in", methods=["GET", "POST"])
@public
@asks(Next)
def sign_in(query: dict[str, Any]) -> Response:
    """Sign in with a name and a password, and go on to where one wanted to go."""
    place = _own_place(query.get("next"))
    form = Form(SignInForm, tenant=query.get("tenant") or readers.tenant_named())
    if request.method == "POST":
        origins.refuse_other_pages()
        signed_in = form.sent(_signed_in)
        if signed_in is not None:
            response = to(place)
            console_cookie.choose_tenant(response, None)
            console_cookie.deliver(signed_in.standing, response, g.now)
            return response
    elif _is_in():
        return to(place)
    came_from_elsewhere = request.headers.get("Sec-Fetch-Site") == "cross-site"
    return shown("sign_in.html", form.status, form=form, place=place, came_from_elsewhere=came_from_elsewhere)


@bp.post("/sign-out")
@everybody
def sign_out() -> Response:
    """Sign out here."""
    _leave(everywhere=False)
    return done("You have signed out.", "door.sign_in")


@bp.route("/sign-out/everywhere", methods=["GET", "POST"])
@everybody
def sign_out_everywhere() -> Response:
    """Sign out on every device."""

    def act() -> str:
        return f"You have signed out everywhere: {counted(_leave(everywhere=True), 'sign-in')} ended."

    return confirmed(
        act,
        title="Sign out everywhere?",
        consequence="Every sign-in of yours ends, this one included, on phones and in programs too.",
        verb="Sign out everywhere",
        back="account.devices",
        then="door.sign_in",
    )


@bp.route("/tenant", methods=["GET", "POST"])
@staff("tenants:write")
def choose_tenant() -> Response:
    """Look at another tenant, as its administrators would."""
    form = Form(TenantForm)
    chosen = form.sent(lambda given: tenants.selected(given["tenant"]))
    if chosen is not None:
        is_own = chosen.id == principal.tenant_id
        response = done(f"This is the tenant {chosen.name}.", "door.home")
        console_cookie.choose_tenant(response, None if is_own else chosen.slug)
        return response
    page = tenants.find(mandate(), Window(MOST_TENANTS))
    return shown("tenant.html", form.status, form=form, tenants=page.items, here=g.tenant_id)


def _signed_in(given: dict[str, Any]) -> SignIn:
    tenant = tenants.selected(given.get("tenant") or readers.tenant_named())
    return accounts.sign_in(
        tenant,
        console_application.of(tenant, caller(), g.now),
        identifier=given["identifier"],
        password=given["password"],
        device_name=None,
        caller=caller(),
        now=g.now,
    )


def _leave(*, everywhere: bool) -> int:
    g.console_left = True
    proof = console_cookie.proof()
    return refresh_tokens.end(proof, everywhere=everywhere, tenant_name=None, caller=caller(), now=g.now).count


def _is_in() -> bool:
    try:
        return readers.identify(g.now, readers.of_own_page()) is not None
    except Unauthenticated:
        return False


def _own_place(text: str | None) -> str:
    """A page of ours, and never one of somebody else's, however it is spelled."""
    home = url_for("console.door.home")
    is_plain = text is not None and text.isascii() and text.isprintable() and "\\" not in text
    return text if text is not None and is_plain and text.startswith(home) else home
