"""A row of every kind that belongs to a tenant, in two tenants: what the tests of the wall look for."""

from datetime import UTC, datetime, timedelta

from sqlalchemy import JSON, Boolean, Integer, String, func, select

from authsvc import clock, opaque
from authsvc.extensions import Table
from authsvc.models.columns import Id, Owned, UtcDateTime, Words
from authsvc.models.engine import transaction
from authsvc.services import tenants

OWNED = sorted((m.class_ for m in Table.registry.mappers if issubclass(m.class_, Owned)), key=lambda c: c.__tablename__)
OURS, THEIRS = "before-the-wall", "behind-the-wall"


def a_value(column, name):
    """Something that fits a column, recognisable where it is text."""
    kind = column.type
    if isinstance(kind, Id):
        return opaque.new_id()
    if isinstance(kind, UtcDateTime):
        return datetime.now(UTC) + timedelta(days=1)
    if isinstance(kind, Words):
        return frozenset({"restaurants:read"})
    for types, value in (((Boolean,), True), ((Integer,), 1), ((JSON,), {"name": name})):
        if isinstance(kind, types):
            return value
    assert isinstance(kind, String), f"Say here what a {kind!r} may hold."
    return name[: kind.length]


def may_be_anything(table, column):
    """Not one of a few words, as a check constraint would have it."""
    checks = [str(rule.sqltext) for rule in table.constraints if hasattr(rule, "sqltext")]
    return not any(f"{column.name} IN" in check for check in checks)


def planted(tenant_id, name):
    """One row of every owned kind in a tenant, each referring to the others'; answers them by class."""
    made = {}
    by_table = {model.__tablename__: model for model in OWNED}
    with transaction(within=tenant_id) as session:
        for table in Table.metadata.sorted_tables:
            if table.name not in by_table:
                continue
            values = {}
            for column in table.columns:
                target = next((key.column.table.name for key in column.foreign_keys), None)
                if target == "tenants":
                    values[column.name] = tenant_id
                elif target is not None:
                    values[column.name] = made[by_table[target]].id
                elif may_be_anything(table, column) and not column.name.endswith("revoked_at"):
                    values[column.name] = a_value(column, name)
            made[by_table[table.name]] = row = by_table[table.name](**values)
            session.add(row)
            session.flush()
    return made


def two_walled_in():
    """Two tenants with a row of every kind in each: (ours, theirs), each an id and its rows."""
    found = []
    for name in (OURS, THEIRS):
        with transaction() as session:
            tenant_id = tenants.establish(session, name, name, clock.utcnow()).id
        found.append((tenant_id, planted(tenant_id, name)))
    return found


def key_of(model, row):
    return tuple(getattr(row, column.key) for column in model.__mapper__.primary_key)


def count(model, tenant_id):
    with transaction() as session:
        return session.scalar(select(func.count()).select_from(model).where(model.tenant_id == tenant_id))


def contents(model, tenant_id):
    """The rows of a tenant as the database itself has them."""
    with transaction() as session:
        table = model.__table__
        order = [column.name for column in table.primary_key]
        found = session.execute(select(table).where(table.c.tenant_id == tenant_id).order_by(*order)).all()
        return [tuple(map(str, row)) for row in found]
