"""Three servers on one PostgreSQL: what happens at one holds at the others, and any of them may go and come back."""

import itertools
import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.claims import header_of
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, counter, on_postgresql, postgresql_url
from tests.live.conftest import Server
from tests.live.devices import Device
from tests.live.test_crowds import at_once
from tests.live.test_kills import kills
from tests.servers.haproxy import NAMES, Haproxy
from tests.servers.postgresql import free_port

pytestmark = pytest.mark.xdist_group("nodes")
REREAD = 0.5


class Another(Server):
    """One that comes to where another is: all is prepared, and the pages' application is there."""

    add_application = False

    def flask(self, *arguments):
        return None if arguments == ("prepare",) else super().flask(*arguments)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("nodes")


@pytest.fixture(scope="module")
def address():
    """Where everybody finds them."""
    return free_port()


@pytest.fixture(scope="module")
def nodes(folder, worker_id, address):
    name = f"nodes_{worker_id}_{next(counter)}"
    on_postgresql(f"CREATE DATABASE {name}")
    settings = {"BASE_URL": f"http://127.0.0.1:{address}", "TRUSTED_PROXIES": "127.0.0.1", "KEY_REREAD": str(REREAD)}
    settings |= {"REFRESH_LEEWAY": "60", "HASHING_QUEUE": "64"}
    nodes = [
        kind(postgresql_url(name), folder / f"{which}.log", workers=workers, **settings)
        for kind, which, workers in zip((Server, Another, Another), NAMES, (1, 2, 1), strict=True)
    ]
    yield nodes
    for node in nodes:
        node.stop()
        node.engine.dispose()
    on_postgresql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def haproxy(folder, nodes, address):
    haproxy = Haproxy(folder / "haproxy", [node.port for node in nodes], address)
    yield haproxy
    haproxy.stop()


@pytest.fixture
def admin(nodes):
    """At the first server."""
    device = nodes[0].device("body")
    body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    assert device.keep(device.send("POST", "/auth/login", body)).status == 200
    return device


@pytest.fixture
def enter(nodes, transport):
    """Sign in at the second server; answers the device, and how it stands before each."""

    def sign_in():
        device = nodes[1].device(transport)
        assert device.register().status == 201
        return device, [at(node, device) for node in nodes]

    return sign_in


def at(node, device):
    """The same sign-in, at this server."""
    there = node.device(device.transport)
    there.token, there.csrf, there.access, there.id = device.token, device.csrf, device.access, device.id
    return there


def ask(device, method, path, body=None):
    return device.send(method, path, body, {"Authorization": f"Bearer {device.access}"})


def make_api_token(device):
    made = ask(device, "POST", "/api-tokens", {"name": "script", "scopes": []}).json["data"]
    return made["token"], f"/api-tokens/{made['apiToken']['id']}"


def uses(nodes, api_token):
    """What each server says to it."""
    return {node.device("body").send("GET", "/auth/me", headers={"X-Api-Key": api_token}).code for node in nodes}


def kids(nodes):
    """The published keys, as each server says."""
    answers = [node.device("body").send("GET", "/.well-known/jwks.json") for node in nodes]
    return [{key["kid"] for key in answer.json["keys"]} for answer in answers]


def test_what_is_ended_at_one_is_refused_by_all_at_the_next_request(nodes, admin, enter):
    for number in range(8):
        device, everywhere = enter()
        api_token, _ = make_api_token(device)
        user_id = device.me().json["data"]["user"]["id"]
        ways = [(admin, *way) for way in kills(user_id, device)] + [(everywhere[2], "POST", "/auth/logout", {})]
        for twin in everywhere:
            assert twin.me().status == twin.refresh().status == 200
        assert uses(nodes, api_token) == {None}
        who, method, path, body = ways[number]
        assert ask(who, method, path, body).status == 200
        for twin in everywhere:
            assert twin.me().code == twin.refresh().code == "token_revoked", (method, path)
        # What a script holds ends with its owner, not with a sign-in.
        of_owner = {"PATCH": "token_revoked", "DELETE": "token_invalid"}
        assert uses(nodes, api_token) == {of_owner[method] if path.startswith("/admin/") else None}


def test_an_api_token_that_is_revoked_at_one_is_refused_by_all(nodes, enter):
    device, everywhere = enter()
    api_token, path = make_api_token(device)
    assert uses(nodes, api_token) == {None}
    assert ask(everywhere[0], "DELETE", path).status == 200
    assert uses(nodes, api_token) == {"token_revoked"}


def test_one_refresh_token_presented_to_all_at_once_takes_one_step(nodes, enter):
    for _ in range(3):
        device, everywhere = enter()
        answers = at_once([twin.twin().refresh for twin in everywhere for _ in range(8)])
        assert {answer.status for answer in answers} == {200}
        held = {device.twin().keep(answer) and device.keep(answer) and device.held() for answer in answers}
        assert len(held) == 1
        assert device.generation == 1


def test_guesses_are_counted_together(nodes, enter):
    device, _ = enter()
    guess = {"email": device.me().json["data"]["user"]["email"], "password": "not the password"}
    guessing = [node.device("body") for node in nodes * 8]
    answers = at_once([lambda d=device: d.send("POST", "/auth/login", guess) for device in guessing])
    codes = [answer.code for answer in answers]
    assert codes.count("credentials_invalid") == 10
    assert codes.count("too_many_attempts") == 14


def test_keys_rotate_and_are_revoked_for_all_and_fail_nobody_else(nodes, admin, enter):
    lives, over = [enter() for _ in range(3)], threading.Event()
    turns = [0] * len(lives)

    def live(number):
        device, everywhere = lives[number]
        for twin in itertools.cycle(everywhere):
            answer = at(twin.server, device).refresh()
            assert answer.status == 200, answer.text
            device.keep(answer)
            assert {at(node, device).me().status for node in nodes} == {200}
            turns[number] += 1
            if over.is_set():
                return

    with ThreadPoolExecutor(len(lives)) as crowd:
        running = [crowd.submit(live, number) for number in range(len(lives))]
        try:
            new = ask(admin, "POST", "/admin/keys/rotate", {}).json["data"]["kid"]
            # Each of them signs with it at its next answer, and publishes it no later than it reads the keys again.
            for node in nodes:
                device = node.device("body")
                device.register()
                assert header_of(device.access)["kid"] == new
            until = [turn + 6 for turn in turns]
            while any(turn < least for turn, least in zip(turns, until, strict=True)):
                assert not any(one.done() for one in running)
                time.sleep(0.02)
        finally:
            over.set()
        for one in running:
            one.result()
    assert all(new in published for published in kids(nodes))
    assert len({frozenset(published) for published in kids(nodes)}) == 1

    admin.keep(admin.refresh())
    assert ask(admin, "POST", f"/admin/keys/{new}/revoke", {}).status == 200
    for device, _ in lives:
        assert header_of(device.token)["kid"] == new
        assert all(at(node, device).me().status == at(node, device).refresh().status == 401 for node in nodes)
    deadline = time.monotonic() + 20
    while any(new in published for published in kids(nodes)):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_a_rolling_restart_is_noticed_by_nobody(nodes, haproxy):
    """One after the other; the first is taken out beforehand, the others are just stopped."""
    devices, over, steps = [], threading.Event(), itertools.count()

    def live(device):
        while not over.wait(0.05):
            for answer in (device.keep(device.refresh(attempt=uuid.uuid4().hex)), device.me()):
                assert answer.status == 200, answer.text
            next(steps)

    for number in range(4):
        device = Device(haproxy, ("body", "cookie")[number % 2])
        assert device.register().status == 201
        devices.append(device)
    with ThreadPoolExecutor(len(devices)) as crowd:
        running = [crowd.submit(live, device) for device in devices]
        try:
            for name, node in zip(NAMES, nodes, strict=True):
                if name == NAMES[0]:
                    haproxy.say(f"set server authsvc/{name} state drain")
                node.stop()
                assert node.process.returncode == 0
                node.start()
                haproxy.say(f"set server authsvc/{name} state ready")
                haproxy.wait_for(name)
                assert not any(one.done() for one in running)
        finally:
            over.set()
        for one in running:
            one.result()
    for device in devices:
        assert device.me().status == device.refresh().status == 200
        device.connection.close()
    assert next(steps) > 20
