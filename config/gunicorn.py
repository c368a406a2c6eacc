"""gunicorn's settings. HOST and PORT are plain environment variables; the rest comes from the config object."""

import errno
import os
import shutil
import socket
import tempfile
from collections.abc import Iterator
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

import authsvc.blueprints
from authsvc.hiding import without_secrets
from authsvc.settings import SettingsRefused, check, worker_count
from config import SettingInvalid, from_environment
from config.base import ROOT
from config.environment import host_and_port

# The modules are loaded here, once, and the workers are forked from that; what is opened, each worker opens itself.
try:
    _settings = from_environment()
    check(_settings)
except (SettingInvalid, SettingsRefused) as refused:
    raise SystemExit(str(refused)) from None

if _settings.REDIS_URL:
    import authsvc.models.attempt_in_redis
if _settings.DATABASE_URL.startswith("postgresql"):
    import authsvc.models.postgresql  # noqa: F401


class Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn's, and two things more."""

    sockets: list[Any]

    def set_accept_enabled(self, enabled: bool) -> None:  # noqa: FBT001
        """Once it is told to stop, it takes whoever has connected, and refuses all others from then on.

        gunicorn leaves the socket open while it finishes: who connects meanwhile waits, and is cut off in the end. One
        that is refused is taken elsewhere by a proxy, or at once by the worker that came in place of this one.
        """
        super().set_accept_enabled(enabled)
        if enabled or self.alive:
            return
        for listener in self.sockets:
            taken = None
            while taken != self.nr_conns:
                taken = self.nr_conns
                self.accept(listener)
            listener.close()
        self.sockets = []

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Exception) -> None:
        """It repeats what it can't read, to its log and to whoever sent it: here without the secrets in it."""
        for name, value in vars(exc).items():
            if isinstance(value, str):
                setattr(exc, name, without_secrets(value))
        super().handle_error(req, client, addr, exc)


COUNTED_IN = "PROMETHEUS_MULTIPROC_DIR"

wsgi_app = "wsgi:app"
bind = ":".join(host_and_port())
workers = worker_count(_settings)
worker_class = Worker
threads = _settings.THREADS
# One listening socket per worker: the kernel spreads kept-alive connections over all of them.
reuse_port = True
keepalive = 15
timeout = 60
graceful_timeout = 30
control_socket_disable = True

# Whom to believe about addresses and schemes is TRUSTED_PROXIES' to say, in authsvc/proxies.py.
forwarded_allow_ips = ""
forwarder_headers = ""
secure_scheme_headers: dict[str, str] = {}
header_map = "drop"
limit_request_line = 4094
limit_request_fields = 100
limit_request_field_size = 8190

# gunicorn's own chatter about booting is for whoever debugs it.
loglevel = "debug" if _settings.LOG_LEVEL == "debug" else "warning"
accesslog = "-" if _settings.ACCESS_LOG else None
# %(U)s is the path alone: a query string may hold a secret and is never logged.
access_log_format = '%(h)s "%(m)s %(U)s" %(s)s %(B)s %(M)sms %({x-request-id}o)s'


def post_worker_init(worker: Any) -> None:
    """Say once where everything is, when the first worker can serve."""
    if worker.age == 1:
        print(*_places(), f"authsvc is ready: {_settings.BASE_URL} (listening on {bind})", sep="\n", flush=True)


def _places() -> Iterator[str]:
    """Those that there are: an installed package has neither collection nor documentation beside it."""
    if _settings.CONSOLE:
        yield f"Console: {_settings.BASE_URL}/console"
    if _settings.DOCS:
        yield f"Try it in a browser: {_settings.BASE_URL}/docs"
    if (ROOT / "clients" / "postman").is_dir():
        yield f"Try it in Postman: {ROOT / 'clients' / 'postman'}; how: {ROOT / 'docs' / 'postman.md'}"


def on_starting(_server: Any) -> None:
    _refuse_taken_port()
    os.environ.pop(COUNTED_IN, None)  # another service's, or that of the one which started us to take its place
    _count_together()


def on_reload(_server: Any) -> None:
    _count_together()


def child_exit(_server: Any, worker: Any) -> None:
    """What a worker counted stays; what it was busy with is over."""
    if COUNTED_IN in os.environ:
        from prometheus_client.multiprocess import mark_process_dead  # when it is loaded it asks where to count

        mark_process_dead(worker.pid)  # type: ignore[no-untyped-call]


def on_exit(_server: Any) -> None:
    if COUNTED_IN in os.environ:
        shutil.rmtree(os.environ[COUNTED_IN], ignore_errors=True)


def _count_together() -> None:
    """Where all workers write their numbers: a folder that is new at each start, and no other service's."""
    if _settings.METRICS_READERS and COUNTED_IN not in os.environ:
        os.environ[COUNTED_IN] = tempfile.mkdtemp(prefix="authsvc-metrics-")


def _refuse_taken_port() -> None:
    """With reuse_port a second service would share it without a word."""
    host, _, port = bind.rpartition(":")
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host.strip("[]"), int(port)))
        except OSError as error:
            why = "is in use" if error.errno == errno.EADDRINUSE else "can't be opened"
            raise SystemExit(f"{bind} {why}: choose another with HOST and PORT.") from None
