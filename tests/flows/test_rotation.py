"""The table in docs/rotation.md, row by row, through HTTP."""

from datetime import timedelta

import pytest

from tests.claims import claims_of


def code(answer):
    return answer.json["error"]["code"]


def generation(device):
    return claims_of(device.access_token)["gen"]


def test_a_refresh_gives_the_next_generation_of_the_same_sign_in(device):
    first = device.refresh_token_id
    answer = device.refresh()
    assert answer.status_code == 200
    assert (device.refresh_token_id, generation(device)) == (first, 1)
    assert device.me().status_code == 200


@pytest.mark.settings(REFRESH_LEEWAY=timedelta(0))
def test_a_chain_of_hundreds_stays_one_row(device, rows):
    for step in range(1, 201):
        assert device.refresh().status_code == 200
        assert generation(device) == step
    assert rows(device.app, "SELECT generation FROM refresh_tokens WHERE id = :id", id=device.refresh_token_id) == [
        (200,)
    ]


def test_within_the_leeway_the_current_token_is_answered_with_itself(device):
    device.refresh()
    held = device.held()
    first = claims_of(held if isinstance(held, str) else held[0])
    device.refresh()
    assert device.held() == held
    assert generation(device) == 1
    assert first["gen"] == 1


def test_within_the_leeway_the_predecessor_is_answered_with_the_current_token(device):
    before = device.held()
    device.refresh()
    current = device.held()
    answer = device.refresh(held=before)
    assert answer.status_code == 200
    assert device.held() == current
    assert generation(device) == 1


def test_the_answer_within_the_leeway_sets_the_cookie_again(device, transport):
    before = device.held()
    device.refresh()
    answer = device.refresh(held=before)
    assert bool(answer.headers.getlist("Set-Cookie")) == (transport == "cookie")


def test_after_the_leeway_the_current_token_advances(device, age):
    device.refresh()
    age(device.app, device.refresh_token_id, seconds=11)
    device.refresh()
    assert generation(device) == 2


def test_after_the_leeway_the_predecessor_ends_the_sign_in(device, age, rows):
    before = device.held()
    device.refresh()
    current = device.held()
    age(device.app, device.refresh_token_id, seconds=11)
    answer = device.refresh(held=before)
    assert (answer.status_code, code(answer)) == (401, "refresh_token_reused")
    assert not answer.headers.getlist("Set-Cookie")
    assert code(device.refresh(held=current)) == "token_revoked"
    assert code(device.me()) == "token_revoked"
    [(kind, outcome)] = rows(
        device.app,
        "SELECT kind, outcome FROM events WHERE refresh_token_id = :id AND kind LIKE 'refresh_token%'",
        id=device.refresh_token_id,
    )
    assert (kind, outcome) == ("refresh_token.reused", "alarm")


def test_reuse_ends_that_sign_in_and_no_other(make_device, account, age):
    thief, other = make_device(), make_device()
    thief.sign_in(account)
    other.sign_in(account)
    before = thief.held()
    thief.refresh()
    age(thief.app, thief.refresh_token_id, seconds=11)
    thief.refresh(held=before)
    assert other.refresh().status_code == 200


def test_an_ancestor_further_back_is_reuse_even_within_the_leeway(device, age):
    oldest = device.held()
    device.refresh()
    age(device.app, device.refresh_token_id, seconds=11)
    device.refresh()
    assert code(device.refresh(held=oldest)) == "refresh_token_reused"


def test_the_same_attempt_heals_a_lost_answer_at_any_later_time(device, age):
    before = device.held()
    device.refresh(attempt="attempt-1")
    age(device.app, device.refresh_token_id, days=6, hours=23)
    answer = device.refresh(held=before, attempt="attempt-1")
    assert answer.status_code == 200
    assert generation(device) == 1
    assert device.refresh().status_code == 200


def test_another_attempt_with_the_predecessor_is_reuse(device, age):
    before = device.held()
    device.refresh(attempt="attempt-1")
    age(device.app, device.refresh_token_id, seconds=11)
    assert code(device.refresh(held=before, attempt="attempt-2")) == "refresh_token_reused"


def test_an_attempt_counts_for_its_own_step_alone(device, age):
    before = device.held()
    device.refresh(attempt="attempt-1")
    age(device.app, device.refresh_token_id, seconds=11)
    device.refresh(attempt="attempt-2")
    assert code(device.refresh(held=before, attempt="attempt-1")) == "refresh_token_reused"


@pytest.mark.settings(REFRESH_LEEWAY=timedelta(0))
def test_without_a_leeway_every_refresh_advances_and_every_predecessor_is_reuse(device):
    before = device.held()
    for step in (1, 2, 3):
        before = device.held()
        device.refresh()
        assert generation(device) == step
    assert code(device.refresh(held=before)) == "refresh_token_reused"


def test_a_row_from_an_older_copy_of_the_database_signs_nobody_out(device, age, rows):
    with_older = device.refresh_token_id
    for _ in range(3):
        age(device.app, with_older, seconds=11)
        device.refresh()
    rows(
        device.app,
        "UPDATE refresh_tokens SET generation = 0, rotated_at = NULL, idle_expires_at = created_at WHERE id = :id "
        "RETURNING 1",
        id=with_older,
    )
    answer = device.refresh()
    assert answer.status_code == 200
    assert generation(device) == 4


def test_idle_too_long_is_expired(device, age):
    age(device.app, device.refresh_token_id, days=7, seconds=1)
    assert code(device.refresh()) == "token_expired"
    assert code(device.me()) == "token_expired"


def test_refreshing_keeps_a_sign_in_from_idling_but_not_from_its_absolute_end(device, age):
    for _ in range(5):
        age(device.app, device.refresh_token_id, days=5, hours=23)
        answer = device.refresh()
        assert answer.status_code == 200
    remaining = answer.json["data"]["refreshExpiresIn"]
    assert 0 < remaining <= 5 * 3600 + 5
    age(device.app, device.refresh_token_id, hours=6)
    assert code(device.refresh()) == "token_expired"
