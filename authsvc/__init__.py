"""authsvc: a self-hosted token service.

`create_app(config)` makes the service; `init_app(app)` puts it into your own Flask app; `Verifier(url)` guards an API
that runs elsewhere. In both, `from authsvc import requires, principal` protects your routes.
"""

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any

from flask import Flask, Request
from flask.sessions import NullSession, SessionInterface, SessionMixin

from authsvc import blueprints, cli, console, dialects, logs, refused
from authsvc.blueprints import envelope, reference
from authsvc.credentials import guard, jwts, origins
from authsvc.credentials.guard import principal, public, requires
from authsvc.dialects.addresses import Addresses
from authsvc.errors import Refusal
from authsvc.every_answer import EveryAnswer
from authsvc.extensions import db, jwt, migrate
from authsvc.models import engine
from authsvc.proxies import TrustedProxies
from authsvc.query_tokens import QueryTokens
from authsvc.services import installation, key_rotation, throttle
from authsvc.services.api_token_uses import Uses
from authsvc.services.passwords import Hashing
from authsvc.services.signing_keys import Ring
from authsvc.settings import check
from authsvc.verifier import Verifier

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

    from config import Base

__all__ = ["Verifier", "create_app", "init_app", "principal", "public", "requires"]


class _NoCookie(SessionInterface):
    """Flask's own cookie: there is none."""

    def open_session(self, app: Flask, request: Request) -> SessionMixin:
        return NullSession()


class _Service(Flask):
    """Flask, without what it does at each request for views that are coroutines, or keep something in its cookie."""

    url_map_class = Addresses
    session_interface = _NoCookie()

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        return func


def create_app(config: "Base") -> Flask:
    """The service, as its config object describes it. Raises SettingsRefused, naming what is wrong with it."""
    check(config)
    app = _Service("authsvc", static_folder=None)
    app.config.update(
        MAX_CONTENT_LENGTH=config.MAX_BODY,
        SQLALCHEMY_DATABASE_URI=config.DATABASE_URL,
        SQLALCHEMY_ENGINE_OPTIONS=engine.options(config),
        PROPAGATE_EXCEPTIONS=False,
        **jwts.configuration(config.BASE_URL),
    )
    app.url_map.strict_slashes = False
    app.url_map.merge_slashes = False
    app.extensions.update(
        {
            "authsvc": config,
            "authsvc.ring": Ring(follow_up=key_rotation.keep_schedule),
            "authsvc.recalled": {},
            "authsvc.verified": {},
            "authsvc.hashing": Hashing(config),
            "authsvc.uses": Uses(),
        }
    )
    logs.start(config.LOG_LEVEL, config.LOG_FORMAT)

    engine.prepare(config, Path(app.instance_path))
    db.init_app(app)
    with app.app_context():
        engine.instrument(db.engine)
    jwt.init_app(app)
    migrate.init_app(app, db, directory=str(installation.MIGRATIONS), render_as_batch=True)

    if config.METRICS_READERS:
        _count_in(app, config)
    if config.REDIS_URL:
        _count_guesses_in(app, config)
    envelope.install(app)
    app.before_request(guard.begin_request)
    app.after_request(origins.add_cors)
    for blueprint in blueprints.BLUEPRINTS:
        app.register_blueprint(blueprint)
    if config.DOCS:
        app.register_blueprint(reference.bp)
    console.install(app, served=config.CONSOLE)
    dialects.install(app, config.DIALECTS)
    cli.install(app)
    answered = EveryAnswer(app.wsgi_app, over_tls=config.BASE_URL.startswith("https://"))
    app.wsgi_app = QueryTokens(TrustedProxies(answered, config.TRUSTED_PROXIES))  # type: ignore[method-assign]
    return app


def _count_in(app: Flask, config: "Base") -> None:
    # The library asks, when it is loaded, where to count: gunicorn has said so by then. Others need not load it at all.
    from authsvc.metrics import Metrics

    metrics = app.extensions["authsvc.metrics"] = Metrics(config)
    metrics.install(app)
    with app.app_context():
        metrics.watch(db.engine)


def _count_guesses_in(app: Flask, config: "Base") -> None:
    # Its client takes as long to load as all of authsvc's own: only who has a Redis waits for that.
    from authsvc.models.attempt_in_redis import Attempts

    app.extensions[throttle.COUNTERS] = Attempts(config.REDIS_URL)


def init_app(app: Flask, config: "Base | None" = None, prefix: str = "", *, query_token: bool = True) -> Flask:
    """Serve authsvc from your own Flask app, below `prefix`; answers the service's own app, which stays apart.

    It has its own settings, database, error pages and hooks: yours are not touched, and it meets none of yours. With
    `query_token=False`, `?token=` is yours on your routes, and no API token is taken from there.
    """
    if config is None:
        from config import from_environment  # only who asks for it reads the environment

        config = from_environment()
    service = create_app(config)
    app.extensions["authsvc.embedded"] = service
    app.register_error_handler(Refusal, refused.response)
    app.cli.add_command(cli.embedded(service), "authsvc")
    mounted = _Mounted(service, app.wsgi_app, prefix)
    app.wsgi_app = QueryTokens(mounted) if query_token else mounted  # type: ignore[method-assign]
    return service


class _Mounted:
    """WSGI: the paths that the service knows are the service's; all others go to the app around it."""

    # What is asked of an issuer with a path stands before that path (RFC 8414 section 3.1).
    INSERTED = "/.well-known/oauth-authorization-server/"

    def __init__(self, service: Flask, around: "WSGIApplication", prefix: str) -> None:
        self.service = service
        self.around = around
        self.prefix = prefix.rstrip("/")

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        path = environ.get("PATH_INFO", "")
        if path.startswith(f"{self.prefix}/"):
            inner = environ | {
                "SCRIPT_NAME": environ.get("SCRIPT_NAME", "") + self.prefix,
                "PATH_INFO": path[len(self.prefix) :],
            }
            if self.prefix or self._is_known(inner):
                return self.service(inner, start_response)
        elif path.startswith(self.INSERTED) and self._is_known(environ):
            return self.service(environ, start_response)
        return self.around(environ, start_response)

    def _is_known(self, environ: "WSGIEnvironment") -> bool:
        adapter = self.service.url_map.bind_to_environ(environ)
        return bool(adapter.allowed_methods())
