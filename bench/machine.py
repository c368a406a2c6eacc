"""What it was measured on and with: without that, figures say nothing."""

import os
import platform
import sqlite3
import subprocess
import tempfile
import time
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

from bench.contenders import PEERS_PYTHON
from bench.databases import POSTGRESQL, databases
from bench.planting import ask

OURS = ("flask", "gunicorn", "sqlalchemy", "flask-jwt-extended", "psycopg")
THEIRS = ("djangorestframework-simplejwt", "django", "fastapi-users", "fastapi", "uvicorn", "flask-security")


def facts(*, with_postgresql: bool, with_peers: bool) -> dict[str, str]:
    told = {
        "Date": datetime.now(UTC).strftime("%Y-%m-%d"),
        "Machine": f"{_processor()}, {os.cpu_count()} cores, {_memory()} GB",
        "Disk": f"{_file_system(Path(tempfile.gettempdir()))}; fdatasync takes {_fdatasync() * 1e6:.0f} µs",
        "System": f"Linux {platform.release()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}",
        "authsvc": ", ".join(f"{name} {version(name)}" for name in OURS),
    }
    if with_postgresql:
        told["System"] += f", PostgreSQL {_postgresql()}"
    if with_peers:
        told["Peers"] = ", ".join(_of_peers())
    return told


def _postgresql() -> str:
    with databases(POSTGRESQL) as opened:
        [(told,)] = ask(opened.new("asked"), "SHOW server_version")
    return str(told)


def _of_peers() -> list[str]:
    script = "import sys, importlib.metadata as m; print(*(m.version(n) for n in sys.argv[1:]))"
    done = subprocess.run([PEERS_PYTHON, "-c", script, *THEIRS], capture_output=True, text=True, check=True)
    return [f"{name} {number}" for name, number in zip(THEIRS, done.stdout.split(), strict=True)]


def _processor() -> str:
    lines = Path("/proc/cpuinfo").read_text().splitlines()
    return next((line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> int:
    return round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9)


def _file_system(folder: Path) -> str:
    """Of the mount that lies nearest: on one in memory nothing is durable."""
    mounts = (line.split()[1:3] for line in Path("/proc/mounts").read_text().splitlines())
    place = str(folder.resolve())
    above = [(len(mount), kind) for mount, kind in mounts if place.startswith(mount)]
    return max(above)[1]


def _fdatasync(times: int = 200) -> float:
    """The median, for a file that grows by a page each time."""
    taken = []
    with tempfile.TemporaryFile() as file:
        for _ in range(times):
            file.write(b"\0" * 4096)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - began)
    return sorted(taken)[times // 2]
