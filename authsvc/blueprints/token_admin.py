"""Sign-ins, looked up and ended: one's own by everybody, the tenant's by whoever may.

The path is the refresh token's, and so is POST /jwt/refresh, which refresh.py hands over when its body has a selector.
"""

import ipaddress
from typing import Any

from flask import Blueprint, Response, g
from marshmallow import ValidationError, fields, pre_load, validate

from authsvc.blueprints.answers import SOMETIMES, gives, page_of, refuses
from authsvc.blueprints.bodies import Body, Camel, Flag, Jwt, Moment, Text, Uuid, strict_json, takes
from authsvc.blueprints.envelope import answer
from authsvc.blueprints.paths import by_id, written
from authsvc.blueprints.queries import MOST, Listing, Query, Switch, asks, asks_or_takes, window
from authsvc.credentials import jwts
from authsvc.credentials.guard import mandate, principal, requires
from authsvc.errors import AmbiguousRequest, NotFound, PermissionDenied, SelectorMissing, TokenInvalid, ValidationFailed
from authsvc.models import RefreshToken
from authsvc.models.paging import Page, Window
from authsvc.services import token_admin
from authsvc.services.refresh_tokens import Killed
from authsvc.services.token_admin import Filters, Selection

bp = Blueprint("token_admin", __name__, url_prefix="/jwt/refresh")

LISTED = "These are the sign-ins."
ONE = "This is the sign-in."
SELECTORS = frozenset({"userId", "applicationId", "tokenId", "tokenString", "all"})
MOST_SPARED = 200
# What a client sends when it forgot to fill in what it meant. It must never come to mean everybody.
BLANK = frozenset({"", "null", "undefined"})
# The bodies with which the first guide's POST ends sign-ins. With {userId} alone it looks them up.
ENDED_BY_POST = ({"user_id", "application_id"}, {"token_id"}, {"token_string"})


class RefreshTokenOut(Camel):
    id = fields.String()
    user_id = fields.String()
    application_id = fields.String()
    tenant_id = fields.String()
    generation = fields.Integer()
    created_at = Moment()
    last_used_at = Moment(allow_none=True)
    expires_at = Moment()
    idle_expires_at = Moment()
    revoked_at = Moment(allow_none=True)
    revoke_reason = fields.String(allow_none=True)
    ip = fields.String(allow_none=True)
    user_agent = fields.String(allow_none=True)
    device_name = fields.String(allow_none=True)
    current = fields.Function(lambda row: row.id == principal.refresh_token_id, metadata={"type": "boolean"})


RefreshTokensPage = page_of(RefreshTokenOut)


class EndedOut(Camel):
    revoked = fields.Integer()
    ids = fields.List(fields.String())
    preview = fields.Boolean(metadata={SOMETIMES: True})


class Ids(fields.Field[frozenset[str]]):
    """One id, or several: a list in a body, with commas between them in a query."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> frozenset[str]:
        several = value.split(",") if isinstance(value, str) else value
        if not isinstance(several, list) or not 1 <= len(several) <= MOST_SPARED:
            raise ValidationError(f"One id, or a list of 1 to {MOST_SPARED}.")
        return frozenset(Uuid().deserialize(one) for one in several)


class NotInAddresses(fields.Field[str]):
    """Addresses end up in logs and histories, where a refresh token must never be."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        raise ValidationError("Send it in the body.")


class Address(Text):
    """An IP address, in its usual spelling."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        try:
            return str(ipaddress.ip_address(super()._deserialize(value, attr, data, **kwargs)))
        except ValueError:
            raise ValidationError("This is no IP address.") from None


class Selectors(Camel):
    """Which sign-ins are meant. A request that does not say which never comes to mean all of them."""

    user_id = Uuid()
    application_id = Uuid()
    token_id = Uuid()
    except_ = Ids()

    @pre_load
    def refuse_blank(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        if self.has_unknown(given):
            return given  # refused by its name: it may be the one that was meant
        named = {name: value for name, value in given.items() if name in SELECTORS}
        blank = {name for name, value in named.items() if is_blank(value)}
        if blank | {name for name, value in named.items() if value in (False, "false")} == named.keys():
            raise SelectorMissing
        if blank:
            raise ValidationError({name: ["This is empty. Say which, or leave it out."] for name in blank})
        return given

    def has_unknown(self, given: dict[str, Any]) -> bool:
        return not given.keys() <= {field.data_key for field in self.fields.values()}


class SelectorsInBody(Selectors, Body):
    token_string = Jwt()
    all = Flag()
    preview = Flag()


class SelectorsInQuery(Selectors, Query):
    token_string = NotInAddresses()
    all = Switch()
    preview = Switch()


class SelectorsInPost(Selectors, Body):
    """The first guide's forms, at the path where refresh tokens are sent too."""

    refresh_token = Jwt()
    token_string = Jwt()
    preview = Flag()

    @pre_load
    def refuse_blank(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        others = given.keys() - {"refreshToken"}
        if others and len(others) < len(given) and not self.has_unknown(given):
            raise AmbiguousRequest("Send a refresh token to refresh, or say which sign-ins you mean, not both.")
        return super().refuse_blank(given) if others else given


class RefreshTokenQuery(Listing):
    user_id = Uuid()
    application_id = Uuid()
    token_id = Uuid()
    all = Switch()
    state = fields.String(validate=validate.OneOf(("live", "revoked", "expired", "all")))
    ip = Address(longest=64)
    user_agent = Text()
    created_after = Moment()
    created_before = Moment()
    last_used_after = Moment()
    last_used_before = Moment()


class OfApplicationIn(Body):
    application_id = Uuid()

    @pre_load
    def refuse_blank(self, given: dict[str, Any], **_: Any) -> dict[str, Any]:
        if is_blank(given.get("applicationId", "-")):
            raise SelectorMissing
        return given


@bp.get("")
@requires(in_any_tenant=True)
@gives(RefreshTokensPage, LISTED)
@refuses(PermissionDenied, NotFound)
@asks(RefreshTokenQuery)
def list_refresh_tokens(query: dict[str, Any]) -> Page[RefreshToken]:
    """Sign-ins: my own or, with a filter or all=true, those that I may see."""
    asked = window(query)
    if not query.get("all", True):
        del query["all"]
    selection = _selection(query) if query else Selection(user_id=principal.user_id)
    return token_admin.find(mandate(), selection, Filters(**query), asked)


@bp.get("/<id>")
@requires(in_any_tenant=True)
@gives(RefreshTokenOut, ONE)
@refuses(PermissionDenied)
@by_id
def get_refresh_token(refresh_token_id: str) -> RefreshToken:
    """One sign-in."""
    return token_admin.get(mandate(), refresh_token_id)


@bp.delete("/<id>")
@requires(in_any_tenant=True)
@gives(EndedOut)
@refuses(PermissionDenied)
@by_id
def revoke_refresh_token(refresh_token_id: str) -> Response:
    """End one sign-in."""
    return _ended(token_admin.revoke_one(mandate(), refresh_token_id))


@bp.delete("")
@requires(in_any_tenant=True)
@gives(EndedOut)
@refuses(PermissionDenied, NotFound, SelectorMissing)
@asks_or_takes(SelectorsInQuery, SelectorsInBody)
def revoke_refresh_tokens(selectors: dict[str, Any]) -> Response:
    """End the sign-ins that the selectors name, in the query or in the body."""
    return _end(selectors)


@bp.post("/<id>")
@requires(in_any_tenant=True)
@gives(RefreshTokenOut, ONE, also=(EndedOut,))
@refuses(PermissionDenied, NotFound, SelectorMissing)
@takes(OfApplicationIn)
def post_refresh_token(body: dict[str, Any], /, **path: str) -> RefreshToken | Response:
    """As the first guide has it: look one up or, with an applicationId, end what I may reach of that application."""
    if "application_id" in body:
        return _end(body)
    return token_admin.get(mandate(), written(path["id"]))


@requires(in_any_tenant=True)
def post_selectors(body: dict[str, Any]) -> Response:
    """As the first guide has it: look up by user, or end by user and application, by id, or by the token itself."""
    if body.keys() - {"except_", "preview"} in ENDED_BY_POST:
        return _end(body)
    if body.keys() == {"user_id"}:
        found = token_admin.find(mandate(), _selection(body), Filters(), Window(limit=MOST))
        return answer(_page.dump(found), LISTED)
    only = (
        "With POST: userId alone to look up; userId with applicationId, tokenId or tokenString to end. Or use DELETE."
    )
    raise ValidationFailed(fields={name: [only] for name in strict_json(may_be_absent=True)})


_page = RefreshTokensPage()


def _selection(named: dict[str, Any]) -> Selection:
    """Take the selectors out of a query or a body; what is left is something else's.

    Raises NotFound, AmbiguousRequest.
    """
    text = named.pop("token_string", None)
    if text is not None and "token_id" in named:
        raise AmbiguousRequest("Send tokenId or tokenString, not both.")
    return Selection(
        user_id=named.pop("user_id", None),
        application_id=named.pop("application_id", None),
        refresh_token_id=named.pop("token_id", None) if text is None else _sign_in_of(text),
        everyone=named.pop("all", False),
        spared=named.pop("except_", frozenset()),
    )


def _sign_in_of(text: str) -> str:
    """A text that is no refresh token of ours is one that we never knew."""
    try:
        return jwts.sign_in_of(text, g.now).refresh_token_id
    except TokenInvalid:
        raise NotFound from None


def _end(selectors: dict[str, Any]) -> Response:
    selection = _selection(selectors)
    if not selectors.get("preview"):
        return _ended(token_admin.revoke(mandate(), selection))
    found = token_admin.preview(mandate(), selection)
    return answer({"revoked": found.count, "ids": found.ids, "preview": True}, "Nothing was ended. This would be.")


def _ended(killed: Killed) -> Response:
    message = "1 sign-in has ended." if killed.count == 1 else f"{killed.count} sign-ins have ended."
    return answer({"revoked": killed.count, "ids": killed.ids}, message)


def is_blank(value: Any) -> bool:
    return value in (None, [], {}) or (isinstance(value, str) and value.strip().casefold() in BLANK)
