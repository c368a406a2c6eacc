"""A worker verifies the signature of an access token once; everything else about it is judged at each request."""

from datetime import timedelta

import pytest

from authsvc import clock
from authsvc.credentials import jwts
from authsvc.errors import TokenExpired
from tests.answers import refused
from tests.flows.keys import revoke, someone


@pytest.fixture
def verifications(monkeypatch):
    """How often a signature was judged."""
    asked, judged = [], jwts.signed

    def counted(text, *more):
        asked.append(text)
        return judged(text, *more)

    monkeypatch.setattr(jwts, "signed", counted)
    return asked


def test_it_is_verified_once_and_runs_out_all_the_same(app, script, verifications):
    device = someone(app)
    for _ in range(3):
        assert device.me().status_code == 200
    assert verifications == [device.access_token]
    with app.test_request_context():
        now = clock.utcnow()
        jwts.read_access(device.access_token, now + timedelta(minutes=14))
        with pytest.raises(TokenExpired):
            jwts.read_access(device.access_token, now + timedelta(minutes=15))
    assert verifications == [device.access_token]


def test_its_row_and_its_key_are_asked_about_each_time(app, admin, operator, verifications):
    out, moved = someone(app), someone(app)
    assert [device.me().status_code for device in (out, moved)] == [200, 200]
    out.post("/auth/logout", out.bearer())
    refused(out.me(), 401, "token_revoked")
    [active] = [key["kid"] for key in operator.get("/admin/keys").json["data"]["items"] if key["state"] == "active"]
    before = moved.access_token
    revoke(operator, active)
    assert before in verifications
    refused(moved.me(), 401, "token_invalid")


def test_another_text_is_verified_for_itself_and_a_bad_one_is_never_remembered(app, verifications):
    device = someone(app)
    assert device.me().status_code == 200
    good = device.access_token
    for text in (f"{good}=", good[:-1], f"{good[:-4]}AAAA", good.replace(".", "..", 1)):
        for _ in range(2):
            device.access_token = text
            refused(device.me(), 401, "token_invalid")
        assert verifications[-2:] == [text, text]


def test_what_is_remembered_is_bounded(app, monkeypatch):
    monkeypatch.setattr(jwts, "MOST_VERIFIED", 2)
    devices = [someone(app) for _ in range(5)]
    for _ in range(2):
        assert [device.me().status_code for device in devices] == [200] * 5
        assert len(app.extensions["authsvc.verified"]) <= 2
