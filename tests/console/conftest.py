import pytest

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.console.browsing import Browser
from tests.drivers import Account
from tests.flows import conftest as flows

# Their fixtures are ours too.
admin, make_person, make_tenant = flows.admin, flows.make_person, flows.make_tenant


@pytest.fixture
def database_kind():
    """Pages say what the services do, and those are tried on both; who compares them asks for it by name."""
    return "sqlite"


@pytest.fixture
def browser(app):
    """Nobody is signed in on it."""
    return Browser(app)


@pytest.fixture
def console(app):
    """The first administrator, who is an operator too."""
    return Browser(app).sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD))


@pytest.fixture
def somebody(app, make_person):
    """A browser on which a person with these permissions is signed in to the console. `device` is another of theirs."""

    def make(*permissions, tenant="default", **more):
        device = make_person("auth:refresh", *permissions, tenant=tenant, **more)
        browser = Browser(app).sign_in(device.account, tenant=tenant)
        browser.device = device
        return browser

    return make
