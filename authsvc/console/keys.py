"""Signing keys, for operators. They are the whole service's, whatever tenant is looked at."""

import json
from typing import Any

from flask import Blueprint, Response, g

from authsvc.blueprints.admin.keys import KeyListing
from authsvc.blueprints.queries import window
from authsvc.console.forms import confirmed
from authsvc.console.navigation import Section
from authsvc.console.pages import asks, shown, staff
from authsvc.console.spelling import bounded, counted
from authsvc.credentials.guard import mandate
from authsvc.models.signing_key import ACTIVE, NEXT, PREVIOUS, RETIRED
from authsvc.services import key_rotation

bp = Blueprint("keys", __name__, url_prefix="/keys")

SECTION = Section("Signing keys", "console.keys.find", "keys:rotate")

STATES = {
    NEXT: "Published already, so that everybody knows it by the time it signs. It signs nothing yet.",
    ACTIVE: "Signs every token that is given out now.",
    PREVIOUS: "Signs no more. What it signed is still believed, so nobody had to sign in again.",
    RETIRED: "Neither signs nor is believed. It stands here to be looked up.",
}


@bp.get("")
@staff("keys:rotate")
@asks(KeyListing)
def find(query: dict[str, Any]) -> Response:
    """All keys, retired ones too."""
    return shown("keys/list.html", found=key_rotation.find(window(query)), states=STATES)


@bp.get("/<kid>")
@staff("keys:rotate")
def get(kid: str) -> Response:
    """One key."""
    row = key_rotation.get(kid)
    public = json.dumps(json.loads(row.public_jwk), indent=2)
    return shown("keys/one.html", row=row, meaning=STATES[row.state], public=public)


@bp.route("/rotate", methods=["GET", "POST"])
@staff("keys:rotate")
def rotate() -> Response:
    """Sign with the next key from now on."""
    return confirmed(
        lambda: f"The key {key_rotation.rotate(mandate()).kid} signs from now on, and a next one is published.",
        title="Rotate the signing keys?",
        consequence="The next key signs from now on, and another one is published to follow it. The key that signs now "
        "becomes a previous one: what it signed stays good, and nobody is signed out.",
        verb="Rotate",
        back="keys.find",
    )


@bp.route("/<kid>/retire", methods=["GET", "POST"])
@staff("keys:rotate")
def retire(kid: str) -> Response:
    """Believe a replaced key no more, once nobody is signed in by it."""
    key_rotation.get(kid)

    def act() -> str:
        key_rotation.retire(mandate(), kid)
        return "The key is retired."

    return confirmed(
        act,
        title="Retire this key?",
        consequence="It is published no more and nothing that it signed is believed. Nobody is signed out: as long as "
        "a live sign-in may still need it, it stays.",
        verb="Retire",
        back="keys.get",
        kid=kid,
    )


@bp.route("/<kid>/revoke", methods=["GET", "POST"])
@staff("keys:rotate")
def revoke(kid: str) -> Response:
    """Believe a key no more, from this moment on."""
    row = key_rotation.get(kid)

    def act() -> str:
        ended = key_rotation.revoke(mandate(), kid).count
        return f"The key is revoked; {counted(ended, 'sign-in')} ended."

    return confirmed(
        act,
        title="Revoke this key?",
        consequence=_end_of(row.state, bounded(key_rotation.holding(kid, g.now), "live sign-in")),
        verb="Revoke the key",
        back="keys.get",
        typed="revoke",
        kid=kid,
    )


def _end_of(state: str, ending: str) -> str:
    """What revoking a key in that state means."""
    stolen = "This is for a key that somebody else may have."
    return {
        NEXT: "It has signed nothing, so nobody is signed out. Another next key is published in its place.",
        ACTIVE: f"{stolen} {ending.capitalize()} in all tenants will end, yours most likely "
        "among them: these people sign in anew. The next key signs from this moment on. API tokens stay.",
        PREVIOUS: f"{stolen} {ending.capitalize()} in all tenants may hold a token that it "
        "signed and will end: these people sign in anew. The key that signs now stays. API tokens stay.",
        RETIRED: "It is believed by nobody already. Nothing will change.",
    }[state]
