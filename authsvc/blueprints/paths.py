"""What stands in a path."""

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar

from authsvc.errors import NotFound
from authsvc.models.columns import is_id

R = TypeVar("R")


def by_id(view: Callable[..., R]) -> Callable[..., R]:
    """The `<id>` of this route's path, in lower case: the view's last argument. What is no id is the id of nothing."""

    @wraps(view)
    def found(*args: Any, **path: str) -> R:
        named = path.pop("id").lower()
        if not is_id(named):
            raise NotFound
        return view(*args, named, **path)

    return found
