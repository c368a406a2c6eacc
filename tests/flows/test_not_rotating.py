"""An application with `rotate: false`, whose clients keep their first refresh token; and one with its own lifetimes."""

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from authsvc import clock
from authsvc.models import RefreshToken
from authsvc.models.engine import transaction
from tests.answers import refused
from tests.claims import claims_of
from tests.flows.administering import add_application, change_application, joined

DAY = 24 * 3600
without_leeway = pytest.param("no leeway", marks=pytest.mark.settings(REFRESH_LEEWAY=timedelta(0)))
leeways = pytest.mark.parametrize("leeway", ["leeway", without_leeway])


@pytest.fixture
def still(admin, transport):
    """An application that never rotates."""
    return add_application(admin, name="Still", transport=transport, rotate=False)


@pytest.fixture
def keeper(transported_app, transport, still):
    """A device that is signed in to it."""
    return joined(transported_app, transport, applicationId="still")


@pytest.fixture
def rest(rows):
    """As if a sign-in had not been used for a while, but had begun no earlier: its token says when it began."""

    def shift(device, **by):
        with device.app.app_context(), transaction() as session:
            row = session.get(RefreshToken, device.refresh_token_id)
            row.idle_expires_at -= timedelta(**by)
            row.rotated_at = row.rotated_at and row.rotated_at - timedelta(**by)

    return shift


def text_of(held):
    return held if isinstance(held, str) else held[0]


def ends(rows, device):
    """When its row says that it is idle, and over."""
    [row] = rows(
        device.app, "SELECT idle_expires_at, expires_at FROM refresh_tokens WHERE id = :id", id=device.refresh_token_id
    )
    found = [one if isinstance(one, datetime) else datetime.fromisoformat(f"{one}+00:00") for one in row]
    return tuple(round((one - clock.utcnow()).total_seconds()) for one in found)


def is_about(found, expected):
    return abs(found - expected) <= 10


def max_ages(answer):
    """Of the cookies, if there are any."""
    return {int(line.split("Max-Age=")[1].split(";")[0]) for line in answer.headers.getlist("Set-Cookie")}


@leeways
def test_the_first_refresh_token_is_answered_again_and_again_and_keeps_working(keeper, rest, leeway):
    first = keeper.held()
    accesses = set()
    for _ in range(20):
        answer = keeper.refresh(held=first)
        assert answer.status_code == 200
        assert keeper.held() == first
        assert claims_of(keeper.access_token)["gen"] == 0
        assert keeper.me().status_code == 200
        accesses.add(keeper.access_token)
        rest(keeper, days=6)
    assert len(accesses) == 20


def test_it_is_the_same_token_that_signing_in_answered(keeper):
    claims = claims_of(text_of(keeper.held()))
    assert claims["gen"] == 0
    assert claims["exp"] - claims["iat"] == 30 * DAY


def test_each_use_beyond_the_leeway_moves_the_idle_end_and_none_moves_the_absolute_end(keeper, age, rows):
    first = keeper.held()
    age(keeper.app, keeper.refresh_token_id, days=6)
    assert [is_about(*pair) for pair in zip(ends(rows, keeper), (1 * DAY, 24 * DAY), strict=True)] == [True, True]
    answer = keeper.refresh(held=first)
    assert [is_about(*pair) for pair in zip(ends(rows, keeper), (7 * DAY, 24 * DAY), strict=True)] == [True, True]
    assert is_about(answer.json["data"]["refreshExpiresIn"], 7 * DAY)
    for _ in range(3):
        age(keeper.app, keeper.refresh_token_id, days=6)
        answer = keeper.refresh(held=first)
        assert answer.status_code == 200
    # 24 days have gone by: what is left is 6, not 7.
    assert [is_about(*pair) for pair in zip(ends(rows, keeper), (6 * DAY, 6 * DAY), strict=True)] == [True, True]
    left = answer.json["data"]["refreshExpiresIn"]
    assert is_about(left, 6 * DAY)
    assert max_ages(answer) <= {left}


def test_within_the_leeway_nothing_is_written(keeper, age, rows):
    age(keeper.app, keeper.refresh_token_id, days=1)
    keeper.refresh()
    age(keeper.app, keeper.refresh_token_id, seconds=9)
    before = rows(keeper.app, "SELECT * FROM refresh_tokens")
    assert keeper.refresh().status_code == 200
    assert rows(keeper.app, "SELECT * FROM refresh_tokens") == before
    age(keeper.app, keeper.refresh_token_id, seconds=1)
    keeper.refresh()
    assert is_about(ends(rows, keeper)[0], 7 * DAY)


@pytest.mark.settings(REFRESH_LEEWAY=timedelta(0))
def test_without_a_leeway_each_use_is_written(keeper, age, rows):
    for _ in range(3):
        age(keeper.app, keeper.refresh_token_id, seconds=1)
        used = "SELECT rotated_at FROM refresh_tokens"
        before = rows(keeper.app, used)
        keeper.refresh()
        assert rows(keeper.app, used) != before


@leeways
def test_many_uses_at_once_are_fine(keeper, transported_app, leeway):
    first, bearer = keeper.held(), keeper.refresh_token_id
    twins = [type(keeper)(transported_app) for _ in range(8)]
    with ThreadPoolExecutor(8) as crowd:
        answers = list(crowd.map(lambda twin: twin.refresh(held=first), twins))
    assert {answer.status_code for answer in answers} == {200}
    assert {twin.held() for twin in twins} == {first}
    assert {answer.json["data"]["refreshTokenId"] for answer in answers} == {bearer}


def test_an_attempt_key_changes_nothing(keeper, rest):
    first = keeper.held()
    for attempt in ("one", "one", "two", None):
        rest(keeper, seconds=11)
        assert keeper.refresh(held=first, attempt=attempt).status_code == 200
        assert keeper.held() == first


# Ended


def test_it_ends_when_it_was_idle_too_long(keeper, age):
    first = keeper.held()
    keeper.refresh()
    age(keeper.app, keeper.refresh_token_id, days=7)
    refused(keeper.refresh(held=first), 401, "token_expired")
    refused(keeper.me(), 401, "token_expired")


def test_it_ends_absolutely(keeper, age):
    first = keeper.held()
    for _ in range(5):
        age(keeper.app, keeper.refresh_token_id, days=6, hours=-1)
        assert keeper.refresh(held=first).status_code == 200
    age(keeper.app, keeper.refresh_token_id, hours=5)
    refused(keeper.refresh(held=first), 401, "token_expired")


def test_it_ends_by_signing_out(keeper):
    first = keeper.held()
    keeper.refresh()
    answer = keeper.present("/auth/logout", first)
    assert answer.json["data"] == {"revoked": 1}
    refused(keeper.refresh(held=first), 401, "token_revoked")


def test_it_ends_with_its_application(admin, still, keeper):
    first = keeper.held()
    keeper.refresh()
    change_application(admin, still, active=False)
    refused(keeper.refresh(held=first), 401, "token_revoked")
    change_application(admin, still, active=True)
    refused(keeper.refresh(held=first), 401, "token_revoked")


# Switched in mid life


def test_when_an_application_ceases_to_rotate_nobody_is_signed_out(admin, transported_app, transport, age):
    made = add_application(admin, name="Shop", transport=transport)
    device = joined(transported_app, transport, applicationId="shop")
    spent = device.held()
    device.refresh()
    age(device.app, device.refresh_token_id, seconds=11)
    current = device.held()
    change_application(admin, made, rotate=False)
    for held in (current, None, current):
        age(device.app, device.refresh_token_id, days=5)
        assert device.refresh(held=held).status_code == 200
        assert claims_of(device.access_token)["gen"] == 1
    # The third time was past the expiry that `current` was given when there was to be another.
    assert claims_of(text_of(current))["exp"] - claims_of(text_of(current))["iat"] == 7 * DAY
    # What was spent when it rotated is a replay, now as then.
    age(device.app, device.refresh_token_id, seconds=11)
    refused(device.refresh(held=spent), 401, "refresh_token_reused")
    refused(device.refresh(held=current), 401, "token_revoked")


def test_an_answer_that_was_lost_when_an_application_ceased_to_rotate_is_still_given(
    admin, make_device, transported_app, transport, age
):
    made = add_application(admin, name="Shop", transport=transport)
    device = joined(transported_app, transport, applicationId="shop")
    before, other = device.held(), make_device()
    assert other.refresh(held=before, attempt="mine").status_code == 200
    change_application(admin, made, rotate=False)
    age(device.app, device.refresh_token_id, days=1)
    assert other.refresh(attempt="of another tab").status_code == 200
    age(device.app, device.refresh_token_id, days=1)
    assert device.refresh(held=before, attempt="mine").status_code == 200
    assert claims_of(device.access_token)["gen"] == 1
    assert device.refresh().status_code == 200


def test_when_an_application_begins_to_rotate_nobody_is_signed_out_and_reuse_is_told(admin, still, keeper, age):
    first = keeper.held()
    age(keeper.app, keeper.refresh_token_id, days=1)
    keeper.refresh()
    change_application(admin, still, rotate=True)
    # It was used a moment ago, so it is answered with itself once more, from now on with the shorter life.
    assert keeper.refresh(held=first).status_code == 200
    age(keeper.app, keeper.refresh_token_id, seconds=11)
    assert keeper.refresh(held=first).status_code == 200
    second = keeper.held()
    assert claims_of(text_of(second))["gen"] == 1
    assert claims_of(text_of(second))["exp"] - claims_of(text_of(second))["iat"] == 7 * DAY
    assert keeper.refresh(held=first).status_code == 200
    assert keeper.held() == second
    age(keeper.app, keeper.refresh_token_id, seconds=11)
    refused(keeper.refresh(held=first), 401, "refresh_token_reused")
    refused(keeper.refresh(held=second), 401, "token_revoked")


def test_the_switch_may_be_thrown_back_and_forth(admin, still, keeper, age):
    for step, rotate in enumerate((True, False, True, False, True)):
        change_application(admin, still, rotate=rotate)
        age(keeper.app, keeper.refresh_token_id, seconds=11)
        assert keeper.refresh().status_code == 200
        assert claims_of(keeper.access_token)["gen"] == step // 2 + 1
        assert keeper.refresh().status_code == 200
        assert keeper.me().status_code == 200


# An application's own lifetimes


@pytest.fixture
def brief(admin, transport):
    own = {"accessLifetime": 60, "refreshIdleLifetime": 600, "refreshLifetime": 3000}
    return add_application(admin, name="Brief", transport=transport, **own)


@pytest.fixture
def visitor(transported_app, transport, brief):
    return joined(transported_app, transport, applicationId="brief")


def lives(device, answer):
    """Of the access token, of the refresh token by its claims, and as the answer tells both."""
    access, refresh, data = claims_of(device.access_token), claims_of(text_of(device.held())), answer.json["data"]
    assert data["expiresIn"] == access["exp"] - access["iat"]
    assert abs(data["refreshExpiresIn"] - (refresh["exp"] - access["iat"])) <= 1
    assert max_ages(answer) <= {data["refreshExpiresIn"]}
    return data["expiresIn"], data["refreshExpiresIn"]


def test_an_applications_own_lifetimes_hold_from_the_sign_in_on(visitor, age, rows):
    answer = visitor.sign_in(visitor.account, applicationId="brief")
    access, refresh = lives(visitor, answer)
    assert access == 60
    assert is_about(refresh, 600)
    assert [is_about(*pair) for pair in zip(ends(rows, visitor), (600, 3000), strict=True)] == [True, True]
    age(visitor.app, visitor.refresh_token_id, seconds=600)
    refused(visitor.refresh(), 401, "token_expired")
    visitor.sign_in(visitor.account, applicationId="brief")
    for _ in range(5):
        age(visitor.app, visitor.refresh_token_id, seconds=580)
        answer = visitor.refresh()
        assert answer.status_code == 200
    access, refresh = lives(visitor, answer)
    assert is_about(refresh, 100)
    assert access == 60
    age(visitor.app, visitor.refresh_token_id, seconds=70)
    answer = visitor.refresh()
    # An access token never outlives its sign-in.
    access, refresh = lives(visitor, answer)
    assert is_about(access, 30)
    assert is_about(refresh, 30)
    age(visitor.app, visitor.refresh_token_id, seconds=31)
    refused(visitor.refresh(), 401, "token_expired")


def test_others_keep_the_lifetimes_of_the_settings(transported_app, transport, visitor):
    other = type(visitor)(transported_app)
    answer = other.sign_in(visitor.account)
    assert lives(other, answer) == (900, 7 * DAY)


def test_a_changed_access_and_idle_lifetime_holds_from_the_next_refresh_and_a_changed_whole_one_from_the_next_sign_in(
    admin, brief, visitor, age, rows
):
    change_application(admin, brief, accessLifetime=120, refreshIdleLifetime=900, refreshLifetime=10 * DAY)
    age(visitor.app, visitor.refresh_token_id, seconds=100)
    access, refresh = lives(visitor, visitor.refresh())
    assert (access, is_about(refresh, 900)) == (120, True)
    assert is_about(ends(rows, visitor)[1], 2900)
    answer = visitor.sign_in(visitor.account, applicationId="brief")
    assert lives(visitor, answer) == (120, 900)
    assert is_about(ends(rows, visitor)[1], 10 * DAY)
    change_application(admin, brief, accessLifetime=None, refreshIdleLifetime=None, refreshLifetime=None)
    age(visitor.app, visitor.refresh_token_id, seconds=100)
    access, refresh = lives(visitor, visitor.refresh())
    assert (access, is_about(refresh, 7 * DAY)) == (900, True)


def test_an_idle_lifetime_beyond_the_whole_one_ends_with_it(admin, transported_app, transport, rows):
    add_application(admin, name="Odd", transport=transport, refreshIdleLifetime=3000, refreshLifetime=600, rotate=False)
    device = joined(transported_app, transport, applicationId="odd")
    assert [is_about(one, 600) for one in ends(rows, device)] == [True, True]
    assert is_about(device.refresh().json["data"]["refreshExpiresIn"], 600)
