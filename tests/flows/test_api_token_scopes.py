"""API-01, API-02: on every route there is, an API token does what its scopes say and nothing else."""

import pytest

from authsvc.credentials.guard import is_open_to
from authsvc.permissions import BUILT_IN, NEVER_BY_API_TOKEN
from tests.flows.api_tokens import by, make_api_token
from tests.house.test_routes import routes, sample

# What it may do without any scope: say who it is.
WITHOUT_A_SCOPE = {("GET", "/auth/me")} | {(m, "/auth/verify") for m in ("GET", "POST", "PUT", "PATCH", "DELETE")}
GRANTABLE = sorted(BUILT_IN - NEVER_BY_API_TOKEN)


@pytest.fixture
def owner(admin):
    """Somebody who may do everything."""
    admin.tenant = {}
    return admin


@pytest.fixture
def guarded(app):
    """Method, path and whom it serves, of all that is not for everybody."""
    found = [(method, path, is_open_to(view)) for method, path, view in routes(app)]
    return [route for route in found if route[2] != "public"]


def ask(owner, token, method, path):
    return owner.client.open(
        sample(path), method=method, json={}, headers=by(token), base_url="https://auth.example.org"
    )


def lacks(answer):
    """The permission that was lacking, if one was."""
    if answer.status_code != 403 or answer.json["error"]["code"] != "permission_denied":
        return None
    return answer.headers["WWW-Authenticate"].partition('scope="')[2].rstrip('"') or "a sign-in"


def test_without_scopes_it_says_who_it_is_and_reaches_nothing(owner, guarded):
    token = make_api_token(owner)["token"]
    for method, path, _ in guarded:
        answer = ask(owner, token, method, path)
        if (method, path) in WITHOUT_A_SCOPE:
            assert answer.status_code == 200, path
        else:
            # Its owner's sign-ins are as unknown to it as anybody's.
            assert lacks(answer) or answer.status_code in (400, 404), (method, path, answer.text)
            assert not answer.json["success"]


def test_each_scope_opens_its_routes_and_all_the_others_together_do_not(owner, guarded):
    only = {scope: make_api_token(owner, scope)["token"] for scope in GRANTABLE}
    others = {s: make_api_token(owner, *(o for o in GRANTABLE if o != s), "x:y")["token"] for s in GRANTABLE}
    asked = set()
    for method, path, permission in guarded:
        if permission in only:
            asked.add(permission)
            assert lacks(ask(owner, others[permission], method, path)) == permission, (method, path)
    # What passes may change something: last, and without a body that would be taken.
    for method, path, permission in guarded:
        if permission in only and (method, path) != ("POST", "/admin/keys/rotate"):
            assert lacks(ask(owner, only[permission], method, path)) is None, (method, path)
    assert asked >= {"users:write", "roles:write", "applications:write", "tenants:write", "keys:rotate", "events:read"}


def test_no_scope_opens_what_takes_a_sign_in(owner, guarded):
    token = make_api_token(owner, *GRANTABLE)["token"]
    closed = [(m, p) for m, p, _ in guarded if p.startswith("/api-tokens") or p == "/auth/password"]
    assert len(closed) == 7
    for method, path in [*closed, ("PATCH", "/auth/me")]:
        assert lacks(ask(owner, token, method, path)) == "a sign-in", (method, path)
