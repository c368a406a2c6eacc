"""Form bodies, as OAuth has them (RFC 6749, section 3.2 and appendix B)."""

from collections.abc import Callable
from typing import ParamSpec, TypeVar
from urllib.parse import parse_qsl

from flask import request
from marshmallow import Schema

from authsvc.blueprints.bodies import whole_body
from authsvc.errors import InvalidRequest

FORM = "application/x-www-form-urlencoded"

P = ParamSpec("P")
R = TypeVar("R")


def reads(schema_class: type[Schema]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Which parameters this route looks for; unknown ones are ignored, as RFC 6749 section 3.2 has it."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        view.form_schema = schema_class()  # type: ignore[attr-defined]
        return view

    return decorate


def parameters() -> dict[str, str]:
    """Each by its name; those without a value are as good as absent. Raises InvalidRequest, TooLarge."""
    raw = whole_body()
    if not raw:
        return {}
    if request.mimetype != FORM or request.headers.get("Content-Encoding"):
        raise InvalidRequest(f"Send the parameters in the body, as {FORM}.")
    try:
        pairs = parse_qsl(raw.decode(), keep_blank_values=True, errors="strict")
    except ValueError:
        raise InvalidRequest("The body is not a form in UTF-8.") from None
    found = dict(pairs)
    if len(found) != len(pairs):
        raise InvalidRequest("A parameter stands twice.")
    return {name: value for name, value in found.items() if value}
