"""`maxRefreshTokens`: how many sign-ins a user may have at an application; the oldest make room for the newest."""

import pytest

from tests.answers import refused
from tests.conftest import register
from tests.flows.administering import add_application, change_application, is_alive, is_dead, told


@pytest.fixture
def shop(admin, transport):
    return add_application(admin, name="Shop", transport=transport, maxRefreshTokens=3)


@pytest.fixture
def sign_in(make_device, account, shop):
    """One more device of the user, signed in to the shop."""

    def make(owner=account, application="shop"):
        device = make_device()
        device.sign_in(owner, applicationId=application)
        return device

    return make


def live(rows, device, application):
    found = rows(
        device.app,
        "SELECT id FROM refresh_tokens WHERE application_id = :id AND revoked_at IS NULL",
        id=application["id"],
    )
    return {str(row.id) for row in found}


def limited(rows, device):
    return [event for event in told(rows, device.app, "refresh_token.revoked") if event[4].get("reason") == "limit"]


def test_the_oldest_makes_room_for_the_newest(sign_in, shop, rows, account):
    devices = [sign_in() for _ in range(5)]
    assert all(map(is_dead, devices[:2]))
    assert all(map(is_alive, devices[2:]))
    assert live(rows, devices[0], shop) == {device.refresh_token_id for device in devices[2:]}
    reasons = "SELECT revoke_reason FROM refresh_tokens WHERE application_id = :id ORDER BY id"
    assert rows(devices[0].app, reasons, id=shop["id"]) == [("limit",), ("limit",), (None,), (None,), (None,)]


def test_each_that_had_to_go_is_told_once(sign_in, shop, rows, account):
    devices = [sign_in() for _ in range(4)]
    [(_, _, actor, application, detail)] = limited(rows, devices[0])
    assert (actor, application) == (None, shop["id"])
    assert detail == {"reason": "limit", "revoked": 1, "ids": [devices[0].refresh_token_id]}
    about = "SELECT subject_id FROM events WHERE kind = 'refresh_token.revoked'"
    assert [str(row.subject_id) for row in rows(devices[0].app, about)] == [account.id]


def test_refreshing_makes_nobody_younger_and_none_go(sign_in, shop, rows, age):
    devices = [sign_in() for _ in range(3)]
    for device in devices:
        age(device.app, device.refresh_token_id, seconds=11)
        assert device.refresh().status_code == 200
    assert all(map(is_alive, devices))
    newest = sign_in()
    assert is_dead(devices[0])
    assert all(map(is_alive, [*devices[1:], newest]))


def test_others_and_elsewhere_and_the_dead_do_not_count(admin, sign_in, shop, make_device, transport, rows, age):
    add_application(admin, name="Till", transport=transport, maxRefreshTokens=3)
    other = register(make_device())
    devices = [sign_in(), sign_in(), sign_in(other), sign_in(other), sign_in(application="till")]
    out, over, idle = (make_device() for _ in range(3))
    for device in (out, over, idle):
        device.sign_in(other, applicationId="till")
    out.send("POST", "/auth/logout", {}, out.bearer())
    age(over.app, over.refresh_token_id, days=31)
    age(idle.app, idle.refresh_token_id, days=8)
    devices += [sign_in(other, "till"), sign_in(other, "till"), sign_in(other, "till")]
    assert limited(rows, out) == []
    assert all(map(is_alive, devices))
    # What had ended keeps its own end.
    sign_in(other, "till")
    refused(out.me(), 401, "token_revoked")
    refused(over.me(), 401, "token_expired")
    reasons = "SELECT revoke_reason FROM refresh_tokens WHERE id = :id"
    assert [rows(out.app, reasons, id=d.refresh_token_id)[0][0] for d in (out, over, idle)] == [
        "signed_out",
        None,
        None,
    ]


def test_a_limit_of_one_leaves_the_newest_alone(admin, shop, sign_in, rows):
    change_application(admin, shop, maxRefreshTokens=1)
    devices = [sign_in() for _ in range(3)]
    assert [live(rows, devices[0], shop)] == [{devices[-1].refresh_token_id}]
    assert is_alive(devices[-1])


def test_a_lower_limit_is_met_at_the_next_sign_in_and_told_in_one_line(admin, shop, sign_in, rows):
    change_application(admin, shop, maxRefreshTokens=None)
    devices = [sign_in() for _ in range(5)]
    change_application(admin, shop, maxRefreshTokens=2)
    assert all(map(is_alive, devices))
    newest = sign_in()
    assert live(rows, newest, shop) == {devices[-1].refresh_token_id, newest.refresh_token_id}
    [(*_, detail)] = limited(rows, newest)
    assert detail == {"reason": "limit", "revoked": 4, "ids": [device.refresh_token_id for device in devices[:4]]}


def test_without_a_limit_nothing_goes(admin, shop, sign_in, rows):
    change_application(admin, shop, maxRefreshTokens=None)
    devices = [sign_in() for _ in range(6)]
    assert all(map(is_alive, devices))
    assert limited(rows, devices[0]) == []


def test_who_has_the_right_password_but_is_refused_ends_nobody(admin, shop, sign_in, make_device, account, rows):
    devices = [sign_in() for _ in range(3)]
    refused(
        make_device().post("/auth/login", email=account.email, password="wrong", applicationId="shop"),
        401,
        "credentials_invalid",
    )
    assert all(map(is_alive, devices))
    change_application(admin, shop, active=False)
    body = {"email": account.email, "password": account.password, "applicationId": "shop"}
    refused(make_device().post("/auth/login", **body), 422, "validation_failed", ["applicationId"])
    assert limited(rows, devices[0]) == []
