"""API-05, API-06: no view meets a `?token=`, in the service or in an app around it, however it is written."""

import pytest
from flask import Flask, Response, redirect, request

from authsvc import init_app
from authsvc.credentials.guard import public
from authsvc.query_tokens import taken
from tests.conftest import BASE_URL, close, configured
from tests.security.canaries import ADDRESSES, found_in, half_encoded, unknown_api_token, written

SERVED = "/shown"


@pytest.fixture
def database_kind():
    """What is asked here has nothing to do with the database."""
    return "sqlite"


def show(**_):
    """Whatever a view can learn about its request."""
    seen = [
        request.url,
        request.base_url,
        request.full_path,
        request.path,
        request.query_string,
        request.args,
        request.values,
        request.referrer,
        request.view_args,
        list(request.headers),
        {name: value for name, value in request.environ.items() if name != "werkzeug.request"},
        request,
    ]
    return Response(repr(seen))


def add_views(app):
    """One path, and everything below it; one that sends elsewhere; and whatever is not found."""
    show.takes_query = go.takes_query = frozenset({"a", "b"})
    app.add_url_rule(SERVED, "shown", public(show), methods=["GET", "POST"])
    app.add_url_rule(f"{SERVED}<path:rest>", "below", public(show))
    app.add_url_rule("/gone", "gone", public(go))


def go():
    return redirect(f"{request.full_path}&there", 308)


@pytest.fixture
def around(database):
    """An app that authsvc was given to, below a prefix."""
    app = Flask("around")
    service = init_app(app, configured(database), prefix="/identity")
    add_views(app)
    yield app
    close(service)


def asked(app, path, **headers):
    """As a server hands it on: what it decoded, and the request line as it came."""
    given, _, fragment = path.partition("#")
    raw = f"{given}#{fragment}" if fragment else given
    return app.test_client().get(
        given,
        base_url=BASE_URL,
        headers=headers,
        environ_overrides={"RAW_URI": raw, "REQUEST_URI": f"{BASE_URL}{raw}"},
    )


def test_no_view_meets_one(app, around):
    add_views(app)
    secret = unknown_api_token()
    shown = 0
    for one in (app, around):
        for address in ADDRESSES:
            path = written(address, secret)
            for answer in (
                asked(one, SERVED + path),
                asked(one, SERVED, Referer=f"https://page.example.org/{path}"),
                asked(one, SERVED, **{"X-Original-URI": f"/x{path}"}),
                asked(one, SERVED, **{"X-Forwarded-Uri": f"/x{path}", "X-Original-URI": f"/x{path}"}),
                asked(one, "/gone" + path),
                asked(one, "/nowhere" + path),
            ):
                shown += answer.status_code == 200
                text = answer.get_data(as_text=True) + str(answer.headers)
                assert not found_in(text, [secret]), (address, text)
    assert shown > 6 * len(ADDRESSES)


def test_what_is_nobodys_token_stays_as_it_was(around):
    for query in (
        "a=1&b=2",
        "a=%26%3d+%2B&b",
        "a=1;b=2",
        "tokens=1&atoken=2&csrf_token=3&next=%2Fa%3Fb%3D1",
        "a=token",
        "&&",
        "",
    ):
        seen = []
        around.view_functions["shown"] = lambda seen=seen: seen.append(request.query_string.decode()) or ""
        assert asked(around, f"{SERVED}?{query}").status_code == 200
        assert seen == [query]


def test_who_reads_it_finds_it_where_it_was_meant_to_be_alone(app):
    add_views(app)
    secret = unknown_api_token()
    credentials = []
    app.view_functions["shown"] = app.view_functions["below"] = lambda **_: (
        credentials.extend(taken(request.environ)) or ""
    )
    app.view_functions["shown"].serves = "public"
    app.view_functions["shown"].takes_query = frozenset({"a", "b"})
    found = {}
    for address in ADDRESSES:
        credentials.clear()
        asked(app, SERVED + written(address, secret))
        found[address] = list(credentials)
    plain = ["?token={}", "?token={half}", "?%74oken={}", "?%74%6F%6B%65%6E={}", "?+token={}", "?++%20+token+={}"]
    plain += ["?a=1&token={}&b=2", "??token={}", "?%3Ftoken={}"]
    twice = ["?token={}&token={}", "?token={}&%74oken={}"]
    for address, tokens in found.items():
        expected = [secret] if address in plain else [secret, secret] if address in twice else [""]
        assert tokens == expected or (address not in plain + twice and tokens == []), address
    assert half_encoded(secret) != secret


def test_answers_to_one_are_private_and_go_nowhere_else(app):
    add_views(app)
    for path in (SERVED, "/gone", "/nowhere", "/auth/me", "/.well-known/jwks.json"):
        answer = asked(app, f"{path}?token={unknown_api_token()}")
        assert answer.headers.getlist("Cache-Control") == ["no-store, private"]
        assert answer.headers.getlist("Referrer-Policy") == ["no-referrer"]
        assert "Location" not in answer.headers or answer.headers["Location"].startswith("/")
