"""Signing in by any spelling of one's names; every wrong sign-in is one answer."""

import pytest

from tests.answers import lasting, refused
from tests.conftest import register
from tests.flows.people import PASSWORD, SAME_ADDRESS, SAME_NAME, join, log_in, while_hashing


@pytest.mark.parametrize("field", ["identifier", "email"])
def test_any_spelling_of_the_address_signs_in(script, field):
    join(script)
    for email in ("mix@example.com", *SAME_ADDRESS):
        assert log_in(script, **{field: email}).status_code == 200, email


@pytest.mark.parametrize("field", ["identifier", "username"])
def test_any_spelling_of_the_user_name_signs_in(script, field):
    join(script, username="mix")
    for username in ("mix", *SAME_NAME):
        assert log_in(script, **{field: username}).status_code == 200, username


def test_signing_in_takes_exactly_one_name(script):
    join(script, username="mix")
    for named in ({}, {"email": "mix@example.com", "username": "mix"}, {"identifier": "mix", "email": "x@example.com"}):
        refused(log_in(script, **named), 422, "validation_failed", ["identifier"])


def test_a_wrong_sign_in_is_one_answer_whatever_the_cause(make_device, rows, make_tenant):
    device = make_device()
    make_tenant(device.app, "acme")
    known, disabled, without = (register(device) for _ in range(3))
    rows(device.app, "UPDATE users SET active = false WHERE id = :id RETURNING id", id=disabled.id)
    rows(device.app, "UPDATE users SET password_hash = NULL WHERE id = :id RETURNING id", id=without.id)

    def tried(password=PASSWORD, headers=None, **named):
        return log_in(make_device(), password, headers, **named)

    answers = [
        tried("a wrong harbour at dawn", email=known.email),
        tried(email="nobody@example.com"),
        tried(identifier="no name at all"),
        tried(username="nobody"),
        tried(username=known.email + "x"),
        tried(email=disabled.email),
        tried("a wrong harbour at dawn", email=disabled.email),
        tried(email=without.email),
        tried("x", email=without.email),
        tried(email=known.email, headers={"X-Tenant-Id": "acme"}),
    ]
    rows(device.app, "UPDATE tenants SET active = false RETURNING id")
    answers.append(tried(email=known.email))
    for answer in answers:
        refused(answer, 401, "credentials_invalid")
    assert {str(lasting(answer)) for answer in answers} == {str(lasting(answers[0]))}


def test_a_wrong_sign_in_leaves_a_trace_without_the_password(script, rows):
    mix = join(script).json["data"]["user"]["id"]
    log_in(script, "a wrong harbour at dawn", email="mix@example.com")
    [(subject, outcome, detail)] = rows(
        script.app, "SELECT subject_id, outcome, detail FROM events WHERE kind = 'user.sign_in_failed'"
    )
    assert (str(subject), outcome) == (mix, "failure")
    assert "harbour" not in str(detail)


def test_a_device_has_the_name_it_gave(script, rows):
    join(script)
    answer = log_in(script, email="mix@example.com", deviceName="Mix's phone")
    [(kept,)] = rows(
        script.app,
        "SELECT device_name FROM refresh_tokens WHERE id = :id",
        id=answer.json["data"]["refreshTokenId"],
    )
    assert kept == "Mix's phone"


@pytest.mark.parametrize(
    "change",
    ["UPDATE users SET password_hash = 'another' RETURNING id", "UPDATE users SET active = false RETURNING id"],
)
def test_a_password_that_was_changed_while_it_was_verified_signs_nobody_in(script, rows, change):
    join(script)
    before = rows(script.app, "SELECT id FROM refresh_tokens")
    while_hashing(script.app, lambda: rows(script.app, change))
    refused(log_in(script, email="mix@example.com"), 401, "credentials_invalid")
    assert rows(script.app, "SELECT id FROM refresh_tokens") == before
