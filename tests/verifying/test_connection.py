"""The way to authsvc: kept-alive connections, answers that are none, and an authsvc that is slow."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from authsvc import Verifier, opaque
from authsvc.errors import AddressNotAllowed, TokenInvalid, Unavailable
from tests.verifying.conftest import bearing

VERIFY = "/auth/verify"
SOMEBODY = "0190a5b0-0000-7000-8000-00000000000a"
YES = {
    "X-Auth-User-Id": SOMEBODY,
    "X-Auth-Tenant-Id": "0190a5b0-0000-7000-8000-00000000000b",
    "X-Auth-Application-Id": "",
    "X-Auth-Scopes": "restaurants:read",
    "X-Auth-Via": "api_token",
}


@pytest.fixture
def yes(scripted):
    scripted.app.answers[VERIFY] = ("200 OK", YES, b"")
    return scripted


@pytest.fixture
def ask(make_verifier, yes):
    """Ask about an API token; answers the user."""
    verifier = make_verifier()
    return lambda: verifier.principal(bearing(opaque.new_api_token())).user_id


def test_a_connection_is_kept_and_replaced_when_it_was_closed_meanwhile(ask, yes):
    assert [ask() for _ in range(3)] == [SOMEBODY] * 3
    assert len(yes.connections) == 1
    for opened in (2, 3):
        yes.hang_up()
        assert ask() == SOMEBODY
        assert len(yes.connections) == opened
    yes.stop()
    yes.start()
    assert ask() == SOMEBODY


def test_threads_get_their_own_answers(make_verifier, scripted):
    together = threading.Barrier(4)

    def mirror(environ):
        together.wait(10)
        number = environ["HTTP_USER_AGENT"]
        return "200 OK", {**YES, "X-Auth-User-Id": f"{SOMEBODY[:-4]}{number}"}, b""

    scripted.app.answers[VERIFY] = mirror
    verifier, token = make_verifier(), opaque.new_api_token()

    def ask(number):
        return verifier.principal(bearing(token, HTTP_USER_AGENT=number)).user_id[-4:]

    numbers = [f"{number:04}" for number in range(40)]
    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(ask, numbers)) == numbers
    assert len(scripted.connections) <= 4


def test_a_connection_is_never_shared_with_a_forked_process(ask, yes):
    assert ask() == SOMEBODY
    child = os.fork()
    if not child:
        os._exit(0 if ask() == SOMEBODY else 1)
    assert os.waitpid(child, 0)[1] == 0
    assert len(yes.connections) == 2
    assert ask() == SOMEBODY
    assert len(yes.connections) == 2


def test_a_yes_that_is_none_lets_nobody_in(ask, yes):
    page = ("200 OK", {"Content-Type": "text/html"}, b"<h1>Welcome</h1>")
    wrong = [page, ("204 No Content", YES, b""), ("200 OK", {}, b'{"active": true}')]
    for name, values in {
        "X-Auth-User-Id": ["root", "default", "*", SOMEBODY.upper()],
        "X-Auth-Tenant-Id": ["", "default"],
        "X-Auth-Application-Id": ["default"],
        "X-Auth-Via": ["", "cookie", "API_TOKEN"],
    }.items():
        wrong += [("200 OK", {**YES, name: value}, b"") for value in values]
    wrong += [("200 OK", {**YES, "X-Auth-User-Id": ""}, b"")]
    wrong += [("200 OK", {"X-Auth-User-Id": SOMEBODY}, b""), ("200 OK", YES, b"x" * 70_000)]
    for answer in wrong:
        yes.app.answers[VERIFY] = answer
        with pytest.raises(Unavailable):
            pytest.fail(f"{answer}: {ask()}")


def test_a_no_that_is_not_about_the_credential_is_come_back_later(ask, yes):
    def body(code, message="No."):
        return f'{{"message": "{message}", "error": {{"code": "{code}"}}}}'.encode()

    not_about_it = [
        ("401 Unauthorized", {}, b""),
        ("401 Unauthorized", {"Content-Type": "text/html"}, b"<h1>Log in to the proxy</h1>"),
        ("401 Unauthorized", {}, body("credentials_missing")),
        ("401 Unauthorized", {}, body("internal_error")),
        ("401 Unauthorized", {}, body("address_not_allowed")),
        ("403 Forbidden", {}, b'{"error": "denied"}'),
        ("403 Forbidden", {}, b'{"error": {"code": ["token_invalid"]}}'),
        ("403 Forbidden", {}, body("token_invalid")),
        ("404 Not Found", {}, body("not_found")),
        ("422 Unprocessable Entity", {}, body("validation_failed")),
        ("429 Too Many Requests", {}, body("too_many_attempts")),
        ("500 Internal Server Error", {}, body("internal_error")),
        ("503 Service Unavailable", {}, body("unavailable")),
        ("301 Moved Permanently", {"Location": "/elsewhere"}, b""),
        ("307 Temporary Redirect", {"Location": f"{yes.url}/elsewhere"}, b""),
    ]
    for answer in not_about_it:
        yes.app.answers[VERIFY] = answer
        with pytest.raises(Unavailable):
            pytest.fail(f"{answer}: {ask()}")
    assert yes.count("/elsewhere") == 0
    about_it = {"401 Unauthorized": TokenInvalid, "403 Forbidden": AddressNotAllowed}
    for status, refusal in about_it.items():
        yes.app.answers[VERIFY] = (status, {}, body(refusal.code, "In its own words."))
        with pytest.raises(refusal, match="In its own words"):
            ask()


def test_a_slow_authsvc_is_an_authsvc_that_is_away(make_verifier, yes):
    go = threading.Event()

    def slowly(_environ):
        go.wait(10)
        return "200 OK", YES, b""

    yes.app.answers[VERIFY] = slowly
    verifier = make_verifier(timeout=timedelta(milliseconds=50))
    with pytest.raises(Unavailable):
        verifier.principal(bearing(opaque.new_api_token()))
    go.set()
    yes.app.answers[VERIFY] = ("200 OK", YES, b"")
    assert verifier.principal(bearing(opaque.new_api_token())).user_id == SOMEBODY


def test_no_secret_reaches_a_log_or_an_error(make_verifier, scripted, caplog):
    verifier, token = make_verifier(), opaque.new_api_token()
    scripted.app.answers[VERIFY] = ("500 Internal Server Error", {}, token.encode())
    for environ in (bearing(token), {"authsvc.query_tokens": (token,)}):
        with pytest.raises(Unavailable) as refused:
            verifier.principal(environ)
        assert token[5:17] not in refused.value.text
        assert refused.value.__cause__ is None
    assert "authsvc answered 500" in caplog.text
    assert token[5:17] not in caplog.text


def test_only_an_address_of_authsvc_is_one():
    for url in ("auth.example.org", "ftp://auth.example.org", "https://", "https://auth.example.org?x=1", "",
                "https://me:pass@auth.example.org", "https://auth.example.org#x"):  # fmt: skip
        with pytest.raises(ValueError, match="BASE_URL"):
            Verifier(url)
    with pytest.raises(ValueError, match="negative"):
        Verifier("https://auth.example.org", recheck=timedelta(seconds=-1))
    assert Verifier("https://auth.example.org/").issuer == "https://auth.example.org"
