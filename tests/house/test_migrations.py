"""The migrations make the tables that the models speak of, on both databases, whoever runs them and how often."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask_migrate import downgrade, upgrade
from sqlalchemy import inspect, select, text
from sqlalchemy.exc import StatementError

from authsvc import clock, create_app, opaque
from authsvc.extensions import Table, db
from authsvc.models import Application, Event, Role, Tenant, User
from authsvc.models.engine import reading, transaction
from authsvc.opaque import is_id
from authsvc.permissions import BUILT_IN_ROLES
from authsvc.services import installation, tenants
from tests.conftest import (
    ADMIN_EMAIL,
    ADMIN_PASSWORD,
    BASE_URL,
    close,
    configured,
    counter,
    on_postgresql,
    postgresql_url,
)

ROOT = Path(__file__).resolve().parents[2]
TENANTLESS = {"tenants", "attempts"}
BOOKKEEPING = {"alembic_version"}


@pytest.fixture
def empty_database(database_kind, tmp_path, worker_id):
    """The address of a database in which nothing is yet."""
    if database_kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'new' / 'authsvc.db'}"
    else:
        name = f"empty_{worker_id}_{next(counter)}"
        on_postgresql(f"CREATE DATABASE {name}")
        yield postgresql_url(name)
        on_postgresql(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def empty_app(empty_database):
    app = create_app(configured(empty_database))
    with app.app_context():
        yield app
    close(app)


@pytest.fixture
def migrated(app):
    with app.app_context():
        yield app


def tables():
    return set(inspect(db.engine).get_table_names()) - BOOKKEEPING


def names_of(inspector, table):
    """The names of all that is named in a table."""
    several = [*inspector.get_unique_constraints(table), *inspector.get_check_constraints(table)]
    several += inspector.get_foreign_keys(table)
    names = {found["name"] for found in several} | {inspector.get_pk_constraint(table)["name"]}
    # PostgreSQL keeps an index of the same name for each unique constraint.
    return names | {found["name"] for found in inspector.get_indexes(table)}


# Each is a process with an app of its own. They are forked off one that has imported everything, and start together.
AT_ONCE = """
import json, os, sys
from multiprocessing import get_context

from authsvc import create_app
from config import from_environment

def run(everybody, results):
    app = create_app(from_environment())
    everybody.wait()
    done = app.test_cli_runner().invoke(args=sys.argv[2:])
    results.put((done.exit_code, done.output, repr(done.exception)))

fork, number = get_context("fork"), int(sys.argv[1])
everybody, results = fork.Barrier(number), fork.Queue()
processes = [fork.Process(target=run, args=(everybody, results)) for _ in range(number)]
for process in processes:
    process.start()
print(json.dumps([results.get(timeout=100) for _ in processes]))
"""


def at_once(number, database_url, *command):
    """So many processes run a command at one moment; all succeed. Answers what each of them printed."""
    environment = {
        "PATH": os.environ["PATH"],
        "AUTHSVC_ENV": "testing",
        "AUTHSVC_BASE_URL": BASE_URL,
        "AUTHSVC_DATABASE_URL": database_url,
        "AUTHSVC_DATABASE_TIMEOUT": "30",
    }
    program = [sys.executable, "-c", AT_ONCE, str(number), *command]
    done = subprocess.run(program, cwd=ROOT, env=environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)
    assert [code for code, _, _ in results] == [0] * number, results
    return [output for _, output, _ in results]


# There and back


def test_upgrade_downgrade_and_upgrade_again(empty_app):
    assert tables() == set()
    upgrade()
    assert tables() == set(Table.metadata.tables)
    downgrade(revision="base")
    assert tables() == set()
    upgrade()
    assert tables() == set(Table.metadata.tables)
    installation.check_schema()
    assert installation.complete(clock.utcnow()).email == ADMIN_EMAIL


def test_upgrading_twice_changes_nothing(migrated):
    with reading() as session:
        before = session.execute(text("SELECT id FROM tenants")).all()
    upgrade()
    with reading() as session:
        assert session.execute(text("SELECT id FROM tenants")).all() == before


def test_revisions_are_one_line_with_numbers_of_four_digits():
    from alembic.script import ScriptDirectory

    revisions = [revision.revision for revision in ScriptDirectory(str(installation.MIGRATIONS)).walk_revisions()]
    assert revisions[::-1] == [f"{number:04}" for number in range(1, len(revisions) + 1)]


# What they make


def test_the_migrations_make_what_the_models_speak_of(migrated):
    with db.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Table.metadata) == []


def test_columns_are_as_required_and_as_long_as_in_the_models(migrated):
    inspector = inspect(db.engine)
    for table in Table.metadata.sorted_tables:
        made = {column["name"]: column for column in inspector.get_columns(table.name)}
        assert set(made) == set(table.columns.keys())
        for column in table.columns:
            found = made[column.name]
            assert found["nullable"] == column.nullable, f"{table.name}.{column.name}"
            assert getattr(found["type"], "length", None) in (getattr(column.type, "length", None), None)


def test_constraints_and_indexes_bear_the_names_of_the_convention(migrated):
    inspector = inspect(db.engine)
    for table in Table.metadata.sorted_tables:
        from_models = {str(found.name) for found in table.constraints | table.indexes}
        assert names_of(inspector, table.name) == from_models, table.name
        for name in from_models:
            assert re.fullmatch(rf"(pk_{table.name}|(uq|ix|fk|ck)_{table.name}_\w+)", name)
            assert len(name) <= 63, f"PostgreSQL would shorten {name}"


def test_pages_have_the_room_that_the_models_ask_for(migrated, database_kind):
    """Only PostgreSQL has a word for it."""
    inspector = inspect(db.engine)
    for table in Table.metadata.sorted_tables:
        asked = table.dialect_options["postgresql"]["with"] if database_kind == "postgresql" else {}
        made = inspector.get_table_options(table.name)
        assert made == ({"postgresql_with": {name: str(value) for name, value in asked.items()}} if asked else {})


def test_every_row_belongs_to_a_tenant_and_dies_with_it(migrated):
    inspector = inspect(db.engine)
    for table in tables() - TENANTLESS:
        [column] = [column for column in inspector.get_columns(table) if column["name"] == "tenant_id"]
        assert not column["nullable"], table
        [foreign] = [key for key in inspector.get_foreign_keys(table) if key["constrained_columns"] == ["tenant_id"]]
        assert (foreign["referred_table"], foreign["options"]["ondelete"]) == ("tenants", "CASCADE")


def test_there_is_a_default_tenant_with_its_application_and_the_built_in_roles(empty_app):
    upgrade()
    with reading() as session:
        [tenant] = session.scalars(select(Tenant))
        [application] = session.scalars(select(Application))
        roles = {role.name: role.permissions for role in session.scalars(select(Role))}
        assert {row.tenant_id for row in session.scalars(select(Role))} == {tenant.id}
    assert (tenant.slug, tenant.active) == ("default", True)
    assert (application.tenant_id, application.slug, application.active) == (tenant.id, "default", True)
    chosen = ("transport", "cookie_same_site", "access_lifetime", "refresh_idle_lifetime", "refresh_lifetime")
    assert {getattr(application, name) for name in chosen} == {None}
    assert roles == BUILT_IN_ROLES


def test_a_tenant_that_is_made_later_has_what_the_first_one_has(migrated):
    def kept(session, tenant):
        own = select(Application).where(Application.tenant_id == tenant.id)
        [application] = session.scalars(own)
        roles = {row.name: row.permissions for row in session.scalars(select(Role).where(Role.tenant_id == tenant.id))}
        return application.slug, application.active, tenant.active, roles

    with transaction() as session:
        later = tenants.establish(session, "later", "Later", clock.utcnow())
    with reading() as session:
        assert kept(session, later) == kept(session, tenants.selected(None))


# What comes back


def test_moments_come_back_in_utc_to_the_microsecond(migrated):
    at = datetime(2026, 3, 1, 1, 30, 15, 123456, timezone(timedelta(hours=5)))
    with transaction() as session:
        tenants.establish(session, "clock", "Clock", at)
    with reading() as session:
        back = session.scalars(select(Tenant).where(Tenant.slug == "clock")).one().created_at
    assert back == at
    assert (back.tzinfo, back.hour, back.day, back.microsecond) == (UTC, 20, 28, 123456)


def test_a_moment_without_a_time_zone_is_refused(migrated):
    naive = datetime(2026, 3, 1, 1, 30)  # noqa: DTZ001
    with pytest.raises(StatementError, match="without a time zone"), transaction() as session:
        tenants.establish(session, "clock", "Clock", naive)


def test_ids_come_back_as_lower_case_text(migrated, database_kind):
    shouted = opaque.new_id().upper() if database_kind == "postgresql" else opaque.new_id()
    with transaction() as session:
        session.add(Tenant(id=shouted, slug="ids", name="Ids", active=True, created_at=clock.utcnow()))
    with reading() as session:
        ids = set(session.scalars(select(Tenant.id))) | set(session.scalars(select(Role.tenant_id)))
        ids |= set(session.scalars(select(User.id)))
    assert shouted.lower() in ids
    assert all(isinstance(found, str) and is_id(found) for found in ids)


def test_details_and_sets_of_words_come_back_as_they_were(migrated):
    detail = {"revoked": 2, "everywhere": True, "name": "ключ 🗝", "list": [1, None]}
    with transaction() as session:
        owner = tenants.establish(session, "words", "Words", clock.utcnow())
        session.add(
            Event(
                id=opaque.new_id(),
                tenant_id=owner.id,
                kind="key.rotated",
                at=clock.utcnow(),
                outcome="success",
                ip="",
                user_agent="",
                request_id="",
                detail=detail,
            )
        )
    with reading() as session:
        assert session.scalars(select(Event).where(Event.tenant_id == owner.id)).one().detail == detail
        admin = session.scalars(select(Role).where(Role.tenant_id == owner.id, Role.name == "admin")).one()
    assert admin.permissions == BUILT_IN_ROLES["admin"]


def test_a_tenant_takes_all_that_is_its_own_with_it(migrated):
    with transaction() as session:
        later = tenants.establish(session, "later", "Later", clock.utcnow())
    with transaction() as session:
        session.execute(text("DELETE FROM tenants WHERE slug = 'later'"))
    with reading() as session:
        assert session.scalars(select(Role).where(Role.tenant_id == later.id)).all() == []
        assert session.scalars(select(Role)).all() != []


# Several at once


def test_two_processes_migrate_at_once(empty_database):
    at_once(2, empty_database, "db", "upgrade")
    app = create_app(configured(empty_database))
    with app.app_context():
        installation.check_schema()
        with reading() as session:
            assert len(session.scalars(select(Tenant)).all()) == 1
            assert len(session.scalars(select(Role)).all()) == len(BUILT_IN_ROLES)
    close(app)


def test_eight_first_starts_at_once_make_one_administrator_and_one_pair_of_keys(empty_database):
    told = at_once(8, empty_database, "prepare")
    assert sorted(map(bool, told)) == [False] * 7 + [True]
    [line] = [line for out in told for line in out.splitlines() if "password:" in line]
    app = create_app(configured(empty_database))
    with app.app_context(), reading() as session:
        [admin] = session.scalars(select(User))
        assert admin.email == ADMIN_EMAIL
        states = session.execute(text("SELECT state FROM signing_keys ORDER BY state")).scalars().all()
        assert states == ["active", "next"]
    password = line.split("password: ")[1].split()[0]
    answer = app.test_client().post("/auth/login", json={"email": ADMIN_EMAIL, "password": password})
    assert answer.json["data"]["user"]["roles"] == ["admin", "member", "operator"]
    close(app)


def test_preparing_again_is_quiet_and_makes_nobody(empty_app):
    runner = empty_app.test_cli_runner()
    first, second = (runner.invoke(args=["prepare"]) for _ in range(2))
    assert (first.exit_code, second.exit_code) == (0, 0)
    assert first.output.startswith(f"First administrator: {ADMIN_EMAIL}")
    assert ADMIN_PASSWORD not in first.output
    assert second.output == ""
    with reading() as session:
        assert len(session.scalars(select(User)).all()) == 1
        assert session.execute(text("SELECT count(*) FROM signing_keys")).scalar() == 2


def test_preparing_makes_no_administrator_where_there_is_a_user(empty_app):
    upgrade()
    body = {"email": "mix@example.com", "password": "a quiet harbour at dawn"}
    assert installation.complete(clock.utcnow()) is not None
    with transaction() as session:
        session.execute(text("DELETE FROM users"))
    assert empty_app.test_client().post("/auth/register", json=body).status_code == 201
    assert installation.complete(clock.utcnow()) is None


def test_until_the_tables_are_todays_the_service_is_not_ready(empty_app):
    client = empty_app.test_client()
    for _ in range(2):
        answer = client.get("/readyz")
        assert (answer.status_code, answer.json["error"]["code"]) == (503, "unavailable")
    assert client.get("/healthz").status_code == 200
    empty_app.test_cli_runner().invoke(args=["prepare"])
    assert client.get("/readyz").json == {"status": "ready"}
