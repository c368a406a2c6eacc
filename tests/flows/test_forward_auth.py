"""`/auth/verify`: what a proxy is told about a request that it holds back."""

import pytest

from tests.answers import refused
from tests.conftest import close, finish_writing
from tests.drivers import HOST, Browser
from tests.flows.api_tokens import by, make_api_token
from tests.flows.people import told
from tests.statements import watched

IDENTITY = ("X-Auth-User-Id", "X-Auth-Tenant-Id", "X-Auth-Application-Id", "X-Auth-Scopes", "X-Auth-Via")
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
NOBODY = ("", "", "", "", "")
OWN = ("restaurants:read", "restaurants:write", "api-tokens:write", "auth:refresh")


@pytest.fixture
def owner(make_person):
    return make_person(*OWN)


def verify(person, headers, query="", method="GET", **more):
    """Ask as a proxy does that stands before another host."""
    how = {"base_url": "http://api.example.org", "method": method, **more}
    return person.app.test_client(use_cookies=False).open(f"/auth/verify{query}", headers=headers, **how)


def identity(answer):
    return tuple(",".join(answer.headers.getlist(name)) for name in IDENTITY)


def passed(answer):
    assert (answer.status_code, answer.get_data()) == (200, b""), answer.text
    assert answer.headers["Cache-Control"] == "no-store"
    return identity(answer)


def kept_back(answer, status, code):
    assert identity(answer) == NOBODY
    return refused(answer, status, code)


def test_it_says_who_passes_and_what_they_may_do(owner, rows):
    [row] = rows(owner.app, "SELECT tenant_id, id FROM applications")
    tenant, application = map(str, row)
    person = (owner.account.id, tenant, application, " ".join(sorted(OWN)), "access_token")
    assert passed(verify(owner, owner.bearer())) == person
    plain = make_api_token(owner, "restaurants:read", "restaurants:write")["token"]
    script = (owner.account.id, tenant, "", "restaurants:read restaurants:write", "api_token")
    for headers in (by(plain), {"Authorization": f"Token {plain}"}, {"X-Api-Key": plain}):
        assert passed(verify(owner, headers)) == script
    bound = make_api_token(owner, applicationId="default")["token"]
    assert passed(verify(owner, by(bound))) == (owner.account.id, tenant, application, "", "api_token")
    kept_back(verify(owner, {}), 401, "credentials_missing")


def test_whatever_the_method_and_the_body(owner):
    bodies = [{}, {"data": b"{", "content_type": "application/json"}, {"data": b"\xff" * 70000, "content_type": "a/b"}]
    for method in METHODS:
        for body in bodies:
            assert passed(verify(owner, owner.bearer(), method=method, **body)) != NOBODY, (method, body)
    # A proxy that asks with OPTIONS would pass it on, so this too writes over what a client made up.
    answer = verify(owner, {}, method="OPTIONS")
    assert (answer.status_code, identity(answer)) == (200, NOBODY)
    assert all(name in answer.headers for name in IDENTITY)


def test_every_scope_is_needed(app, owner):
    token = by(make_api_token(owner, "restaurants:read")["token"])
    both = "?scope=restaurants:read+restaurants:write"
    for headers, query, lacking in (
        (owner.bearer(), "?scope=restaurants:read", None),
        (owner.bearer(), both, None),
        (owner.bearer(), "?scope=%20restaurants:write%20%20restaurants:read%20", None),
        (owner.bearer(), "?scope=restaurants:read+restaurants:eat", "restaurants:eat"),
        (token, "?scope=restaurants:read", None),
        (token, both, "restaurants:write"),
        (token, "?scope=restaurants:write+restaurants:read", "restaurants:write"),
    ):
        answer = verify(owner, headers, query)
        if lacking is None:
            passed(answer)
            continue
        kept_back(answer, 403, "permission_denied")
        assert f'scope="{lacking}"' in answer.headers["WWW-Authenticate"]
        assert told(app, "permission.denied")[-1].detail == {"permission": lacking}
    assert len(told(app, "permission.denied")) == 3


def test_a_proxy_that_asks_wrongly_is_told_so_and_nothing_passes(owner):
    for query, field in (
        ("?scope=", "scope"),
        ("?scope=+", "scope"),
        ("?scope=read", "scope"),
        ("?scope=*", "scope"),
        ("?scope=restaurants:read,restaurants:write", "scope"),
        (f"?scope={'a:b+' * 2000}", "scope"),
        ("?scopes=restaurants:read", "scopes"),
    ):
        answer = kept_back(verify(owner, owner.bearer(), query), 422, "validation_failed")
        assert list(answer.json["error"]["fields"]) == [field]
    kept_back(verify(owner, owner.bearer(), "?scope=a:b&scope=c:d"), 400, "ambiguous_request")


def test_a_token_in_the_address_that_is_asked_about(owner):
    token, plain = make_api_token(owner, allowInQuery=True)["token"], make_api_token(owner)["token"]
    for headers in (
        {"X-Original-URI": f"/a?token={token}"},
        {"X-Forwarded-Uri": f"/a?b=1&%74oken={token}&c=2"},
        {"X-Original-URI": f"/a?token={token}", "X-Forwarded-Uri": f"/a?token={token}"},
    ):
        assert passed(verify(owner, headers))[-1] == "api_token", headers
        # No other route believes it.
        refused(owner.client.get("/auth/me", base_url=HOST, headers=headers), 401, "credentials_missing")
    for text in (plain, owner.access_token, owner.refresh_token, "", "junk", f"{token}a"):
        for header in ("X-Original-URI", "X-Forwarded-Uri"):
            kept_back(verify(owner, {header: f"/a?token={text}"}), 401, "token_invalid")
    kept_back(verify(owner, {"X-Original-URI": f"/a?TOKEN={token}"}), 401, "token_invalid")


def test_two_credentials_are_a_401_which_a_proxy_can_pass_on(owner):
    one, other = (make_api_token(owner, allowInQuery=True)["token"] for _ in range(2))
    asked = {"X-Original-URI": f"/a?token={one}"}
    for headers in (
        asked | by(one),
        asked | owner.bearer(),
        asked | {"X-Api-Key": one},
        asked | {"X-Forwarded-Uri": f"/a?token={other}"},
        {"X-Original-URI": f"/a?token={one}&token={other}"},
        {"X-Original-URI": f"/a?token={one}&token={one}"},
        by(one) | {"X-Api-Key": one},
        {"Authorization": f"Bearer {one}, Bearer {other}"},
    ):
        answer = kept_back(verify(owner, headers), 401, "token_invalid")
        assert answer.json["message"] == "Send one credential."
    for query in (f"?token={other}", f"?token={one}"):
        assert verify(owner, asked, query).status_code == 401


def test_what_is_over_does_not_pass(owner, make_tenant, app):
    make_tenant(app, "elsewhere")
    made = make_api_token(owner)
    passed(verify(owner, by(made["token"])))
    owner.ask("DELETE", f"/api-tokens/{made['id']}")
    kept_back(verify(owner, by(made["token"])), 401, "token_revoked")
    for tenant in ("elsewhere", "nowhere"):
        kept_back(verify(owner, owner.bearer() | {"X-Tenant-Id": tenant}), 403, "tenant_mismatch")
    passed(verify(owner, owner.bearer() | {"X-Tenant-Id": "default"}))
    owner.send("POST", "/auth/logout", {}, owner.bearer())
    kept_back(verify(owner, owner.bearer()), 401, "token_revoked")


@pytest.mark.settings(TRUSTED_PROXIES=("10.0.0.0/8",))
def test_the_address_is_the_clients_where_the_proxy_is_trusted(owner):
    token = by(make_api_token(owner, allowedIps=["192.0.2.0/24"])["token"]) | {"X-Forwarded-For": "192.0.2.1"}
    passed(verify(owner, token, environ_overrides={"REMOTE_ADDR": "10.0.0.1"}))
    kept_back(verify(owner, token, environ_overrides={"REMOTE_ADDR": "11.0.0.1"}), 403, "address_not_allowed")


@pytest.mark.settings(ALLOWED_HOSTS=("auth.example.org",))
def test_the_host_is_the_apis(owner):
    passed(verify(owner, owner.bearer()))
    assert owner.client.get("/auth/me", base_url="http://api.example.org", headers=owner.bearer()).status_code == 400


@pytest.mark.settings(TRANSPORT="cookie", ACCESS_TOKEN_IN_COOKIE=True)
def test_behind_a_cookie_no_method_that_changes_something_passes_without_the_csrf_value(app):
    browser = Browser(app)
    body = {"email": "page@example.com", "password": "a quiet harbour at dawn"}
    csrf = browser.post("/auth/register", **body).json["data"]["csrfToken"]
    cookie = browser.client.get_cookie("__Host-access_token", "auth.example.org").value
    sent = {"Cookie": f"__Host-access_token={cookie}"}

    def ask(method="GET", original=None, forwarded=None, **more):
        given = {"X-Original-Method": original, "X-Forwarded-Method": forwarded}
        headers = sent | {name: value for name, value in given.items() if value is not None} | more
        return verify(browser, headers, method=method)

    for safe in (
        {},
        {"method": "HEAD"},
        {"original": "GET"},
        {"forwarded": "HEAD"},
        {"original": "OPTIONS", "forwarded": "GET"},
        {"method": "POST", "original": "GET"},
    ):
        assert passed(ask(**safe))[-1] == "access_token", safe
    for unsafe in (
        {"method": "POST"},
        {"original": "POST"},
        {"forwarded": "DELETE"},
        {"original": "GET", "forwarded": "POST"},
        {"original": "PUT", "forwarded": "GET"},
        {"original": ""},
        {"original": "get"},
        {"forwarded": "GET,POST"},
        {"original": "PROPFIND"},
    ):
        kept_back(ask(**unsafe), 401, "csrf_failed")
        kept_back(ask(**unsafe, **{"X-CSRF-TOKEN": "wrong"}), 401, "csrf_failed")
        kept_back(ask(**unsafe, **{"X-CSRF-TOKEN": csrf, "Origin": "https://evil.example"}), 401, "csrf_failed")
        assert passed(ask(**unsafe, **{"X-CSRF-TOKEN": csrf}))[-1] == "access_token", unsafe


def test_it_asks_the_database_once(app, owner):
    token = make_api_token(owner, "restaurants:read", allowInQuery=True)["token"]
    asked = ({"X-Original-URI": f"/a?token={token}"}, by(token), owner.bearer())
    for headers in asked:
        verify(owner, headers)  # keys are read, and the use is written, once
    finish_writing(app)
    statements = []
    with watched(app, statements.append):
        for number, headers in enumerate(asked, 1):
            passed(verify(owner, headers, "?scope=restaurants:read"))
            assert len(statements) == number, statements


def test_without_the_database_nothing_passes(make_app, owner, tmp_path):
    broken = make_app(DATABASE_URL=f"sqlite:///{tmp_path / 'empty.db'}")
    token = by(make_api_token(owner)["token"])
    answer = broken.test_client().get("/auth/verify", headers=token)
    kept_back(answer, 503, "unavailable")
    close(broken)
