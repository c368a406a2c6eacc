"""Query parameters, and the lists they ask for: each parameter once, known by name, and of the right shape."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from flask import request
from marshmallow import RAISE, Schema, fields, validate

from authsvc.blueprints.bodies import OTHER_NAMES, Body, Camel, Text, Uuid, loaded, strict_json
from authsvc.errors import AmbiguousRequest
from authsvc.models.paging import Window

P = ParamSpec("P")
R = TypeVar("R")

MOST = 200
USUAL = 50


class Whole(fields.Integer):
    """A whole number in plain digits."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if not (isinstance(value, str) and value.isascii() and value.isdigit() and len(value) < len(str(2**31))):
            raise self.make_error("invalid", input=value)
        return int(value)


class Switch(fields.Boolean):
    """true or false, in these letters."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if value not in ("true", "false"):
            raise self.make_error("invalid", input=value)
        return bool(value == "true")


class Query(Camel):
    """What may stand behind the question mark. Names that are not here are refused."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "There is no such parameter here."}  # noqa: RUF012  (marshmallow's own way)


class Listing(Query):
    """What every list takes; its filters are added below."""

    limit = Whole(load_default=USUAL, validate=validate.Range(1, MOST))
    cursor: Text = Uuid()


def asks(
    schema_class: type[Query], *, read: Callable[[], dict[str, str]] | None = None
) -> Callable[[Callable[Concatenate[dict[str, Any], P], R]], Callable[P, R]]:
    """The query of this route, checked: the view's first argument. `read`: what of it counts."""
    schema = schema_class()
    # What it makes of nothing, it makes of it each time.
    of_nothing = None if any(field.required for field in schema.fields.values()) else loaded(schema, {})

    def decorate(view: Callable[Concatenate[dict[str, Any], P], R]) -> Callable[P, R]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            given = (read or parameters)()
            query = loaded(schema, given) if given or of_nothing is None else of_nothing.copy()
            return view(query, *args, **kwargs)

        return _asking(checked, schema)

    return decorate


def asks_or_takes(
    in_query: type[Query], in_body: type[Body]
) -> Callable[[Callable[Concatenate[dict[str, Any], P], R]], Callable[P, R]]:
    """The same said in the query or in the body of this route, checked: the view's first argument."""
    query_schema, body_schema = in_query(), in_body()

    def decorate(view: Callable[Concatenate[dict[str, Any], P], R]) -> Callable[P, R]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            asked, sent = parameters(), strict_json(may_be_absent=True)
            if asked and sent:
                raise AmbiguousRequest("Say which in the query or in the body, not in both.")
            return view(loaded(query_schema, asked) if asked else loaded(body_schema, sent), *args, **kwargs)

        checked.body_schema = body_schema  # type: ignore[attr-defined]
        return _asking(checked, query_schema)

    return decorate


def _asking(checked: Callable[P, R], schema: Query) -> Callable[P, R]:
    checked.query_schema = schema  # type: ignore[attr-defined]
    checked.takes_query = names_in(schema)  # type: ignore[attr-defined]
    return checked


def names_in(schema: Schema) -> frozenset[str]:
    """What the guard lets through to this route: the names of its parameters, and their other spellings."""
    names = {field.data_key for field in schema.fields.values() if field.data_key}
    return frozenset(names | {theirs for theirs, ours in OTHER_NAMES.items() if ours in names})


def parameters() -> dict[str, str]:
    """Raises AmbiguousRequest for one that is given twice."""
    if not request.query_string:
        return {}
    for name, values in request.args.lists():
        if len(values) > 1:
            raise AmbiguousRequest(f"{name[:64]} is given twice. Send it once.")
    return request.args.to_dict()


def window(query: dict[str, Any]) -> Window:
    """Take the page out of a query; what is left are its filters."""
    return Window(query.pop("limit"), query.pop("cursor", None))
