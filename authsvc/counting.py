"""Telling the metrics what happened. Where nobody reads any, nothing is counted."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from flask import current_app, request

from authsvc.errors import Refusal

NO_ROUTE = "(none)"


class Counters(Protocol):
    """What there is to tell, where somebody reads it."""

    def count(self, what: str, *labels: str) -> None: ...

    def add(self, what: str, number: int) -> None: ...


def current_route() -> str:
    """The rule that the path matched. Never the path itself: there are as many as callers can think of."""
    rule = request.url_rule
    return NO_ROUTE if rule is None else rule.rule


def count(what: str, *labels: str) -> None:
    metrics = _metrics()
    if metrics is not None:
        metrics.count(what, *labels)


@contextmanager
def refusals(what: str) -> Iterator[None]:
    """Around what may be refused: each refusal is one more of these, by its code."""
    try:
        yield
    except Refusal as refusal:
        count(what, refusal.code)
        raise


@contextmanager
def one_more(what: str) -> Iterator[None]:
    """One more of these at this moment."""
    metrics = _metrics()
    if metrics is None:
        yield
        return
    metrics.add(what, 1)
    try:
        yield
    finally:
        metrics.add(what, -1)


def _metrics() -> Counters | None:
    found: Counters | None = current_app.extensions.get("authsvc.metrics")
    return found
