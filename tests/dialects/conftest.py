from tests.flows.conftest import admin, make_tenant  # noqa: F401  (fixtures)
