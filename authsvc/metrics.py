"""What is counted for whoever watches the service: numbers by route, code, kind and outcome, never about anybody.

It is loaded only where METRICS_READERS names somebody. Under gunicorn every worker writes its numbers into files of its
own, and whichever is asked adds up those of all (config/gunicorn.py says where); elsewhere they stay in the process.
"""

import time
from typing import TYPE_CHECKING, Any

from flask import Flask, Response, g, request
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, values
from prometheus_client.exposition import choose_encoder
from prometheus_client.multiprocess import MultiProcessCollector
from sqlalchemy import Engine, event

from authsvc.counting import current_route
from authsvc.settings import database_pool, hashing_seats

if TYPE_CHECKING:
    from config import Base

METHODS = frozenset({"GET", "HEAD", "OPTIONS", "POST", "PUT", "PATCH", "DELETE"})
SECONDS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)


class Metrics:
    """All numbers of one app. `count` and `add` name what they mean; the labels must be few, whoever calls us."""

    def __init__(self, config: "Base") -> None:
        self.registry = own = CollectorRegistry()
        live: Any = {"multiprocess_mode": "livesum", "registry": own}
        self.durations = Histogram(
            "authsvc_request_seconds", "How long requests took.", ("route", "method"), buckets=SECONDS, registry=own
        )
        self.counters = {
            "requests": Counter("authsvc_requests", "Requests answered.", ("route", "method", "status"), registry=own),
            "refusals": Counter("authsvc_refusals", "Requests refused.", ("route", "code"), registry=own),
            "events": Counter("authsvc_events", "Events written to the trail.", ("kind", "outcome"), registry=own),
            "refreshes": Counter("authsvc_refreshes", "Refresh tokens presented.", ("outcome",), registry=own),
            "guesses": Counter("authsvc_guesses", "Guesses counted.", ("place",), registry=own),
            "api_token_uses": Counter("authsvc_api_token_uses", "API tokens presented.", ("outcome",), registry=own),
        }
        self.gauges = {
            "hashing": Gauge("authsvc_hashing_seats_taken", "Passwords hashed now, or waiting for it.", **live),
            "connections": Gauge("authsvc_database_connections_taken", "Database connections at work.", **live),
        }
        Gauge("authsvc_hashing_seats", "How many passwords may be hashed or wait.", **live).set(hashing_seats(config))
        Gauge("authsvc_database_connections", "How many database connections there may be.", **live).set(
            database_pool(config)
        )
        Gauge("authsvc_workers", "Worker processes.", **live).set(1)
        # Looking up a label's number costs more than raising it.
        self.known: dict[tuple[str, ...], Any] = {}

    def count(self, what: str, *labels: str) -> None:
        key = (what, *labels)
        number = self.known.get(key)
        if number is None:
            number = self.known[key] = self.counters[what].labels(*labels)
        number.inc()

    def add(self, what: str, more: int) -> None:
        self.gauges[what].inc(more)

    def install(self, app: Flask) -> None:
        """Before all other hooks: what begins first ends last, and the time that the others take counts."""
        app.before_request(self._begin)
        app.after_request(self._end)

    def watch(self, engine: Engine) -> None:
        event.listen(engine, "checkout", lambda *_: self.add("connections", 1))
        event.listen(engine, "checkin", lambda *_: self.add("connections", -1))

    def written(self, accepted: str) -> tuple[bytes, str]:
        """All numbers, in a form that the `Accept` header takes, and its media type."""
        everywhere = self.registry
        if values.ValueClass is not values.MutexValue:
            everywhere = CollectorRegistry()
            MultiProcessCollector(everywhere)  # type: ignore[no-untyped-call]
        write, media_type = choose_encoder(accepted)
        return write(everywhere), media_type

    def _begin(self) -> None:
        g.began = time.perf_counter()

    def _end(self, response: Response) -> Response:
        route = current_route()
        method = request.method if request.method in METHODS else "OTHER"
        self.count("requests", route, method, str(response.status_code))
        key = ("", route, method)
        number = self.known.get(key)
        if number is None:
            number = self.known[key] = self.durations.labels(route, method)
        number.observe(time.perf_counter() - g.began)
        return response
