"""Guesses counted in Redis, for two servers with two workers each: all at once, and while Redis goes away."""

import threading
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import pytest

from tests.live.conftest import served
from tests.live.devices import Device
from tests.live.test_crowds import at_once
from tests.servers.gunicorn import Gunicorn
from tests.servers.redis import Redis

pytestmark = pytest.mark.xdist_group("live-redis")
WRONG, RIGHT = "not the password", "a quiet harbour"
LIMIT = 10
AWAY, BACK = "Redis does not count guesses", "Redis counts guesses again"


@pytest.fixture
def redis():
    redis = Redis()
    yield redis
    redis.stop()


@pytest.fixture
def servers(folder, worker_id, redis):
    """Two of one service: they share the database and Redis, and nothing else."""
    own = {"REDIS_URL": redis.url, "HASHING_QUEUE": "64", "LOG_LEVEL": "info"}
    for first in served("postgresql", folder, worker_id, workers=2, **own):
        url, log = first.environment["AUTHSVC_DATABASE_URL"], folder / f"second-{first.log.name}"
        second = Gunicorn(url, log, workers=2, **own | {"BASE_URL": first.url})
        yield first, second
        second.stop()


@pytest.fixture
def email(servers):
    """Whom they guess at."""
    email = f"{uuid.uuid4().hex}@example.com"
    assert ask(servers[0], "/auth/register", email, RIGHT) == 201
    return email


def ask(server, path, email, password):
    device = Device(server, "body")
    try:
        return device.send("POST", path, {"email": email, "password": password}).status
    finally:
        device.connection.close()


def guess(server, email):
    return ask(server, "/auth/login", email, WRONG)


def said(server):
    return server.log.read_text()


def until(happened):
    deadline = time.monotonic() + 60
    while not happened():
        assert time.monotonic() < deadline
        time.sleep(0.05)


@contextmanager
def people(servers):
    """Some who sign in again and again, each as somebody else; in the end, what they were answered."""
    over, answered = threading.Event(), []

    def come_and_go(server):
        email = f"{uuid.uuid4().hex}@example.com"
        answered.append(ask(server, "/auth/register", email, RIGHT))
        while not over.is_set():
            answered.append(ask(server, "/auth/login", email, RIGHT))

    with ThreadPoolExecutor(4) as crowd:
        lives = [crowd.submit(come_and_go, server) for server in servers * 2]
        try:
            yield answered
        finally:
            over.set()
        for life in lives:
            life.result()


def test_of_a_burst_at_all_workers_as_many_are_looked_at_as_are_allowed(servers, email, redis):
    statuses = at_once([lambda server=server: guess(server, email) for server in servers * 20])
    assert sorted(statuses) == [401] * LIMIT + [429] * 30
    assert sorted(int(redis.client.hget(key, "count")) for key in redis.client.scan_iter()) == [LIMIT] * 3
    assert servers[0].ask("SELECT * FROM attempts") == []
    assert not any(AWAY in said(server) for server in servers)


def test_while_redis_dies_and_comes_back_nobody_is_sent_away_and_limits_hold(servers, email, redis):
    with people(servers) as answered:
        until(lambda: len(answered) > 20)
        before = [guess(servers[0], email) for _ in range(LIMIT + 2)]
        redis.kill()
        until(lambda: all(AWAY in said(server) for server in servers))
        meanwhile = at_once([lambda server=server: guess(server, email) for server in servers * 20])
        redis.start()
        until(lambda: all(BACK in said(server) for server in servers))
        after = at_once([lambda server=server: guess(server, email) for server in servers * 20])
    assert set(answered) == {200, 201}
    assert before == [401] * LIMIT + [429] * 2
    assert sorted(meanwhile) == [401] * LIMIT + [429] * 30
    # It came back without what it knew; a worker that has not asked it yet counts where it did.
    assert set(after) <= {401, 429}
    assert 1 <= after.count(401) <= LIMIT


def test_while_redis_hangs_nobody_waits_for_it(servers, email, redis):
    with people(servers) as answered:
        until(lambda: len(answered) > 20)
        redis.hang()
        until(lambda: all(AWAY in said(server) for server in servers))
        meanwhile = at_once([lambda server=server: guess(server, email) for server in servers * 20])
        seen = len(answered)
        until(lambda: len(answered) > seen + 20)
        redis.go_on()
        until(lambda: all(BACK in said(server) for server in servers))
    assert set(answered) == {200, 201}
    assert sorted(meanwhile) == [401] * LIMIT + [429] * 30
