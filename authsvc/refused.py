"""What a refusal says: the one shape of every no, of the service, of an app around it, and of an API elsewhere."""

from typing import Any

import orjson
from flask import Response, g, request

from authsvc import presenting
from authsvc.errors import Refusal, Unauthenticated


def body_of(error: Refusal, request_id: str) -> bytes:
    """The code for programs, the sentence for people, the request id for whoever has to find out why."""
    detail: dict[str, Any] = {"code": error.code, "requestId": request_id}
    if error.fields:
        detail["fields"] = error.fields
    return orjson.dumps({"success": False, "message": error.text, "data": None, "error": detail})


def headers_of(error: Refusal, request_id: str) -> dict[str, str]:
    headers = {"Content-Type": "application/json", "X-Request-Id": request_id}
    if isinstance(error, Unauthenticated):
        challenge = f', error="{error.challenge}"' if error.challenge else ""
        headers["WWW-Authenticate"] = f'Bearer realm="authsvc"{challenge}'
    return headers | error.headers


def response(error: Refusal) -> Response:
    """For any Flask app."""
    request_id = g.get("request_id") or presenting.request_id(request.environ)
    return Response(body_of(error, request_id), error.status, headers_of(error, request_id))
