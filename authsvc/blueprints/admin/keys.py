"""Signing keys: seen, rotated, retired, revoked. They are the whole service's, whatever tenant is asked from."""

import json
import re
from typing import Any

from flask import Blueprint, Response
from marshmallow import ValidationError, fields

from authsvc.blueprints.bodies import Body, Camel, Moment, Text, takes
from authsvc.blueprints.envelope import answer
from authsvc.blueprints.queries import Listing, asks, listed, window
from authsvc.credentials.guard import mandate, requires
from authsvc.services import key_rotation

bp = Blueprint("admin_keys", __name__, url_prefix="/admin/keys")


class KeyOut(Camel):
    """Nothing of the private half, sealed or not."""

    kid = fields.String()
    algorithm = fields.String()
    state = fields.String()
    created_at = Moment()
    activated_at = Moment()
    replaced_at = Moment()
    retired_at = Moment()
    public_jwk = fields.Function(lambda row: json.loads(row.public_jwk))


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


_key_out = KeyOut()


@bp.get("")
@requires("keys:rotate", in_any_tenant=True)
@asks(KeyListing)
def find(query: dict[str, Any]) -> Response:
    """All keys, retired ones too."""
    return listed(key_rotation.find(window(query)), _key_out, "Signing keys.")


@bp.get("/<kid>")
@requires("keys:rotate", in_any_tenant=True)
def get(kid: str) -> Response:
    """One key."""
    return answer(_key_out.dump(key_rotation.get(kid)), "A signing key.")


@bp.post("/rotate")
@requires("keys:rotate", in_any_tenant=True)
@takes(NothingIn)
def rotate(_body: dict[str, Any]) -> Response:
    """Sign with the published next key from now on, and publish another."""
    return answer(_key_out.dump(key_rotation.rotate(mandate())), "This key signs from now on.")


@bp.post("/<kid>/retire")
@requires("keys:rotate", in_any_tenant=True)
@takes(NothingIn)
def retire(_body: dict[str, Any], kid: str) -> Response:
    """Believe a replaced key no more, once nobody is signed in by it."""
    return answer(_key_out.dump(key_rotation.retire(mandate(), kid)), "This key is retired.")


@bp.post("/<kid>/revoke")
@requires("keys:rotate", in_any_tenant=True)
@takes(NothingIn)
def revoke(_body: dict[str, Any], kid: str) -> Response:
    """Believe a key no more, from this moment on, and end the sign-ins whose tokens it may have signed."""
    revoked = key_rotation.revoke(mandate(), kid)
    return answer({"key": _key_out.dump(revoked.key), "revoked": revoked.count}, "This key is revoked.")
