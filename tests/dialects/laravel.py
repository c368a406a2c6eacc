"""A program that was written for Laravel with jwt-auth: it knows one token and where to send it."""

import time
from datetime import timedelta

from tests.claims import claims_of, header_of
from tests.flows.people import PASSWORD
from tests.security.forgery import active_key, compact, signer

EMAIL = "mix@example.com"
BLACKLISTED = (401, {"message": "The token has been blacklisted"})


class Laravel:
    def __init__(self, app, prefix="/laravel/api"):
        self.app, self.prefix, self.client = app, prefix, app.test_client()
        self.token = None

    def ask(self, method, path, token=None, *, query="", body=None, headers=None):
        sent = {"Authorization": f"Bearer {token}"} if token else {}
        return self.client.open(
            f"{self.prefix}/{path}{query}", method=method, json=body, headers={**sent, **(headers or {})}
        )

    def join(self, **more):
        return self.keep(self.ask("POST", "auth/register", body={"email": EMAIL, "password": PASSWORD, **more}))

    def sign_in(self, password=PASSWORD):
        return self.keep(self.ask("POST", "auth/login", body={"email": EMAIL, "password": password}))

    def refresh(self, token=None, path="auth/refresh"):
        """With the token that is held, which is another one then; or with any."""
        answer = self.ask("POST", path, token or self.token)
        return answer if token else self.keep(answer)

    def keep(self, answer):
        if answer.status_code in (200, 201) and "access_token" in answer.json:
            self.token = answer.json["access_token"]
        return answer

    @property
    def sign_in_id(self):
        return claims_of(self.token)["sid"]

    def grow_old(self, age, **by):
        """As if this much time had gone by: for the row, and for the token that is held."""
        age(self.app, self.sign_in_id, **by)
        key, claims = active_key(self.app), claims_of(self.token)
        for name in ("iat", "nbf", "exp"):
            claims[name] -= int(timedelta(**by).total_seconds())
        assert claims["exp"] < time.time()
        self.token = compact(header_of(self.token), claims, signer(key.algorithm, key.private))


def told(answer):
    return answer.status_code, answer.json
