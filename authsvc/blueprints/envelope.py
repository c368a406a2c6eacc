"""The one shape of every answer, yes or no; and the one place where any error becomes an answer."""

from collections.abc import Callable
from typing import Any, cast

import orjson
from flask import Blueprint, Flask, Response, current_app, request
from flask.json.provider import JSONProvider
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from authsvc import counting, errors
from authsvc.errors import Refusal
from authsvc.logs import logger
from authsvc.models.engine import FAILURES
from authsvc.refused import response as refusal

Shape = Callable[[Refusal], Response]

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
    app.extensions["authsvc.wires"] = {}
    app.register_error_handler(Exception, _refused_as_its_wire_says)


def speak(bp: Blueprint, shape: Shape) -> None:
    """Below the blueprint's prefix every refusal has that shape instead of the envelope.

    So has one for a path or a method that isn't there, which Flask calls no blueprint's.
    """
    bp.record(lambda state: state.app.extensions["authsvc.wires"].update({state.url_prefix: shape}))


def _refused_as_its_wire_says(error: Exception) -> Response:
    """The one way from any error to an answer."""
    wires: dict[str, Shape] = current_app.extensions["authsvc.wires"]
    shape = next((shape for prefix, shape in wires.items() if f"{request.path}/".startswith(f"{prefix}/")), refusal)
    meant = _meant(error)
    counting.count("refusals", counting.current_route(), meant.code)
    return shape(meant)


def _meant(error: Exception) -> Refusal:
    """What any error is in our words; what only whoever runs the service may know, the log is told."""
    if isinstance(error, Refusal):
        return error
    if isinstance(error, ValidationError):
        fields = error.messages if isinstance(error.messages, dict) else {"body": error.messages}
        return errors.ValidationFailed(fields=fields)
    if isinstance(error, HTTPException):
        return _meant_by_werkzeug(error)
    if isinstance(error, FAILURES):
        logger.error("The database did not answer: %s", type(getattr(error, "orig", None) or error).__name__)
        logger.debug("What it said:", exc_info=error)
        return errors.Unavailable()
    logger.error("%s %s failed", request.method, request.path, exc_info=error)
    return errors.InternalError()


def _meant_by_werkzeug(error: HTTPException) -> Refusal:
    """Its own refusals keep their headers, such as Allow, and lose their HTML."""
    kind = REFUSED_BY_WERKZEUG.get(error.code or 500)
    if kind is None:
        kind = errors.BadRequest if (error.code or 500) < 500 else errors.InternalError  # noqa: PLR2004
    meant = kind()
    for name, value in error.get_headers():
        if name.lower() not in ("content-type", "content-length"):
            meant.headers[name] = value
    return meant
