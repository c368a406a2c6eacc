"""Request bodies: strict JSON, then a schema. By the time a view runs, the shape of its input is right."""

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from flask import request
from marshmallow import RAISE, Schema, ValidationError, fields, validate

from authsvc.errors import AmbiguousRequest, MalformedJson, TooLarge, UnsupportedMediaType, ValidationFailed
from authsvc.opaque import is_id
from authsvc.settings import settings

P = ParamSpec("P")
R = TypeVar("R")

# Names that the first guides used, and the ones they stand for.
OTHER_NAMES = {
    "refresh_token": "refreshToken",
    "refreshtoken": "refreshToken",
    "applicationsId": "applicationId",
    "TokenString": "tokenString",
}


class Camel(Schema):
    """snake_case here, camelCase on the wire."""

    def on_bind_field(self, field_name: str, field_obj: fields.Field[Any]) -> None:
        head, *rest = field_name.split("_")
        field_obj.data_key = head + "".join(word.title() for word in rest)


class Body(Camel):
    """What a request may say. Names that are not here are refused."""

    class Meta:
        unknown = RAISE

    error_messages = {"unknown": "There is no such field."}  # noqa: RUF012  (marshmallow's own way)


class Text(fields.String):
    """A string of bounded length. PostgreSQL can't hold a NUL, and nobody means one."""

    def __init__(self, longest: int | None = 256, shortest: int = 1, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(shortest, longest), **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = str(super()._deserialize(value, attr, data, **kwargs))
        if "\0" in text:
            raise ValidationError("A NUL character can't stand here.")
        return text


class Texts(fields.List[str]):
    """A list of strings, each and all of them bounded."""

    def __init__(self, most: int, longest: int = 256, **kwargs: Any) -> None:
        super().__init__(Text(longest=longest), validate=validate.Length(max=most), **kwargs)


class Jwt(Text):
    """Its reader judges its length too: one that is too long to be ours is a wrong token, not a wrong body."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(longest=None, **kwargs)


class Flag(fields.Boolean):
    """true or false, and nothing that merely looks like it."""

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        if not isinstance(value, bool):
            raise self.make_error("invalid", input=value)
        return value


class Number(fields.Integer):
    """A whole number from least to most, and nothing that merely looks like it."""

    def __init__(self, least: int, most: int, **kwargs: Any) -> None:
        super().__init__(validate=validate.Range(least, most), **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> int:
        if type(value) is not int:
            raise self.make_error("invalid", input=value)
        return value


class Overlap(Number):
    """For how many seconds what is replaced stays good."""

    LONGEST = timedelta(days=30)

    def __init__(self) -> None:
        super().__init__(0, int(self.LONGEST.total_seconds()))


class Uuid(Text):
    """An id, in any case; ours are in lower case."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(longest=64, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> str:
        text = super()._deserialize(value, attr, data, **kwargs).lower()
        if not is_id(text):
            raise ValidationError("This is no id: a UUID with its dashes.")
        return text


class Moment(fields.Field[datetime]):
    """ISO 8601, in UTC with Z where it is ours."""

    def _serialize(self, value: datetime | None, attr: Any, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value.isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> datetime:
        try:
            # In an address a plus is a space, unless it is written as %2B.
            at = datetime.fromisoformat(value.replace(" ", "+") if isinstance(value, str) else "")
            return at.astimezone(UTC) if at.tzinfo else at.replace(tzinfo=UTC)
        except (ValueError, OverflowError):
            raise ValidationError("This is no time: write it as 2030-01-31T12:00:00Z.") from None


def takes(
    schema_class: type[Body],
) -> Callable[[Callable[Concatenate[dict[str, Any], P], R]], Callable[P, R]]:
    """The body of this route, checked: the view's first argument."""
    schema = schema_class()
    may_be_absent = not any(field.required for field in schema.fields.values())

    def decorate(view: Callable[Concatenate[dict[str, Any], P], R]) -> Callable[P, R]:
        @wraps(view)
        def checked(*args: P.args, **kwargs: P.kwargs) -> R:
            return view(loaded(schema, strict_json(may_be_absent=may_be_absent)), *args, **kwargs)

        checked.body_schema = schema  # type: ignore[attr-defined]
        return checked

    return decorate


def strict_json(*, may_be_absent: bool) -> dict[str, Any]:
    """The body as one JSON object. Raises MalformedJson, TooLarge, UnsupportedMediaType."""
    raw = whole_body()
    if not raw and may_be_absent:
        return {}
    if raw and (request.mimetype != "application/json" or request.headers.get("Content-Encoding")):
        raise UnsupportedMediaType
    return json_object(raw)


def json_object(raw: bytes) -> dict[str, Any]:
    """Raises MalformedJson."""
    try:
        text = raw.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_without_repeats, parse_constant=_not_a_number)
        if "\\u" in text:
            json.dumps(found, ensure_ascii=False).encode()  # a lone surrogate is no character
    except (ValueError, RecursionError):
        raise MalformedJson from None
    if not isinstance(found, dict):
        raise MalformedJson
    return found


def whole_body() -> bytes:
    """Raises TooLarge."""
    raw = request.get_data(cache=True)
    if request.content_length is None and len(raw) >= settings.MAX_BODY:
        raise TooLarge  # where no length is told, Werkzeug cuts the body off there and says nothing
    return raw


def _without_repeats(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("a name stands twice")
    return found


def _not_a_number(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


def loaded(schema: Schema, given: Mapping[str, Any]) -> dict[str, Any]:
    """Through the schema under our names; what is wrong is told under the caller's."""
    expected = _expected(schema)
    spelled: dict[str, str] = {}
    for theirs in given:
        meant = OTHER_NAMES.get(theirs, theirs)
        ours = meant if meant in expected else theirs
        if ours in spelled:
            raise AmbiguousRequest
        spelled[ours] = theirs
    try:
        loaded: dict[str, Any] = schema.load({ours: given[theirs] for ours, theirs in spelled.items()})
    except ValidationError as error:
        messages: dict[str, Any] = error.normalized_messages()  # type: ignore[no-untyped-call]
        raise ValidationFailed(fields={spelled.get(name, name): _flat(m) for name, m in messages.items()}) from None
    return loaded


@cache
def _expected(schema: Schema) -> frozenset[str | None]:
    return frozenset(field.data_key for field in schema.fields.values())


def _flat(messages: Any) -> list[str]:
    """marshmallow nests the messages of lists and dicts; a field has one list of sentences, which say where."""
    if isinstance(messages, dict):
        return [
            f"Number {key + 1}: {sentence}" if isinstance(key, int) else sentence
            for key, inner in messages.items()
            for sentence in _flat(inner)
        ]
    return [str(message) for message in messages]
