"""A small tenant with sign-ins of every kind, and another tenant beside it."""

from authsvc import clock, opaque
from authsvc.models import Application, RefreshToken
from authsvc.models.engine import reading, transaction
from tests.drivers import Script
from tests.flows.people import PASSWORD

PATH = "/jwt/refresh"
NOBODY = "01890a5d-ac96-774b-bcce-b302099a8057"


def add_application(app, tenant_id, slug, **more):
    made = Application(
        id=opaque.new_id(),
        tenant_id=tenant_id,
        slug=slug,
        name=slug.title(),
        active=True,
        rotate=True,
        confidential=False,
        created_at=clock.utcnow(),
    )
    for name, value in more.items():
        setattr(made, name, value)
    with app.app_context(), transaction() as session:
        session.add(made)
    return made.id


def rows_like(app, refresh_token_id, number, **changes):
    """So many further sign-ins like that one, put straight into the database; answers their ids, oldest first."""
    columns = [column.key for column in RefreshToken.__table__.columns]
    with app.app_context():
        with reading() as session:
            row = session.get(RefreshToken, refresh_token_id)
            like = {name: getattr(row, name) for name in columns}
        copies = [like | changes | {"id": opaque.new_id()} for _ in range(number)]
        with transaction() as session:
            session.execute(RefreshToken.__table__.insert(), copies)
    return [copy["id"] for copy in copies]


def live_ids(app):
    """Every sign-in, of any tenant, that could still be used."""
    with app.app_context(), reading() as session:
        return {row.id for row in session.query(RefreshToken).filter(RefreshToken.revoked_at.is_(None))}


class Town:
    """Two people with sign-ins at two applications, an administrator, and a stranger in another tenant."""

    def __init__(self, app, make_person, make_tenant, admin):
        self.app = app
        self.admin = admin
        self.make_person = make_person
        self.stranger_tenant = make_tenant(app, "elsewhere")
        self.me = make_person(roles=["member"])
        self.other = make_person(roles=["member"])
        self.stranger = make_person(roles=["member", "admin"], tenant="elsewhere")
        first = admin.ask("GET", f"{PATH}/{admin.refresh_token_id}").json["data"]
        self.tenant, self.default = first["tenantId"], first["applicationId"]
        self.office = add_application(app, self.tenant, "office")
        theirs = self.stranger.ask("GET", f"{PATH}/{self.stranger.refresh_token_id}").json["data"]
        self.elsewhere_application = theirs["applicationId"]
        # Two more of mine, one of them at the office; one more of the other's at the office.
        self.mine_too = self.sign_in(self.me)
        self.mine_at_office = self.sign_in(self.me, "office")
        self.other_at_office = self.sign_in(self.other, "office")
        self.names = {
            "me": self.me,
            "mine_too": self.mine_too,
            "mine_at_office": self.mine_at_office,
            "other": self.other,
            "other_at_office": self.other_at_office,
            "admin": self.admin,
            "stranger": self.stranger,
        }

    def sign_in(self, person, application=None):
        device = Script(self.app)
        device.account, device.tenant = person.account, person.tenant
        more = {"applicationId": application} if application else {}
        answer = device.post(
            "/auth/login", person.tenant, email=person.account.email, password=PASSWORD, deviceName="phone", **more
        )
        assert answer.status_code == 200, answer.json
        device.keep(answer)
        return device

    def revive(self):
        """As if nothing had ended."""
        with self.app.app_context(), transaction() as session:
            session.query(RefreshToken).update({"revoked_at": None, "revoke_reason": None})

    def ids(self, *names):
        return {self.names[name].refresh_token_id for name in names}

    def alive(self):
        """The names of the sign-ins that live, as the database has it."""
        live = live_ids(self.app)
        return {name for name, device in self.names.items() if device.refresh_token_id in live}

    def dead(self):
        return set(self.names) - self.alive()
