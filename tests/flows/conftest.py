from datetime import timedelta

import pytest
from sqlalchemy import select

from authsvc import clock, opaque
from authsvc.models import Role, Tenant, UserRole
from authsvc.models.engine import reading, transaction
from authsvc.services import accounts, passwords, tenants
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, counter
from tests.drivers import Account, Script
from tests.flows.api_tokens import OWN
from tests.flows.oauth import add_client
from tests.flows.people import PASSWORD
from tests.flows.sign_ins import Town


@pytest.fixture
def script(app):
    return Script(app)


@pytest.fixture
def make_tenant(rows):
    """Make a tenant; answers its id."""

    def make(app, slug):
        with app.app_context(), transaction() as session:
            return tenants.establish(session, slug, slug.title(), clock.utcnow()).id

    return make


@pytest.fixture
def admin(app):
    """The first administrator, who is an operator too, signed in."""
    device = Script(app)
    device.sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD))
    return device


@pytest.fixture
def make_person(app):
    """Somebody who holds these roles and, in a role of their own, these permissions; signed in.

    The device has the user's `account` and the `tenant` header that its tenant needs.
    """

    def make(*permissions, roles=(), tenant="default"):
        with app.app_context():
            with reading() as session:
                tenant_id = session.scalars(select(Tenant.id).where(Tenant.slug == tenant)).one()
            now, account = clock.utcnow(), Account(f"person{next(counter)}@example.com", PASSWORD)
            with transaction(within=tenant_id) as session:
                made = accounts.create(
                    session,
                    tenant_id=tenant_id,
                    email=account.email,
                    password_hash=passwords.hash_new(account.password),
                    username=None,
                    name=None,
                    roles=frozenset(roles),
                    now=now,
                )
                account.id = made.id
                if permissions:
                    name = f"own-{account.id}"
                    own = {"tenant_id": tenant_id, "created_at": now, "name": name, "name_key": name}
                    role = Role(id=opaque.new_id(), permissions=frozenset(permissions), **own)
                    session.add(role)
                    session.flush()
                    session.add(UserRole(tenant_id=tenant_id, user_id=account.id, role_id=role.id))
        device = Script(app)
        device.account, device.tenant = account, {"X-Tenant-Id": tenant}
        answer = device.post("/auth/login", device.tenant, email=account.email, password=account.password)
        assert answer.status_code == 200, answer.json
        device.keep(answer)
        return device

    return make


@pytest.fixture
def town(app, make_person, make_tenant, admin):
    return Town(app, make_person, make_tenant, admin)


@pytest.fixture
def stale_worker(make_app, settings):
    """Another worker on the same database, which has read the keys and won't soon do so again."""
    return make_app(KEY_REREAD=timedelta(hours=1), **settings)


@pytest.fixture
def operator(make_person):
    """Somebody who may do everything with signing keys, and little else."""
    return make_person("keys:rotate", "auth:refresh")


@pytest.fixture
def owner(make_person):
    """Somebody who makes API tokens."""
    return make_person(*OWN)


@pytest.fixture
def other(make_person):
    return make_person(*OWN)


@pytest.fixture
def keeper(make_person):
    """Somebody who looks after everybody's API tokens."""
    return make_person("api-tokens:admin", "auth:refresh")


@pytest.fixture
def office(admin):
    """A confidential client that may do two things for itself."""
    return add_client(admin, name="Office", confidential=True, scopes=["guests:read", "tokens:read"])


@pytest.fixture
def phone(admin):
    """A public client."""
    return add_client(admin, name="Phone")


@pytest.fixture
def sign_in_to(app):
    """Sign a person in to a client; answers the device that holds the tokens."""

    def sign_in(client, person):
        device = Script(app)
        device.account, device.tenant = person.account, person.tenant
        device.sign_in(person.account, applicationId=client.id)
        return device

    return sign_in
