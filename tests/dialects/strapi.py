"""A program that speaks as Strapi's clients do: JSON content types without a body, plain text with one."""

from tests.flows.people import PASSWORD

USER = {
    "id",
    "documentId",
    "username",
    "email",
    "provider",
    "confirmed",
    "blocked",
    "createdAt",
    "updatedAt",
    "publishedAt",
}
UNAUTHENTICATED = (401, "UnauthorizedError", "Missing or invalid credentials")
FORBIDDEN = (403, "ForbiddenError", "Forbidden")
JOINING = {"username": "mix", "email": "mix@example.com", "password": PASSWORD}


class Program:
    """Holds the answer of its last sign-in."""

    def __init__(self, app):
        self.app, self.client, self.held = app, app.test_client(), {}

    def ask(self, method, path, body=None, jwt=None, headers=None):
        token = self.held.get("jwt") if jwt is None else jwt
        sent = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
        return self.client.open(f"/strapi{path}", method=method, json=body, headers=sent | (headers or {}))

    def sign_in(self, path="/api/auth/local", **body):
        answer = self.ask("POST", path, body or {"identifier": "mix", "password": PASSWORD})
        assert answer.status_code == 200, answer.json
        self.held = answer.json
        return self

    def refresh(self, held=None):
        return self.ask("POST", "/api/auth/refresh", {"refreshToken": held or self.held["refreshToken"]})

    def is_in(self):
        return self.ask("GET", "/api/users/me").status_code == 200


def refused(answer):
    """What it says, of an answer that says no."""
    assert answer.json["data"] is None, answer.json
    error = answer.json["error"]
    assert set(error) == {"status", "name", "message", "details"}
    assert error["status"] == answer.status_code
    return (answer.status_code, error["name"], error["message"])
