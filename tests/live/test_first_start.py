"""A newcomer's first minutes: a clean copy, `make run`, the README's commands word by word, a second start."""

import os
import re
import shutil
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from tests.servers.gunicorn import ROOT
from tests.servers.postgresql import end_with_parent, free_port

README = (ROOT / "README.md").read_text()


class MakeRun:
    """`make run` in a folder, as a person would start and stop it."""

    def __init__(self, folder, port, **environment):
        self.lines = []
        own = {"PATH": os.environ["PATH"], "HOME": str(folder), "PORT": str(port)}
        self.process = subprocess.Popen(
            ["make", "run"],
            cwd=folder,
            env=own | environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=end_with_parent,
        )
        while not any("authsvc is ready" in line for line in self.lines):
            line = self.process.stdout.readline()
            assert line, "".join(self.lines)
            self.lines.append(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.send_signal(signal.SIGTERM)
        self.rest = self.process.communicate(timeout=60)[0]


@pytest.fixture
def copy(tmp_path):
    """What a clone holds, beside an environment that is made already."""
    tracked = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for name in tracked.splitlines():
        place = tmp_path / "authsvc" / name
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, place, follow_symlinks=False)
    (tmp_path / "authsvc" / ".venv").symlink_to(sys.prefix)
    return tmp_path / "authsvc"


def run_commands(name, folder, port):
    [commands] = re.findall(rf"^```sh {name}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    script = "set -euo pipefail\n" + commands.replace(":8000", f":{port}").replace(
        "curl -s", "curl -sS --fail-with-body"
    )
    own = {name: value for name, value in os.environ.items() if not name.startswith("AUTHSVC_")}
    done = subprocess.run(["bash", "-c", script], cwd=folder, env=own, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_readme_works_word_by_word(copy, tmp_path):
    port = free_port()
    with MakeRun(copy, port) as first:
        said = "".join(first.lines)
        assert f"http://127.0.0.1:{port}/docs\n" in said
        assert f"{copy}/clients/postman; how: {copy}/docs/postman.md\n" in said
        [(email, password)] = re.findall(r"^First administrator: (\S+) password: (\S+) ", said, re.MULTILINE)
        answers = run_commands("body", tmp_path, port)
        assert '"message":"This is you."' in answers
        assert '"revoked":1' in answers
        assert '"via":"api_token"' in run_commands("token", tmp_path, port)
        seen = run_commands("admin", copy, port)
        assert "me@example.com" in seen
        assert "user.registered" in seen
        urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz").close()
        instance = copy / "instance"
        assert instance.stat().st_mode & 0o077 == 0
        assert (instance / "secret_key").stat().st_mode & 0o077 == 0

    with MakeRun(copy, port, AUTHSVC_TRANSPORT="cookie") as second:
        assert password not in "".join(second.lines)
        assert "First administrator" not in "".join(second.lines)
        body = f'{{"email": "{email}", "password": "{password}"}}'.encode()
        request = urllib.request.Request(
            f"http://127.0.0.1:{port}/auth/login", body, {"Content-Type": "application/json"}
        )
        urllib.request.urlopen(request).close()
        assert '"revoked":1' in run_commands("cookie", tmp_path, port)
        assert '"refreshToken"' not in Path(tmp_path / "answer.json").read_text()


def test_a_port_that_is_taken_is_refused_in_one_sentence(copy):
    port = free_port()
    with MakeRun(copy, port):
        environment = {"PATH": os.environ["PATH"], "HOME": str(copy), "PORT": str(port)}
        again = subprocess.run(["make", "run"], cwd=copy, env=environment, capture_output=True, text=True, check=False)
    assert again.returncode != 0
    assert f"127.0.0.1:{port} is in use" in again.stderr
    assert "Traceback" not in again.stderr


def test_given_admin_passwords_are_never_printed(copy):
    with MakeRun(copy, free_port(), AUTHSVC_ADMIN_PASSWORD="a password of my own") as started:
        said = "".join(started.lines)
        assert "First administrator: admin@example.com" in said
        assert "a password of my own" not in said
