"""The signing keys' pages: rotated, retired, revoked; and what is never shown."""

import html
import re

from tests.console.browsing import is_at_the_door, title


def keys(rows, app):
    return {state: kid for kid, state in rows(app, "SELECT kid, state FROM signing_keys")}


def test_keys_are_rotated_retired_and_revoked(console, somebody, app, rows):
    signing, following = (keys(rows, app)[state] for state in ("active", "next"))
    page = f"/console/keys/{signing}"
    listed = console.get("/console/keys").text
    assert signing in listed
    assert following in listed
    assert "Signs every token that is given out now." in listed
    shown = html.unescape(console.get(page).text)
    assert f'"kid": "{signing}"' in shown
    assert not re.search(r'"d":|sealed|PRIVATE', shown)
    assert "only one that was replaced can retire" in console.send(f"{page}/retire").text

    console.send("/console/keys/rotate")
    assert keys(rows, app)["active"] == following
    assert keys(rows, app)["previous"] == signing
    held = console.send(f"{page}/retire")
    assert held.status_code == 409
    assert "may still hold a token that this key signed" in held.text
    assert console.get("/console/users").status_code == 200

    person = somebody()
    question = console.get(f"{page}/revoke")
    assert title(question) == "Revoke this key?"
    assert re.search(r"\d live sign-ins in all tenants may hold a token", question.text)
    assert console.send(f"{page}/revoke", typed="yes").status_code == 422
    assert person.get("/console/account").status_code == 200
    assert console.send(f"{page}/revoke", typed="revoke").status_code == 303
    assert is_at_the_door(console.get(page))
    assert re.search(r'role="status">The key is revoked; \d sign-ins ended.', console.get("/console/sign-in").text)
    for unknown in ("nonesuch", "x" * 99):
        assert somebody("keys:rotate").get(f"/console/keys/{unknown}/revoke").status_code == 404
