"""Guessing where Redis counts: what it is asked, what it keeps, and that nobody is let off or sent away without it."""

import re
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack

import pytest

from authsvc.logs import logger
from authsvc.models import attempt_in_redis
from authsvc.services import passwords, throttle
from tests.drivers import HOST, Script
from tests.flows.test_throttle import HERE, MIX, PASSWORD, THERE, InDatabase, InRedis, right, stopped, wrong
from tests.servers.certificates import certify
from tests.servers.postgresql import free_port
from tests.servers.redis import Redis

pytestmark = [
    pytest.mark.settings(GUESSES_PER_ACCOUNT_AND_SOURCE=3),
    pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True),  # both count alike: test_throttle.py
]
AWAY = "Redis does not count guesses, the database does"
BACK = "Redis counts guesses again."
REDIS_PASSWORD = "sesame-4711"


@pytest.fixture
def settings(settings, redis):
    return settings | {"REDIS_URL": redis.url}


@pytest.fixture
def counters(app, monkeypatch):
    """Once it is away, it is asked again when a test says so."""
    monkeypatch.setattr(attempt_in_redis, "PAUSE", 3600)
    return app.extensions[throttle.COUNTERS]


@pytest.fixture
def told(app, caplog):
    """The log."""
    logger.addHandler(caplog.handler)
    yield caplog
    logger.removeHandler(caplog.handler)


@pytest.fixture
def mix(app):
    device = Script(app)
    device.keep(device.post("/auth/register", email=MIX.email, password=PASSWORD))
    return device


def locked(redis):
    redis.client.config_set("requirepass", REDIS_PASSWORD)
    redis.client.auth(REDIS_PASSWORD)
    redis.client.client_kill_filter(_type="normal", skipme=True)


def unlocked(redis):
    redis.client.auth(REDIS_PASSWORD)
    redis.client.config_set("requirepass", "")


def crowded(redis):
    redis.client.config_set("maxclients", 1)
    redis.client.client_kill_filter(_type="normal", skipme=True)


def config(name, sick, sound):
    return lambda redis: redis.client.config_set(name, sick), lambda redis: redis.client.config_set(name, sound)


# How Redis fails, how it comes back, and what is then left there of three tries, two of which were counted before.
AILMENTS = {
    "gone": (Redis.kill, Redis.start, 3),
    # What it was asked last it does when it goes on, and nobody knows: one try too many is counted, not one too few.
    "hanging": (Redis.hang, Redis.go_on, 0),
    "full": (*config("maxmemory", 1, 0), 1),
    "lacking replicas": (*config("min-replicas-to-write", 1, 0), 1),
    "a replica": (
        lambda redis: redis.client.replicaof("127.0.0.1", 1),
        lambda redis: redis.client.replicaof("NO", "ONE"),
        1,
    ),
    "locked": (locked, unlocked, 1),
    "crowded": (crowded, lambda redis: redis.client.config_set("maxclients", 10000), 1),
}


@pytest.fixture(params=AILMENTS)
def ailment(request, redis):
    fail, recover, left = AILMENTS[request.param]
    with ExitStack() as over:

        def begin():
            fail(redis)
            over.callback(recover, redis)

        yield begin, over.close, left


def questions(redis):
    """How often each command was given, but for those of the tests."""
    stats = redis.client.info("commandstats")
    ours = ("info", "config", "ping", "client", "flushall", "auth", "keys", "hget", "script", "replicaof", "hello")
    return {name: stat["calls"] for name, stat in stats.items() if not name.removeprefix("cmdstat_").startswith(ours)}


def test_while_redis_fails_the_database_counts_and_nobody_is_sent_away(app, mix, redis, counters, ailment, told):
    fail, recover, left = ailment
    wrong(app, 2)
    fail()
    # Counts begin anew in the other place, and are as exact there.
    wrong(app, 3)
    assert stopped(app)
    assert InDatabase().counts(app) == [3, 3, 3]
    right(app, source=THERE)
    assert mix.refresh().status_code == 200
    beside = InDatabase().counts(app)
    recover()
    assert stopped(app)
    counters.asked_again = 0
    wrong(app, left)
    assert stopped(app)
    right(app, source=THERE)
    assert InRedis(redis).counts(app, beside) == [3, 3]
    assert [record.getMessage().partition(":")[0] for record in told.records] == [AWAY, BACK]
    assert REDIS_PASSWORD not in told.text


def test_a_redis_that_hangs_is_asked_once_and_not_by_everybody(app, mix, redis, counters):
    redis.client.config_resetstat()
    redis.hang()
    wrong(app)
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda number: wrong(app, name=f"someone{number}@example.com"), range(8)))
    counters.asked_again = 0
    with ThreadPoolExecutor(8) as crowd:
        list(crowd.map(lambda number: wrong(app, name=f"nobody{number}@example.com"), range(8)))
    redis.go_on()
    redis.wait()
    # One found it hanging, and one asked whether it was back; the text of the script was never sent.
    assert questions(redis).get("cmdstat_evalsha", 0) <= 2
    assert redis.client.info("stats")["total_connections_received"] <= 4


def test_one_that_can_only_be_read_is_not_back(app, redis, counters, told):
    def ask():
        credentials = {"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "guessed"}
        return app.test_client().post("/oauth/token", data=credentials, base_url=HOST).status_code

    assert ask() == 401
    redis.client.replicaof("127.0.0.1", 1)
    try:
        for _ in range(3):
            counters.asked_again = 0
            assert ask() == 401
    finally:
        redis.client.replicaof("NO", "ONE")
    assert [record.getMessage().partition(":")[0] for record in told.records] == [AWAY]


def test_a_reservation_is_given_back_where_it_was_made(app, mix, redis, counters, monkeypatch):
    verify = passwords.verify

    def meanwhile(change):
        def verified(*given):
            change()
            return verify(*given)

        monkeypatch.setattr(passwords, "verify", verified)

    wrong(app)
    meanwhile(redis.kill)
    right(app)
    assert InDatabase().counts(app) == []

    def back():
        redis.start()
        counters.asked_again = 0

    meanwhile(back)
    right(app)
    monkeypatch.setattr(passwords, "verify", verify)
    assert InDatabase().counts(app) == []
    wrong(app)
    assert redis.client.keys()


def test_scripts_that_redis_forgot_are_told_again(app, mix, redis, counters, told):
    wrong(app)
    redis.client.script_flush()
    wrong(app)
    right(app)
    redis.client.script_flush()
    right(app)
    wrong(app, 3)
    redis.kill()
    redis.start()
    # Idle connections that were closed meanwhile are no reason to count elsewhere.
    wrong(app, 3)
    assert stopped(app)
    assert InDatabase().counts(app) == []
    assert AWAY not in told.text


def test_every_try_is_one_question(app, mix, redis):
    wrong(app)
    right(app)
    redis.client.config_resetstat()
    wrong(app)
    assert questions(redis) == {
        "cmdstat_evalsha": 1,
        "cmdstat_hmget": 3,
        "cmdstat_hset": 2,
        "cmdstat_pexpire": 2,
        "cmdstat_hincrby": 1,
    }
    right(app)
    assert questions(redis)["cmdstat_evalsha"] == 3


@pytest.mark.parametrize("way", ["rediss", "unix"])
def test_it_is_reached_by_tls_and_by_a_socket_too(make_app, settings, tmp_path, way):
    """But only who is right: a server with its certificate, a caller with the password."""
    certify(tmp_path, "redis.example.org")
    chain, port = tmp_path / "fullchain.pem", free_port()
    if way == "rediss":
        tls = ("--tls-port", port, "--tls-cert-file", chain, "--tls-key-file", tmp_path / "privkey.pem")
        redis = Redis(*tls, "--tls-auth-clients", "no")
        good, bad = f"rediss://127.0.0.1:{port}/1?ssl_ca_certs={chain}", f"rediss://127.0.0.1:{port}/1"
    else:
        redis = Redis("--unixsocket", tmp_path / "redis.sock", password=REDIS_PASSWORD)
        good, bad = (f"unix://:{word}@{tmp_path}/redis.sock?db=1" for word in (REDIS_PASSWORD, "another"))
    try:
        app = make_app(**settings | {"REDIS_URL": good})
        wrong(app, 3)
        assert stopped(app)
        assert InDatabase().counts(app) == []
        assert redis.client.info("keyspace")["db1"]["keys"] == 3
        app = make_app(**settings | {"REDIS_URL": bad})
        wrong(app, 3)
        assert InDatabase().counts(app) == [3, 3, 3]
    finally:
        redis.stop()


@pytest.mark.settings(GUESSES_PER_ACCOUNT_AND_SOURCE=3, METRICS_READERS=("127.0.0.1",))
def test_it_is_told_where_guesses_are_counted(app, redis):
    wrong(app, 2)
    redis.kill()
    wrong(app)
    told = app.test_client().get("/metrics").text.splitlines()
    assert {line for line in told if line.startswith("authsvc_guesses_total")} == {
        'authsvc_guesses_total{place="redis"} 2.0',
        'authsvc_guesses_total{place="database"} 1.0',
    }


def test_only_guesses_are_asked_of_redis(app, mix, redis):
    owner = app.test_client()
    before = questions(redis)
    for _ in range(3):
        assert mix.refresh().status_code == 200
        assert mix.me().status_code == 200
    made = mix.ask("POST", "/api-tokens", {"name": "script", "scopes": []})
    assert made.status_code == 201, made.json
    for path in ("/healthz", "/readyz", "/.well-known/jwks.json"):
        assert owner.get(path).status_code == 200
    assert mix.ask("POST", "/auth/logout", {}).status_code == 200
    assert questions(redis) == before


def test_nothing_without_an_end_is_left_and_nothing_in_the_clear(app, mix, redis):
    wrong(app)
    wrong(app, name="nobody@example.com", source=THERE)
    right(app)
    wrong(app)
    keys = redis.client.keys()
    assert len(keys) == 7
    window = app.extensions["authsvc"].GUESS_WINDOW.total_seconds()
    for key in keys:
        assert re.fullmatch(r"authsvc:guesses:[0-9a-f]{64}", key)
        assert window < redis.client.ttl(key) <= window + attempt_in_redis.SWEPT_AFTER.total_seconds()
        assert set(redis.client.hgetall(key)) == {"count", "ends"}
        assert all(value.isdigit() for value in redis.client.hgetall(key).values())
    # What was counted once and given back later, when it is gone, is not made anew.
    redis.client.flushall()
    app.extensions[throttle.COUNTERS].give_back([throttle.Counter("0" * 64, 3, clears=False)])
    assert redis.client.keys() == []


def test_a_stopped_source_is_told_so_without_a_look_at_the_secret(make_app, settings, redis):
    app = make_app(**settings | {"GUESSES_PER_SOURCE": 2})

    def ask():
        return app.test_client().post(
            "/oauth/token",
            data={"grant_type": "client_credentials", "client_id": "nobody", "client_secret": "guessed"},
            base_url=HOST,
            environ_overrides={"REMOTE_ADDR": HERE},
        )

    assert [ask().status_code for _ in range(4)] == [401, 401, 429, 429]
    assert InRedis(redis).counts(app) == [2]
    redis.kill()
    assert [ask().status_code for _ in range(4)] == [401, 401, 429, 429]
    assert InDatabase().counts(app) == [2]
