"""The page that describes the interface, used as by somebody who tries it for the first time."""

import json

import pytest

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD


@pytest.fixture
def docs(server, page):
    """The page, and what it should not have done: said in its console, asked for elsewhere."""
    page.amiss = []
    page.on("console", lambda said: page.amiss.append(said.text) if is_error(said) else None)
    page.on("pageerror", lambda error: page.amiss.append(str(error)))
    page.on("request", lambda request: page.amiss.append(request.url) if is_elsewhere(request.url, server) else None)
    page.goto(f"{server.url}/docs")
    yield page
    assert page.amiss == []


def is_error(said):
    """Swagger UI has a note for its own programmers."""
    return said.type == "error" and not said.text.startswith("Deprecated:")


def is_elsewhere(url, server):
    return not url.startswith((server.url, "data:"))


def tried(page, operation, body=None):
    """Open an operation, send it, and read the answer."""
    block = page.locator(f"#operations-{operation}")
    page.locator(".opblock").first.wait_for()
    while not block.count():
        before = page.evaluate("scrollY")
        page.mouse.wheel(0, 300)  # what is further down is drawn when somebody gets there
        page.wait_for_timeout(200)
        assert page.evaluate("scrollY") > before, f"There is no {operation} on the page."
    block.locator(".opblock-summary-control").click()
    if body is not None:
        block.locator("textarea.body-param__text").fill(json.dumps(body))
    block.get_by_role("button", name="Execute").click()
    answer = block.locator(".live-responses-table")
    answer.wait_for()
    status = int(answer.locator(".response-col_status").last.inner_text().split()[0])
    said = json.loads(answer.locator(".response-col_description code").first.inner_text())
    block.locator(".opblock-summary-control").click()
    return status, said


def authorize(page, scheme, token):
    page.get_by_role("button", name="Authorize").first.click()
    form = page.locator(".auth-container").filter(has=page.locator("code", has_text=scheme)).first
    form.get_by_role("textbox").fill(token)
    form.get_by_role("button", name="Apply credentials").click()
    page.get_by_role("button", name="Close").first.click()


def test_both_kinds_of_token_work_once_they_are_given(docs):
    status, answer = tried(docs, "auth-auth_login", {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD})
    assert status == 200
    authorize(docs, "accessToken", answer["data"]["accessToken"])
    status, answer = tried(docs, "api-tokens-api_tokens_create", {"name": "from the page", "scopes": []})
    assert status == 201
    docs.reload()
    authorize(docs, "apiToken", answer["data"]["token"])
    status, answer = tried(docs, "auth-auth_me")
    assert (status, answer["data"]["via"]) == (200, "api_token")
