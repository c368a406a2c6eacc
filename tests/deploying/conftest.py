"""Two servers of one service behind each of the proxies."""

import http.client
import itertools
import json
import socket
import ssl
from dataclasses import dataclass

import pytest

from tests.conftest import counter
from tests.servers.deployed import DEPLOYED, NAME
from tests.servers.gunicorn import Gunicorn

HERE = "127.0.0.5"  # where requests come from; the proxy itself is 127.0.0.1


def pytest_collection_modifyitems(items):
    """All that share servers run in one process."""
    for item in items:
        if "proxy_file" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.xdist_group("deploying"))


class Pair:
    """They share a database and nothing else."""

    def __init__(self, folder):
        url, own = f"sqlite:///{folder / 'authsvc.db'}", {"TRANSPORT": "cookie", "TRUSTED_PROXIES": "127.0.0.1"}
        how = {"workers": 1, "BASE_URL": f"https://{NAME}", "ALLOWED_HOSTS": NAME, "ACCESS_LOG": "on", **own}
        self.servers = [Gunicorn(url, folder / f"{name}.log", **how) for name in ("first", "second")]

    def ports(self):
        return [server.port for server in self.servers]

    def both_run(self):
        for server in self.servers:
            if server.process.poll() is not None:
                server.start()


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("deploying")


@pytest.fixture(scope="session")
def one_pair(folder):
    pair = Pair(folder)
    yield pair
    for server in pair.servers:
        server.stop()


@pytest.fixture
def pair(one_pair):
    one_pair.both_run()
    return one_pair


@pytest.fixture(params=DEPLOYED)
def proxy_file(request):
    return request.param


@pytest.fixture
def make_proxy(proxy_file, folder):
    made = []

    def make(ports):
        proxy = DEPLOYED[proxy_file](folder / f"{proxy_file}-{next(counter)}", ports)
        made.append(proxy)
        return proxy

    yield make
    for proxy in made:
        proxy.stop()


@pytest.fixture
def proxy(make_proxy, pair):
    return make_proxy(pair.ports())


class Page:
    """Who asks through a proxy, from an address of its own; keeps its cookies as a browser does."""

    numbers = itertools.count()

    def __init__(self, proxy, source=HERE):
        self.proxy, self.source = proxy, source
        self.cookies, self.csrf, self.access = {}, None, None
        self.context = ssl.create_default_context(cafile=proxy.certificate)
        self.connection = None

    def connect(self, protocols=("http/1.1",)):
        self.context.set_alpn_protocols(list(protocols))
        plain = socket.create_connection(("127.0.0.1", self.proxy.port), 30, (self.source, 0))
        return self.context.wrap_socket(plain, server_hostname=NAME)

    def send(self, method, path, body=None, headers=None):
        """On a connection of its own, so that whoever answers is chosen anew."""
        connection = http.client.HTTPConnection(NAME)
        connection.sock = self.connect()
        sent = {"Content-Type": "application/json", "Sec-Fetch-Site": "same-origin", **(headers or {})}
        if self.cookies:
            sent["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        try:
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            return self.keep(Heard(answer.status, answer.headers, answer.read().decode()))
        finally:
            connection.close()

    def keep(self, heard):
        for cookie in heard.headers.get_all("Set-Cookie") or ():
            name, _, value = cookie.split(";")[0].partition("=")
            self.cookies[name] = value
        if heard.status in (200, 201) and "csrfToken" in heard.text:
            self.csrf, self.access = heard.json["data"]["csrfToken"], heard.json["data"]["accessToken"]
        return heard

    def register(self):
        email = f"page{next(self.numbers)}-{next(counter)}@example.com"
        return self.send("POST", "/auth/register", {"email": email, "password": "a quiet harbour at dawn"})

    def refresh(self, headers=None):
        return self.send("POST", "/jwt/refresh", headers={"X-CSRF-TOKEN": self.csrf, **(headers or {})})

    def bearer(self):
        return {"Authorization": f"Bearer {self.access}"}

    def me(self):
        return self.send("GET", "/auth/me", headers=self.bearer())


@dataclass
class Heard:
    status: int
    headers: http.client.HTTPMessage
    text: str

    @property
    def json(self):
        return json.loads(self.text)


@pytest.fixture
def page(proxy):
    return Page(proxy)
