"""Sign-ins beside what hashing alone could do on these cores, and who else is served while they flood in."""

import os
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from functools import partial
from statistics import median
from typing import Any

from argon2 import PasswordHasher

from bench import processes
from bench.asking import HEALTH, REFRESH, SIGN_IN, Credentials
from bench.choices import Choices
from bench.contenders import planted_authsvc
from bench.databases import databases
from bench.load import drive
from bench.planting import PASSWORD
from config import Base

# Few enough that both workers' queues hold them all, however the connections fall; and more than that.
CONNECTIONS, FLOOD = 8, 48
BYSTANDERS = 2


def sign_in(kind: str, choices: Choices, tell: Callable[[str], None]) -> dict[str, Any]:
    with databases(kind) as opened:
        own = planted_authsvc("authsvc", opened, refresh_tokens=1000, REFRESH_LEEWAY="0")
        try:
            planted = Credentials(own, BYSTANDERS)
            people = planted.planted.people
            runs = []
            for number in range(choices.rounds):
                limit, alone = hashes(choices.seconds)
                before = processes.cpu_seconds(own.pid)
                answered = drive(own.url, SIGN_IN, people, seconds=choices.seconds, connections=CONNECTIONS)
                spent = (processes.cpu_seconds(own.pid) - before) / answered.requests
                runs.append((limit, answered.rate, answered.p50, answered.p99, alone / spent))
                tell(f"round {number + 1} of {choices.rounds}")
            limit, rate, p50, p99, hashing = (median(column) for column in zip(*runs, strict=True))
            seconds = choices.seconds * 2
            with ThreadPoolExecutor() as crowd:
                flood = crowd.submit(
                    drive, own.url, SIGN_IN, people, seconds=seconds + 2, connections=FLOOD, may_refuse=True
                )
                time.sleep(1)
                rows = planted.refresh()
                beside = partial(drive, own.url, seconds=seconds, connections=BYSTANDERS)
                health = crowd.submit(beside, HEALTH, [("-", "ok")])
                refresh = crowd.submit(beside, REFRESH, rows)
                flooded = flood.result()
                return {
                    "limit": limit,
                    "rate": rate,
                    "part": median(run[1] / run[0] for run in runs),
                    "hashing": hashing,
                    "p50": p50,
                    "p99": p99,
                    "flood": {"rate": flooded.rate, "refused": flooded.wrong / flooded.seconds},
                    "healthz": {"rate": health.result().rate, "p99": health.result().p99},
                    "refresh": {"rate": refresh.result().rate, "p99": refresh.result().p99},
                }
        finally:
            own.stop()


def hashes(seconds: float) -> tuple[float, float]:
    """Passwords verified in a second by as many processes as there are cores, which do nothing else; the CPU of one."""
    cores = os.cpu_count() or 1
    with ProcessPoolExecutor(cores) as pool:
        rates, costs = zip(*pool.map(_verify_for, [seconds] * cores), strict=True)
    return sum(rates), median(costs)


def _verify_for(seconds: float) -> tuple[float, float]:
    hasher = PasswordHasher(Base.ARGON2_TIME, Base.ARGON2_MEMORY, Base.ARGON2_PARALLELISM)
    kept = hasher.hash(PASSWORD)
    count, began, cpu_began = 0, time.perf_counter(), time.process_time()
    while (spent := time.perf_counter() - began) < seconds:
        hasher.verify(kept, PASSWORD)
        count += 1
    return count / spent, (time.process_time() - cpu_began) / count
