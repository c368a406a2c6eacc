"""What an operator does with signing keys, and what a test does to them behind the service's back."""

import json
from datetime import timedelta

from authsvc.models import SigningKey
from authsvc.models.engine import transaction
from tests.claims import header_of
from tests.conftest import counter
from tests.drivers import HOST, Script
from tests.flows.people import PASSWORD

SHAPE = {"kid", "algorithm", "state", "createdAt", "activatedAt", "replacedAt", "retiredAt", "publicJwk"}


def listed(device):
    answer = device.ask("GET", "/admin/keys")
    assert answer.status_code == 200, answer.text
    return answer.json["data"]["items"]


def in_state(device, state):
    return [key["kid"] for key in listed(device) if key["state"] == state]


def change(device, what, kid=None):
    return device.ask("POST", f"/admin/keys/{kid}/{what}" if kid else f"/admin/keys/{what}")


def rotate(device):
    answer = change(device, "rotate")
    assert answer.status_code == 200, answer.text
    return answer.json["data"]["kid"]


def revoke(device, kid):
    answer = change(device, "revoke", kid)
    assert answer.status_code == 200, answer.text
    return answer.json["data"]["revoked"]


def kid_of(device):
    return header_of(device.refresh_token)["kid"]


def someone(app):
    """A new user, signed in once."""
    device = Script(app)
    answer = device.post("/auth/register", email=f"someone{next(counter)}@example.com", password=PASSWORD)
    assert answer.status_code == 201, answer.text
    device.keep(answer)
    return device


def at(app, device):
    """The same sign-in, at another worker."""
    other = Script(app)
    other.access_token, other.refresh_token = device.access_token, device.refresh_token
    return other


def published(app):
    return [key["kid"] for key in app.test_client().get("/.well-known/jwks.json", base_url=HOST).json["keys"]]


def put(app, model, key, **values):
    with app.app_context(), transaction() as session:
        row = session.get_one(model, key)
        for name, value in values.items():
            setattr(row, name, value)


def told(app, rows, kind):
    found = rows(app, "SELECT detail FROM events WHERE kind = :kind ORDER BY id", kind=kind)
    return [detail if isinstance(detail, dict) else json.loads(detail) for (detail,) in found]


def long_ago(app, *kids, **by):
    """As if these keys had been made and used that much earlier."""
    with app.app_context(), transaction() as session:
        for kid in kids:
            row = session.get_one(SigningKey, kid)
            for column in ("created_at", "activated_at", "replaced_at"):
                if getattr(row, column) is not None:
                    setattr(row, column, getattr(row, column) - timedelta(**by))
