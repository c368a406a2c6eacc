"""Ids in paths."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from authsvc.errors import NotFound
from authsvc.opaque import is_id

P = ParamSpec("P")
R = TypeVar("R")


def by_id(view: Callable[Concatenate[str, P], R]) -> Callable[P, R]:
    """The `<id>` of this route, as we write ids: the view's first argument, before its body or query.

    Raises NotFound.
    """

    @wraps(view)
    def found(*args: Any, **path: Any) -> R:
        return view(written(path.pop("id")), *args, **path)

    found.by_id = True  # type: ignore[attr-defined]
    return found


def written(text: str) -> str:
    """An id as we write it. What can't be one is as unknown as one that nobody has: no database is asked for it.

    Raises NotFound.
    """
    if not is_id(text.lower()):
        raise NotFound
    return text.lower()
