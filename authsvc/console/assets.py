"""Styles and scripts: ours, and those of others that stand in static/vendor beside their licences.

The address of a file has the digest of what is in it, so browsers keep it for good and a new one is another file.
"""

import mimetypes
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, url_for

from authsvc import opaque
from authsvc.credentials.guard import public
from authsvc.errors import NotFound

bp = Blueprint("assets", __name__, url_prefix="/assets")

STATIC = Path(__file__).with_name("static")
FOR_GOOD = "public, max-age=31536000, immutable"


@bp.get("/<digest>/<path:name>")
@public
def asset(digest: str, name: str) -> Response:
    """One file, in the version that a page refers to."""
    if digest != _digests().get(name):
        raise NotFound
    kind, _ = mimetypes.guess_type(name)
    return Response((STATIC / name).read_bytes(), mimetype=kind, headers={"Cache-Control": FOR_GOOD})


def address(name: str) -> str:
    """Where a page finds a file of static/."""
    return url_for("console.assets.asset", digest=_digests()[name], name=name)


@cache
def _digests() -> dict[str, str]:
    files = [path for path in STATIC.rglob("*") if path.is_file()]
    return {path.relative_to(STATIC).as_posix(): opaque.digest(path.read_text())[:16] for path in files}
