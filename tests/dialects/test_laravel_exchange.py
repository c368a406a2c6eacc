"""The access token that is its own refresh token: how often it can be exchanged, how late, and by whom."""

from datetime import timedelta

import pytest

from authsvc.models import Application, RefreshToken
from authsvc.models.engine import transaction
from tests.claims import claims_of
from tests.dialects.laravel import BLACKLISTED, EMAIL, Laravel, told
from tests.drivers import Script
from tests.flows.people import PASSWORD

EXPIRED = (401, {"message": "Token has expired"})
TOO_LATE = (401, {"message": "Token has expired and can no longer be refreshed"})
ENDED = "SELECT revoke_reason FROM refresh_tokens WHERE id = :id"
NO_LEEWAY = {"REFRESH_LEEWAY": timedelta(0)}


@pytest.fixture
def laravel(app):
    laravel = Laravel(app)
    assert laravel.join().status_code == 201
    return laravel


def reason(rows, laravel):
    [(why,)] = rows(laravel.app, ENDED, id=laravel.sign_in_id)
    return why


def test_each_exchange_steps_at_once_and_kills_the_one_before(app, laravel, rows):
    seen = [laravel.token]
    for path in ("refresh", "auth/refresh") * 3:
        assert laravel.refresh(path=path).status_code == 200
        for other in ("user", "auth/me", "signout", "auth/logout", "refresh", "auth/refresh"):
            assert told(laravel.ask("POST", other, seen[-1])) == BLACKLISTED, other
        seen.append(laravel.token)
    # In the same second too, each is another token.
    assert len({claims_of(token)["jti"] for token in seen}) == len(seen) == 7
    assert [claims_of(token)["gen"] for token in seen] == list(range(7))
    assert laravel.ask("GET", "user", laravel.token).status_code == 200
    assert reason(rows, laravel) is None
    # Elsewhere an access token is good until it expires, and as long as its sign-in is.
    native = Script(app)
    native.access_token = seen[0]
    assert native.me().status_code == 200
    assert laravel.ask("POST", "signout", laravel.token).status_code == 200
    assert native.me().status_code == 401


def test_a_head_request_exchanges_nothing(laravel):
    for path in ("refresh", "auth/refresh"):
        answer = laravel.ask("HEAD", path, laravel.token)
        assert (answer.status_code, answer.headers["Allow"]) == (405, "GET, POST, OPTIONS"), path
        assert laravel.ask("HEAD", "user", laravel.token).status_code == 200
    assert laravel.refresh().status_code == 200


def test_an_idempotency_key_brings_no_exchanged_token_back(laravel, age, rows):
    key, first = {"Idempotency-Key": "the same"}, laravel.token
    assert laravel.ask("POST", "refresh", first, headers=key).status_code == 200
    assert told(laravel.ask("POST", "refresh", first, headers=key)) == BLACKLISTED
    age(laravel.app, laravel.sign_in_id, seconds=11)
    assert told(laravel.ask("POST", "refresh", first, headers=key)) == BLACKLISTED
    assert reason(rows, laravel) == "reused"


def test_shown_again_after_the_leeway_it_ends_the_sign_in(laravel, age, rows):
    first = laravel.token
    laravel.refresh()
    assert told(laravel.refresh(first)) == BLACKLISTED
    assert reason(rows, laravel) is None
    age(laravel.app, laravel.sign_in_id, seconds=11)
    assert told(laravel.refresh(first)) == BLACKLISTED
    assert reason(rows, laravel) == "reused"
    assert told(laravel.ask("GET", "user", laravel.token)) == BLACKLISTED


def test_two_steps_behind_it_ends_the_sign_in_at_once(laravel, rows):
    first = laravel.token
    laravel.refresh()
    laravel.refresh()
    assert told(laravel.ask("POST", "user", first)) == BLACKLISTED
    assert reason(rows, laravel) is None
    assert told(laravel.refresh(first)) == BLACKLISTED
    assert reason(rows, laravel) == "reused"


@pytest.mark.settings(**NO_LEEWAY)
def test_without_a_leeway_so_does_the_one_before(laravel, rows):
    first = laravel.token
    laravel.refresh()
    assert told(laravel.refresh(first)) == BLACKLISTED
    assert reason(rows, laravel) == "reused"


def test_an_expired_token_is_exchanged_until_the_sign_in_was_idle_for_too_long(laravel, age):
    for _ in range(2):
        laravel.grow_old(age, days=6)
        for path in ("user", "auth/me", "refresh"):
            assert told(laravel.ask("POST", path, laravel.token)) == EXPIRED, path
        assert laravel.refresh().status_code == 200
        assert laravel.ask("GET", "user", laravel.token).status_code == 200
    laravel.grow_old(age, days=7, seconds=1)
    assert told(laravel.refresh()) == TOO_LATE
    # Its row is past both: nothing is left to end, and that is no error.
    assert laravel.ask("POST", "auth/logout", laravel.token).status_code == 200


def test_an_expired_token_signs_out(laravel, age, rows):
    laravel.grow_old(age, hours=1)
    assert told(laravel.ask("POST", "auth/logout", laravel.token)) == (200, {"message": "Successfully logged out"})
    assert reason(rows, laravel) == "signed_out"
    assert told(laravel.refresh()) == BLACKLISTED


def test_no_sign_in_outlives_its_end_by_exchanging(laravel, age):
    for _ in range(4):
        laravel.grow_old(age, days=6)
        assert laravel.refresh().status_code == 200
    laravel.grow_old(age, days=6)
    assert told(laravel.refresh()) == TOO_LATE


def test_what_was_given_out_elsewhere_is_good_and_is_not_exchanged(laravel, rows):
    """An API that is shown an access token, or a page that holds one, can't make a lasting one of it."""
    native = Script(laravel.app)
    native.keep(native.post("/auth/login", email=EMAIL, password=PASSWORD))
    assert laravel.ask("GET", "user", native.access_token).status_code == 200
    for path in ("refresh", "auth/refresh"):
        answer = laravel.refresh(native.access_token, path)
        assert told(answer) == (401, {"message": "The token was not given out here and can not be refreshed"})
    assert native.refresh().status_code == 200
    assert native.me().status_code == 200


def test_an_application_that_never_rotates_exchanges_all_the_same(laravel):
    with laravel.app.app_context(), transaction() as session:
        session.query(Application).update({"rotate": False})
    first = laravel.token
    assert laravel.refresh().status_code == 200
    assert told(laravel.ask("GET", "user", first)) == BLACKLISTED
    assert laravel.refresh().status_code == 200


@pytest.mark.settings(REVOCATION_LAG=timedelta(seconds=60))
def test_an_exchanged_token_is_dead_at_once_whatever_lag_is_allowed(laravel):
    first = laravel.token
    native = Script(laravel.app)
    native.access_token = first
    assert native.me().status_code == 200
    laravel.refresh()
    assert told(laravel.ask("GET", "user", first)) == BLACKLISTED
    assert native.me().status_code == 200


def test_a_database_from_before_the_exchange_signs_nobody_out(laravel):
    laravel.refresh()
    laravel.refresh()
    with laravel.app.app_context(), transaction() as session:
        session.query(RefreshToken).update({"generation": 0})
    assert laravel.ask("GET", "user", laravel.token).status_code == 200
    assert laravel.refresh().status_code == 200
    assert claims_of(laravel.token)["gen"] == 3


def test_who_may_not_refresh_may_not_exchange_and_who_may_do_more_can_at_once(laravel, admin):
    user = laravel.ask("GET", "user", laravel.token).json
    role = {"name": "waiter", "permissions": ["tables:lay"]}
    assert admin.ask("POST", "/admin/roles", role).status_code == 201
    admin.ask("PATCH", f"/admin/users/{user['id']}", {"roles": ["member", "waiter"]})
    laravel.refresh()
    assert "tables:lay" in claims_of(laravel.token)["scope"].split()
    admin.ask("PATCH", f"/admin/users/{user['id']}", {"roles": ["waiter"]})
    refused = laravel.refresh()
    assert (refused.status_code, set(refused.json)) == (403, {"message"})
    assert laravel.ask("GET", "user", laravel.token).status_code == 200
