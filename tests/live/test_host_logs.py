"""A host's own server, Werkzeug's or gunicorn with the most talkative access log: no token of a query is in its log."""

import os
import socket
import sys
from contextlib import suppress
from urllib.parse import quote

import pytest

from tests.flows.api_tokens import make_api_token
from tests.flows.conftest import make_person
from tests.servers.postgresql import free_port
from tests.servers.processes import Process

__all__ = ["make_person"]
# The request line, the query, the Referer, and the same again as gunicorn keeps them apart from the app.
TALKATIVE = "%(r)s %(q)s %(f)s %({referer}i)s %({raw_uri}e)s %(s)s"
SERVERS = {
    "gunicorn": ["-m", "gunicorn", "--no-control-socket", "--access-logfile", "-", "--access-logformat", TALKATIVE],
    "werkzeug": ["-m", "flask", "--app", "tests.live.hosting", "run"],
}


@pytest.fixture
def database_kind():
    return "sqlite"


@pytest.fixture
def token(make_person):
    owner = make_person("restaurants:read", "api-tokens:write", "auth:refresh")
    return make_api_token(owner, "restaurants:read", allowInQuery=True)["token"]


def say(port, request):
    """Send this as it is; answers the status, or 0 where none was said.

    All of the answer is awaited: a server that is hung up on in the middle of it has another log to write.
    """
    with socket.create_connection(("127.0.0.1", port), 10) as connection:
        connection.sendall(request.encode())
        answer = b""
        with suppress(ConnectionResetError):  # whoever was told too much does not read to the end
            while more := connection.recv(4096):
                answer += more
        return int(answer.split()[1]) if answer.startswith(b"HTTP/") else 0


def requests_with(token):
    """What is asked, and what a server may say to it."""

    def get(target, *headers, method="GET"):
        lines = (f"{method} {target} HTTP/1.1", "Host: localhost", "Connection: close", *headers, "", "")
        return "\r\n".join(lines)

    spelled = "".join(f"%{ord(letter):02x}" for letter in "token")
    referer = f"Referer: http://localhost/restaurants?a=1&token={token}"
    return [
        (get(f"/restaurants?a=1&token={token}", referer), {200}),
        (get(f"/restaurants?{spelled}={token}"), {200}),
        (get(f"/restaurants?token={token}&token={token}"), {400}),
        (get(f"/restaurants?token={token[:-1]}"), {401}),
        (get(f"/restaurants?TOKEN={token}"), {401}),
        (get(f"/restaurants?token={token}", "Content-Length: 0", method="POST"), {403}),
        (get(f"/nowhere?token={token}"), {404}),
        (get(f"/slashed?token={token}"), {308}),
        (get(f"/restaurants?token={token}", "Content-Length: 0", method="PUT"), {405}),
        (get(f"/broken?token={token}", referer), {500}),
        (get(f"/identity/auth/me?token={token}"), {200}),
        (get("/open", referer, f"X-Original-URI: /?token={token}"), {200}),
        (get(f"/open?redirect={quote(f'/restaurants?token={token}', safe='')}"), {200}),
        (get(f"/restaurants?token={token}", "No header at all"), {0, 400, 401, 200}),
        (get(f"/restaurants?token={token}&x={'x' * 70_000}"), {0, 400, 414}),
        (f"GET /restaurants?token={token} HTTP/9.9\r\n\r\n", {0, 400, 505}),
        (f"BREW /restaurants?token={token}\r\n\r\n", {0, 400}),
    ]


def test_whatever_is_asked_no_token_of_a_query_is_in_a_log(token, database, tmp_path):
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONDONTWRITEBYTECODE": "1",
        "AUTHSVC_ENV": "testing",
        "AUTHSVC_DATABASE_URL": database,
    }
    for name, command in SERVERS.items():
        port, log = free_port(), tmp_path / f"{name}.log"
        own = ["--bind", f"127.0.0.1:{port}", "tests.live.hosting:app"]
        where = own if name == "gunicorn" else ["--port", str(port)]
        with Process([sys.executable, *command, *where], port, log, environment):
            for request, expected in requests_with(token):
                assert say(port, request) in expected, (name, request[:60], log.read_text())
        said = log.read_text()
        assert token[5:17] not in said, name
        for told in ("GET /nowhere", "RuntimeError: http://localhost/broken", "(hidden)"):
            assert told in said, (name, told)
