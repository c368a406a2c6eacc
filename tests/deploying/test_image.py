"""What an image holds is enough to start, and the first process of a container is gunicorn, which heeds signals."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.servers.gunicorn import ROOT
from tests.servers.postgresql import end_with_parent, free_port

SECRET = "uW5mKq0x9ZcT4vBn7LrEa2YsDhGjP8fXoI3wQk6MtNRy1UeV"


@pytest.fixture
def image(tmp_path):
    """A folder with what an image has of ours: all that .dockerignore lets in. Nobody may write there."""
    place = tmp_path / "srv"
    everything, *rules = (line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] != "#")
    assert everything == "*"
    for rule in rules:
        source, target = ROOT / rule.removeprefix("!"), place / rule.removeprefix("!")
        if rule.startswith("!"):
            target.parent.mkdir(parents=True, exist_ok=True)
            copy = shutil.copytree if source.is_dir() else shutil.copy
            copy(source, target)
    (place / "instance").mkdir()
    return place


@pytest.fixture
def environment(tmp_path):
    (tmp_path / "data").mkdir()
    (tmp_path / "tmp").mkdir()
    return {
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "TMPDIR": str(tmp_path / "tmp"),
        "PYTHONDONTWRITEBYTECODE": "1",
        "HOST": "127.0.0.1",
        "PORT": str(free_port()),
        "AUTHSVC_ENV": "production",
        "AUTHSVC_BASE_URL": "https://auth.example.org",
        "AUTHSVC_SECRET_KEY": SECRET,
        "AUTHSVC_DATABASE_URL": f"sqlite:///{tmp_path / 'data' / 'authsvc.db'}",
        "AUTHSVC_WORKERS": "1",
    }


def healthy(image, environment, path):
    return subprocess.run(
        [sys.executable, "deploy/healthy.py", path], cwd=image, env=environment, capture_output=True, check=False
    )


def files(folder):
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*")}


def test_a_container_starts_serves_and_stops_when_it_is_told_to(image, environment):
    before = files(image)
    assert healthy(image, environment, "/healthz").returncode == 1
    process = subprocess.Popen(
        ["deploy/start"], cwd=image, env=environment, stdout=subprocess.DEVNULL, preexec_fn=end_with_parent
    )
    try:
        deadline = time.monotonic() + 60
        while healthy(image, environment, "/readyz").returncode:
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.1)
        # The shell has given its place away.
        assert b"gunicorn" in Path(f"/proc/{process.pid}/cmdline").read_bytes()
        assert healthy(image, environment, "/healthz").returncode == 0
        assert healthy(image, environment, "/nowhere").returncode == 1
        process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    assert files(image) == before


def test_a_command_is_run_instead(image, environment):
    command = ["deploy/start", "flask", "--app", "wsgi", "doctor", "--json"]
    done = subprocess.run(command, cwd=image, env=environment, capture_output=True, text=True, check=False)
    assert '"check":"settings","verdict":"fine"' in done.stdout, done.stderr


def test_without_a_secret_it_does_not_start(image, environment):
    del environment["AUTHSVC_SECRET_KEY"]
    done = subprocess.run(["deploy/start"], cwd=image, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "SECRET_KEY is missing" in done.stderr
