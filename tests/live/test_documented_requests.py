"""The requests that docs/ shows with curl, sent by curl: only hosts, tokens and secrets are those of the test."""

import json
import re
import subprocess

import pytest
import requests

from tests.servers.gunicorn import ROOT, Gunicorn

ADMIN = {"email": "admin@example.com", "password": "correct horse battery staple"}
ME = {"email": "me@example.com", "password": "a quiet harbour at dawn"}


def blocks(page):
    return re.findall(r"^```sh\n(.*?)^```", (ROOT / "docs" / page).read_text(), re.M | re.S)


class Service(Gunicorn):
    """A server with two clients on it, and somebody who signs in to each."""

    secret = api_token = ""

    def ask(self, path, body, token=None):
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = requests.post(self.url + path, json=body, headers=headers, timeout=10)
        assert answer.ok, answer.text
        return answer.json()["data"]

    def prepare(self):
        self.admin = self.ask("/auth/login", ADMIN)["accessToken"]
        self.ask("/auth/register", ME)
        scopes = ["guests:read", "tokens:read"]
        office = {"name": "Office", "slug": "office", "confidential": True, "scopes": scopes}
        self.secret = self.ask("/admin/applications", office, self.admin)["clientSecret"]
        self.ask("/admin/applications", {"name": "Phone", "slug": "phone"}, self.admin)
        reader = {"name": "reader", "scopes": ["tokens:read"]}
        self.api_token = self.ask("/api-tokens", reader, self.admin)["token"]

    def sign_in(self, application="default"):
        return self.ask("/auth/login", ME | {"applicationId": application})

    def run(self, command, folder):
        """One command of a page; answers what curl said."""
        client = "phone" if "client_id=phone" in command else "office" if "OFFICE" in command else "default"
        held = self.sign_in(client) if "eyJ…" in command else {}
        command = re.sub(r"https://auth\.example\.org|\$URL", self.url, command)
        command = command.replace("$OFFICE", f"office:{self.secret}").replace("asvc_…", self.api_token)
        command = command.replace(" token=eyJ…", f" token={held.get('accessToken')}")
        command = command.replace("eyJ…", held.get("refreshToken", "")).replace("curl -s", "curl -sS --fail-with-body")
        done = subprocess.run(
            ["bash", "-euc", command], cwd=folder, capture_output=True, text=True, check=False, timeout=30
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
        return done.stdout


def commands(block):
    """Each curl with its continued lines."""
    return re.findall(r"^curl (?:[^\n]*\\\n)*[^\n]*$", block, re.M)


@pytest.fixture
def serve(tmp_path):
    made = []

    def start(**settings):
        made.append(Service(f"sqlite:///{tmp_path / 'authsvc.db'}", tmp_path / "log", workers=2, **settings))
        return made[-1]

    yield start
    for server in made:
        server.stop()


def test_the_requests_of_oauth_and_of_both_transports_work_as_they_are_shown(serve, tmp_path):
    server = serve()
    server.prepare()
    said = [server.run(command, tmp_path) for block in blocks("oauth.md") for command in commands(block)]
    assert [json.loads(one).get("token_type") for one in said[:3]] == ["Bearer", "Bearer", "Bearer"]
    assert [json.loads(one)["active"] for one in said[3:5]] == [True, True]
    assert said[5:] == [""]

    in_body, in_cookie = blocks("transports.md")
    assert ["refreshToken" in server.run(command, tmp_path) for command in commands(in_body)] == [True, True]
    server.stop()
    server = serve(TRANSPORT="cookie")
    said = [server.run(command, tmp_path) for command in commands(in_cookie)]
    assert ["csrfToken" in one for one in said] == [True, True]
    assert 'refreshToken"' not in "".join(said)
