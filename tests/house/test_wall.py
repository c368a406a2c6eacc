"""The wall between tenants: in a session within one, nothing of another is met, whatever is asked and however."""

import ast
from pathlib import Path

import pytest
from sqlalchemy import (
    and_,
    delete,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    union_all,
    update,
)
from sqlalchemy.orm import aliased

from authsvc.extensions import Table
from authsvc.models import Tenant
from authsvc.models.engine import reading, transaction
from tests.planting import OWNED, contents, count, key_of

PACKAGE = Path(__file__).resolve().parents[2] / "authsvc"
# They have a tenant_id and are not walled in.
SHARED = {"signing_keys": "they sign for every tenant; the column only says where their rows lie"}

# Who goes into the database without a tenant: each with its reason.
ACROSS = {
    "accounts.get": "the user of an id; the tenant is compared with the one that is meant",
    "api_token_uses._write": "the rows that were used, by their primary keys, of whichever tenants",
    "api_tokens.live": "the row whose text it is, by its digest; the tenant follows from it",
    "applications.listing": "a browser's preflight names no tenant: any application may list the origin",
    "applications.of_sign_in": "by the id that a signature proves, before the tenant is known",
    "clients.recognised": "a client is named by its id, in whatever tenant that is, before the tenant is known",
    "clients.standing_of": "the row that a proof names, by its primary key; the tenant is compared with the proof's",
    "contents._applications": "the doctor looks at the cookies of every tenant's applications",
    "contents._keys": "keys are the whole service's",
    "database.examine": "asks the database about itself",
    "events.tell": "writes one line in the tenant that it is given; there is nothing to read",
    "installation.schema": "asks for the revision of the tables, which have no tenant",
    "importing.run": "adds many rows at once, each with the mandate's tenant",
    "key_rotation.holding": "keys are the whole service's, and so are the sign-ins that hold them",
    "key_rotation.get": "keys are the whole service's",
    "key_rotation._end_signed": "the sign-ins of a key, which is the whole service's",
    "key_rotation.find": "keys are the whole service's",
    "key_rotation.retire": "keys are the whole service's, and so are the sign-ins that hold them",
    "key_rotation.revoke": "keys are the whole service's",
    "key_rotation.rotate_if_older": "keys are the whole service's, and so are the sign-ins that hold them",
    "key_rotation.rotate": "keys are the whole service's, and so are the sign-ins that hold them",
    "pruning._slices": "the operator's command prunes the whole table",
    "pruning.count": "the operator's command prunes the whole table",
    "pruning.prune": "the operator's command prunes the whole table",
    "refresh_tokens._end_reused": "the row that a proof names, by its primary key",
    "refresh_tokens.end": "the sign-ins of the user that a proof names",
    "refresh_tokens.rotate": "the row that a proof names, by its primary key; the tenant is compared with the proof's",
    "standings.read": "the row that a proof names, by its primary key; the tenant is compared with the proof's",
    "signing_keys._read": "keys are the whole service's",
    "tenants.create": "operators act on tenants from outside them",
    "tenants.delete": "operators act on tenants from outside them",
    "tenants.find": "operators act on tenants from outside them",
    "tenants.get": "operators act on tenants from outside them",
    "tenants.selected": "finds out which tenant is meant",
    "tenants.update": "operators act on tenants from outside them",
    "throttle._count": "counts strangers, who have no tenant",
    "throttle.refuse_stopped_source": "counts strangers, who have no tenant",
    "uniqueness.refuse_taken_subject": "no id is a user's and an application's at once, whatever their tenants",
}
# Where a tenant filter is written by hand all the same.
BY_HAND = {
    "role": "what stands between two names is written into the statement as it is",
    "tenants": "what an operator ends with a tenant, from outside it",
}
INTO_THE_DATABASE = {"transaction", "reading", "single_statements"}


# What is walled in


def test_every_table_with_a_tenant_is_walled_in():
    tenanted = {table.name for table in Table.metadata.sorted_tables if "tenant_id" in table.columns}
    assert tenanted - {model.__tablename__ for model in OWNED} == set(SHARED)
    assert {"users", "refresh_tokens", "events", "applications", "roles", "user_roles"} <= tenanted


def ways_to_read(model, theirs):
    """Statements that would find the other tenant's row, each with what they find of it: rows or a number."""
    key = model.__mapper__.primary_key[0]
    value = key_of(model, theirs)[0]
    other, inner = aliased(model), aliased(model)
    is_theirs = model.tenant_id == theirs.tenant_id
    subquery = select(model.tenant_id, key.label("key")).where(is_theirs).subquery()
    cte = select(model.tenant_id).where(is_theirs).cte()
    return {
        "all": select(model).where(is_theirs),
        "by key": select(model).where(key == value),
        "columns": select(model.tenant_id).where(key == value),
        "or": select(model).where(or_(is_theirs, and_(literal(1) == 1, is_theirs))),
        "alias": select(other).where(other.tenant_id == theirs.tenant_id),
        "self join": select(model.tenant_id).join(other, other.tenant_id == theirs.tenant_id).where(is_theirs),
        "joined beside ours": select(other.tenant_id)
        .select_from(model)
        .join(other, literal(1) == 1)
        .where(other.tenant_id == theirs.tenant_id),
        "outer join": select(other.tenant_id)
        .select_from(model)
        .outerjoin(other, literal(1) == 1)
        .where(other.tenant_id == theirs.tenant_id),
        "join to its tenant": select(Tenant.slug).join(model, model.tenant_id == Tenant.id).where(is_theirs),
        "subquery": select(subquery.c.tenant_id),
        "cte": select(cte.c.tenant_id),
        "in": select(model.tenant_id).where(
            model.tenant_id.in_(select(inner.tenant_id).where(inner.tenant_id == theirs.tenant_id))
        ),
        "union": union_all(
            select(model.tenant_id).where(is_theirs), select(other.tenant_id).where(other.tenant_id == theirs.tenant_id)
        ),
        "group": select(model.tenant_id, func.count()).where(is_theirs).group_by(model.tenant_id),
        "held": select(model).where(is_theirs).with_for_update(),
    }


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__tablename__)
def test_nothing_of_another_tenant_is_read(walled, model):
    (ours, our_rows), (theirs, their_rows) = walled
    with reading(within=theirs) as session:
        for name, statement in ways_to_read(model, their_rows[model]).items():
            assert session.execute(statement).all(), f"{name} finds nothing at all: it would prove nothing"
    for way_in in (reading, transaction):
        with way_in(within=ours) as session:
            for name, statement in ways_to_read(model, their_rows[model]).items():
                assert session.execute(statement).all() == [], name
            is_theirs = model.tenant_id == theirs
            assert session.scalar(select(func.count()).select_from(model).where(is_theirs)) == 0
            assert session.scalar(select(func.count(model.tenant_id))) == session.scalar(
                select(func.count(model.tenant_id)).where(model.tenant_id == ours)
            )
            assert session.scalar(select(exists(select(model.tenant_id).where(is_theirs)))) is False
            assert session.scalar(select(select(func.count(model.tenant_id)).where(is_theirs).scalar_subquery())) == 0
            assert session.query(model).filter(is_theirs).count() == 0
            assert session.get(model, key_of(model, their_rows[model])) is None
            assert session.get(model, key_of(model, our_rows[model])) is not None
            assert {row.tenant_id for row in session.scalars(select(model))} == {ours}


def test_other_tenants_themselves_are_not_met(walled):
    (ours, _), (theirs, _) = walled
    with reading(within=ours) as session:
        assert session.scalars(select(Tenant.id)).all() == [ours]
        assert session.get(Tenant, theirs) is None
        assert session.scalar(select(func.count()).select_from(Tenant)) == 1


def ways_to_change(model, theirs):
    """Statements that would write to the other tenant's row."""
    key = model.__mapper__.primary_key[0]
    value = key_of(model, theirs)[0]
    subquery = select(key).where(model.tenant_id == theirs.tenant_id)
    written = update(model).values({key.key: key})
    return {
        "update": written.where(key == value),
        "update, returning": written.where(key == value).returning(model.tenant_id),
        "update by subquery": written.where(key.in_(subquery)),
        "delete by subquery": delete(model).where(key.in_(subquery), key == value),
        "delete, returning": delete(model).where(key == value).returning(model.tenant_id),
        "delete": delete(model).where(key == value),
    }


def would_write(tenant_id, name, statement):
    with transaction(within=tenant_id) as session:
        try:
            return written_by(session, name, statement)
        finally:
            session.get_transaction().rollback()


def written_by(session, name, statement):
    done = session.execute(statement, execution_options={"synchronize_session": False})
    return len(done.all()) if "returning" in name else done.rowcount


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__tablename__)
def test_nothing_of_another_tenant_is_changed(walled, model):
    (ours, _), (theirs, their_rows) = walled
    before = contents(model, theirs)
    for name, statement in ways_to_change(model, their_rows[model]).items():
        assert would_write(theirs, name, statement), f"{name} writes nothing at all: it would prove nothing"
        with transaction(within=ours) as session:
            assert written_by(session, name, statement) == 0, name
    with transaction(within=ours) as session:
        assert written_by(session, "all", delete(model))
    assert contents(model, theirs) == before
    assert count(model, ours) == 0


@pytest.mark.parametrize("model", OWNED, ids=lambda model: model.__tablename__)
def test_no_row_is_put_behind_the_wall(walled, model):
    (ours, our_rows), (theirs, their_rows) = walled
    before = contents(model, theirs)
    values = {column.key: getattr(their_rows[model], column.key) for column in model.__mapper__.columns}
    wrongs = {
        "added": lambda session: session.add(model(**values)),
        "merged": lambda session: session.merge(model(**values)),
        "moved": lambda session: setattr(session.get(model, key_of(model, our_rows[model])), "tenant_id", theirs),
        "inserted": lambda session: session.execute(insert(model).values(**values)),
        "changed by key": lambda session: session.execute(update(model), [values]),
        "inserted many": lambda session: session.execute(insert(model), [values]),
        "moved by a statement": lambda session: session.execute(update(model).values(tenant_id=theirs)),
    }
    for name, wrong in wrongs.items():
        with pytest.raises(RuntimeError, match="tenant's session"):
            put(ours, wrong)
        assert contents(model, theirs) == before, name


def put(tenant_id, wrong):
    with transaction(within=tenant_id) as session:
        wrong(session)
        session.flush()


def test_what_the_wall_does_not_reach_is_refused(walled):
    (ours, _), _ = walled
    users = Table.metadata.tables["users"]
    for asked in (
        select(users),
        text("SELECT * FROM users"),
        select(text("email")).select_from(text("users")),
        update(users).values(name="x"),
        delete(users),
        insert(users).values(name="x"),
    ):
        with reading(within=ours) as session, pytest.raises(RuntimeError, match="ask for models"):
            session.execute(asked)


# How the services go in


def calls(tree):
    """Every call that goes into the database, with the function that it stands in, however deep."""

    def walk(node, within):
        for child in ast.iter_child_nodes(node):
            here = within or child.name if isinstance(child, (ast.FunctionDef, ast.AsyncFunctionDef)) else within
            if isinstance(child, ast.Call):
                name = getattr(child.func, "id", getattr(child.func, "attr", ""))
                if name in INTO_THE_DATABASE:
                    yield here, child
            yield from walk(child, here)

    yield from walk(tree, None)


def goes_across(call):
    """Without a tenant, or with one that is plainly none."""
    given = [word.value for word in call.keywords if word.arg == "within"] + call.args[:1]
    return not given or any(isinstance(value, ast.Constant) for value in given)


def trees(*folders):
    for folder in folders:
        for path in sorted((PACKAGE / folder).rglob("*.py")):
            yield path, ast.parse(path.read_text())


def test_services_stay_within_a_tenant_or_say_why_not():
    across = {
        f"{path.stem}.{function}"
        for path, tree in trees("services")
        for function, call in calls(tree)
        if goes_across(call)
    }
    assert across == set(ACROSS)


def own_column(node):
    """`User.tenant_id`, and not `mandate.tenant_id`: models are written with a capital letter."""
    return (
        isinstance(node, ast.Attribute)
        and node.attr == "tenant_id"
        and getattr(node.value, "id", "").lstrip("_")[:1].isupper()
    )


def column_of_a_model(node):
    return isinstance(node, ast.Attribute) and getattr(node.value, "id", "").lstrip("_")[:1].isupper()


def filters_by_hand(tree):
    """Where a tenant filter, or something that gets round the wall, is written. A join of two columns is neither."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(map(own_column, sides)) and not all(map(column_of_a_model, sides)):
                yield node.lineno
        elif isinstance(node, ast.Call):
            name = getattr(node.func, "id", getattr(node.func, "attr", ""))
            if name in ("in_", "is_", "not_in") and own_column(getattr(node.func, "value", None)):
                yield node.lineno
            if name in ("filter_by", "values") and any(word.arg == "tenant_id" for word in node.keywords):
                yield node.lineno
            if name in ("text", "from_statement", "exec_driver_sql", "literal_column", "bulk_save_objects"):
                yield node.lineno
        elif isinstance(node, ast.Attribute) and node.attr == "__table__":
            yield node.lineno


def test_no_tenant_filter_is_written_by_hand_and_nothing_goes_round_the_wall():
    found = [
        f"{path.stem}:{line}"
        for path, tree in trees("services", "models")
        for line in filters_by_hand(tree)
        if path.name != "engine.py"
    ]
    assert {place.partition(":")[0] for place in found} == set(BY_HAND), found


def test_the_rules_would_catch_what_they_forbid():
    source = """
def outer(tenant_id):
    with transaction() as a, reading(within=None) as b, engine.single_statements() as c:
        pass
    with transaction(within=tenant_id), reading(mandate.tenant_id, unhurried=True):
        def inner():
            return reading()
    select(User).where(User.tenant_id == tenant_id)
    select(User).where(tenant_id != _Other.tenant_id)
    User.tenant_id.in_([tenant_id])
    select(User).filter_by(tenant_id=tenant_id)
    update(User).values(tenant_id=tenant_id)
    text("SELECT 1")
    User.__table__
    join(Tenant, Tenant.id == User.tenant_id)
    proof.tenant_id == standing.tenant_id
"""
    tree = ast.parse(source)
    assert [(name, goes_across(call)) for name, call in calls(tree)] == [
        *[("outer", True)] * 3,
        *[("outer", False)] * 2,
        ("outer", True),
    ]
    assert sorted(set(filters_by_hand(tree))) == [8, 9, 10, 11, 12, 13, 14]
