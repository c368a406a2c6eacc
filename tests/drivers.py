"""The two kinds of device that sign in. They have one face, so that every flow is one test for both."""

from dataclasses import dataclass

HOST = "https://auth.example.org"


@dataclass
class Account:
    email: str
    password: str
    id: str = ""


class Device:
    """Holds the access token; where the refresh token is held, the two kinds differ."""

    transport = ""

    def __init__(self, app):
        self.app = app
        self.client = app.test_client()
        self.access_token = None
        self.refresh_token_id = None

    def send(self, method, path, json=None, headers=None):
        return self.client.open(path, method=method, json=json, headers=headers or {}, base_url=HOST)

    def post(self, path, headers=None, **body):
        return self.send("POST", path, body, headers)

    def get(self, path, headers=None):
        return self.send("GET", path, headers={**self.bearer(), **(headers or {})})

    def ask(self, method, path, json=None, headers=None):
        """As whoever is signed in here."""
        return self.send(method, path, json, {**self.bearer(), **(headers or {})})

    def bearer(self):
        return {"Authorization": f"Bearer {self.access_token}"} if self.access_token else {}

    def me(self):
        return self.get("/auth/me")

    def sign_in(self, account, **more):
        answer = self.post("/auth/login", email=account.email, password=account.password, **more)
        assert answer.status_code == 200, answer.json
        self.keep(answer)
        return answer

    def refresh(self, attempt=None, held=None, headers=None):
        """Refresh with what is held, or with what was held earlier; keep what comes back."""
        sent = {"Idempotency-Key": attempt} if attempt else {}
        answer = self.present("/jwt/refresh", held or self.held(), {**sent, **(headers or {})})
        if answer.status_code == 200:
            self.keep(answer)
        return answer

    def keep(self, answer):
        data = answer.json["data"]
        self.access_token = data["accessToken"]
        self.refresh_token_id = data["refreshTokenId"]


class Script(Device):
    """Body transport: the refresh token in JSON, both ways."""

    transport = "body"

    def __init__(self, app):
        super().__init__(app)
        self.refresh_token = None

    def keep(self, answer):
        super().keep(answer)
        self.refresh_token = answer.json["data"]["refreshToken"]

    def held(self):
        return self.refresh_token

    def present(self, path, held, headers=None, **body):
        return self.send("POST", path, {"refreshToken": held, **body}, headers)


class Browser(Device):
    """Cookie transport: the refresh token in a cookie that scripts can't read, a csrf value beside it."""

    transport = "cookie"
    cookie = "__Host-refresh_token"

    def held(self):
        token, csrf = (self.client.get_cookie(name, "auth.example.org") for name in (self.cookie, "csrf_refresh_token"))
        return (token and token.value, csrf and csrf.value)

    def present(self, path, held, headers=None, **body):
        token, csrf = held
        self.client.set_cookie(self.cookie, token, domain="auth.example.org", secure=True)
        return self.send("POST", path, body or None, {"X-CSRF-TOKEN": csrf, **(headers or {})})


DEVICES = {"body": Script, "cookie": Browser}
