"""What a route answers, said above it: the shape of its yes, and the refusals that are its own.

The OpenAPI description (reference/document.py) is made from this and from the schemas, and says nothing of its own.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from flask import Response
from marshmallow import Schema, fields

from authsvc.blueprints.bodies import Camel
from authsvc.blueprints.envelope import answer
from authsvc.errors import Refusal

# Of a field of an answer: it is not always there.
SOMETIMES = "sometimes"

P = ParamSpec("P")
R = TypeVar("R")


@dataclass(frozen=True, slots=True)
class Gives:
    """Any one of these schemas, or nothing at all; in the envelope unless it is `bare`."""

    schemas: tuple[Schema, ...]
    status: int = 200
    headers: tuple[str, ...] = ()
    bare: bool = False
    media: tuple[str, ...] = ("application/json",)


class Sorted(fields.List[str]):
    """A set, in the same order each time."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(fields.String(), **kwargs)

    def _serialize(self, value: Any, attr: Any, obj: Any, **kwargs: Any) -> list[str]:
        return sorted(value)


class DeletedOut(Camel):
    """What is gone, and how many sign-ins ended with it."""

    id = fields.String()
    revoked = fields.Integer()


def page_of(schema_class: type[Schema]) -> type[Schema]:
    """A page of a list, as every list has it."""
    items = fields.List(fields.Nested(schema_class))
    name = f"{schema_class.__name__.removesuffix('Out')}Page"
    return type(name, (Camel,), {"items": items, "next_cursor": fields.String(allow_none=True)})


def gives(
    schema_class: type[Schema],
    message: str = "",
    status: int = 200,
    *,
    also: tuple[type[Schema], ...] = (),
    headers: tuple[str, ...] = (),
) -> Callable[[Callable[P, Any]], Callable[P, Response]]:
    """The view returns what the schema shows, or, where it has more than that to say, its answer ready-made."""
    schema = schema_class()

    def decorate(view: Callable[P, Any]) -> Callable[P, Response]:
        @wraps(view)
        def answering(*args: P.args, **kwargs: P.kwargs) -> Response:
            found = view(*args, **kwargs)
            return found if isinstance(found, Response) else answer(schema.dump(found), message, status)

        answering.gives = Gives((schema, *(one() for one in also)), status, headers)  # type: ignore[attr-defined]
        return answering

    return decorate


def gives_bare(
    *schema_classes: type[Schema], headers: tuple[str, ...] = (), media: str = "application/json"
) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """The view's answer has no envelope, and without a schema no body."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        schemas = tuple(one() for one in schema_classes)
        view.gives = Gives(schemas, headers=headers, bare=True, media=(media,) if schemas else ())  # type: ignore[attr-defined]
        return view

    return decorate


def gives_text(*media: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        view.gives = Gives((), bare=True, media=media)  # type: ignore[attr-defined]
        return view

    return decorate


def refuses(*kinds: type[Refusal]) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """What may be wrong here, besides what its guard, its body, its query and its path refuse anywhere."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        view.refuses = frozenset(kinds)  # type: ignore[attr-defined]
        return view

    return decorate


def hears(*headers: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Headers that this route reads, besides those that every route does."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        view.hears = headers  # type: ignore[attr-defined]
        return view

    return decorate


def for_people(view: Callable[P, R]) -> Callable[P, R]:
    """A page: no part of the interface for programs, and not in its description."""
    view.for_people = True  # type: ignore[attr-defined]
    return view
