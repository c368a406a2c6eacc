"""What the hot requests ask of a PostgreSQL with many rows: few statements, which find their rows by keys."""

from datetime import timedelta

import psycopg
import pytest

from authsvc import create_app, requires
from authsvc.extensions import db
from tests.conftest import (
    ADMIN_EMAIL,
    ADMIN_PASSWORD,
    close,
    configured,
    counter,
    finish_writing,
    migrate,
    on_postgresql,
    postgresql_url,
)
from tests.drivers import Account, Script
from tests.flows.api_tokens import make_api_token, use

pytestmark = pytest.mark.xdist_group("plans")
MANY = 5000
PROTECTED = "/protected"
# A copy of what is there already, so many times, each with an owner of its own: what must differ by number.
COPIES = {
    "tenants": {"slug": "'tenant-' || number"},
    "roles": {},
    "applications": {},
    "users": {},
    "refresh_tokens": {"user_id": "users", "application_id": "applications"},
    "api_tokens": {"user_id": "users", "digest": "repeat(md5(number::text), 2)"},
    "user_roles": {"user_id": "users", "role_id": "roles"},
    "events": {},
}
UNIQUE = "SELECT indexrelid::regclass::text FROM pg_index WHERE indisunique"


@pytest.fixture(scope="module")
def database(worker_id):
    name = f"plans_{worker_id}_{next(counter)}"
    on_postgresql(f"CREATE DATABASE {name}")
    migrate(postgresql_url(name))
    yield postgresql_url(name)
    on_postgresql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(scope="module")
def connection(database):
    with psycopg.connect(database.replace("+psycopg", ""), autocommit=True) as connection:
        yield connection


@pytest.fixture(scope="module")
def device(database, connection):
    """Signed in, with an API token, among very many others."""
    app = create_app(configured(database, REFRESH_LEEWAY=timedelta(0)))
    app.add_url_rule(PROTECTED, "protected", requires()(dict))
    device = Script(app)
    device.tenant = {}
    device.sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD))
    device.api_token = make_api_token(device)["token"]
    device.get(PROTECTED)
    use(device, device.api_token)
    finish_writing(app)
    for table, differing in COPIES.items():
        connection.execute(copies(table, differing))
    connection.execute("ANALYZE")
    yield device
    close(app)
    with app.app_context():
        db.engine.dispose()


def copies(table, differing):
    def identity(of):
        return f"md5('{of}' || number)::uuid"

    own = {} if table == "user_roles" else {"id": identity(table)}
    own |= {} if table == "tenants" else {"tenant_id": identity("tenants")}
    own |= {name: identity(value) if value in COPIES else value for name, value in differing.items()}
    changed = ", ".join(f"'{name}', {value}" for name, value in own.items())
    return (
        f"INSERT INTO {table} SELECT (jsonb_populate_record(one, jsonb_build_object({changed}))).* "
        f"FROM {table} AS one, generate_series(1, {MANY}) AS number WHERE one.ctid = (SELECT min(ctid) FROM {table})"
    )


@pytest.fixture
def asked(monkeypatch):
    """Every statement that is sent meanwhile, whoever sends it, and with what."""
    statements, execute = [], psycopg.Cursor.execute

    def noted(self, query, params=None, **how):
        statements.append((query, params))
        return execute(self, query, params, **how)

    monkeypatch.setattr(psycopg.Cursor, "execute", noted)
    yield statements
    monkeypatch.undo()


def scans(plan):
    """Each place in a plan where a table is looked into."""
    if "Relation Name" in plan and plan["Node Type"] != "ModifyTable":
        yield plan
    for inner in plan.get("Plans", ()):
        yield from scans(inner)


def requests(device):
    """What asks it, and what it may send."""

    def by_api_token(path):
        return lambda: use(device, device.api_token, path)

    return {
        "protected": (lambda: device.get(PROTECTED), ["SELECT"]),
        "forward-auth": (lambda: device.get("/auth/verify"), ["SELECT"]),
        "API token": (by_api_token(PROTECTED), ["SELECT"]),
        "forward-auth by API token": (by_api_token("/auth/verify"), ["SELECT"]),
        "refresh": (device.refresh, ["SELECT", "UPDATE"]),
    }


def test_each_finds_its_rows_by_their_keys_however_many_there_are(device, connection, asked):
    unique = {name for (name,) in connection.execute(UNIQUE)}
    connection.execute("SET plan_cache_mode = force_generic_plan")
    del asked[:]
    for name, (ask, kinds) in requests(device).items():
        assert ask().status_code == 200, name
        statements, looked_into = list(asked), set()
        assert [query.split()[0] for query, _ in statements] == kinds, (name, statements)
        for query, params in statements:
            [(plan,)] = connection.execute(f"EXPLAIN (FORMAT JSON) {query}", params)
            for scan in scans(plan[0]["Plan"]):
                if scan["Relation Name"] in COPIES:
                    looked_into.add(scan["Relation Name"])
                    assert scan["Node Type"] in ("Index Scan", "Index Only Scan"), (name, scan)
                    assert scan["Index Name"] in unique, (name, scan)
                    assert scan.get("Index Cond"), (name, plan[0])
        assert {"users", "user_roles", "tenants"} < looked_into, name
        del asked[:]


def test_a_plan_that_looks_through_a_table_would_be_seen(device, connection):
    [(plan,)] = connection.execute("EXPLAIN (FORMAT JSON) SELECT * FROM refresh_tokens WHERE ip = '192.0.2.1'")
    [scan] = scans(plan[0]["Plan"])
    assert (scan["Node Type"], scan["Relation Name"]) == ("Seq Scan", "refresh_tokens")
