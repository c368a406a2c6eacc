"""Passwords: which ones are good enough, how they are compared and kept."""

import unicodedata

import pytest

from config import Base
from tests.answers import refused
from tests.drivers import Script
from tests.flows.people import (
    PASSWORD,
    change_password,
    join,
    log_in,
    users,
)

WEAK = [
    "short12",
    "x" * 257,
    "x" * 5000,
    "password",
    "Password1",
    "12345678",
    "        ",
    "aaaaaaaaaaaa",
    "the-mixer@example.com",
    "The-Mixer@Example.com",
    "the-mixer",
    "themixer",
    "DEFAULT tenant",
]


def test_a_password_that_a_guesser_would_try_first_is_refused(script, rows):
    rows(script.app, "UPDATE tenants SET name = 'Default Tenant' RETURNING id")
    for password in WEAK:
        answer = join(script, "the-mixer@example.com", password, username="themixer")
        refused(answer, 422, "validation_failed", ["password"])
    assert users(rows, script.app) == []
    script.keep(join(script, "the-mixer@example.com", username="themixer"))
    for password in WEAK:
        refused(change_password(script, PASSWORD, password), 422, "validation_failed", ["newPassword"])
    assert log_in(script, username="themixer").status_code == 200


def test_a_password_with_a_nul_is_refused(script):
    refused(join(script, password="eight\0characters"), 422, "validation_failed", ["password"])
    refused(log_in(script, "eight\0characters", email="mix@example.com"), 422, "validation_failed", ["password"])


@pytest.mark.settings(PASSWORD_MIN_LENGTH=15)
def test_the_least_length_is_a_setting(script):
    refused(join(script, password="fourteen chars"), 422, "validation_failed", ["password"])
    assert join(script, password="fifteen charact").status_code == 201


def test_any_other_password_of_legal_length_signs_in(script):
    good = [
        "kwmzplvq",
        "abcdefghijklmnopqrst",
        "⛵🌊" * 32,
        "".join(chr(0x4E00 + n) for n in range(256)),
        "\u202ereversed harbour",
        "\uffff noncharacter \U0010ffff",
    ]
    for number, password in enumerate(good):
        email = f"mix{number}@example.com"
        assert join(script, email, password).status_code == 201
        assert log_in(script, password, email=email).status_code == 200


def test_a_password_is_compared_to_its_last_character(script):
    password = "".join(chr(ord("a") + n % 26) for n in range(100))
    join(script, password=password)
    wrong = [password[:length] for length in (71, 72, 73, 99)]
    for other in (*wrong, password.upper(), password + "a", password + " ", password[:72] + "x" * 28):
        refused(log_in(script, other, email="mix@example.com"), 401, "credentials_invalid")
    assert log_in(script, password, email="mix@example.com").status_code == 200


def test_spaces_around_a_password_belong_to_it(script):
    join(script, password="  harbour  ")
    for other in ("harbour", " harbour ", "  harbour", "harbour  "):
        refused(log_in(script, other, email="mix@example.com"), 401, "credentials_invalid")
    assert log_in(script, "  harbour  ", email="mix@example.com").status_code == 200


@pytest.mark.parametrize("made_with", ["NFC", "NFD"])
def test_one_password_composed_in_two_ways_is_one_password(script, made_with):
    password = "crème brûlée à Orléans"
    join(script, password=unicodedata.normalize(made_with, password))
    for form in ("NFC", "NFD"):
        assert log_in(script, unicodedata.normalize(form, password), email="mix@example.com").status_code == 200


def hash_of(rows, app, email):
    [(password_hash,)] = rows(app, "SELECT password_hash FROM users WHERE email = :email", email=email)
    return password_hash


@pytest.mark.settings(ARGON2_MEMORY=Base.ARGON2_MEMORY, ARGON2_TIME=Base.ARGON2_TIME)
def test_passwords_are_kept_as_argon2id_with_enough_memory_and_a_salt_each(script, rows):
    join(script)
    join(script, "other@example.com")
    first, second = (hash_of(rows, script.app, f"{name}@example.com") for name in ("mix", "other"))
    assert first != second
    _, kind, version, parameters, *_ = first.split("$")
    costs = dict(cost.split("=") for cost in parameters.split(","))
    assert (kind, version) == ("argon2id", "v=19")
    assert int(costs["m"]) >= 19 * 1024
    assert int(costs["t"]) >= 2


def test_a_hash_of_old_parameters_is_made_anew_at_the_next_sign_in(make_app, rows):
    join(Script(make_app()))
    stronger = Script(make_app(ARGON2_MEMORY=16, ARGON2_TIME=2))
    before = hash_of(rows, stronger.app, "mix@example.com")
    refused(log_in(stronger, "a wrong harbour at dawn", email="mix@example.com"), 401, "credentials_invalid")
    assert hash_of(rows, stronger.app, "mix@example.com") == before
    assert log_in(stronger, email="mix@example.com").status_code == 200
    after = hash_of(rows, stronger.app, "mix@example.com")
    assert "$m=8,t=1," in before
    assert "$m=16,t=2," in after
    assert log_in(stronger, email="mix@example.com").status_code == 200
    assert hash_of(rows, stronger.app, "mix@example.com") == after
