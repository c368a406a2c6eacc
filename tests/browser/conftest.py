"""What a browser does: Chromium, and real servers in cookie transport. Each test has a profile of its own.

The browser and its servers are dear, so all of these tests run in one process and share them.
"""

from pathlib import Path

import pytest

from tests.servers.chromium import chromium
from tests.servers.gunicorn import Gunicorn

AXE = Path(__file__).resolve().parents[1] / "clients" / "node" / "node_modules" / "axe-core" / "axe.min.js"


def pytest_collection_modifyitems(items):
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("browser"))


@pytest.fixture(scope="session")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("browser")


@pytest.fixture(scope="session")
def browser():
    with chromium() as browser:
        yield browser


@pytest.fixture
def context(browser):
    """A person's own browser: its cookies and stores are nobody else's."""
    context = browser.new_context()
    yield context
    context.close()


@pytest.fixture
def page(context):
    return context.new_page()


@pytest.fixture(scope="session")
def server(folder):
    """The service in cookie transport, on SQLite, with two workers."""
    server = Gunicorn(f"sqlite:///{folder / 'server.db'}", folder / "server.log", workers=2, TRANSPORT="cookie")
    yield server
    server.stop()


def violations(page):
    """What axe finds wrong with the page as it is now, one line each."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")["violations"]
    return [f"{one['id']}: {one['help']} ({one['nodes'][0]['html'][:120]})" for one in found]
