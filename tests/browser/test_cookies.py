"""Cookies as a browser sees them."""

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD

SIGN_IN = """async body => {
    const answer = await fetch("/auth/login", {
        method: "POST", headers: {"Content-Type": "application/json"}, body: JSON.stringify(body)
    });
    return [answer.status, await answer.json()];
}"""


def test_no_script_sees_the_refresh_cookie(server, context, page):
    page.route("**/page", lambda route: route.fulfill(content_type="text/html", body="<!doctype html><title>A</title>"))
    page.goto(f"{server.url}/page")
    status, answer = page.evaluate(SIGN_IN, {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
    assert (status, "refreshToken" in answer["data"]) == (200, False)
    there = {cookie["name"]: cookie for cookie in context.cookies()}
    assert {name: (one["httpOnly"], one["sameSite"], one["path"]) for name, one in there.items()} == {
        "refresh_token": (True, "Strict", "/"),
        "csrf_refresh_token": (False, "Strict", "/"),
    }
    seen = page.evaluate("document.cookie")
    assert seen == f"csrf_refresh_token={there['csrf_refresh_token']['value']}"
    assert there["csrf_refresh_token"]["value"] == answer["data"]["csrfToken"]
