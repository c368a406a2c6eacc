"""The bodies that the description shows, sent as they stand there: only ids and tokens are those of this service."""

import pytest

from authsvc.blueprints.reference.examples import APPLICATION, BODIES, JWT, USER
from tests.drivers import Script


@pytest.fixture
def database_kind():
    """They are judged, not stored in any particular way."""
    return "sqlite"


class Sender:
    """Sends the examples, and remembers which."""

    def __init__(self, device):
        self.device = device
        self.sent = set()

    def send(self, method, path, name, **of_this_service):
        self.sent.add(name)
        body = {member: of_this_service.get(member, value) for member, value in BODIES[name].items()}
        assert not {USER, APPLICATION, JWT} & {value for value in body.values() if isinstance(value, str)}, name
        answer = self.device.ask(method, path, body)
        assert answer.status_code in (200, 201), f"{name}: {answer.text}"
        return answer.json["data"]

    def form(self, path, name, client, **of_this_service):
        self.sent.add(name)
        answer = self.device.client.post(path, data=BODIES[name] | of_this_service, auth=client)
        assert answer.status_code == 200, f"{name}: {answer.text}"
        return answer.json


def test_every_example_of_a_body_is_taken(app, admin):
    people, office = Sender(Script(app)), Sender(admin)

    people.send("POST", "/auth/register", "RegisterIn")
    signed_in = people.send("POST", "/auth/login", "LoginIn")
    people.device.access_token = signed_in["accessToken"]
    people.send("PATCH", "/auth/me", "MeIn")
    people.send("POST", "/jwt/refresh", "SelectorsInPost", refreshToken=signed_in["refreshToken"])
    token = people.send("POST", "/api-tokens", "ApiTokenIn")["apiToken"]["id"]
    people.send("PATCH", f"/api-tokens/{token}", "ApiTokenChange")
    people.send("POST", f"/api-tokens/{token}/rotate", "RotationIn")
    people.send("POST", "/auth/password", "PasswordIn")
    people.send("POST", "/auth/logout", "LogoutIn")

    user = office.send("POST", "/admin/users", "UserIn")["id"]
    office.send("PATCH", f"/admin/users/{user}", "UserChangesIn")
    role = office.send("POST", "/admin/roles", "RoleIn")["id"]
    office.send("PATCH", f"/admin/roles/{role}", "RoleChangesIn")
    application = office.send("POST", "/admin/applications", "ApplicationIn")["id"]
    office.send("PATCH", f"/admin/applications/{application}", "ApplicationChange")
    office.device.ask(
        "PATCH", f"/admin/applications/{application}", {"confidential": True, "scopes": ["restaurants:read"]}
    )
    secret = office.send("POST", f"/admin/applications/{application}/secret", "SecretIn")["clientSecret"]
    issued = office.form("/oauth/token", "TokenForm", (application, secret))
    told = office.form("/oauth/introspect", "OneTokenForm", (application, secret), token=issued["access_token"])
    assert (told["active"], told["scope"]) == (True, "restaurants:read")
    tenant = office.send("POST", "/admin/tenants", "TenantIn")["id"]
    office.send("PATCH", f"/admin/tenants/{tenant}", "TenantChange")
    office.send("POST", "/admin/keys/rotate", "NothingIn")
    office.send("DELETE", "/jwt/refresh", "SelectorsInBody", userId=user)
    office.send("POST", f"/jwt/refresh/{user}", "OfApplicationIn", applicationId=application)

    assert people.sent | office.sent == BODIES.keys()
