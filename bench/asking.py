"""The requests of authsvc that are measured, and their credentials."""

import itertools
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence

from bench.contenders import Authsvc
from bench.load import Ask, Row
from bench.planting import PASSWORD
from bench.rounds import Step

BEARER = {"Authorization": "Bearer {}"}
JSON = {"Content-Type": "application/json"}
FORM = {"Content-Type": "application/x-www-form-urlencoded"}
REFRESH = Ask("POST", "/jwt/refresh", JSON, '{"refreshToken":"{}"}', carries='"refreshToken":"([^"]+)"')
SIGN_IN = Ask("POST", "/auth/login", JSON, f'{{"email":"{{}}","password":"{PASSWORD}"}}')
ME = Ask("GET", "/auth/me", BEARER)
GUARDED = Ask("GET", "/restaurants", BEARER)
VERIFY = Ask("GET", "/auth/verify", BEARER, proof_in="X-Auth-User-Id")
HEALTH = Ask("GET", "/healthz")
# How many different access tokens are asked with, by all; and how many sign-ins each connection carries on by turns.
ACCESS_TOKENS = 500
CHAINS = 20


def introspection(client: Row) -> Ask:
    return Ask("POST", "/oauth/introspect", FORM | {"Authorization": basic(client)}, "token={}")


def basic(client: Row) -> str:
    return f"Basic {b64encode(':'.join(client).encode()).decode()}"


class Credentials:
    """Of the sign-ins that were planted: access tokens made once, refresh tokens anew for each run."""

    def __init__(self, server: Authsvc, connections: int) -> None:
        if server.planted is None:
            raise ValueError(f"Nothing is planted at {server.name}.")
        self.server = server
        self.planted = server.planted
        self.access_rows = server.mint("access", self.planted.sign_ins[:: self._every(ACCESS_TOKENS)])
        self.slices = self._slices(connections * CHAINS)

    def access(self) -> list[Row]:
        return self.access_rows

    def api_tokens(self) -> list[Row]:
        return self.planted.api_tokens[: len(self.access_rows)]

    def refresh(self) -> list[Row]:
        """Where a run ends, the last answers are lost: the next one begins with what the rows say."""
        return self.server.mint("refresh", next(self.slices))

    def _every(self, wanted: int) -> int:
        return max(1, len(self.planted.sign_ins) // wanted)

    def _slices(self, wanted: int) -> Iterator[list[str]]:
        """Evenly from among all of them, other ones each time, until all had their turn."""
        every = self._every(wanted)
        return (self.planted.sign_ins[start::every] for start in itertools.cycle(range(every)))


def steps(server: Authsvc, credentials: Credentials, suffix: str = "") -> list[Step]:
    """The steps that one server answers by itself."""
    rows: Sequence[tuple[str, Ask, Callable[[], Sequence[Row]]]] = [
        ("refresh", REFRESH, credentials.refresh),
        ("me", ME, credentials.access),
        ("verify", VERIFY, credentials.access),
        ("api token", VERIFY, credentials.api_tokens),
        ("introspect", introspection(credentials.planted.client), credentials.access),
    ]
    return [Step(f"{name}{suffix}", server, ask, made) for name, ask, made in rows]
