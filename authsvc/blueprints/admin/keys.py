"""Signing keys: seen, rotated, retired, revoked. They are the whole service's, whatever tenant is asked from."""

import json
import re
from typing import Any

from flask import Blueprint
from marshmallow import ValidationError, fields

from authsvc.blueprints.answers import gives, page_of, refuses
from authsvc.blueprints.bodies import Body, Camel, Moment, Text, takes
from authsvc.blueprints.queries import Listing, asks, window
from authsvc.credentials.guard import mandate, requires
from authsvc.errors import Conflict, NotFound
from authsvc.models import SigningKey
from authsvc.models.paging import Page
from authsvc.services import key_rotation
from authsvc.services.key_rotation import Revoked

bp = Blueprint("admin_keys", __name__, url_prefix="/admin/keys")


class KeyOut(Camel):
    """Nothing of the private half, sealed or not."""

    kid = fields.String()
    algorithm = fields.String()
    state = fields.String()
    created_at = Moment()
    activated_at = Moment(allow_none=True)
    replaced_at = Moment(allow_none=True)
    retired_at = Moment(allow_none=True)
    public_jwk = fields.Function(lambda row: json.loads(row.public_jwk), metadata={"type": "object"})


class Kid(Text):
    """The name of a key: an id and a mark."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(longest=64, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs)
        if not re.fullmatch(r"[0-9a-f-]{36}\.[\w-]+", text, re.ASCII):
            raise ValidationError("This is no name of a key.")
        return text


class KeyListing(Listing):
    cursor = Kid()


class NothingIn(Body):
    """No field at all."""


class RevokedKeyOut(Camel):
    key = fields.Nested(KeyOut)
    revoked = fields.Integer(attribute="count")


@bp.get("")
@requires("keys:rotate", in_any_tenant=True)
@gives(page_of(KeyOut), "Signing keys.")
@asks(KeyListing)
def find(query: dict[str, Any]) -> Page[SigningKey]:
    """All keys, retired ones too."""
    return key_rotation.find(window(query))


@bp.get("/<kid>")
@requires("keys:rotate", in_any_tenant=True)
@gives(KeyOut, "A signing key.")
@refuses(NotFound)
def get(kid: str) -> SigningKey:
    """One key."""
    return key_rotation.get(kid)


@bp.post("/rotate")
@requires("keys:rotate", in_any_tenant=True)
@gives(KeyOut, "This key signs from now on.")
@takes(NothingIn)
def rotate(_body: dict[str, Any]) -> SigningKey:
    """Sign with the published next key from now on, and publish another."""
    return key_rotation.rotate(mandate())


@bp.post("/<kid>/retire")
@requires("keys:rotate", in_any_tenant=True)
@gives(KeyOut, "This key is retired.")
@refuses(NotFound, Conflict)
@takes(NothingIn)
def retire(_body: dict[str, Any], kid: str) -> SigningKey:
    """Believe a replaced key no more, once nobody is signed in by it."""
    return key_rotation.retire(mandate(), kid)


@bp.post("/<kid>/revoke")
@requires("keys:rotate", in_any_tenant=True)
@gives(RevokedKeyOut, "This key is revoked.")
@refuses(NotFound)
@takes(NothingIn)
def revoke(_body: dict[str, Any], kid: str) -> Revoked:
    """Believe a key no more, from this moment on, and end the sign-ins whose tokens it may have signed."""
    return key_rotation.revoke(mandate(), kid)
