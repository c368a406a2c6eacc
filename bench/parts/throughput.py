"""Requests a second, what they cost and how long they take, beside bare Flask and the peers, on one database."""

from collections.abc import Callable
from contextlib import ExitStack
from typing import Any

from bench import asking
from bench.asking import BEARER, GUARDED, JSON, Credentials
from bench.choices import Choices
from bench.contenders import Peer, beside, peer, planted_authsvc, threads, uvicorn
from bench.databases import databases
from bench.load import Ask
from bench.rounds import Step, measure

REFRESH_TOKENS = 2000
# What is asked of peers.
JOBS = ("guarded", "refresh")
BARE = Ask("GET", "/restaurants")
SIMPLEJWT_REFRESH = Ask("POST", "/api/token/refresh/", JSON, '{"refresh":"{}"}', carries='"refresh":"([^"]+)"')
FLASK_SECURITY_REFRESH = Ask(
    "POST", "/refresh-token", JSON, '{"refresh_token":"{}"}', carries='"refresh_token":"([^"]+)"'
)
FLASK_SECURITY_GUARDED = Ask("GET", "/restaurants", {"Authentication-Token": "{}"})


def throughput(kind: str, choices: Choices, tell: Callable[[str], None]) -> dict[str, Any]:
    with databases(kind) as opened, ExitStack() as running:
        tell("starting and planting")
        own = planted_authsvc(
            "authsvc", opened, refresh_tokens=REFRESH_TOKENS, api_tokens=choices.api_tokens, REFRESH_LEEWAY="0"
        )
        running.callback(own.stop)
        embedding = beside(own, "embedding", app="bench.served.embedding:app")
        running.callback(embedding.stop)
        bare = beside(own, "bare", app="bench.served.bare:app")
        running.callback(bare.stop)
        credentials = Credentials(own, choices.connections)
        steps = [
            Step("bare", bare, BARE, lambda: [("-", '"for"')]),
            Step("guarded", embedding, GUARDED, credentials.access),
            Step("guarded by api token", embedding, GUARDED, credentials.api_tokens),
            *asking.steps(own, credentials),
            *_of_peers(choices, opened, running),
            # The same once more: what differs between the two is noise.
            Step("guarded again", embedding, GUARDED, credentials.access),
            Step("bare again", bare, BARE, lambda: [("-", '"for"')]),
        ]
        return measure(
            [step for step in steps if choices.is_chosen(step.name)],
            choices=choices,
            seconds=choices.seconds,
            database_pid=opened.pid,
            tell=tell,
        )


def _of_peers(choices: Choices, opened: Any, running: ExitStack) -> list[Step]:
    steps = []
    for name in choices.peers:
        if not any(choices.is_chosen(f"{name} {job}") for job in JOBS):
            continue
        made = peer(name, opened, users=REFRESH_TOKENS, worker=uvicorn() if name == "fastapi_users" else threads())
        running.callback(made.stop)
        steps += _steps_of(made, choices.connections * asking.CHAINS)
    return steps


def _steps_of(made: Peer, chains: int) -> list[Step]:
    access = made.run("access", str(asking.ACCESS_TOKENS))
    guarded = FLASK_SECURITY_GUARDED if made.name == "flask_security_too" else Ask("GET", "/restaurants", BEARER)
    steps = [Step(f"{made.name} guarded", made, guarded, lambda: access)]
    refresh = {"simplejwt": SIMPLEJWT_REFRESH, "flask_security_too": FLASK_SECURITY_REFRESH}.get(made.name)
    if refresh:
        steps.append(Step(f"{made.name} refresh", made, refresh, lambda: made.run("refresh", str(chains))))
    return steps
