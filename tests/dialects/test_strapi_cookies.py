"""Strapi's cookie mode: a page asks for it by a header, request by request."""

import pytest

from tests.claims import claims_of
from tests.dialects.page import Page, set_by
from tests.dialects.strapi import JOINING, UNAUTHENTICATED, refused
from tests.drivers import Script
from tests.flows.people import NEW, PASSWORD

NAME = "strapi_up_refresh"
MODE = {"x_strapi_refresh_cookie": "httpOnly"}
LOGIN = {"identifier": "mix", "password": PASSWORD}
INVALID = (401, "UnauthorizedError", "Invalid refresh token")
ELSEWHERE = "https://evil.example.net"


@pytest.fixture
def database_kind():
    return "sqlite"


@pytest.fixture
def page(app):
    page = Page(app, "/strapi/api")
    answer = page.ask("POST", "/auth/local/register", JOINING, **MODE)
    assert (answer.status_code, answer.json.keys()) == (200, {"jwt", "user"})
    page.jwt = answer.json["jwt"]
    return page


def is_in(page):
    return page.ask("GET", "/users/me", Authorization=f"Bearer {page.jwt}").status_code == 200


def test_the_refresh_token_goes_and_comes_in_its_cookie_alone(app, page):
    answer = page.ask("POST", "/auth/local", LOGIN, **MODE)
    assert answer.json.keys() == {"jwt", "user"}
    cookie = set_by(answer)[NAME]
    fixed = {"Secure": True, "HttpOnly": True, "Path": "/", "SameSite": "Strict"}
    assert cookie.items() >= fixed.items()
    assert 7 * 86400 - 5 < int(cookie["Max-Age"]) <= 7 * 86400
    # What came in a cookie stays in one, whatever the header says; the cookie comes before the body.
    for headers in ({}, MODE):
        answer = page.ask("POST", "/auth/refresh", {"refreshToken": "junk"}, **headers)
        assert (answer.status_code, answer.json.keys(), set_by(answer).keys()) == (200, {"jwt"}, {NAME})
        assert claims_of(page.held(NAME))["gen"] == 1  # the second one is within the leeway
    # Who does not ask for it gets bodies.
    plain = Page(app, "/strapi/api").ask("POST", "/auth/local", LOGIN)
    assert (plain.json.keys(), set_by(plain)) == ({"jwt", "refreshToken", "user"}, {})
    moved = Page(app, "/strapi/api").ask("POST", "/auth/refresh", {"refreshToken": plain.json["refreshToken"]}, **MODE)
    assert (moved.json.keys(), set_by(moved).keys()) == ({"jwt"}, {NAME})
    changing = {"currentPassword": PASSWORD, "password": NEW, "passwordConfirmation": NEW}
    page.jwt = answer.json["jwt"]
    changed = page.ask("POST", "/auth/change-password", changing, Authorization=f"Bearer {page.jwt}")
    assert (changed.json.keys(), set_by(changed).keys()) == ({"jwt", "user"}, {NAME})


def test_a_cookie_that_is_no_good_is_refused(app, page):
    held = page.held(NAME)
    bare = Page(app, "/strapi/api")
    assert refused(bare.ask("POST", "/auth/refresh", **MODE)) == (400, "BadRequestError", "Missing refresh token")
    assert refused(bare.ask("POST", "/auth/refresh", {"refreshToken": held})) == INVALID
    assert Script(app).post("/jwt/refresh", refreshToken=held).status_code == 401
    assert Page(app, "/fusionauth").ask("POST", "/api/jwt/refresh", {"refreshToken": held}).status_code == 400
    bare.hold(NAME, "junk")
    assert refused(bare.ask("POST", "/auth/refresh", **MODE)) == INVALID
    bare.hold("refresh_token", held)
    assert Page(app, "/fusionauth").ask("POST", "/api/jwt/refresh").status_code == 400
    assert page.ask("POST", "/auth/refresh", **MODE).status_code == 200


def test_pages_elsewhere_can_not_use_it(app, page):
    before, plain = page.held(NAME), Page(app, "/strapi/api").ask("POST", "/auth/local", LOGIN).json
    for foreign in ({"Origin": ELSEWHERE}, {"Origin": None, "Sec_Fetch_Site": "cross-site"}):
        for path, body in (
            ("/auth/refresh", None),
            ("/auth/logout", None),
            ("/auth/local", LOGIN),
            ("/auth/local/register", JOINING | {"email": "other@example.com", "username": "other"}),
        ):
            answer = page.ask("POST", path, body, **MODE, **foreign)
            assert refused(answer) == UNAUTHENTICATED, path
            assert set_by(answer) == {}
        bare = Page(app, "/strapi/api")
        moved = bare.ask("POST", "/auth/refresh", {"refreshToken": plain["refreshToken"]}, **MODE, **foreign)
        assert (refused(moved), set_by(moved)) == (INVALID, {})
    assert page.held(NAME) == before
    assert is_in(page)


def test_signing_out_by_the_cookie_clears_it(app, page):
    bare = Page(app, "/strapi/api")
    jwt = bare.ask("POST", "/auth/local", LOGIN).json["jwt"]
    without = bare.ask("POST", "/auth/logout", Authorization=f"Bearer {jwt}")
    assert (without.json, set_by(without)) == ({"ok": True}, {})
    answer = page.ask("POST", "/auth/logout", **MODE)
    assert (answer.json, set_by(answer)[NAME]["value"]) == ({"ok": True}, "")
    assert page.held(NAME) is None
    assert not is_in(page)
