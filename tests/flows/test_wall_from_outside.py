"""The wall between tenants, from outside: every list and every id that the service has, or will have."""

import pytest

from authsvc import clock, opaque
from authsvc.models import Role, UserRole
from authsvc.models.engine import transaction
from authsvc.permissions import EVERYTHING
from tests.drivers import Script
from tests.flows.people import PASSWORD
from tests.planting import OURS, OWNED, THEIRS, contents


def lists(app):
    """Every path that lists things, those of routes that come later too."""
    for rule in app.url_map.iter_rules():
        if "GET" in rule.methods and not rule.arguments and rule.rule.startswith(("/admin/", "/jwt/", "/api-tokens")):
            yield rule.rule


def single(app):
    """Every path, and what it takes, that names one thing by its id."""
    for rule in app.url_map.iter_rules():
        if len(rule.arguments) == 1 and rule.rule.startswith(("/admin/", "/jwt/", "/api-tokens")):
            for method in sorted(rule.methods - {"HEAD", "OPTIONS"}):
                yield method, rule.rule


@pytest.fixture
def administrator(walled, app):
    """Of our tenant, with everything but what reaches over all tenants by its nature."""
    device = Script(app)
    header = {"X-Tenant-Id": OURS}
    signed_up = device.post("/auth/register", header, email="administrator@example.com", password=PASSWORD)
    assert signed_up.status_code == 201, signed_up.text
    (ours, _), _ = walled
    with transaction(within=ours) as session:
        own = Role(
            id=opaque.new_id(),
            tenant_id=ours,
            name="all",
            name_key="all",
            permissions=EVERYTHING - {"tenants:write"},
            created_at=clock.utcnow(),
        )
        session.add(own)
        session.flush()
        session.add(UserRole(tenant_id=ours, user_id=signed_up.json["data"]["user"]["id"], role_id=own.id))
    answer = device.post("/auth/login", header, email="administrator@example.com", password=PASSWORD)
    device.keep(answer)
    return device


def their_words(walled):
    """Ids and names by which anything of theirs would be recognised."""
    _, (theirs, rows) = walled
    ids = {row.id for row in rows.values() if hasattr(row, "id")}
    return {theirs, THEIRS} | ids


def test_no_list_shows_anything_of_another_tenant(app, walled, administrator):
    paths = sorted(lists(app))
    assert {"/admin/events", "/admin/keys"} <= set(paths)
    for path in paths:
        for query in ("", "?limit=200"):
            answer = administrator.ask("GET", path + query)
            assert answer.status_code in (200, 403), f"{path}: {answer.text}"
            shown = [word for word in their_words(walled) if word in answer.text]
            assert not shown, path
    assert OURS in administrator.ask("GET", "/admin/events").text


def test_nothing_of_another_tenant_is_there_by_its_id(app, walled, administrator):
    """Read, changed, deleted: like an id that nothing has."""
    _, (theirs, _) = walled
    before = {model.__tablename__: contents(model, theirs) for model in OWNED}
    for method, path in single(app):
        if path.startswith("/admin/tenants"):
            continue
        for row_id in sorted(their_words(walled) - {THEIRS}):
            target = path.replace(path[path.index("<") : path.index(">") + 1], row_id)
            answer = administrator.ask(method, target, None if method == "GET" else {})
            assert answer.status_code in (403, 404, 422), f"{method} {path}: {answer.text}"
            assert THEIRS not in answer.text
    assert {model.__tablename__: contents(model, theirs) for model in OWNED} == before
