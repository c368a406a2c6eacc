"""Every command that the documentation shows, as it stands there: only ids are those of the test.

Each block runs on a fresh service that has what the block speaks of. The README's own commands also run on a real
server, in tests/live/test_first_start.py.
"""

import json
import re
import shlex

import pytest

from tests.drivers import Account, Script
from tests.flows.people import PASSWORD
from tests.flows.test_importing import BCRYPT
from tests.servers.gunicorn import ROOT

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
COMMAND = re.compile(r"^(?:\.venv/bin/)?flask --app wsgi ((?!prepare\b).+)$", re.M)
ME = "me@example.com"
EXPORTS = {
    "users.csv": f"email,name,password\none@example.com,One,{BCRYPT}\n",
    "up_users.json": json.dumps([{"email": "two@example.com", "password": BCRYPT}]),
    "auth_user.json": json.dumps([{"email": "three@example.com", "password": f"bcrypt${BCRYPT}"}]),
    "users.json": json.dumps([{"email": "four@example.com", "encryptionScheme": "bcrypt", "password": BCRYPT}]),
}


@pytest.fixture
def database_kind():
    """What commands say is the subject here; what they do to either database is that of their own tests."""
    return "sqlite"


def blocks():
    """Page, heading and commands of every block that has any."""
    for page in PAGES:
        heading = ""
        for found, block in re.findall(r"^(#+ [^\n]+)$|^```[a-z ]*\n(.*?)^```", page.read_text(), re.M | re.S):
            heading = found.lstrip("# ") or heading
            commands = COMMAND.findall(block)
            if commands:
                yield pytest.param(commands, id=f"{page.name}: {heading}")


@pytest.mark.parametrize("commands", list(blocks()))
def test_a_command_works_as_it_is_shown(commands, app, admin, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name, content in EXPORTS.items():
        (tmp_path / name).write_text(content)
    given = Given(app, admin, "\n".join(commands))
    for command in commands:
        if command.startswith("doctor --url"):
            continue  # it asks a server that runs: tests/flows/test_doctor.py has one
        words, stdin = given.words(command)
        done = app.test_cli_runner().invoke(args=words, input=stdin)
        # The doctor has something to say about a service that is for tests.
        assert done.exit_code in ((0, 1) if words[0] == "doctor" else (0,)), f"{command}\n{done.output}"
        assert "Traceback" not in done.output


class Given:
    """What a block speaks of and does not make itself."""

    def __init__(self, app, admin, block):
        self.app, self.admin, self.block = app, admin, block
        self.make("users", f"users create {ME}", email=ME, password=PASSWORD, roles=["member", "admin"])
        self.make("roles", "roles create waiter", name="waiter", permissions=["restaurants:read"])
        self.make("applications", 'applications create "Back Office"', name="Back Office", slug="back-office")
        self.make("applications", "applications create Office", name="Office", slug="office", confidential=True)
        self.make("applications", "applications create Reports", name="Reports", slug="reports")
        self.make("applications", "applications create Shop", name="Shop", slug="shop", transport="cookie")
        self.make("tenants", "tenants create", name="Elsewhere", slug="elsewhere")

    def make(self, kind, made_by, **fields):
        if made_by not in self.block:
            answer = self.admin.ask("POST", f"/admin/{kind}", fields)
            assert answer.status_code == 201, answer.text

    def words(self, command):
        """The command as a shell would take it apart, and what it reads: a file, or yes to whatever it asks."""
        command, _, file = re.sub(r"\s+# .*", "", command).partition(" < ")
        for mark in ("<id>", "<kid>"):
            if mark in command:
                command = command.replace(mark, self.one_for(command.split()[0]))
        return shlex.split(command), self.sign_in().refresh_token if file else "yes\n" * 3

    def sign_in(self):
        device = Script(self.app)
        device.sign_in(Account(ME, PASSWORD))
        return device

    def one_for(self, kind):
        if kind == "tokens":
            return self.sign_in().refresh_token_id
        if kind == "api-tokens":
            return (
                self.sign_in().ask("POST", "/api-tokens", {"name": "one", "scopes": []}).json["data"]["apiToken"]["id"]
            )
        # A key that was replaced, and that nobody holds a token of.
        self.run("keys", "rotate")
        self.run("tokens", "revoke", "--all", "--yes")
        return next(key["kid"] for key in self.run("keys", "list") if key["state"] == "previous")

    def run(self, *words):
        done = self.app.test_cli_runner().invoke(args=[*words, "--json"])
        assert done.exit_code == 0, done.output
        return json.loads(done.stdout)
