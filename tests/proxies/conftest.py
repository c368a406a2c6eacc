"""One authsvc and one API, which both proxies stand before."""

import http.client
import json
from dataclasses import dataclass

import pytest

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, counter
from tests.servers.gunicorn import Gunicorn
from tests.servers.proxies import PROXIES, Api, free_port


def pytest_collection_modifyitems(items):
    """All that share servers run in one process."""
    for item in items:
        if "proxy_kind" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("proxies"))


def ask(port, method, path, headers=(), body=None, *, chunked=False):
    """One request, with headers as they are: a dict or pairs, in any spelling, as often as wanted."""
    pairs = list(headers.items() if isinstance(headers, dict) else headers)
    if body is not None:
        pairs.append(("Transfer-Encoding", "chunked") if chunked else ("Content-Length", str(len(body))))
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    try:
        connection.putrequest(method, path, skip_accept_encoding=True)
        for name, value in pairs:
            connection.putheader(name, value)
        connection.endheaders([body] if chunked else body, encode_chunked=chunked)
        response = connection.getresponse()
        return Heard(response.status, response.headers, response.read().decode())
    finally:
        connection.close()


@dataclass
class Heard:
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self):
        return json.loads(self.text)


class Person:
    """Somebody signed in at authsvc itself."""

    def __init__(self, authsvc, path, **body):
        self.port = authsvc.port
        self.signed_in = self.send("POST", path, body)
        assert self.signed_in.status in (200, 201), self.signed_in.text
        self.id = self.signed_in.json["data"]["user"]["id"]
        self.access_token = self.signed_in.json["data"].get("accessToken")

    def send(self, method, path, body=None, headers=None):
        sent = {"Content-Type": "application/json", **(headers or {})}
        return ask(self.port, method, path, sent, None if body is None else json.dumps(body).encode())

    def bearer(self):
        return {"Authorization": f"Bearer {self.access_token}"}

    def make(self, path, **body):
        answer = self.send("POST", path, body, self.bearer())
        assert answer.status == 201, answer.text
        return answer.json["data"]

    def api_token(self, *scopes, **more):
        data = self.make("/api-tokens", name="script", scopes=scopes, **more)
        return data["apiToken"]["id"], data["token"]


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("proxies")


@pytest.fixture(scope="session")
def authsvc(folder):
    own = {"TRUSTED_PROXIES": "127.0.0.1", "ACCESS_LOG": "on", "ACCESS_TOKEN_IN_COOKIE": "on", "LOG_LEVEL": "debug"}
    server = Gunicorn(f"sqlite:///{folder / 'authsvc.db'}", folder / "authsvc.log", workers=2, **own)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def api():
    api = Api()
    yield api
    api.stop()


@pytest.fixture(scope="session", params=PROXIES)
def proxy_kind(request):
    return request.param


@pytest.fixture(scope="session")
def make_proxy(proxy_kind, folder, authsvc, api):
    made = []

    def make(authsvc_port=authsvc.port, api_port=api.port, **how):
        proxy = PROXIES[proxy_kind](folder / f"{proxy_kind}-{next(counter)}", authsvc_port, api_port, **how)
        made.append(proxy)
        return proxy

    yield make
    for proxy in made:
        proxy.stop()


@pytest.fixture(scope="session")
def proxy(make_proxy):
    return make_proxy()


@pytest.fixture(scope="session")
def nowhere():
    """A port that nobody listens on."""
    return free_port()


@pytest.fixture(scope="session")
def admin(authsvc):
    """May whatever an API wants, as scopes go."""
    return Person(authsvc, "/auth/login", email=ADMIN_EMAIL, password=ADMIN_PASSWORD)


@pytest.fixture(scope="session")
def member(authsvc):
    return Person(authsvc, "/auth/register", email="member@example.com", password="a quiet harbour at dawn")
