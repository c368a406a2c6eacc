"""Strapi's own client and the SDK that others wrote for it, in Node, as clients of a running service."""

import uuid

import pytest
import requests

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.servers.node import told_by

UNAUTHENTICATED = {"rejected": {"name": "HTTPAuthorizationError", "status": 401}}


def post(url, path, body, jwt=None):
    headers = {"Authorization": f"Bearer {jwt}"} if jwt else {}
    answer = requests.post(f"{url}{path}", json=body, headers=headers, timeout=10)
    assert answer.ok, answer.text
    return answer.json()


@pytest.fixture
def url(lenient):
    return f"{lenient.url}/strapi"


@pytest.fixture
def admin(url):
    return post(url, "/api/auth/local", {"identifier": ADMIN_EMAIL, "password": ADMIN_PASSWORD})


@pytest.fixture
def asked(url, admin):
    made = post(url, "/admin/api-tokens", {"name": "script", "type": "full-access"}, admin["jwt"])
    name = f"user-{uuid.uuid4().hex[:12]}"
    return {
        "url": url,
        "apiToken": made["data"]["accessKey"],
        "username": name,
        "email": f"{name}@example.com",
        "password": "a quiet harbour at dawn",
        "next": "another harbour at dusk",
    }


@pytest.fixture
def told(asked):
    return told_by("strapi.mjs", asked)


def rejected(name, message):
    """The SDK rejects with the body that it got."""
    return {
        "rejected": {"data": None, "error": {"status": 400, "name": name, "message": message, "details": {}}},
    }


def test_they_find_what_they_found_with_strapi(url, asked, admin, told):
    user = told["register"]["user"]
    assert (user["username"], user["email"]) == (asked["username"], asked["email"])
    assert told["login"]["user"] == told["fetchUser"] == told["fetchUserAfter"] == user
    assert told["changePassword"]["user"] == user
    # The token that came with the password is the one that is kept, and good.
    assert told["kept"] == told["changePassword"]["jwt"]
    for name, is_good in (("register", False), ("login", True), ("changePassword", True)):
        headers = {"Authorization": f"Bearer {told[name]['jwt']}"}
        assert requests.get(f"{url}/api/users/me", headers=headers, timeout=10).ok is is_good, name
    assert told["registerAgain"] == rejected("ApplicationError", "Email or Username are already taken")
    assert told["loginWrong"] == rejected("ValidationError", "Invalid identifier or password")
    assert told["changePasswordWrong"] == rejected("ValidationError", "The provided current password is invalid")

    assert told["me"] == admin["user"]
    assert set(told["local"]) == {"jwt", "refreshToken", "user"}
    assert told["local"]["user"] == user
    assert told["localWrong"] == {"rejected": {"name": "HTTPBadRequestError", "status": 400}}
    assert told["nowhere"] == {"rejected": {"name": "HTTPNotFoundError", "status": 404}}
    assert told["stranger"] == UNAUTHENTICATED
