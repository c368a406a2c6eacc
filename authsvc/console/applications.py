"""Applications: what they decide, their secrets, and how they end."""

from typing import Any

from flask import Blueprint, Response
from marshmallow import pre_load

from authsvc.blueprints.admin.applications import Decided, SecretIn
from authsvc.blueprints.bodies import Body, Text
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, Switch, window
from authsvc.console import choices
from authsvc.console.forms import Form, Ticked, confirmed
from authsvc.console.navigation import Section
from authsvc.console.pages import asks, done, shown, staff
from authsvc.console.spelling import bounded, counted
from authsvc.credentials.guard import mandate, principal
from authsvc.services import applications
from authsvc.services.applications import Described
from authsvc.settings import settings

bp = Blueprint("applications", __name__, url_prefix="/applications")

READ, WRITE = "applications:read", "applications:write"
SECTION = Section("Applications", "console.applications.find", READ)
# An empty field is a null of the JSON API: it is left to the settings.
OPEN = (
    "transport",
    "accessLifetime",
    "refreshIdleLifetime",
    "refreshLifetime",
    "maxRefreshTokens",
    "cookieSameSite",
)
LISTS = ("corsOrigins", "scopes")


class ApplicationsQuery(Listing):
    search = Text()
    active = Switch()


class Sheet(Decided):
    name = Text(required=True)
    rotate = Ticked()

    @pre_load
    def empty_says_so(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        return {**dict.fromkeys(OPEN), **{name: [] for name in LISTS}, **given}


class NewForm(Sheet):
    slug = Text()
    confidential = Ticked()


class EditForm(Sheet):
    """Whether it is confidential has pages of its own: what that ends is said there."""

    class Meta(Sheet.Meta):
        exclude = ("confidential",)

    slug = Text(required=True)


class NoForm(Body):
    """There is nothing to fill in."""


@bp.get("")
@staff(READ)
@asks(ApplicationsQuery)
def find(query: dict[str, Any]) -> Response:
    """The applications, or those whom all filters fit."""
    asked = window(query)
    return shown("applications/list.html", found=applications.find(mandate(), asked, **query))


@bp.route("/new", methods=["GET", "POST"])
@staff(WRITE)
def create() -> Response:
    """Make an application; a confidential one gets its secret, shown here and never again."""
    form = Form(NewForm, rotate=True)
    made = form.sent(lambda given: applications.create(mandate(), given))
    if made is None:
        return shown("applications/new.html", form.status, form=form, **_offered())
    if made.secret:
        return _once(made)
    return done(f"{made.application.name} was made.", "applications.get", id=made.application.id)


@bp.get("/<id>")
@staff(READ)
@by_id
def get(application_id: str) -> Response:
    """One application."""
    return shown("applications/one.html", one=applications.get(mandate(), application_id), settings=settings)


@bp.route("/<id>/edit", methods=["GET", "POST"])
@staff(WRITE)
@by_id
def edit(application_id: str) -> Response:
    """Change what an application decides."""
    described = applications.get(mandate(), application_id)
    now = described.application
    form = Form(
        EditForm,
        name=now.name,
        slug=now.slug,
        transport=now.transport,
        cookieSameSite=now.cookie_same_site,
        accessLifetime=now.access_lifetime,
        refreshIdleLifetime=now.refresh_idle_lifetime,
        refreshLifetime=now.refresh_lifetime,
        maxRefreshTokens=now.max_refresh_tokens,
        rotate=now.rotate,
        corsOrigins=described.cors_origins,
        scopes=sorted(now.scopes),
    )
    if form.sent(lambda given: applications.update(mandate(), application_id, given)):
        return done("The application was changed.", "applications.get", id=application_id)
    return shown("applications/edit.html", form.status, form=form, one=now, **_offered(now.scopes))


@bp.route("/<id>/secret", methods=["GET", "POST"])
@staff(WRITE)
@by_id
def make_secret(application_id: str) -> Response:
    """Make the next secret, shown here and never again; those before it end after the overlap."""
    one = applications.get(mandate(), application_id).application
    form = Form(SecretIn)

    def act(given: dict[str, Any]) -> Described:
        return applications.make_secret(mandate(), application_id, choices.overlap(given, applications.OVERLAP))

    made = form.sent(act)
    if made is not None:
        return _once(made)
    return shown("applications/secret.html", form.status, form=form, one=one, overlaps=choices.OVERLAPS)


@bp.route("/<id>/confidential", methods=["GET", "POST"])
@staff(WRITE)
@by_id
def make_confidential(application_id: str) -> Response:
    """Give a public application its first secret, shown here and never again."""
    one = applications.get(mandate(), application_id).application
    form = Form(NoForm)
    made = form.sent(lambda _: applications.update(mandate(), application_id, {"confidential": True}))
    if made is None:
        return shown("applications/confidential.html", form.status, form=form, one=one)
    if made.secret:
        return _once(made)
    return done("The application is confidential already.", "applications.get", id=application_id)


@bp.route("/<id>/public", methods=["GET", "POST"])
@staff(WRITE)
@by_id
def make_public(application_id: str) -> Response:
    """Take all secrets from a confidential application."""
    one = applications.get(mandate(), application_id).application

    def act() -> str:
        applications.update(mandate(), application_id, {"confidential": False})
        return f"{one.name} is public: it has no secret any more."

    return confirmed(
        act,
        title=f"Make {one.name} public?",
        consequence="Every secret of it is gone at once, and so are the access tokens that it got for itself. "
        "Programs that prove themselves with a secret are refused. Sign-ins of users stay.",
        verb="Make it public",
        back="applications.get",
        id=application_id,
    )


@bp.route("/<id>/turn-off", methods=["GET", "POST"])
@staff(WRITE)
@by_id
def turn_off(application_id: str) -> Response:
    """Turn an application off."""
    one = applications.get(mandate(), application_id).application

    def act() -> str:
        applications.update(mandate(), application_id, {"active": False})
        return f"{one.name} is turned off."

    return confirmed(
        act,
        title=f"Turn {one.name} off?",
        consequence=f"{_would_end(application_id)} at once, and nobody can sign in to it. Turning it on again "
        f"brings none of them back.{_own(application_id)}",
        verb="Turn off",
        back="applications.get",
        id=application_id,
    )


@bp.post("/<id>/turn-on")
@staff(WRITE)
@by_id
def turn_on(application_id: str) -> Response:
    """Turn an application on again."""
    applications.update(mandate(), application_id, {"active": True})
    return done("The application is turned on.", "applications.get", id=application_id)


@bp.route("/<id>/delete", methods=["GET", "POST"])
@staff(WRITE)
@by_id
def delete(application_id: str) -> Response:
    """Delete an application."""
    one = applications.get(mandate(), application_id).application

    def act() -> str:
        return f"{one.name} was deleted; {counted(applications.delete(mandate(), application_id), 'sign-in')} ended."

    return confirmed(
        act,
        title=f"Delete {one.name}?",
        consequence=f"{_would_end(application_id)} at once. The application, its origins and its secrets are gone for "
        f"good.{_own(application_id)}",
        verb="Delete",
        back="applications.get",
        then="applications.find",
        id=application_id,
    )


def _offered(there: frozenset[str] = frozenset()) -> dict[str, Any]:
    return {"scopes": choices.scopes(there), "settings": settings}


def _once(made: Described) -> Response:
    return shown("applications/once.html", one=made.application, secret=made.secret)


def _would_end(application_id: str) -> str:
    ending = applications.ending(mandate(), application_id)
    return f"{bounded(ending.sign_ins, 'live sign-in')} and {bounded(ending.api_tokens, 'live API token')} will end"


def _own(application_id: str) -> str:
    return " You are signed in to this very application now." if application_id == principal.application_id else ""
