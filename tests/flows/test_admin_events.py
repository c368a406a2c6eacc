"""The audit trail over HTTP: what it shows and to whom, how it is searched, and that it can't be forged or changed."""

from datetime import timedelta

import pytest
from sqlalchemy import insert

from authsvc import clock, opaque
from authsvc.models import Event
from authsvc.models.engine import transaction
from tests.answers import refused

SHAPE = {
    "id",
    "kind",
    "at",
    "tenantId",
    "actorId",
    "subjectId",
    "applicationId",
    "refreshTokenId",
    "apiTokenId",
    "ip",
    "userAgent",
    "requestId",
    "outcome",
    "detail",
}


@pytest.fixture
def reader(make_person):
    return make_person("events:read")


def found(device, query=""):
    answer = device.ask("GET", f"/admin/events{query}")
    assert answer.status_code == 200, answer.text
    return answer.json["data"]["items"]


def every(device, query=""):
    """All pages; what they hold."""
    items, cursor = [], ""
    while cursor is not None:
        answer = device.ask("GET", f"/admin/events?limit=200{query}" + (f"&cursor={cursor}" if cursor else ""))
        items += answer.json["data"]["items"]
        cursor = answer.json["data"]["nextCursor"]
    return items


def ids(items):
    return [item["id"] for item in items]


def plant(app, tenant_id, count, **values):
    """Events in bulk; answers their ids, oldest first."""
    now = clock.utcnow()
    always = {"tenant_id": tenant_id, "kind": "user.signed_in", "at": now, "outcome": "success", "detail": {}}
    always |= {"ip": "", "user_agent": "", "request_id": ""}
    made = [always | values | {"id": opaque.new_id()} for _ in range(count)]
    with app.app_context(), transaction() as session:
        session.execute(insert(Event), made)
    return [one["id"] for one in made]


def tenant_of(device):
    return found(device, "?limit=1")[0]["tenantId"]


# Seen


def test_an_event_has_exactly_these_members_and_is_found_by_its_id(reader):
    items = found(reader)
    assert items
    for item in items:
        assert set(item) == SHAPE
        for spelled in (item["id"], item["id"].upper()):
            assert reader.ask("GET", f"/admin/events/{spelled}").json["data"] == item


@pytest.mark.parametrize("event_id", ["x", "%00", "é", "0190a5b0-0000-7000-8000-000000000000", "x" * 3000, "1"])
def test_an_id_that_no_event_has_is_not_found(reader, event_id):
    refused(reader.ask("GET", f"/admin/events/{event_id}"), 404, "not_found")


def test_nobody_changes_the_trail(admin):
    [first, *_] = ids(found(admin))
    for path in ("/admin/events", f"/admin/events/{first}"):
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            refused(admin.ask(method, path, {}), 405, "method_not_allowed")
    assert admin.ask("GET", f"/admin/events/{first}").status_code == 200


def test_only_who_may_read_events_does(make_person):
    lesser = make_person("users:read", "users:write", "keys:rotate", "tokens:read")
    for path in ("/admin/events", "/admin/events/0190a5b0-0000-7000-8000-000000000000"):
        answer = refused(lesser.ask("GET", path), 403, "permission_denied")
        assert "events:read" in answer.json["message"]


def test_another_tenants_events_are_never_seen(app, admin, make_tenant, make_person, reader):
    make_tenant(app, "elsewhere")
    far = make_person("events:read", tenant="elsewhere")
    here, there = every(reader), every(far)
    assert here
    assert there
    assert not set(ids(here)) & set(ids(there))
    assert {item["tenantId"] for item in there} == {tenant_of(far)} != {item["tenantId"] for item in here}
    refused(far.ask("GET", f"/admin/events/{here[0]['id']}"), 404, "not_found")
    for name in ("actorId", "subjectId", "refreshTokenId"):
        value = next(item[name] for item in here if item[name])
        assert found(far, f"?{name}={value}") == []
    refused(far.ask("GET", "/admin/events", headers={"X-Tenant-Id": "default"}), 403, "tenant_mismatch")
    answer = admin.ask("GET", "/admin/events", headers={"X-Tenant-Id": "elsewhere"})
    assert ids(answer.json["data"]["items"]) == ids(found(far))


# Searched


def test_each_filter_finds_what_it_names_and_nothing_else(app, reader):
    tenant_id = tenant_of(reader)
    now = clock.utcnow()
    mine = {
        "kind": "refresh_token.reused",
        "outcome": "alarm",
        "actor_id": opaque.new_id(),
        "subject_id": opaque.new_id(),
        "application_id": opaque.new_id(),
        "refresh_token_id": opaque.new_id(),
        "api_token_id": opaque.new_id(),
        "ip": "2001:db8::7",
        "request_id": "the-one",
    }
    [wanted] = plant(app, tenant_id, 1, at=now, **mine)
    plant(app, tenant_id, 3)
    camel = {
        "actor_id": "actorId",
        "subject_id": "subjectId",
        "application_id": "applicationId",
        "refresh_token_id": "refreshTokenId",
        "api_token_id": "apiTokenId",
        "request_id": "requestId",
    }
    queries = {camel.get(name, name): value for name, value in mine.items()}
    for name, value in queries.items():
        assert ids(found(reader, f"?{name}={value}")) == [wanted], name
    together = "&".join(f"{name}={value}" for name, value in queries.items())
    assert ids(found(reader, f"?{together}")) == [wanted]
    assert ids(found(reader, f"?actorId={mine['actor_id'].upper()}")) == [wanted]
    for name, value in queries.items():
        other = {"kind": "user.updated", "outcome": "failure", "ip": "192.0.2.1", "requestId": "another"}
        wrong = together.replace(f"{name}={value}", f"{name}={other.get(name, opaque.new_id())}")
        assert found(reader, f"?{wrong}") == [], name


def test_times_are_from_the_one_on_and_up_to_the_other(app, reader):
    tenant_id, now = tenant_of(reader), clock.utcnow().replace(microsecond=0)
    moments = [now - timedelta(days=3), now - timedelta(days=2), now - timedelta(days=1)]
    first, second, third = (plant(app, tenant_id, 1, at=at, request_id="timed")[0] for at in moments)
    written = [at.isoformat().replace("+00:00", "Z") for at in moments]
    for query, expected in (
        (f"after={written[1]}", [third, second]),
        (f"before={written[1]}", [first]),
        (f"after={written[0]}&before={written[2]}", [second, first]),
        (f"after={written[1]}&before={written[1]}", []),
        (f"after={written[1].replace('Z', '%2B00:00')}", [third, second]),
        ("after=1970-01-01", [third, second, first]),
        ("before=9999-12-31", [third, second, first]),
        ("after=0001-01-01", [third, second, first]),
        ("after=9999-12-31T23:59:59Z", []),
    ):
        assert ids(found(reader, f"?requestId=timed&{query}")) == expected, query


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("kind=user.forged", "kind"),
        ("kind=", "kind"),
        ("outcome=maybe", "outcome"),
        ("actorId=me", "actorId"),
        ("subjectId=%00", "subjectId"),
        ("apiTokenId=", "apiTokenId"),
        ("ip=%00", "ip"),
        ("ip=" + "1" * 65, "ip"),
        ("requestId=" + "x" * 129, "requestId"),
        ("after=yesterday", "after"),
        ("before=%00", "before"),
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("cursor=x", "cursor"),
        ("actor_id=x", "actor_id"),
        ("tenantId=0190a5b0-0000-7000-8000-000000000000", "tenantId"),
    ],
)
def test_what_no_event_could_have_is_refused_by_name(reader, query, field):
    refused(reader.ask("GET", f"/admin/events?{query}"), 422, "validation_failed", [field])


def test_pages_have_each_event_once_also_while_others_are_added(app, reader):
    tenant_id = tenant_of(reader)
    planted = plant(app, tenant_id, 250, request_id="paged")
    seen, cursor = [], ""
    while cursor is not None:
        answer = reader.ask("GET", "/admin/events?requestId=paged&limit=60" + (f"&cursor={cursor}" if cursor else ""))
        seen += ids(answer.json["data"]["items"])
        cursor = answer.json["data"]["nextCursor"]
        plant(app, tenant_id, 7, request_id="paged")
    assert seen == planted[::-1]
