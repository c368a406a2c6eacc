"""Tokens for planted sign-ins, as the service signs them: in a process of its own, with the environment of the server.

`python -m bench.minting access|refresh` reads ids of refresh tokens and writes a token and the proof of its answer.
"""

import sys

from flask import g

from authsvc import clock, create_app
from authsvc.credentials import jwts
from authsvc.models import refresh_token
from authsvc.models.engine import single_statements
from config import from_environment


def main(kind: str) -> None:
    app = create_app(from_environment())
    with app.test_request_context(), single_statements() as connection:
        g.now = now = clock.utcnow()
        for refresh_token_id in sys.stdin.read().split():
            standing = refresh_token.standing(connection, refresh_token_id, kid="")
            if standing is None:
                raise SystemExit(f"There is no sign-in {refresh_token_id}.")
            if kind == "access":
                text, _ = jwts.access_token(standing, now)
                print(text, standing.user_id)
            else:
                print(jwts.refresh_token(standing, now), standing.id)


if __name__ == "__main__":
    main(sys.argv[1])
