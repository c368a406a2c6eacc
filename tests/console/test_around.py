"""The console where it is mounted elsewhere, where a script asks, and where something fails."""

import re

from flask import Flask
from sqlalchemy.exc import OperationalError

from authsvc import init_app
from authsvc.services import users
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, close, configured
from tests.console.browsing import Browser, is_at_the_door, title
from tests.drivers import HOST


def test_below_a_prefix_every_address_has_it(database):
    host = Flask("host")
    service = init_app(host, configured(database), prefix="/identity")
    client = host.test_client()
    door = client.get("/identity/console/users?search=a", base_url=HOST)
    assert (door.status_code, door.location.partition("?")[0]) == (303, "/identity/console/sign-in")
    fields = {"identifier": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    signed_in = client.post(door.location, base_url=HOST, data=fields)
    assert signed_in.location == "/identity/console/users?search=a"
    page = client.get(signed_in.location, base_url=HOST)
    assert page.status_code == 200
    addresses = set(re.findall(r'(?:href|src|action|data-hx-get)="([^"#]+)"', page.text))
    assert {address for address in addresses if not address.startswith("/identity/console/")} == set()
    for address in addresses:
        if "/assets/" in address:
            assert client.get(address, base_url=HOST).status_code == 200
    close(service)


def test_a_script_that_asks_for_a_part_of_a_page_is_led_to_the_door_as_a_whole(browser):
    answer = browser.get("/console/users?search=a", **{"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"].partition("?")[0]) == (401, "/console/sign-in")


def test_who_was_signed_out_meanwhile_comes_back_to_the_form_that_they_sent(console, app):
    person = Browser(app)
    for method, path, place in (
        ("GET", "/console/users?search=a", "/console/users?search%3Da"),
        ("POST", "/console/users/new", "/console/users/new"),
        ("POST", "/console/sign-out", None),
    ):
        answer = person.client.open(path, method=method, base_url=HOST)
        assert is_at_the_door(answer)
        assert answer.location.partition("next=")[2] == (place or ""), path


def test_a_form_that_is_too_long_is_told_to_be(console):
    answer = console.send("/console/users/new", email="ann@example.com", name="x" * 70_000)
    assert (answer.status_code, title(answer)) == (413, "That is too long")
    assert "Nothing was changed." in answer.text
    assert console.get("/console/account").status_code == 200


def test_a_database_that_does_not_answer_signs_nobody_out(console, monkeypatch):
    def fail(*_, **__):
        raise OperationalError("SELECT", {}, Exception("gone"))

    monkeypatch.setattr(users, "find", fail)
    answer = console.get("/console/users?search=a")
    assert (answer.status_code, title(answer), answer.headers["Retry-After"]) == (503, "Not right now", "1")
    assert '<a href="/console/users?search=a">Try again</a>' in answer.text
    monkeypatch.setattr(users, "create", fail)
    answer = console.send("/console/users/new", email="ann@example.com")
    assert (answer.status_code, title(answer)) == (503, "Not right now")
    assert console.get("/console/account").status_code == 200
    monkeypatch.setattr("authsvc.services.standings.of", fail)
    answer = console.get("/console/account")
    assert (answer.status_code, title(answer)) == (503, "Not right now")
    assert not is_at_the_door(answer)
    assert console.cookie() is not None


def test_what_nobody_thought_of_is_told_without_its_cause(console, monkeypatch):
    monkeypatch.setattr(users, "find", lambda *_, **__: 1 / 0)
    answer = console.get("/console/users")
    assert (answer.status_code, title(answer)) == (500, "Something went wrong")
    assert answer.headers["X-Request-Id"] in answer.text
    assert "division" not in answer.text
