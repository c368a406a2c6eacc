"""Is the process alive, and is it ready for work?"""

from flask import Blueprint, Response, g
from marshmallow import fields

from authsvc.blueprints.answers import gives_bare, refuses
from authsvc.blueprints.bodies import Camel
from authsvc.blueprints.envelope import plain
from authsvc.credentials.guard import on_any_host, public
from authsvc.errors import Unavailable
from authsvc.services import installation, signing_keys

bp = Blueprint("health", __name__)


class HealthOut(Camel):
    status = fields.String()


@bp.get("/healthz")
@public
@on_any_host
@gives_bare(HealthOut)
def healthz() -> Response:
    """The process answers."""
    return plain({"status": "ok"})


@bp.get("/readyz")
@public
@on_any_host
@gives_bare(HealthOut)
@refuses(Unavailable)
def readyz() -> Response:
    """The database answers, its tables are today's, and there is a key to sign with."""
    installation.check_schema()
    signing_keys.active(g.now)
    return plain({"status": "ready"})
