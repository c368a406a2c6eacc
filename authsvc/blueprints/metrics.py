"""Numbers for whoever watches the service."""

from functools import cache

from flask import Blueprint, Response, current_app, request

from authsvc.addresses import Network, is_within, network
from authsvc.blueprints.answers import gives_text, refuses
from authsvc.credentials.guard import on_any_host, public
from authsvc.errors import NotFound
from authsvc.settings import settings

bp = Blueprint("metrics", __name__)

# What proxies write. Who asks through one comes from its address, or from any that the proxy is made to believe.
BY_A_PROXY = ("Forwarded", "Via", "X-Forwarded-For", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Real-IP")


@bp.get("/metrics")
@public
@on_any_host
@gives_text("text/plain", "application/openmetrics-text")
@refuses(NotFound)
def metrics() -> Response:
    """All numbers, to whoever METRICS_READERS names and asks without a proxy. Raises NotFound for everybody else."""
    if not _is_reader():
        raise NotFound
    body, media_type = current_app.extensions["authsvc.metrics"].written(request.headers.get("Accept", ""))
    return Response(body, content_type=media_type)


def _is_reader() -> bool:
    if any(header in request.headers for header in BY_A_PROXY):
        return False
    return is_within(request.remote_addr or "", map(_network, settings.METRICS_READERS))


@cache
def _network(text: str) -> Network:
    return network(text)
