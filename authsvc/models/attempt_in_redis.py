"""The counters of models/attempt.py in Redis, for who has one: the same questions, each one script, so all or nothing.

A counter is a hash of its count and the end of its window, which was told by whoever began it: as in the database,
`now` is the caller's, and Redis's own clock decides nothing. Its expiry only sweeps, when every clock is past the end.

Whatever ails Redis, it is away, and Away is raised at once for a while; then one caller asks whether it is back, by
counting: one that has become a replica, or is full, still reads. All of this is loaded only where REDIS_URL names one.
"""

import threading
import time
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from authsvc.hiding import without_secrets
from authsvc.logs import logger
from authsvc.models.attempt import Away, Counter

# In seconds. An answer takes less than a thousandth; who waits for none holds a thread and a seat in the queue.
TIMEOUT = 0.5
PAUSE = 5.0
# How far the clocks of those who share it may be apart, and some more.
SWEPT_AFTER = timedelta(minutes=5)
NAMED = "authsvc:guesses:"
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
Answer = TypeVar("Answer")

# Given: now, the end of a window that begins now, when to sweep it in milliseconds, the limits. Answers when the first
# full counter forgets. Moments are texts in microseconds: Lua has them as doubles to compare, but would write 1.8e+15.
HIT = """
local counted = {}
for place, key in ipairs(KEYS) do
    local count, ends = unpack(redis.call('HMGET', key, 'count', 'ends'))
    if count and tonumber(ends) > tonumber(ARGV[1]) then
        if tonumber(count) >= tonumber(ARGV[3 + place]) then return ends end
        counted[place] = count
    end
end
for place, key in ipairs(KEYS) do
    if counted[place] then
        redis.call('HINCRBY', key, 'count', 1)
    else
        redis.call('HSET', key, 'count', 1, 'ends', ARGV[2])
        redis.call('PEXPIRE', key, ARGV[3])
    end
end
return false
"""
# Given: for each counter, whether it begins anew.
GIVE_BACK = """
for place, key in ipairs(KEYS) do
    if ARGV[place] == '1' then
        redis.call('DEL', key)
    elseif tonumber(redis.call('HGET', key, 'count') or 0) > 0 then
        redis.call('HINCRBY', key, 'count', -1)
    end
end
"""


class Attempts:
    """The counters, for all threads of one worker."""

    def __init__(self, url: str) -> None:
        self.redis = connection(url)
        self.hit_all = self.redis.register_script(HIT)
        self.give_back_all = self.redis.register_script(GIVE_BACK)
        self.lock = threading.Lock()
        self.is_away = False
        self.asked_again = 0.0

    def hit(self, counters: Iterable[Counter], now: datetime, expires_at: datetime) -> datetime | None:
        """Count a try on each, or on none; then answers when the first that is full forgets. Raises Away."""
        counters = tuple(counters)
        sweep = (expires_at - now + SWEPT_AFTER) // timedelta(milliseconds=1)
        told: list[str | int] = [_written(now), _written(expires_at), sweep, *(counter.limit for counter in counters)]
        ends = self._ask(lambda: self.hit_all(_keys(counters), told), may_find_it_back=True)
        return None if ends is None else _read(ends)

    def full_until(self, counter: Counter, now: datetime) -> datetime | None:
        """When a counter that has no try left forgets. Raises Away."""
        [key] = _keys([counter])
        count, ends = self._ask(lambda: self.redis.hmget(key, "count", "ends"))
        is_full = count is not None and int(count) >= counter.limit and _read(ends) > now
        return _read(ends) if is_full else None

    def give_back(self, counters: Iterable[Counter]) -> None:
        """Raises Away."""
        counters = tuple(counters)
        self._ask(lambda: self.give_back_all(_keys(counters), [int(counter.clears) for counter in counters]))

    def _ask(self, question: Callable[[], Answer], *, may_find_it_back: bool = False) -> Answer:
        with self.lock:
            if self.is_away:
                if not may_find_it_back or time.monotonic() < self.asked_again:
                    raise Away
                self.asked_again = time.monotonic() + PAUSE  # whoever comes meanwhile does not wait for it too
        try:
            answer = question()
        except (RedisError, OSError) as error:
            self._note(error)
            raise Away from error
        if may_find_it_back:
            self._note(None)
        return answer

    def _note(self, error: Exception | None) -> None:
        """Each change is told once."""
        if error is None and not self.is_away:
            return
        with self.lock:
            was_away, self.is_away = self.is_away, error is not None
            self.asked_again = time.monotonic() + PAUSE
        if error is not None and not was_away:
            logger.warning("Redis does not count guesses, the database does: %s", said(error))
        elif error is None and was_away:
            logger.warning("Redis counts guesses again.")


def connection(url: str) -> Redis:
    """Nothing is asked twice: it might be counted twice, and who has to wait has waited long enough."""
    return Redis.from_url(
        url,
        socket_timeout=TIMEOUT,
        socket_connect_timeout=TIMEOUT,
        retry=Retry(NoBackoff(), 0),
        max_connections=2**31,  # no more than there are threads
        protocol=2,
        driver_info=None,
    )


def said(error: Exception) -> str:
    """What ails it, in one line. No error of the client's holds a password."""
    return without_secrets((str(error).splitlines() or [type(error).__name__])[0])


def _keys(counters: Iterable[Counter]) -> list[str]:
    return [f"{NAMED}{counter.key}" for counter in counters]


def _written(moment: datetime) -> str:
    return str((moment - EPOCH) // timedelta(microseconds=1))


def _read(text: Any) -> datetime:
    return EPOCH + timedelta(microseconds=int(text))
