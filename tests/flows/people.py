"""Names, spellings, and what people and administrators do with them."""

from sqlalchemy import select

from authsvc.models import Event
from authsvc.models.engine import reading

PASSWORD = "a quiet harbour at dawn"
NEW = "another harbour at dusk"
SIGN_IN = {
    "accessToken",
    "tokenType",
    "expiresIn",
    "refreshExpiresIn",
    "refreshTokenId",
}
OF_TRANSPORT = {"body": {"refreshToken"}, "cookie": {"csrfToken"}}
SAME_ADDRESS = [
    "MIX@example.com",
    "mix@EXAMPLE.com",
    "ｍix@example.com",
    "mix＠example.com",
    "mix@example。com",
    " mix@example.com\t",
    "mix@example.com\n",
]
SAME_NAME = ["MIX", "Mix", "ｍix", "ᴹix", "ⅿⅸ"]
# The last one is 64 characters that stand for six each.
NO_NAME = ["", "a b", "a@b", "a＠b", "-mix", ".mix", "mi\u200bx", "<b>", "x" * 65, "㌖" * 64]
NO_ADDRESS = [
    "mix",
    "mix@",
    "@example.com",
    "mix@example.com.",
    "mix@exam ple.com",
    "mi\u200bx@example.com",
    "mi\u00adx@example.com",
    "mix\u202e@example.com",
    '"mix"@example.com',
    "mix@[192.0.2.1]",
    "mix@example.com,other@example.com",
    "mix@example.com\nBcc: other@example.com",
    "a@" + "a." * 125 + "com",
    "a" * 257 + "@example.com",
]


class Interrupted:
    """argon2, while whose work something else happens."""

    def __init__(self, argon2, meanwhile):
        self.argon2 = argon2
        self.meanwhile = meanwhile

    def __getattr__(self, name):
        return getattr(self.argon2, name)

    def verify(self, *arguments):
        try:
            self.argon2.verify(*arguments)
        finally:
            self.meanwhile()

    def hash(self, *arguments):
        made = self.argon2.hash(*arguments)
        self.meanwhile()
        return made


def while_hashing(app, meanwhile):
    hashing = app.extensions["authsvc.hashing"]
    hashing.argon2 = Interrupted(hashing.argon2, meanwhile)


def join(device, email="mix@example.com", password=PASSWORD, headers=None, **more):
    return device.post("/auth/register", email=email, password=password, headers=headers, **more)


def log_in(device, password=PASSWORD, headers=None, **named):
    return device.post("/auth/login", password=password, headers=headers, **named)


def users(rows, app):
    return rows(app, "SELECT email FROM users WHERE email <> 'admin@example.com' ORDER BY email")


def change_me(device, **changes):
    return device.send("PATCH", "/auth/me", changes, device.bearer())


def change_password(device, current, new=NEW):
    return device.post("/auth/password", device.bearer(), currentPassword=current, newPassword=new)


def told(app, *kinds):
    """The events of these kinds, oldest first."""
    with app.app_context(), reading() as session:
        return list(session.scalars(select(Event).where(Event.kind.in_(kinds)).order_by(Event.id)))


def role_named(admin, name, headers=None):
    """A role's id, by its name."""
    [role] = admin.get(f"/admin/roles?name={name}", headers).json["data"]["items"]
    return role["id"]


def make_role(admin, name, *permissions, headers=None):
    """Make a role; answers its id."""
    answer = admin.ask("POST", "/admin/roles", {"name": name, "permissions": permissions}, headers)
    assert answer.status_code == 201, answer.text
    return answer.json["data"]["id"]


def make_user(admin, email, headers=None, **more):
    """Make a user; answers its id."""
    answer = admin.ask("POST", "/admin/users", {"email": email, **more}, headers)
    assert answer.status_code == 201, answer.text
    return answer.json["data"]["id"]
