import pytest
import requests

from tests.dialects.fusionauth import SCOPES, client_of, client_with
from tests.dialects.in_process import asking
from tests.flows.conftest import admin, make_person, make_tenant, owner  # noqa: F401  (fixtures)


@pytest.fixture
def fusionauth(app, monkeypatch):
    """Make FusionAuth's own Python client, with an API key or an empty one, that talks to the app."""
    monkeypatch.setattr(requests, "request", asking(app))
    return client_with


@pytest.fixture
def anonymous(fusionauth):
    return fusionauth("")


@pytest.fixture
def keeper(make_person):  # noqa: F811
    """Who holds what an API key needs."""
    return make_person(*SCOPES, "api-tokens:write", "auth:refresh")


@pytest.fixture
def keyed(fusionauth, keeper):
    """A client whose API key may do everything here."""
    return client_of(keeper, *SCOPES)


@pytest.fixture
def mix(make_person):  # noqa: F811
    return make_person("auth:refresh")
