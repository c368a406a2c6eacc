"""Ids in paths."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, TypeVar

from authsvc.errors import NotFound
from authsvc.models.columns import is_id

P = ParamSpec("P")
R = TypeVar("R")


def by_id(view: Callable[Concatenate[str, P], R]) -> Callable[P, R]:
    """The `<id>` of this route, as we write ids: the view's first argument, before its body or query.

    What can't be an id is as unknown as one that nobody has, and no database is asked for it. Raises NotFound.
    """

    @wraps(view)
    def found(*args: Any, **path: Any) -> R:
        text = str(path.pop("id")).lower()
        if not is_id(text):
            raise NotFound
        return view(text, *args, **path)

    return found
