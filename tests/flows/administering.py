"""What administrators do to tenants and applications, and what the trail says of it."""

import json

from tests.drivers import DEVICES, Account
from tests.flows.people import PASSWORD, join

UNKNOWN = "0190a5b0-0000-7000-8000-000000000000"


def add_application(admin, headers=None, **fields):
    answer = admin.ask("POST", "/admin/applications", {"name": "Shop", **fields}, headers)
    assert answer.status_code == 201, answer.json
    return answer.json["data"]


def change_application(admin, application, headers=None, **changes):
    answer = admin.ask("PATCH", f"/admin/applications/{application['id']}", changes, headers)
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def add_tenant(admin, slug, **fields):
    answer = admin.ask("POST", "/admin/tenants", {"name": slug.title(), "slug": slug, **fields})
    assert answer.status_code == 201, answer.json
    return answer.json["data"]


def change_tenant(admin, tenant, **changes):
    answer = admin.ask("PATCH", f"/admin/tenants/{tenant['id']}", changes)
    assert answer.status_code == 200, answer.json
    return answer.json["data"]


def joined(app, transport, tenant="default", email="mix@example.com", **more):
    """Somebody new, signed in; the device has the `account` and the `tenant` header."""
    device = DEVICES[transport](app)
    device.tenant = {"X-Tenant-Id": tenant}
    answer = join(device, email, headers=device.tenant, **more)
    assert answer.status_code == 201, answer.json
    device.keep(answer)
    device.account = Account(email, PASSWORD, answer.json["data"]["user"]["id"])
    return device


def told(rows, app, pattern="%"):
    """The events of these kinds: kind, tenant, actor, application, detail."""
    found = rows(
        app,
        "SELECT kind, tenant_id, actor_id, application_id, detail FROM events WHERE kind LIKE :pattern ORDER BY id",
        pattern=pattern,
    )
    return [
        (
            kind,
            *(None if one is None else str(one) for one in ids),
            detail if isinstance(detail, dict) else json.loads(detail),
        )
        for kind, *ids, detail in found
    ]


def tenant_id(rows, app, slug="default"):
    return str(rows(app, "SELECT id FROM tenants WHERE slug = :slug", slug=slug)[0][0])


def is_dead(device, code="token_revoked"):
    """Neither of its tokens does anything any more; says so to whoever asks why not."""
    answers = [device.me(), device.refresh(held=device.held())]
    assert [(answer.status_code, answer.json["error"]["code"]) for answer in answers] == [(401, code)] * 2
    return True


def is_alive(device):
    answers = [device.me(), device.refresh()]
    assert [answer.status_code for answer in answers] == [200, 200], [answer.json for answer in answers]
    return True
