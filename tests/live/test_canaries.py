"""API-05, API-08, LOG-01: secrets are sent in every way and looked for in every place where something may be kept."""

import itertools
import json
import socket

import pytest
from sqlalchemy import create_engine, text

from authsvc.extensions import Table
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, counter, on_postgresql, postgresql_url
from tests.live.devices import Device
from tests.security.canaries import ADDRESSES, found_in, unknown_api_token, written
from tests.servers.gunicorn import Development, Gunicorn

pytestmark = pytest.mark.xdist_group("canaries")

# As somebody else's configuration may have it: all that can be asked of gunicorn.
FOREIGN = '%(h)s "%(r)s" %(s)s q=%(q)s f=%(f)s "%({raw_uri}e)s" %(U)s "%({referer}i)s" "%({x-original-uri}i)s" "%(a)s"'
OWN = {"ACCESS_LOG": "on", "LOG_LEVEL": "debug", "ACCESS_TOKEN_IN_COOKIE": "on"}
SERVERS = {
    "ours": (Gunicorn, "sqlite", (), {"LOG_FORMAT": "json"}),
    "foreign": (Gunicorn, "postgresql", ("--access-logformat", FOREIGN, "--log-level", "debug"), {}),
    "development": (Development, "sqlite", (), {}),
}
TOO_MUCH = "x" * 70000


@pytest.fixture(scope="module", params=SERVERS)
def own_server(request, tmp_path_factory, worker_id):
    server_class, database, arguments, settings = SERVERS[request.param]
    folder, name = tmp_path_factory.mktemp("canaries"), f"canaries_{worker_id}_{next(counter)}"
    if database == "postgresql":
        on_postgresql(f"CREATE DATABASE {name}")
    url = postgresql_url(name) if database == "postgresql" else f"sqlite:///{folder / 'authsvc.db'}"
    how = {"workers": 2, "app": "tests.live.leaking:app", "arguments": arguments}
    server = server_class(url, folder / "server.log", **how, **OWN, **settings)
    server.kind, server.folder, server.engine = request.param, folder, create_engine(url)
    yield server
    server.stop()
    server.engine.dispose()
    if database == "postgresql":
        on_postgresql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def server(own_server):
    if own_server.process.poll() is not None:
        own_server.start()
    return own_server


@pytest.fixture
def admin(server):
    device = Device(server, "body")
    device.keep(device.send("POST", "/auth/login", {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}))
    yield device
    device.connection.close()


def made(device, path, **body):
    answer = device.send("POST", path, body, {"Authorization": f"Bearer {device.access}"})
    assert answer.status == 201, answer.text
    return answer.json["data"]


def exchanged(server, request, *, finish=True):
    """What a server says to these bytes, whatever they are; without `finish` nobody waits for it."""
    with socket.create_connection(("127.0.0.1", server.port), 30) as connection:
        try:
            connection.sendall(request.encode("latin-1"))
            if not finish:
                return ""
            connection.shutdown(socket.SHUT_WR)
            parts = []
            while part := connection.recv(65536):
                parts.append(part)
        except (ConnectionResetError, BrokenPipeError):
            pass  # it said what it had to say before it had read everything
        return b"".join(parts).decode("latin-1")


def request_of(method, target, body="", **headers):
    own = {"Host": "auth.example.org", "Connection": "close", "Content-Length": len(body.encode())}
    lines = [f"{name.replace('_', '-')}: {value}" for name, value in (own | headers).items()]
    return "\r\n".join([f"{method} {target} HTTP/1.1", *lines, "", body])


def ends(query):
    """Every way in which a request with this query ends."""
    json_body = {"Content_Type": "application/json"}
    more = query + ("&" if "?" in query else "?")
    yield request_of("GET", f"/auth/me{query}")
    yield request_of("HEAD", f"/auth/me{query}")
    yield request_of("GET", f"/admin/users{query}")
    yield request_of("GET", f"/.well-known/jwks.json{query}")
    yield request_of("GET", f"/auth/verify{query}")
    yield request_of("DELETE", f"/jwt/refresh{query}")
    yield request_of("GET", f"/nowhere{query}")
    yield request_of("PUT", f"/auth/me{query}")
    yield request_of("OPTIONS", f"/auth/me{query}")
    yield request_of("POST", f"/auth/login{query}", json.dumps({"password": TOO_MUCH}), **json_body)
    yield request_of("POST", f"/auth/login{query}", "plain", Content_Type="text/plain")
    yield request_of("POST", f"/auth/login{query}", "{}", **json_body)
    yield request_of("GET", f"/auth/me{more}surprise=1")
    yield request_of("GET", f"/gone{query}")
    yield request_of("GET", f"/fails{query}")
    yield request_of("GET", f"/escapes{query}")
    yield request_of("GET", f"http://auth.example.org/auth/me{query}")
    yield request_of("GET", "/auth/me", Referer=f"https://page.example.org/{query}")
    yield request_of("GET", "/fails", Referer=f"https://page.example.org/{query}")
    yield request_of("GET", "/auth/verify", X_Original_URI=f"/x{query}")
    yield request_of("GET", "/fails", X_Original_URI=f"/x{query}", X_Forwarded_Uri=f"/x{query}")


def broken(query):
    """Every way in which a request with this query can't be read."""
    yield f"GET /x{query}\r\n\r\n"
    yield f"GET /x{query} HTTP/9.9\r\n\r\n"
    yield f"GET  /x{query}  HTTP/1.1\r\n\r\n"
    yield f"GET /x y{query} HTTP/1.1\r\n\r\n"
    yield f"G(T /x{query} HTTP/1.1\r\n\r\n"
    yield f"/x{query} HTTP/1.1\r\n\r\n"
    yield f"GET /x{query} HTTP/1.1\nHost: auth.example.org\n\n"
    yield f"GET /x{query}\x00 HTTP/1.1\r\n\r\n"
    yield request_of("GET", f"/x{query}&{'a' * 5000}")
    yield request_of("GET", f"/x{'a' * 5000}{query}")
    yield request_of("GET", f"/x{query}", X_Long="a" * 9000)
    yield request_of("GET", "/x", Referer=f"https://page.example.org/{query}&{'a' * 9000}")
    yield request_of("GET", f"/x{query}", **{f"X_{number}": number for number in range(120)})
    yield request_of("GET", f"/x{query}", **{"X Bad": query})
    yield request_of("GET", f"/x{query}", Expect=query)
    yield request_of("POST", f"/x{query}", Content_Length="many")
    yield request_of("POST", f"/auth/login{query}", "zz\r\n\r\n", Transfer_Encoding="chunked", Content_Length="")


def aborted(query):
    """What is never sent to its end."""
    whole = request_of("POST", f"/auth/login{query}", '{"email": ', Content_Type="application/json", Content_Length=99)
    for length in (len(f"POST /auth/login{query}") - 2, whole.index("\r\n") + 2, whole.index("Content-"), len(whole)):
        yield whole[:length]


def kept(server):
    """Everything that the database holds, to the last byte that is still in its files."""
    if server.kind == "foreign":
        with server.engine.connect() as connection:
            tables = [table.name for table in Table.metadata.sorted_tables]
            return "".join(str(connection.execute(text(f"SELECT * FROM {table}")).all()) for table in tables)
    return "".join(path.read_bytes().decode("latin-1") for path in server.folder.glob("authsvc.db*"))


def assert_hidden(server, secrets, answers):
    """After a stop all that a server had to write is written."""
    places = {"the answers": "".join(answers), "the database": kept(server)}
    server.stop()
    places |= {"the log": server.log.read_text(errors="replace"), "the database, closed": kept(server)}
    for place, found in places.items():
        assert found, place
        left = found_in(found, secrets)
        lines = [line[:400] for line in found.splitlines() if found_in(line, left)]
        assert not left, (place, lines[:5])


def statuses(answers):
    return {int(answer.split()[1]) for answer in answers if answer.startswith("HTTP/")}


def test_a_token_in_an_address_is_kept_nowhere_however_it_is_written_and_the_request_ends(server, admin):
    good, revoked = (made(admin, "/api-tokens", name="a", scopes=[], allowInQuery=True) for _ in range(2))
    own = {"Authorization": f"Bearer {admin.access}"}
    assert admin.send("DELETE", f"/api-tokens/{revoked['apiToken']['id']}", headers=own).status == 200
    api_tokens = [good["token"], revoked["token"], unknown_api_token()]
    jwts, junk = (
        [admin.access, admin.token],
        ["hunter2-canary-of-no-kind", "asvc_" + "canary" * 6, "asvc_%00canary-canary"],
    )
    secrets = [*api_tokens, *jwts, *junk]
    plain = [written("?token={}", secret) for secret in secrets]
    in_turn = itertools.cycle(secrets)
    requests = [*ends(plain[0]), *ends(plain[1])]
    for number, query in enumerate(plain):
        requests += list(ends(query))[number % 4 :: 4]
    for number, address in enumerate(ADDRESSES):
        requests += list(ends(written(address, next(in_turn))))[number % 5 :: 5]
    unread = [*broken(plain[0])]
    for number, address in enumerate(ADDRESSES):
        unread += list(broken(written(address, next(in_turn))))[number % 6 :: 6]
    whole = next(ends(plain[0])).encode()
    with socket.create_connection(("127.0.0.1", server.port), 30) as slow:
        slow.sendall(whole[:20])
        answers = [exchanged(server, one) for one in requests]
        refusals = [exchanged(server, one) for one in unread]
        slow.sendall(whole[20:])
        answers.append(slow.recv(65536).decode())
    assert statuses(answers) >= {200, 308, 401, 403, 404, 405, 413, 415, 422, 500}
    assert statuses(answers[-1:]) == {200}
    assert statuses(refusals) >= {400} | ({414} if server.kind != "development" else set())
    for one in (half for query in plain for half in aborted(query)):
        exchanged(server, one, finish=False)
    if (
        server.kind != "development"
    ):  # there the worker is the server; and what it can't read, it says to whoever sent it
        assert exchanged(server, request_of("GET", f"/auth/me{plain[0]}", X_Die_Before_The_Answer="yes")) == ""
        answers += refusals
    assert_hidden(server, secrets, answers)
    logged = server.log.read_text()
    assert "RuntimeError" in logged
    assert "(hidden)" in logged


@pytest.mark.parametrize("own_server", ["ours", "foreign"], indirect=True)
def test_what_people_know_or_hold_is_kept_nowhere_wherever_they_send_it(server, admin):
    password, wrong = "canary-of-a-password", "canary-that-is-wrong"
    pages = made(admin, "/admin/applications", name="P", slug=f"p{next(counter)}", transport="cookie")
    till = made(admin, "/admin/applications", name="T", slug=f"t{next(counter)}", confidential=True)
    email = f"canary{next(counter)}@example.com"
    registering = {"email": email, "password": password, "applicationId": pages["id"]}
    registered = admin.send("POST", "/auth/register", registering)
    assert registered.status == 201
    cookies = dict(one.split(";")[0].split("=", 1) for one in registered.headers.get_all("Set-Cookie"))
    csrf = registered.json["data"]["csrfToken"]
    brought = {"Cookie": "; ".join(f"{name}={value}" for name, value in cookies.items()), "X-CSRF-TOKEN": csrf}
    assert admin.send("POST", "/jwt/refresh", headers=brought).status == 200
    tokens = [admin.access, admin.token, cookies["access_token"], cookies["refresh_token"]]
    tokens += [till["clientSecret"], unknown_api_token()]
    secrets = [*tokens, password, wrong, csrf]
    answers = [exchanged(server, one) for number, secret in enumerate(secrets) for one in sent(secret, number)]
    answers += [exchanged(server, one) for token in tokens for one in sent_as_a_name(token)]
    assert statuses(answers) >= {400, 401, 403, 404, 415, 422, 500}
    assert_hidden(server, secrets, answers)


@pytest.mark.parametrize("own_server", ["ours", "foreign"], indirect=True)
def test_an_access_token_in_an_address_of_the_laravel_dialect_works_and_is_kept_nowhere(server, admin):
    person = {"email": f"canary{next(counter)}@example.com", "password": "a quiet harbour"}
    first = admin.send("POST", "/laravel/api/signup", person).json["access_token"]
    refreshed = admin.send("GET", f"/laravel/api/refresh?token={first}")
    assert refreshed.status == 200
    second = refreshed.json["access_token"]
    answers = []
    for method, path, token, status in (
        ("GET", "user?a=1&", second, 200),
        ("POST", "auth/me?%74oken=junk&", second, 400),
        ("GET", "user?", first, 401),
        ("POST", "auth/refresh?", first, 401),
        ("GET", "nowhere?", second, 404),
        ("GET", "signin?", second, 405),
        ("POST", "signout?", second, 200),
    ):
        answer = admin.send(method, f"/laravel/api/{path}token={token}")
        assert answer.status == status, (method, path, answer.text)
        answers.append(answer.text.decode())
    assert_hidden(server, [first, second], answers)
    assert "/laravel/api/auth/refresh" in server.log.read_text()


def sent(secret, number):
    """A secret in every field, parameter and header, each at another place by turns."""
    named = ("password", "client_secret", "clientSecret", "refreshToken", "tokenString", "csrf", "access_token")
    by_query = itertools.cycle([("GET", "/fails"), ("POST", "/auth/login"), ("DELETE", "/jwt/refresh"), ("GET", "/x")])
    for name, (method, path) in zip(named, itertools.islice(by_query, number, None), strict=False):
        yield request_of(method, f"{path}?{name}={secret}")
        yield request_of("GET", "/fails", Referer=f"https://page.example.org/?a=1&{name}={secret}")
    bodies = (
        {"email": secret, "password": "wrong"},
        {"identifier": "nobody@example.com", "password": secret, "applicationId": secret},
        {"email": "nobody@example.com", "password": "wrong", "refreshToken": secret},
        {"email": "nobody@example.com", "password": [secret]},
        {"refreshToken": secret},
        {"tokenId": secret},
        {"tokenString": secret},
        {"username": secret, "password": secret},
    )
    paths = itertools.cycle(["/auth/login", "/auth/register", "/auth/logout", "/jwt/refresh", "/breaks"])
    for body, path in zip(bodies, itertools.islice(paths, number, None), strict=False):
        yield request_of("POST", path, json.dumps(body), Content_Type="application/json")
    yield request_of("POST", "/auth/login", f'{{"password": "{secret}"', Content_Type="application/json")
    yield request_of("POST", "/auth/login", f"password={secret}", Content_Type="application/x-www-form-urlencoded")
    headers = (
        *(("Authorization", form) for form in ("{}", "Bearer {}", "Token {}", "Basic {}", "Bearer {}, Bearer {}")),
        *((name, "{}") for name in ("X_Api_Key", "X_CSRF_TOKEN", "X_Tenant_Id", "Idempotency_Key", "Origin", "Cookie")),
        *(("Cookie", f"{name}={{}}") for name in ("access_token", "refresh_token", "csrf_refresh_token")),
    )
    asked = itertools.cycle(
        [("GET", "/auth/me"), ("POST", "/jwt/refresh"), ("GET", "/breaks"), ("GET", "/admin/users")]
    )
    for (name, form), (method, path) in zip(headers, itertools.islice(asked, number, None), strict=False):
        yield request_of(method, path, **{name: form.format(secret, secret)})


def sent_as_a_name(token):
    """Where a client says what it is, and which request this is: that is kept. And where a view fails that knows it."""
    yield request_of("GET", "/fails", X_Api_Key=token)
    yield request_of("GET", "/fails", Cookie=f"access_token={token}")
    signing_in = json.dumps({"email": ADMIN_EMAIL, "password": "wrong"})
    for name in ("User_Agent", "X_Request_Id"):
        yield request_of("POST", "/auth/login", signing_in, Content_Type="application/json", **{name: token})
        yield request_of("GET", "/breaks", **{name: token})
