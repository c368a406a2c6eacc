"""`make cluster`: a PostgreSQL cluster, authsvc on it, clients at work, and the death of its primary.

With ROUNDS=3 all of it three times; with KEEP=1 (or --keep) it stays up afterwards, to be played with, until Ctrl-C.
"""

import os
import signal
import sys
import time

from tests.cluster.trial import Trial
from tests.servers.patroni import LOOP_WAIT, RETRY_TIMEOUT, TTL


def main(*arguments):
    rounds = int(os.environ.get("ROUNDS", "1"))
    with Trial(tell=lambda sentence: print(sentence, flush=True)) as trial:  # noqa: T201
        trial.note(f"ttl {TTL} s, loop_wait {LOOP_WAIT} s, retry_timeout {RETRY_TIMEOUT} s; every refresh is a step")
        for number in range(rounds):
            trial.note(f"round {number + 1} of {rounds}")
            trial.round()
            trial.freeze_the_primary()
            if trial.losses:
                break
        trial.note(f"{len(trial.losses)} losses in {number + 1} rounds")
        if "--keep" in arguments or os.environ.get("KEEP"):
            keep(trial)
    return int(bool(trial.losses))


def keep(trial):
    trial.tell(f"\nPostgreSQL: {trial.cluster.url}, as HAProxy passes it on")
    for member in trial.cluster.members.values():
        trial.tell(f"{member.name}: PostgreSQL 127.0.0.1:{member.port}, Patroni {member.rest}, log {member.log}")
    for number, server in enumerate(trial.servers, 1):
        trial.tell(f"authsvc {number}: {server.url}")
    trial.tell("Ctrl-C ends it all.")
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        while True:
            time.sleep(3600)
    except KeyboardInterrupt:
        trial.tell("")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
