"""My API tokens: what acts for me in scripts. Part of my account."""

from typing import Any

from flask import Blueprint, Response, g

from authsvc.blueprints.api_tokens import ApiTokenIn, RotationIn
from authsvc.blueprints.paths import by_id
from authsvc.blueprints.queries import Listing, window
from authsvc.console import choices
from authsvc.console.api_tokens import in_full, narrowed, revoked
from authsvc.console.forms import Form, Ticked
from authsvc.console.pages import asks, everybody, shown
from authsvc.credentials.guard import mandate, principal
from authsvc.errors import NotFound
from authsvc.models import ApiToken
from authsvc.services import api_token_admin
from authsvc.services.api_token_admin import Filters, Made
from authsvc.settings import settings

bp = Blueprint("api_tokens", __name__, url_prefix="/api-tokens")

PAGE = "account.api_tokens.get"


class NewForm(ApiTokenIn):
    """Without `expires_in`: a page asks for the day."""

    class Meta(ApiTokenIn.Meta):
        exclude = ("expires_in",)

    allow_in_query = Ticked()


@bp.get("")
@everybody
@asks(Listing)
def find(query: dict[str, Any]) -> Response:
    """My API tokens."""
    mine = Filters(user_id=principal.user_id)
    return shown("api_tokens/mine.html", found=api_token_admin.find(mandate(), mine, window(query)))


@bp.route("/new", methods=["GET", "POST"])
@everybody
def create() -> Response:
    """Make an API token; its text is shown here and never again."""
    longest = settings.API_TOKEN_MAX_LIFETIME
    usual = g.now + min(settings.API_TOKEN_LIFETIME, longest)
    form = Form(NewForm, expiresAt=f"{usual:%Y-%m-%d}")
    made = form.sent(lambda given: api_token_admin.create(mandate(), str(principal.user_id), given))
    if made is not None:
        return shown("api_tokens/once.html", row=made.api_token, secret=made.text)
    offered = {"scopes": choices.scopes(), "applications": choices.applications(), "latest": g.now + longest}
    return shown("api_tokens/new.html", form.status, form=form, **offered)


@bp.get("/<id>")
@everybody
@by_id
def get(api_token_id: str) -> Response:
    """One API token of mine."""
    return in_full(_mine(api_token_id))


@bp.route("/<id>/edit", methods=["GET", "POST"])
@everybody
@by_id
def edit(api_token_id: str) -> Response:
    """Give an API token of mine another name, or narrow it."""
    return narrowed(_mine(api_token_id), PAGE)


@bp.route("/<id>/rotate", methods=["GET", "POST"])
@everybody
@by_id
def rotate(api_token_id: str) -> Response:
    """Replace an API token of mine; the successor's text is shown here and never again."""
    row = _mine(api_token_id)
    form = Form(RotationIn)

    def act(given: dict[str, Any]) -> Made:
        return api_token_admin.rotate(mandate(), api_token_id, choices.overlap(given, api_token_admin.OVERLAP))

    made = form.sent(act)
    if made is not None:
        return shown("api_tokens/once.html", row=made.api_token, secret=made.text, former=_mine(api_token_id))
    return shown("api_tokens/rotate.html", form.status, form=form, row=row, overlaps=choices.OVERLAPS)


@bp.route("/<id>/revoke", methods=["GET", "POST"])
@everybody
@by_id
def revoke(api_token_id: str) -> Response:
    """End an API token of mine."""
    return revoked(_mine(api_token_id), PAGE)


def _mine(api_token_id: str) -> ApiToken:
    """Raises NotFound for others' too, whatever an administrator may reach elsewhere."""
    row = api_token_admin.get(mandate(), api_token_id)
    if row.user_id != principal.user_id:
        raise NotFound
    return row
