from tests.flows.conftest import admin, make_person, make_tenant, owner  # noqa: F401  (fixtures)
