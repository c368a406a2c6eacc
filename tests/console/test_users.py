"""The users' pages: what the forms do, and what is said before something is destroyed."""

import re

from tests.console.browsing import is_at_the_door, title


def made(console, **fields):
    answer = console.send("/console/users/new", **{"email": "ann@example.com", "roles": ["member"]} | fields)
    assert answer.status_code == 303, answer.text
    return answer.location


def said(console, path):
    return re.search(r'role="status">(.*?)</p>', console.get(path).text)[1]


def test_a_user_is_made_and_signs_in(console, browser):
    page = made(console, password="a quiet harbour", name="Ann", username="ann")
    assert said(console, page) == "ann@example.com was made."
    assert 'role="status"' not in console.get(page).text
    account = type("Account", (), {"email": "ann@example.com", "password": "a quiet harbour"})
    assert title(browser.sign_in(account).get("/console/account")) == "My account"


def test_a_form_that_is_not_taken_comes_back_as_it_was_with_what_is_wrong(console):
    made(console)
    for fields, sentence in (
        ({"email": "no address", "name": "Kept"}, "email-hint"),
        ({"email": "ann@example.com", "name": "Kept"}, "This e-mail address is taken."),
        ({"email": "b@example.com", "name": "Kept", "password": "short"}, "password-hint"),
        ({"email": "b@example.com", "name": "Kept", "roles": ["nonesuch"]}, "There is no such role: nonesuch"),
        ({"email": "b@example.com", "name": "Kept", "surprise": "1"}, "surprise"),
    ):
        answer = console.send("/console/users/new", **fields)
        assert answer.status_code in (409, 422), fields
        assert sentence in answer.text, fields
        assert 'value="Kept"' in answer.text
        assert "short" not in answer.text
    assert "b@example.com" not in console.get("/console/users").text


def test_users_are_found(console):
    page = made(console, name="Ann Example")
    made(console, email="ben@example.com", roles=["member", "admin"])
    console.send(f"{page}/block")
    for query, found in (
        ("search=ann", {"ann@example.com"}),
        ("role=admin", {"admin@example.com", "ben@example.com"}),
        ("active=false", {"ann@example.com"}),
        ("search=&role=&active=", {"admin@example.com", "ann@example.com", "ben@example.com"}),
        ("search=nobody", set()),
    ):
        rows = re.search(r'<section id="rows".*?</section>', console.get(f"/console/users?{query}").text, re.S)[0]
        assert set(re.findall(r">(\w+@example\.com)</a>", rows)) == found, query
    first = console.get("/console/users?limit=1")
    following = re.search(r'href="([^"]+cursor[^"]+)">Older', first.text)[1].replace("&amp;", "&")
    assert "ann@example.com" in console.get(following).text
    assert "limit=1" in following


def test_names_and_roles_are_changed(console):
    page = made(console, name="Ann")
    assert 'value="Ann"' in console.get(f"{page}/edit").text
    answer = console.send(f"{page}/edit", username="ann", name="", roles=["member", "admin"], confirmed="on")
    assert (answer.status_code, answer.location) == (303, page)
    text = console.get(page).text
    assert "admin, member" in text
    assert "<dd>ann</dd>" in text
    assert "<dd>yes</dd>" in text


def test_blocking_asks_first_and_ends_every_sign_in(console, somebody):
    person = somebody()
    path = f"/console/users/{person.account.id}/block"
    question = console.get(path)
    assert title(question) == f"Block {person.account.email}?"
    assert "Every sign-in and every API token of this user ends at once" in question.text
    assert person.get("/console/account").status_code == 200
    assert console.send(path).status_code == 303
    assert is_at_the_door(person.get("/console/account"))
    assert person.device.me().status_code == 401
    assert console.send(f"/console/users/{person.account.id}/unblock").status_code == 303
    assert is_at_the_door(person.get("/console/account"))
    person.sign_in(person.account)


def test_another_password_ends_every_sign_in(console, somebody):
    person = somebody()
    path = f"/console/users/{person.account.id}/password"
    assert console.send(path, password="short").status_code == 422
    assert person.get("/console/account").status_code == 200
    assert console.send(path, password="another quiet harbour").status_code == 303
    assert is_at_the_door(person.get("/console/account"))


def test_deleting_asks_first_and_leads_back_to_the_list(console, somebody):
    person = somebody()
    path = f"/console/users/{person.account.id}"
    assert "for good" in console.get(f"{path}/delete").text
    answer = console.send(f"{path}/delete")
    assert (answer.status_code, answer.location) == (303, "/console/users")
    assert said(console, "/console/users").startswith(f"{person.account.email} was deleted; 2 sign-ins")
    assert console.get(path).status_code == 404
