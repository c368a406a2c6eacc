"""The example: a real authsvc, the restaurants API beside it as its README says, and the README's requests."""

import json
import re
import subprocess
import sys
import urllib.error
import urllib.request

import pytest

from tests.servers.gunicorn import ROOT, Gunicorn
from tests.servers.postgresql import free_port
from tests.servers.processes import Process

README = (ROOT / "examples" / "restaurants" / "README.md").read_text()
ADMIN = {"email": "admin@example.com", "password": "correct horse battery staple"}


@pytest.fixture
def authsvc(tmp_path):
    """As it runs in production, but for its log: that has every request."""
    settings = {"ACCESS_LOG": "on", "LOG_LEVEL": "debug"}
    server = Gunicorn(f"sqlite:///{tmp_path / 'authsvc.db'}", tmp_path / "authsvc.log", workers=2, **settings)
    yield server
    server.stop()


def commands(name, *ports):
    """A block of the README, word by word but for where things are."""
    [block] = re.findall(rf"^```sh {name}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)
    for printed, ours in zip((8000, 8001), ports, strict=True):
        block = re.sub(rf"\b{printed}\b", str(ours), block)
    return block.replace(".venv/bin/", f"{sys.prefix}/bin/").replace("-s -w", "-sS -w")


def bash(script, environment):
    return ["bash", "-euo", "pipefail", "-c", script], environment | {"PYTHONDONTWRITEBYTECODE": "1"}


def ask(url, body=None, headers=None):
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json", **(headers or {})})
    try:
        with urllib.request.urlopen(request) as answer:
            return answer.status, json.load(answer)
    except urllib.error.HTTPError as error:
        with error:
            return error.code, json.load(error)


def test_the_example_works_word_by_word_and_logs_no_token(authsvc, tmp_path):
    port = free_port()
    command, environment = bash(commands("api", authsvc.port, port), {"PATH": authsvc.environment["PATH"]})
    with Process(command, port, tmp_path / "api.log", environment):
        script = commands("try", authsvc.port, port) + f'\necho "$TOKEN" > {tmp_path / "token"}\n'
        command, environment = bash(script, authsvc.environment)
        done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    statuses = re.findall(r"(?:^|})(\d{3})$", done.stdout, re.MULTILINE)
    assert statuses == ["200", "401", "403", "201", "401"], done.stdout
    assert "The Quiet Harbour" in done.stdout
    assert "This needs the permission restaurants:write." in done.stdout
    assert "token_revoked" in done.stdout
    token = (tmp_path / "token").read_text().strip()
    assert re.fullmatch(r"asvc_\w{36}", token)
    authsvc.stop()
    logs = {name: (tmp_path / name).read_text() for name in ("authsvc.log", "api.log")}
    assert "/auth/verify" in logs["authsvc.log"]
    assert "GET /restaurants?token=(hidden)" in logs["api.log"]
    for name, log in logs.items():
        assert token[5:17] not in log, name


def test_the_example_with_authsvc_in_it_works_as_well(tmp_path):
    port = free_port()
    own = {
        "PATH": f"{sys.prefix}/bin:/usr/bin:/bin",
        "AUTHSVC_ENV": "testing",
        "AUTHSVC_DATABASE_URL": f"sqlite:///{tmp_path / 'authsvc.db'}",
        "AUTHSVC_ADMIN_PASSWORD": ADMIN["password"],
    }
    command, environment = bash(commands("embedded", 0, port), own)
    with Process(command, port, tmp_path / "api.log", environment) as api:
        assert ask(f"{api.url}/restaurants")[0] == 401
        data = ask(f"{api.url}/identity/auth/login", ADMIN)[1]["data"]
        bearer = {"Authorization": f"Bearer {data['accessToken']}"}
        assert ask(f"{api.url}/restaurants", {"name": "The Anchor"}, bearer)[0] == 201
        wanted = {"name": "screen", "scopes": ["restaurants:read"], "allowInQuery": True}
        token = ask(f"{api.url}/identity/api-tokens", wanted, bearer)[1]["data"]["token"]
        status, listed = ask(f"{api.url}/restaurants?token={token}")
        assert (status, listed[-1]) == (200, {"name": "The Anchor", "addedBy": data["user"]["id"]})
        assert ask(f"{api.url}/restaurants?token={token}", {"name": "Mine"})[0] == 403
    assert token[5:17] not in (tmp_path / "api.log").read_text()
