"""Signing out: here or everywhere, by whatever credential is left."""

from datetime import timedelta
from http.cookies import SimpleCookie

import pytest

from tests.answers import code, refused
from tests.conftest import register
from tests.drivers import HOST, Browser, Script

cookies_only = pytest.mark.parametrize("transport", ["cookie"])


def by_access_token(device, **body):
    return device.post("/auth/logout", device.bearer(), **body)


def by_refresh_token(device, held=None, headers=None, **body):
    return device.present("/auth/logout", held or device.held(), headers, **body)


def bare(device, headers=None, **body):
    """From a client that has no cookies."""
    return device.app.test_client().post("/auth/logout", json=body, headers=headers, base_url=HOST)


def ended(answer, count):
    assert (answer.status_code, answer.json["data"]) == (200, {"revoked": count}), answer.text
    return True


def is_out(device, held=None):
    assert code(device.me()) == "token_revoked"
    assert code(device.refresh(held=held)) == "token_revoked"
    return True


@pytest.fixture
def others(make_device, account):
    """Another device of the same user, and one of somebody else."""
    same, stranger = make_device(), make_device()
    same.sign_in(account)
    stranger.sign_in(register(make_device()))
    return same, stranger


@pytest.mark.parametrize("way", [by_access_token, by_refresh_token])
def test_signing_out_ends_this_sign_in_and_no_other(device, others, way):
    held = device.held()
    assert ended(way(device), 1)
    assert is_out(device, held)
    for other in others:
        assert other.me().status_code == 200
        assert other.refresh().status_code == 200


@pytest.mark.parametrize("way", [by_access_token, by_refresh_token])
def test_signing_out_everywhere_ends_all_sign_ins_of_the_user_and_of_nobody_else(device, others, way):
    same, stranger = others
    held = device.held()
    assert ended(way(device, everywhere=True), 3)  # registering was a sign-in too
    assert is_out(device, held)
    assert is_out(same)
    assert stranger.refresh().status_code == 200


def test_everywhere_must_be_said(device, others):
    assert ended(by_access_token(device, everywhere=False), 1)
    assert others[0].me().status_code == 200


def test_signing_out_leaves_a_trace(device, rows, account):
    by_access_token(device, everywhere=True)
    [(actor, sign_in)] = rows(
        device.app, "SELECT actor_id, refresh_token_id FROM events WHERE kind = 'user.signed_out'"
    )
    assert (str(actor), str(sign_in)) == (account.id, device.refresh_token_id)


@pytest.mark.settings(ACCESS_LIFETIME=timedelta(milliseconds=1))
def test_an_expired_access_token_beside_a_good_refresh_token_signs_out(device):
    assert code(device.me()) == "token_expired"
    held = device.held()
    assert ended(by_refresh_token(device, headers=device.bearer()), 1)
    assert code(device.refresh(held=held)) == "token_revoked"


def test_a_garbage_access_token_beside_a_good_refresh_token_signs_out(device, account):
    for garbage in ("Bearer garbage", "Bearer a.b.c", "Bearer ", "Bearer", "Basic Zm9vOmJhcg==", "Bearer \xe9", ""):
        device.sign_in(account)
        held = device.held()
        assert ended(by_refresh_token(device, headers={"Authorization": garbage}), 1)
        assert is_out(device, held)


def test_a_refresh_token_is_no_access_token_here_either(make_device, app):
    script = Script(app)
    script.sign_in(register(script))
    assert ended(bare(script, {"Authorization": f"Bearer {script.refresh_token}"}), 0)
    assert script.me().status_code == 200


def test_a_good_access_token_is_enough_whatever_the_refresh_token_is(app):
    script = Script(app)
    script.sign_in(register(script))
    assert ended(by_refresh_token(script, "garbage", script.bearer()), 1)


def test_who_brings_no_credential_is_out_already(client):
    for body in ({}, {"everywhere": True}):
        assert ended(client.post("/auth/logout", json=body, base_url=HOST), 0)


def test_who_brings_a_bad_credential_is_out_already(client):
    for token in ("garbage", "a.b.c", "é", "x" * 8000):
        assert ended(client.post("/auth/logout", json={"refreshToken": token}, base_url=HOST), 0)
        headers = {"Authorization": f"Bearer {token}"}
        assert ended(client.post("/auth/logout", json={}, headers=headers, base_url=HOST), 0)


@pytest.mark.parametrize("way", [by_access_token, by_refresh_token])
def test_signing_out_again_is_no_error(device, way):
    held = device.held()
    way(device)
    for _ in range(2):
        assert ended(by_access_token(device), 0)
        assert ended(by_refresh_token(device, held), 0)
        assert ended(by_refresh_token(device, held, everywhere=True), 0)


def test_a_dead_sign_in_ends_no_other(device, others):
    held = device.held()
    by_access_token(device)
    assert ended(by_access_token(device, everywhere=True), 0)
    assert ended(by_refresh_token(device, held, everywhere=True), 0)
    assert others[0].me().status_code == 200


def test_an_expired_sign_in_is_out_already(device, others, age):
    held = device.held()
    age(device.app, device.refresh_token_id, days=8)
    assert ended(by_access_token(device, everywhere=True), 0)
    assert ended(by_refresh_token(device, held, everywhere=True), 0)
    assert others[0].me().status_code == 200


def test_an_older_generation_signs_out_as_well(device, age):
    oldest = device.held()
    for _ in range(3):
        age(device.app, device.refresh_token_id, seconds=11)
        device.refresh()
    newest = device.held()
    assert ended(by_refresh_token(device, oldest), 1)
    assert is_out(device, newest)


def test_signing_out_with_an_older_generation_is_no_reuse(device, age, rows):
    oldest = device.held()
    device.refresh()
    age(device.app, device.refresh_token_id, seconds=11)
    device.refresh()
    by_refresh_token(device, oldest)
    assert rows(device.app, "SELECT id FROM events WHERE kind = 'refresh_token.reused'") == []


def test_a_disabled_user_is_out_already(device, rows, account):
    rows(device.app, "UPDATE users SET active = false WHERE id = :id RETURNING id", id=account.id)
    assert ended(by_access_token(device), 0)


@pytest.mark.parametrize("way", [by_access_token, by_refresh_token])
def test_a_credential_sent_under_another_tenant_ends_nothing(device, way):
    for name in ("nobody", "0190a0a0-0000-7000-8000-000000000001", "DEFAULT", "default,acme", "*"):
        headers = {"X-Tenant-Id": name}
        if way is by_access_token:
            answer = device.post("/auth/logout", device.bearer() | headers, everywhere=True)
        else:
            answer = by_refresh_token(device, headers=headers, everywhere=True)
        refused(answer, 403, "tenant_mismatch")
    assert device.me().status_code == 200
    assert device.refresh().status_code == 200


# Cookies


def cookies_of(answer):
    """Each Set-Cookie of an answer: name, value, and what kind of cookie it is; how long it lives set apart."""
    found = {}
    for header in answer.headers.getlist("Set-Cookie"):
        [(name, morsel)] = SimpleCookie(header.replace("Partitioned", "").rstrip("; ")).items()
        kind = {k: v for k, v in morsel.items() if v and k not in ("max-age", "expires")}
        found[name] = (morsel.value, kind | {"partitioned": "Partitioned" in header}, morsel["max-age"])
    return found


@cookies_only
@pytest.mark.parametrize("same_site", ["Strict", "Lax", "None"])
@pytest.mark.parametrize("way", [by_access_token, by_refresh_token])
def test_the_cookies_are_taken_away_just_as_they_were_set(make_device, account, rows, same_site, way):
    device = make_device()
    rows(device.app, "UPDATE applications SET cookie_same_site = :it RETURNING id", it=same_site)
    given = cookies_of(device.sign_in(account))
    assert given["__Host-refresh_token"][1] == {
        "path": "/",
        "secure": True,
        "httponly": True,
        "samesite": same_site,
        "partitioned": same_site == "None",
    }
    taken = cookies_of(way(device))
    assert set(taken) == set(given) == {"__Host-refresh_token", "csrf_refresh_token"}
    for name, (value, kind, max_age) in taken.items():
        assert (value, kind, max_age) == ("", given[name][1], "0")
    assert device.held() == (None, None)


@cookies_only
def test_dead_cookies_are_taken_away_too(device):
    held = device.held()
    by_refresh_token(device, held)
    assert device.held() == (None, None)
    device.client.set_cookie("csrf_refresh_token", held[1], domain="auth.example.org", secure=True)
    answer = by_refresh_token(device, held)
    assert ended(answer, 0)
    assert set(cookies_of(answer)) == {"__Host-refresh_token", "csrf_refresh_token"}


def test_no_cookie_is_taken_away_that_the_request_did_not_bring(device):
    for answer in (bare(device), bare(device, device.bearer()), bare(device, device.bearer())):
        assert not answer.headers.getlist("Set-Cookie")


@cookies_only
def test_only_the_cookie_that_came_is_taken_away(device):
    client = device.app.test_client()
    client.set_cookie("csrf_refresh_token", "x", domain="auth.example.org", secure=True)
    answer = client.post("/auth/logout", json={}, headers=device.bearer(), base_url=HOST)
    assert set(cookies_of(answer)) == {"csrf_refresh_token"}


@cookies_only
@pytest.mark.parametrize("csrf", [None, "", "wrong", "\xe9"])
def test_by_cookie_alone_the_csrf_value_must_come_back(device, csrf):
    answer = device.send("POST", "/auth/logout", {}, {} if csrf is None else {"X-CSRF-TOKEN": csrf})
    refused(answer, 401, "csrf_failed")
    assert device.me().status_code == 200
    assert device.refresh().status_code == 200


@cookies_only
def test_the_csrf_value_of_another_sign_in_is_not_this_ones(device, make_device, account):
    other = make_device()
    other.sign_in(account)
    answer = device.send("POST", "/auth/logout", {}, {"X-CSRF-TOKEN": other.held()[1]})
    refused(answer, 401, "csrf_failed")
    assert device.me().status_code == 200


@cookies_only
def test_by_access_token_no_csrf_value_is_needed(device):
    assert ended(by_access_token(device), 1)


@cookies_only
@pytest.mark.parametrize(
    "headers",
    [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}, {"Origin": "null"}],
)
def test_a_page_of_another_site_signs_nobody_out(device, headers):
    refused(by_refresh_token(device, headers=headers), 401, "csrf_failed")
    assert device.refresh().status_code == 200


def test_a_refresh_token_of_either_transport_signs_out_of_the_same_service(make_app, rows):
    app = make_app()
    browser, script = Browser(app), Script(app)
    account = register(script)
    script.sign_in(account)
    rows(app, "UPDATE applications SET transport = 'cookie' RETURNING id")
    browser.sign_in(account)
    assert ended(by_refresh_token(script), 1)
    assert ended(by_refresh_token(browser), 1)
