"""Devices that talk to a real server over real connections."""

import http.client
import json
import uuid

from tests.claims import claims_of


class Lost(Exception):
    """The answer did not arrive."""


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.text = status, headers, body
        self.json = json.loads(body) if body else None

    @property
    def code(self):
        return None if self.json["success"] else self.json["error"]["code"]


class Device:
    """In body transport it holds the refresh token, in cookie transport the cookie and the csrf value."""

    def __init__(self, server, transport):
        self.server, self.transport = server, transport
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
        self.token = self.csrf = self.access = None

    def send(self, method, path, body=None, headers=None):
        sent = {"Content-Type": "application/json", **(headers or {})}
        try:
            self.connection.request(method, path, None if body is None else json.dumps(body), sent)
            response = self.connection.getresponse()
            return Answer(response.status, response.headers, response.read())
        except (OSError, http.client.HTTPException) as error:
            self.connection.close()
            raise Lost from error

    def register(self):
        email = f"{uuid.uuid4().hex}@example.com"
        return self.keep(self.send("POST", "/auth/register", {"email": email} | self.usual()))

    def usual(self):
        """What every sign-in of this device says."""
        application = {"applicationId": "cookie"} if self.transport == "cookie" else {}
        return {"password": "a quiet harbour", **application}

    def keep(self, answer):
        if answer.status in (200, 201):
            data = answer.json["data"]
            self.access, self.id = data["accessToken"], data["refreshTokenId"]
            if self.transport == "body":
                self.token = data["refreshToken"]
            else:
                cookies = dict(c.split(";")[0].split("=", 1) for c in answer.headers.get_all("Set-Cookie"))
                self.token, self.csrf = cookies["refresh_token"], cookies["csrf_refresh_token"]
        return answer

    def held(self):
        return self.token, self.csrf

    def refresh(self, held=None, attempt=None, **headers):
        token, csrf = held or self.held()
        if attempt:
            headers["Idempotency-Key"] = attempt
        if self.transport == "body":
            return self.send("POST", "/jwt/refresh", {"refreshToken": token}, headers)
        cookies = {"Cookie": f"refresh_token={token}", "X-CSRF-TOKEN": csrf}
        return self.send("POST", "/jwt/refresh", None, {**cookies, **headers})

    def me(self):
        return self.send("GET", "/auth/me", headers={"Authorization": f"Bearer {self.access}"})

    def twin(self):
        """Another tab: the same sign-in, a connection of its own."""
        twin = self.server.device(self.transport)
        twin.token, twin.csrf, twin.access, twin.id = self.token, self.csrf, self.access, self.id
        return twin

    @property
    def generation(self):
        return claims_of(self.token)["gen"]
