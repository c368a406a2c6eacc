"""Restaurants: an API that authsvc guards from elsewhere. README.md says how to run and try it."""

import os
from typing import Any

from flask import Blueprint, Flask, request

from authsvc import Verifier, principal, requires

bp = Blueprint("restaurants", __name__)
RESTAURANTS: list[dict[str, Any]] = [{"name": "The Quiet Harbour", "addedBy": None}]


@bp.get("/restaurants")
@requires("restaurants:read")
def read() -> list[dict[str, Any]]:
    return RESTAURANTS


@bp.post("/restaurants")
@requires("restaurants:write")
def add() -> tuple[dict[str, Any], int]:
    added = {"name": str(request.get_json()["name"]), "addedBy": principal.user_id}
    RESTAURANTS.append(added)
    return added, 201


def create_app() -> Flask:
    app = Flask(__name__)
    app.register_blueprint(bp)
    Verifier(os.environ["AUTHSVC_URL"]).init_app(app)
    return app
