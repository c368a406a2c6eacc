"""What passes the proxies of deploy/, what they ask twice and what never, and what their logs hold."""

import http.client
import socket
import threading

import pytest

from tests.deploying.conftest import HERE, Page
from tests.servers.deployed import NAME
from tests.servers.postgresql import free_port


def test_its_configuration_is_sound(proxy):
    code, said = proxy.complaints()
    assert code == 0, said
    assert "warn" not in said.lower(), said


def test_a_page_signs_in_and_refreshes_through_it(page):
    signed_in = page.register()
    assert signed_in.status == 201, signed_in.text
    cookies = signed_in.headers.get_all("Set-Cookie")
    assert any(one.startswith("__Host-refresh_token=") and "Secure" in one and "HttpOnly" in one for one in cookies)
    assert signed_in.headers["Strict-Transport-Security"]
    for _ in range(4):
        refreshed = page.refresh()
        assert refreshed.status == 200, refreshed.text
        assert page.me().status == 200
    assert page.send("POST", "/jwt/refresh", headers={"X-CSRF-TOKEN": "another"}).status == 401


def test_both_servers_are_asked(page, pair):
    page.register()
    before = [server.log.read_text().count("GET /auth/me") for server in pair.servers]
    for _ in range(8):
        assert page.me().status == 200
    after = [server.log.read_text().count("GET /auth/me") for server in pair.servers]
    assert all(more > fewer for more, fewer in zip(after, before, strict=True))


def test_it_speaks_http_2_and_nothing_older_than_tls_1_2(page):
    with page.connect(("h2", "http/1.1")) as connection:
        assert connection.selected_alpn_protocol() == "h2"
        assert connection.version() in ("TLSv1.2", "TLSv1.3")


def test_who_comes_without_tls_is_sent_to_it_and_to_no_other_host(proxy):
    connection = http.client.HTTPConnection("127.0.0.1", proxy.plain, timeout=30)
    connection.request("GET", "/console?a=1", headers={"Host": "elsewhere.example.com"})
    answer = connection.getresponse()
    connection.close()
    assert (answer.status, answer.headers["Location"]) == (301, f"https://{NAME}/console?a=1")


def test_the_address_in_events_is_the_callers_and_none_that_it_names(page):
    page.register()
    forged = {"X-Forwarded-For": "192.0.2.1", "X-Forwarded-Proto": "http", "Forwarded": "for=192.0.2.1"}
    assert page.refresh(forged).status == 200
    for one in ("192.0.2.1", "192.0.2.1, 127.0.0.1"):
        forged["X-Forwarded-For"] = one
        other = Page(page.proxy, source="127.0.0.6")
        assert other.send("POST", "/auth/register", {**new(), "password": "a quiet harbour"}, forged).status == 201
        found = other.send("GET", "/jwt/refresh", headers=other.bearer()).json["data"]["items"]
        assert [one["ip"] for one in found] == ["127.0.0.6"]
    found = page.send("GET", "/jwt/refresh", headers=page.bearer()).json["data"]["items"]
    assert [one["ip"] for one in found] == [HERE]


def new():
    return {"email": f"other{next(Page.numbers)}@example.net"}


@pytest.mark.parametrize("which", [0, 1])
def test_when_one_server_stops_the_other_goes_on(pair, page, which):
    # The proxy is a new one each time: it believes that both are there, as it does for a while when one just stopped.
    page.register()
    pair.servers[which].stop()
    for _ in range(6):
        refreshed = page.refresh()
        assert refreshed.status == 200, refreshed.text
        assert page.me().status == 200


def test_no_token_in_an_address_is_logged(page, make_proxy):
    page.register()
    made = page.send(
        "POST", "/api-tokens", {"name": "script", "scopes": [], "allowInQuery": True}, headers=page.bearer()
    )
    token = made.json["data"]["token"]
    plain = Page(page.proxy)
    assert plain.send("GET", f"/auth/me?token={token}").status == 200
    assert plain.send("GET", f"/auth/me?%74oken={token}").status == 200
    connection = http.client.HTTPConnection("127.0.0.1", page.proxy.plain, timeout=30)
    connection.request("GET", f"/auth/me?token={token}")
    assert connection.getresponse().status == 301
    connection.close()
    before_nobody = make_proxy([free_port(), free_port()])
    assert Page(before_nobody).send("GET", f"/auth/me?token={token}").status in (502, 503)
    for proxy, times in ((page.proxy, 3), (before_nobody, 1)):
        proxy.stop()  # what it still had to write is written
        logged = proxy.logged()
        assert logged.count('"GET /auth/me') == times
        assert token[:12] not in logged
        assert HERE in logged


def test_authsvc_itself_says_what_is_too_large(page):
    answer = page.send("POST", "/auth/login", {"email": "a" * 70_000, "password": "wrong"})
    assert (answer.status, answer.json["error"]["code"]) == (413, "too_large")


class Silent:
    """A server that is well, takes what is sent, and hangs up on it without an answer."""

    def __init__(self):
        self.heard = []
        self.listening = socket.create_server(("127.0.0.1", 0))
        self.port = self.listening.getsockname()[1]
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while True:
            try:
                connection, _ = self.listening.accept()
            except OSError:
                return
            with connection:
                request = connection.recv(65536).decode()
                if request.startswith("GET /readyz"):
                    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
                elif request:
                    self.heard.append(request.partition(" HTTP")[0])

    def stop(self):
        self.listening.shutdown(socket.SHUT_RDWR)
        self.listening.close()
        self.thread.join()


@pytest.fixture
def silent():
    pair = Silent(), Silent()
    yield pair
    for one in pair:
        one.stop()


def test_a_refresh_that_a_server_may_have_seen_is_not_sent_to_another(make_proxy, silent):
    page = Page(make_proxy([one.port for one in silent]))
    page.csrf = "any"
    assert page.refresh().status == 502
    assert [heard for one in silent for heard in one.heard] == ["POST /jwt/refresh"]
