"""The interface, described: for programs in OpenAPI, for people as a page to try it on."""

from functools import cache
from pathlib import Path

import orjson
from flask import Blueprint, Response, current_app, request
from markupsafe import escape
from marshmallow import Schema, fields

from authsvc.blueprints.answers import for_people, gives_bare
from authsvc.blueprints.reference.document import describe
from authsvc.credentials.guard import public
from authsvc.errors import NotFound

bp = Blueprint("reference", __name__)

# Beside start.js, Swagger UI as swagger-ui-dist 5.35.0 has it, but for the name of a source map that is not here.
STATIC = Path(__file__).with_name("static")
SERVED = {"swagger-ui.css": "text/css", "swagger-ui-bundle.js": "text/javascript", "start.js": "text/javascript"}
A_DAY = 24 * 60 * 60
# Swagger UI needs no more than this; all that it shows comes from here.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>authsvc: the interface</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{root}/docs/swagger-ui.css">
<script defer src="{root}/docs/swagger-ui-bundle.js"></script>
<script defer src="{root}/docs/start.js"></script>
</head>
<body>
<main id="reference" data-description="{root}/openapi.json">
<p>This page needs JavaScript. The same is in <a href="{root}/openapi.json">openapi.json</a>.</p>
</main>
</body>
</html>
"""


class DescriptionOut(Schema):
    openapi = fields.String()
    info = fields.Dict()
    servers = fields.List(fields.Dict())
    tags = fields.List(fields.Dict())
    paths = fields.Dict()
    components = fields.Dict()


@bp.get("/openapi.json")
@public
@gives_bare(DescriptionOut)
def openapi() -> Response:
    """This description, in OpenAPI 3.1."""
    made: dict[str, bytes] = current_app.extensions.setdefault("authsvc.described", {})
    root = request.script_root
    if root not in made:
        made[root] = orjson.dumps({**describe(current_app), "servers": [{"url": root or "/"}]})
    response = Response(made[root], mimetype="application/json")
    response.headers["Cache-Control"] = "public, max-age=300"
    return response


@bp.get("/docs")
@public
@for_people
def docs() -> Response:
    """The same, to read and to try."""
    page = Response(PAGE.format(root=escape(request.script_root)), mimetype="text/html")
    page.headers["Content-Security-Policy"] = POLICY
    return page


@bp.get("/docs/<file>")
@public
@for_people
def part_of_docs(file: str) -> Response:
    """What the page is made of."""
    if file not in SERVED:
        raise NotFound
    part = Response(_read(file), mimetype=SERVED[file])
    part.headers["Cache-Control"] = f"public, max-age={A_DAY}"
    part.add_etag()
    part.make_conditional(request)
    return part


@cache
def _read(file: str) -> bytes:
    return (STATIC / file).read_bytes()
