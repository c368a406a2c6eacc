"""From `make run` to the first answer, and the memory of a worker then and after many requests."""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from statistics import median
from typing import Any

from bench import processes
from bench.asking import ME, REFRESH, Credentials
from bench.choices import Choices
from bench.contenders import Authsvc, planted_authsvc
from bench.databases import SQLITE, databases
from bench.load import drive
from tests.servers.gunicorn import ROOT
from tests.servers.postgresql import end_with_parent, free_port

STARTS = 3
LONGEST = 60
# What fills a worker's caches and pools, and belongs to no growth.
WARM_UP = 0.1


def start(choices: Choices, tell: Callable[[str], None]) -> dict[str, Any]:
    firsts, agains = [], []
    for _ in range(STARTS):
        with tempfile.TemporaryDirectory(prefix="authsvc-bench-") as folder:
            secret = secrets.token_urlsafe(48)
            firsts.append(_seconds_to_ready(Path(folder), secret))
            agains.append(_seconds_to_ready(Path(folder), secret))
    tell("started")
    return {"first": median(firsts), "again": median(agains), "memory": _memory(choices, tell)}


def _seconds_to_ready(folder: Path, secret: str) -> float:
    """With the environment that runs this: as it is, whatever its age."""
    port = free_port()
    environment = {
        "PATH": os.environ["PATH"],
        "PORT": str(port),
        "AUTHSVC_SECRET_KEY": secret,
        "AUTHSVC_DATABASE_URL": f"sqlite:///{folder / 'authsvc.db'}",
    }
    command = ["make", "-s", "-o", f"{sys.prefix}/runtime", "run", f"VENV={sys.prefix}"]
    began = time.perf_counter()
    with (folder / "log").open("ab") as log:
        made = subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=log,
            start_new_session=True,
            preexec_fn=end_with_parent,  # noqa: PLW1509
        )
    try:
        while time.perf_counter() - began < LONGEST and made.poll() is None:
            try:
                urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=5).close()
            except (urllib.error.URLError, OSError):
                time.sleep(0.01)
            else:
                return time.perf_counter() - began
    finally:
        os.killpg(made.pid, signal.SIGTERM)
        made.wait(30)
    raise RuntimeError(f"`make run` is not ready:\n{(folder / 'log').read_text()[-2000:]}")


def _memory(choices: Choices, tell: Callable[[str], None]) -> dict[str, Any]:
    """Megabytes of a worker on SQLite, the larger of the two: at the start, warm, and after that many requests."""
    with databases(SQLITE) as opened:
        own = planted_authsvc("authsvc", opened, refresh_tokens=1000, REFRESH_LEEWAY="0")
        try:
            began = _worker(own)
            credentials = Credentials(own, choices.connections)
            asked = _ask(own, credentials, choices, int(choices.requests * WARM_UP))
            warm = _worker(own)
            tell(f"{asked:,} requests")
            asked = _ask(own, credentials, choices, choices.requests)
            tell(f"{asked:,} more")
            return {"start": began, "warm": warm, "after": _worker(own), "requests": asked}
        finally:
            own.stop()


def _ask(own: Authsvc, credentials: Credentials, choices: Choices, number: int) -> int:
    """By turns what only reads and what writes."""
    asked = 0
    while asked < number:
        for request, rows in ((ME, credentials.access), (REFRESH, credentials.refresh)):
            run = drive(own.url, request, rows(), seconds=choices.seconds, connections=choices.connections)
            asked += run.requests
    return asked


def _worker(own: Authsvc) -> dict[str, float]:
    seen = [processes.memory(child) for child in processes.children(own.pid)]
    return {"rss": max(one.rss for one in seen), "pss": max(one.pss for one in seen)}
