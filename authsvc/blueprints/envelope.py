"""The one shape of every answer, yes or no; and the one place where any error becomes it."""

from typing import Any, cast

import orjson
from flask import Flask, Response, current_app, g, request
from flask.json.provider import JSONProvider
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from authsvc import errors, opaque
from authsvc.errors import Refusal
from authsvc.logs import logger
from authsvc.models.engine import FAILURES
from authsvc.refused import response as refusal
from authsvc.settings import settings

ANY_ORIGIN_MAY_EMBED_NOTHING = "default-src 'none'; frame-ancestors 'none'"
# What Werkzeug refuses by itself, and what that is in our words.
REFUSED_BY_WERKZEUG: dict[int, type[Refusal]] = {
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    413: errors.TooLarge,
    414: errors.TooLarge,
    415: errors.UnsupportedMediaType,
    431: errors.TooLarge,
}


class OrjsonProvider(JSONProvider):
    """Fast, and refuses what JSON can't say, such as NaN."""

    def dumps(self, obj: Any, **_: Any) -> str:
        return orjson.dumps(obj).decode()

    def loads(self, s: str | bytes, **_: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        body = orjson.dumps(self._prepare_response_obj(args, kwargs))
        return Response(body, mimetype="application/json")


def plain(data: Any) -> Response:
    """Yes, without the envelope."""
    return cast("Response", current_app.json.response(data))


def answer(data: Any, message: str, status: int = 200) -> Response:
    """Yes."""
    response = plain({"success": True, "message": message, "data": data})
    response.status_code = status
    return response


def install(app: Flask) -> None:
    app.json = OrjsonProvider(app)
    app.register_error_handler(Refusal, refusal)
    app.register_error_handler(ValidationError, _shape_refused)
    app.register_error_handler(HTTPException, _http_refused)
    for failure in FAILURES:
        app.register_error_handler(failure, _database_failed)
    app.register_error_handler(Exception, _broken)
    app.after_request(_add_headers)


def _shape_refused(error: ValidationError) -> Response:
    fields = error.messages if isinstance(error.messages, dict) else {"body": error.messages}
    return refusal(errors.ValidationFailed(fields=fields))


def _http_refused(error: HTTPException) -> Response:
    """Werkzeug's own refusals keep their headers, such as Allow, and lose their HTML."""
    kind = REFUSED_BY_WERKZEUG.get(error.code or 500)
    if kind is None:
        kind = errors.BadRequest if (error.code or 500) < 500 else errors.InternalError  # noqa: PLR2004
    response = refusal(kind())
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            response.headers[name] = value
    return response


def _database_failed(error: Exception) -> Response:
    logger.error("The database did not answer: %s", type(getattr(error, "orig", None) or error).__name__)
    logger.debug("What it said:", exc_info=error)
    return refusal(errors.Unavailable())


def _broken(error: Exception) -> Response:
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return refusal(errors.InternalError())


def _add_headers(response: Response) -> Response:
    headers = response.headers
    if request.method == "OPTIONS":
        headers.pop("Content-Type", None)  # there is nothing in it
    headers["X-Request-Id"] = g.get("request_id") or opaque.new_id()
    headers["X-Content-Type-Options"] = "nosniff"
    headers["Referrer-Policy"] = "no-referrer"
    headers.setdefault("Content-Security-Policy", ANY_ORIGIN_MAY_EMBED_NOTHING)
    if "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-store"
        headers["Pragma"] = "no-cache"
    if settings.BASE_URL.startswith("https://"):
        headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
    return response
