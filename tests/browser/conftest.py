"""What a browser does: Chromium, and real servers in cookie transport. Each test has a profile of its own.

The browser and its servers are dear, so all of these tests run in one process and share them.
"""

from pathlib import Path

import pytest

from tests.browser.tabs import Office, Pages, Tab, serve_on
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


@pytest.fixture(scope="session")
def strict(folder):
    """Another, where every refresh steps: what is spent is spent, and no leeway heals a lost answer."""
    url = f"sqlite:///{folder / 'strict.db'}"
    server = Gunicorn(url, folder / "strict.log", workers=1, TRANSPORT="cookie", REFRESH_LEEWAY="0")
    yield server
    server.stop()


@pytest.fixture(scope="session")
def pages():
    pages = Pages()
    yield pages
    pages.stop()


@pytest.fixture(scope="session")
def office(server):
    return Office(server)


@pytest.fixture(scope="session")
def strict_office(strict):
    return Office(strict)


@pytest.fixture(scope="session")
def applications(office):
    """One of each transport, whose access tokens live long enough for any test."""
    return {transport: office.add_application(transport=transport) for transport in ("cookie", "body")}


@pytest.fixture(scope="session")
def strict_applications(strict_office):
    return {transport: strict_office.add_application(transport=transport) for transport in ("cookie", "body")}


@pytest.fixture
def open_strict_tab(context, strict, strict_applications):
    """As `open_tab`, at the server where every refresh steps."""
    serve_on(context, strict.url)

    def open_one(transport="cookie", within=context):
        sent = {"url": strict.url, "transport": transport, "applicationId": strict_applications[transport]}
        return Tab(within.new_page(), strict.url, **sent)

    return open_one


@pytest.fixture
def open_tab(context, server, applications):
    """Open a tab with the client in it, on the service's own origin unless another is named."""
    serve_on(context, server.url)

    def open_one(transport="cookie", *, origin=server.url, within=context, **options):
        sent = {"url": server.url, "transport": transport, "applicationId": applications[transport], **options}
        return Tab(within.new_page(), origin, **sent)

    return open_one


def violations(page):
    """What axe finds wrong with the page as it is now, one line each."""
    if page.evaluate("typeof axe") == "undefined":
        page.evaluate(AXE.read_text())
    found = page.evaluate("axe.run()")["violations"]
    return [f"{one['id']}: {one['help']} ({one['nodes'][0]['html'][:120]})" for one in found]
