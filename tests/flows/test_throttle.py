"""Guessing: how many wrong passwords are looked at, whoever tries, however they spell it, wherever it is counted."""

from concurrent.futures import ThreadPoolExecutor
from typing import ClassVar

import pytest
from sqlalchemy import select, update

from authsvc import clock
from authsvc.models import Attempt
from authsvc.models.engine import transaction
from tests.answers import refused
from tests.drivers import HOST, Account, Script

PASSWORD = "a quiet harbour at dawn"
WRONG = "a wrong harbour at dawn"
HERE, THERE = "192.0.2.1", "198.51.100.7"
MIX = Account("mix@example.com", PASSWORD)

three_per_place = pytest.mark.settings(GUESSES_PER_ACCOUNT_AND_SOURCE=3)
three_per_account = pytest.mark.settings(GUESSES_PER_ACCOUNT=3)
three_per_source = pytest.mark.settings(GUESSES_PER_SOURCE=3)


class InDatabase:
    """What the counters say where the database has them."""

    settings: ClassVar = {}

    def counts(self, app):
        with app.app_context(), transaction() as session:
            return sorted(session.scalars(select(Attempt.count).where(Attempt.count > 0)))

    def end_windows(self, app):
        with app.app_context(), transaction() as session:
            session.execute(update(Attempt).values(expires_at=clock.utcnow()))


class InRedis:
    """The same where Redis has them."""

    def __init__(self, redis):
        self.redis, self.settings = redis.client, {"REDIS_URL": redis.url}

    def counts(self, app, beside=()):
        assert InDatabase().counts(app) == list(beside)
        found = [int(self.redis.hget(key, "count")) for key in self.redis.scan_iter()]
        return sorted(count for count in found if count > 0)

    def end_windows(self, app):
        for key in self.redis.scan_iter():
            self.redis.hset(key, "ends", int(clock.utcnow().timestamp() * 1_000_000))


@pytest.fixture(params=["in the database", "in Redis"])
def counters(request):
    return InDatabase() if request.param == "in the database" else InRedis(request.getfixturevalue("redis"))


@pytest.fixture
def settings(settings, counters):
    return settings | counters.settings


@pytest.fixture
def mix(app):
    """A user with a user name, from nowhere in particular, on a device."""
    device = Script(app)
    answer = device.client.post(
        "/auth/register",
        json={"email": MIX.email, "password": PASSWORD, "username": "mix"},
        base_url=HOST,
        environ_overrides={"REMOTE_ADDR": "203.0.113.200"},
    )
    device.keep(answer)
    return device


def attempt(app, name=MIX.email, password=WRONG, source=HERE, headers=None, path="/auth/login"):
    return app.test_client().post(
        path,
        json={"identifier": name, "password": password},
        headers=headers,
        base_url=HOST,
        environ_overrides={"REMOTE_ADDR": source},
    )


def wrong(app, times=1, **how):
    """So many wrong tries, all of which are looked at."""
    for _ in range(times):
        refused(attempt(app, **how), 401, "credentials_invalid")


def stopped(app, **how):
    answer = refused(attempt(app, **how), 429, "too_many_attempts")
    assert 1 <= int(answer.headers["Retry-After"]) <= 15 * 60
    return True


def right(app, **how):
    answer = attempt(app, password=PASSWORD, **how)
    assert answer.status_code == 200, answer.text


def failures(rows, app):
    [(count,)] = rows(app, "SELECT count(*) FROM events WHERE kind = 'user.sign_in_failed'")
    return count


def test_the_limits_are_10_and_100_and_200_in_15_minutes(app):
    config = app.extensions["authsvc"]
    assert (config.GUESSES_PER_ACCOUNT_AND_SOURCE, config.GUESSES_PER_ACCOUNT, config.GUESSES_PER_SOURCE) == (
        10,
        100,
        200,
    )
    assert config.GUESS_WINDOW.total_seconds() == 15 * 60


def test_by_default_the_eleventh_wrong_password_is_not_looked_at(app, mix, rows):
    wrong(app, 10)
    assert stopped(app)
    assert failures(rows, app) == 10


@three_per_place
def test_one_source_may_guess_so_often_at_one_account(app, mix):
    wrong(app, 3)
    assert stopped(app)
    wrong(app, name="other@example.com")
    right(app, source=THERE)


@three_per_account
def test_all_sources_together_may_guess_so_often_at_one_account(app, mix, rows):
    for number in range(3):
        wrong(app, source=f"192.0.2.{number}")
    assert stopped(app, source=THERE)
    assert failures(rows, app) == 3
    wrong(app, name="other@example.com")


@three_per_source
def test_one_source_may_guess_so_often_at_all_accounts_together(app, mix):
    for number in range(3):
        wrong(app, name=f"user{number}@example.com")
    assert stopped(app)
    right(app, source=THERE)


@three_per_place
def test_the_right_password_is_refused_too_while_a_source_is_stopped(app, mix, rows):
    wrong(app, 3)
    assert stopped(app, password=PASSWORD)
    assert len(rows(app, "SELECT id FROM refresh_tokens")) == 1


@three_per_place
def test_an_address_and_a_user_name_are_one_account_however_they_are_spelled(app, mix):
    for name in (MIX.email, "mix", "MIX"):
        wrong(app, name=name)
    for name in ("Mix@Example.com", " mix@example.com ", "ｍix", "mix＠example.com", "mix@example。com", "ⅿⅸ"):
        assert stopped(app, name=name)


@three_per_place
def test_a_name_that_nobody_has_is_counted_as_one_that_somebody_has(app):
    for name in ("nobody@example.com", "NOBODY@example.com", " ｎobody@example.com"):
        wrong(app, name=name)
    for name in ("nobody@example.com", "nobody＠example.com", "Nobody@EXAMPLE.com\t"):
        assert stopped(app, name=name)
    for name in ("nobody", "NOBODY", "ｎobody"):
        wrong(app, name=name)
    assert stopped(app, name="Nobody")


@three_per_place
def test_nothing_that_a_caller_may_vary_gives_another_try(app, mix, rows):
    [(tenant_id,)] = rows(app, "SELECT id FROM tenants")
    wrong(app, 3)
    for headers in (
        {"X-Tenant-Id": "default"},
        {"X-Tenant-Id": str(tenant_id)},
        {"X-Stencil-TenantId": "default"},
        {"x-stencil-tenanid": "default"},
        {"X-Forwarded-For": THERE},
        {"X-Forwarded-For": f"{THERE}, {HERE}"},
        {"X-Real-IP": THERE},
        {"Forwarded": f"for={THERE}"},
        {"True-Client-IP": THERE},
        {"CF-Connecting-IP": THERE},
        {"User-Agent": "another"},
        {"Cookie": "fresh=1"},
        {"Content-Type": "application/json; charset=utf-8"},
        {"X-Request-Id": "another"},
        {"Authorization": "Bearer x"},
    ):
        assert stopped(app, headers=headers)
    for path in ("/auth/login/", "/auth/%6cogin"):
        assert stopped(app, path=path)
    assert failures(rows, app) == 3


@pytest.mark.settings(GUESSES_PER_ACCOUNT_AND_SOURCE=3, TRUSTED_PROXIES=("10.0.0.0/8",))
def test_behind_a_trusted_proxy_the_source_is_the_address_that_it_names(app, mix):
    def through(*addresses):
        return {"source": "10.0.0.1", "headers": {"X-Forwarded-For": ", ".join(addresses)}}

    wrong(app, 3, **through(HERE))
    assert stopped(app, **through(HERE))
    assert stopped(app, **through(THERE, HERE))
    assert stopped(app, **through(THERE, HERE, "10.0.0.2"))
    assert stopped(app, source=HERE)
    wrong(app, **through(THERE))


@three_per_place
def test_an_ipv6_network_of_64_bits_is_one_source(app, mix):
    for last in ("1", "2", "ffff:ffff:ffff:ffff"):
        wrong(app, source=f"2001:db8:0:1::{last}" if ":" not in last else f"2001:db8:0:1:{last}")
    assert stopped(app, source="2001:db8:0:1:aaaa::9")
    wrong(app, source="2001:db8:0:2::1")


@three_per_place
def test_an_ipv4_address_in_ipv6_clothes_is_the_same_source(app, mix):
    wrong(app, 2)
    wrong(app, source=f"::ffff:{HERE}")
    assert stopped(app)


@pytest.mark.settings(GUESSES_PER_ACCOUNT_AND_SOURCE=3, GUESSES_PER_ACCOUNT=5)
def test_tries_that_are_refused_do_not_run_down_the_account(app, mix, counters):
    wrong(app, 3)
    for _ in range(5):
        assert stopped(app)
    assert counters.counts(app) == [3, 3, 3]
    right(app, source=THERE)


@pytest.mark.settings(GUESSES_PER_ACCOUNT_AND_SOURCE=3, GUESSES_PER_ACCOUNT=4)
def test_a_right_password_lets_the_account_begin_anew(app, mix):
    wrong(app, 2)
    right(app)
    wrong(app, 3)
    assert stopped(app)
    right(app, source=THERE)


@three_per_source
def test_a_right_password_gives_its_source_that_try_back_and_no_other(app, mix):
    wrong(app, 2, name="other@example.com")
    for _ in range(3):
        right(app)
    wrong(app)
    assert stopped(app, password=PASSWORD)


@three_per_source
def test_who_only_signs_in_is_never_stopped(app, mix, counters):
    for _ in range(5):
        right(app)
    assert counters.counts(app) == []


@three_per_account
def test_who_is_signed_in_stays_signed_in_while_others_guess(app, mix, age):
    wrong(app, 3)
    assert stopped(app, source=THERE)
    assert mix.me().status_code == 200
    for _ in range(3):
        age(app, mix.refresh_token_id, seconds=11)
        assert mix.refresh().status_code == 200


@three_per_place
def test_when_the_window_has_ended_the_count_begins_anew(app, mix, counters):
    wrong(app, 3)
    assert stopped(app)
    counters.end_windows(app)
    wrong(app, 3)
    assert stopped(app)


def test_a_full_hashing_queue_is_said_at_once_and_not_counted(app, mix, rows, counters):
    seats = app.extensions["authsvc.hashing"].seats
    taken = 0
    while seats.acquire(blocking=False):
        taken += 1
    before = len(rows(app, "SELECT id FROM events"))
    refused(attempt(app, password=PASSWORD), 503, "unavailable")
    refused(attempt(app), 503, "unavailable")
    refused(attempt(app, name="nobody"), 503, "unavailable")
    answer = mix.post("/auth/register", email="new@example.com", password=PASSWORD)
    refused(answer, 503, "unavailable")
    new = {"currentPassword": PASSWORD, "newPassword": "another harbour at dusk"}
    refused(mix.post("/auth/password", mix.bearer(), **new), 503, "unavailable")
    assert counters.counts(app) == []
    assert len(rows(app, "SELECT id FROM events")) == before
    assert mix.refresh().status_code == 200
    for _ in range(taken):
        seats.release()
    right(app)


@three_per_place
def test_the_counts_survive_a_restart_and_are_shared_by_all_workers(make_app, settings):
    first = make_app(**settings)
    wrong(first, 2)
    second = make_app(**settings)
    wrong(second)
    assert stopped(first)
    assert stopped(second)


@pytest.mark.settings(RATE_LIMITS=False, GUESSES_PER_ACCOUNT_AND_SOURCE=1, GUESSES_PER_ACCOUNT=1, GUESSES_PER_SOURCE=1)
def test_limits_can_be_switched_off(app, mix, counters):
    wrong(app, 5)
    right(app)
    assert counters.counts(app) == []


@three_per_account
def test_a_wrong_current_password_is_a_guess_like_any_other(app, mix):
    def change(current):
        body = {"currentPassword": current, "newPassword": "another harbour at dusk"}
        return mix.post("/auth/password", mix.bearer(), **body)

    wrong(app)
    for _ in range(2):
        refused(change(WRONG), 403, "password_wrong")
    refused(change(PASSWORD), 429, "too_many_attempts")
    assert stopped(app, source=THERE)
    assert mix.me().status_code == 200


@three_per_source
def test_asking_whether_a_name_is_taken_is_a_guess_of_its_source(app, mix):
    for _ in range(3):
        refused(mix.post("/auth/register", email=MIX.email, password=PASSWORD), 409, "already_exists")
    refused(mix.post("/auth/register", email=MIX.email, password=PASSWORD), 429, "too_many_attempts")
    refused(mix.post("/auth/register", email="new@example.com", password=PASSWORD), 429, "too_many_attempts")
    right(app)


@three_per_source
def test_making_accounts_is_no_guess(app, mix):
    for number in range(5):
        answer = mix.post("/auth/register", email=f"new{number}@example.com", password=PASSWORD)
        assert answer.status_code == 201


@pytest.mark.settings(GUESSES_PER_ACCOUNT_AND_SOURCE=3, HASHING_QUEUE=50)
def test_of_a_burst_exactly_as_many_are_looked_at_as_the_limit_allows(app, mix, rows):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda _: attempt(app).status_code, range(20)))
    assert sorted(answers) == [401] * 3 + [429] * 17
    assert failures(rows, app) == 3
