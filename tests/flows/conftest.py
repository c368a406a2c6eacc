import pytest

from authsvc import clock
from authsvc.models.engine import transaction
from authsvc.services import tenants
from tests.drivers import Script


@pytest.fixture
def script(app):
    return Script(app)


@pytest.fixture
def make_tenant(rows):
    def make(app, slug):
        with app.app_context(), transaction() as session:
            tenants.create(session, slug, slug.title(), clock.utcnow())

    return make
