"""Who is compared: each a server on two workers, with credentials made by its own code."""

import os
import secrets
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from bench.databases import Databases
from bench.load import Row
from bench.planting import Planted, plant
from config import Base
from tests.servers.gunicorn import ROOT, Gunicorn
from tests.servers.postgresql import free_port
from tests.servers.processes import Process

WORKERS = 2
PEERS_PYTHON = ROOT / ".venv-bench" / "bin" / "python"
ONE_DAY = 24 * 60 * 60
# As in production, but for what would stop a bench: tokens that run out in it, and a guard against guessing.
SETTINGS = {
    "ENV": "production",
    "BASE_URL": "https://auth.example.org",
    "ALLOWED_HOSTS": "127.0.0.1",
    "LOG_LEVEL": "warning",
    "RATE_LIMITS": "off",
    "ACCESS_LIFETIME": str(ONE_DAY),
}


class Contender(Protocol):
    """What can be measured: where it listens, and the first of its processes."""

    name: str

    @property
    def url(self) -> str: ...
    @property
    def pid(self) -> int: ...
    def stop(self) -> None: ...


@dataclass
class Authsvc:
    """The service itself, or another app that authsvc's gunicorn settings serve."""

    name: str
    server: Any
    planted: Planted | None = None

    @property
    def url(self) -> str:
        return str(self.server.url)

    @property
    def pid(self) -> int:
        return int(self.server.process.pid)

    def mint(self, kind: str, sign_ins: Sequence[str]) -> list[Row]:
        """Tokens of these sign-ins as they are now, each with what the answer to it holds."""
        done = subprocess.run(
            [sys.executable, "-m", "bench.minting", kind],
            input="\n".join(sign_ins),
            cwd=ROOT,
            env=self.server.environment,
            capture_output=True,
            text=True,
            check=False,
        )
        return _rows(done)

    def stop(self) -> None:
        self.server.stop()


def authsvc(name: str, databases: Databases, url: str, **settings: str) -> Authsvc:
    chosen = SETTINGS | {"SECRET_KEY": secrets.token_urlsafe(48)} | settings
    return Authsvc(name, Gunicorn(url, databases.path / f"{name}.log", workers=WORKERS, **chosen))


def beside(own: Authsvc, name: str, *, app: str = "wsgi:app") -> Authsvc:
    """Another server with the same database and keys: a token of one is good at the other. Or no service at all."""
    environment = own.server.environment
    chosen = SETTINGS | {"SECRET_KEY": environment["AUTHSVC_SECRET_KEY"]}
    log = own.server.log.with_name(f"{name}.log")
    url = environment["AUTHSVC_DATABASE_URL"]
    return Authsvc(name, Gunicorn(url, log, workers=WORKERS, app=app, prepared=True, **chosen))


def planted_authsvc(
    name: str, databases: Databases, *, refresh_tokens: int, api_tokens: int = 0, **settings: str
) -> Authsvc:
    """With a database of its own, and that many rows in it."""
    url = databases.new(name)
    served = authsvc(name, databases, url, **settings)
    served.planted = plant(url, refresh_tokens=refresh_tokens, api_tokens=api_tokens)
    databases.settle(url)
    return served


@dataclass
class Peer:
    """One of bench/peers, in the environment of the peers. Its module serves, plants and mints."""

    name: str
    module: str
    port: int
    environment: dict[str, str]
    server: Any = field(default=None)

    @property
    def url(self) -> str:
        return str(self.server.url)

    @property
    def pid(self) -> int:
        return int(self.server.process.pid)

    def run(self, *words: str) -> list[Row]:
        command = [str(PEERS_PYTHON), "-m", self.module, *words]
        return _rows(
            subprocess.run(command, cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False)
        )

    def stop(self) -> None:
        self.server.__exit__()


def peer(name: str, databases: Databases, *, users: int, worker: Sequence[str]) -> Peer:
    """The same number of workers, and what authsvc's own gunicorn settings say, where its workers know it."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "BENCH_DATABASE_URL": databases.new(name),
        "BENCH_LIFETIME": str(ONE_DAY),
        # The same for the whole run, and nobody else's.
        "BENCH_SECRET": secrets.token_urlsafe(48),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    made = Peer(name, f"bench.peers.{name}", port, environment)
    made.run("plant", str(users))
    databases.settle(environment["BENCH_DATABASE_URL"])
    command = [
        *(str(PEERS_PYTHON), "-m", "gunicorn", "--workers", str(WORKERS), "--bind", f"127.0.0.1:{port}", *worker),
        *("--reuse-port", "--keep-alive", "15", "--log-level", "warning", "--no-control-socket"),
        f"{made.module}:app",
    ]
    made.server = Process(command, port, Path(databases.path, f"{name}.log"), environment)
    _wait(made.url)
    return made


def threads() -> tuple[str, ...]:
    """For WSGI: gunicorn's threads, as many as authsvc has."""
    return "--worker-class", "gthread", "--threads", str(Base.THREADS)


def uvicorn() -> tuple[str, ...]:
    """For ASGI: uvicorn's own worker, whose processes get a socket each as the others' do."""
    return "--worker-class", "uvicorn_worker.UvicornWorker"


def _wait(url: str) -> None:
    """Until a worker answers, whatever: gunicorn opens the port before it has loaded the app."""
    with suppress(urllib.error.HTTPError):
        urllib.request.urlopen(url, timeout=30).close()  # noqa: S310


def _rows(done: subprocess.CompletedProcess[str]) -> list[Row]:
    if done.returncode:
        raise RuntimeError(done.stderr)
    lines = (line.split() for line in done.stdout.splitlines())
    return [(credential, proof) for credential, proof in lines]
