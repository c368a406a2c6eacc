"""Users move in from other systems with their passwords: all of a file or nobody, and whoever can't is told."""

import base64
import csv
import hashlib
import io
import json

import bcrypt
import pytest
from django.contrib.auth import hashers

from authsvc.models import User
from authsvc.models.engine import reading
from authsvc.services import foreign_hashes, importing
from tests.drivers import Account, Script
from tests.flows.people import told

PASSWORD = "geheim wie immer"
BCRYPT = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
SALT = base64.b64encode(b"sixteen bytes ..").decode()


@pytest.fixture(scope="module")
def django_hashes():
    """As Django makes them, with fewer rounds."""
    by_bcrypt = hashers.BCryptSHA256PasswordHasher()
    by_bcrypt.rounds = 4
    return {
        "pbkdf2": hashers.PBKDF2PasswordHasher().encode(PASSWORD, "salt", 1000),
        "pbkdf2sha1": hashers.PBKDF2SHA1PasswordHasher().encode(PASSWORD, "salt", 1000),
        "scrypt": hashers.ScryptPasswordHasher().encode(PASSWORD, "salt", n=1024),
        "bcrypt": by_bcrypt.encode(PASSWORD, by_bcrypt.salt()),
        "argon2": hashers.Argon2PasswordHasher().encode(PASSWORD, "a salt of some length"),
    }


@pytest.fixture
def move(app, tmp_path):
    """Run the command on a file with this in it; answers what it says."""

    def run(system, content, *words, code=0):
        file = tmp_path / "export"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        done = app.test_cli_runner().invoke(args=["import", system, str(file), "--yes", "--json", *words])
        assert done.exit_code == code, (done.output, done.exception)
        assert "Traceback" not in done.output
        return json.loads(done.stdout) if code == 0 else done.stderr

    return run


def fusionauth(scheme="salted-pbkdf2-hmac-sha256", rounds=2400):
    digest, size = ("sha512", 64) if scheme.endswith("512") else ("sha256", 32)
    made = hashlib.pbkdf2_hmac(digest, PASSWORD.encode(), base64.b64decode(SALT), rounds, size)
    own = {"encryptionScheme": scheme, "factor": rounds, "salt": SALT}
    return own | {"password": base64.b64encode(made).decode()}


def as_csv(*rows):
    text = io.StringIO()
    writer = csv.DictWriter(text, rows[0])
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue()


def users(app):
    with app.app_context(), reading() as session:
        found = session.query(User).filter(User.email != "admin@example.com").order_by(User.email)
        return {user.email: user for user in found}


def signs_in(app, identifier, password=PASSWORD):
    answer = Script(app).post("/auth/login", identifier=identifier, password=password)
    return answer.status_code == 200


def test_every_systems_hash_is_verified_once_and_replaced_by_ours(app, move, django_hashes):
    laravel = BCRYPT.replace("$2b$", "$2y$")
    files = [
        ("laravel", as_csv({"id": 1, "name": "La", "email": "la@x.org", "password": laravel, "email_verified_at": ""})),
        ("strapi", [{"id": 1, "username": "st", "email": "st@x.org", "password": BCRYPT, "confirmed": True}]),
        *(
            ("django", [{"model": "auth.user", "pk": 1, "fields": {"email": f"{kind}@x.org", "password": made}}])
            for kind, made in django_hashes.items()
        ),
        ("fusionauth", {"users": [{"email": "fa@x.org"} | fusionauth()]}),
        ("fusionauth", {"users": [{"email": "fb@x.org"} | fusionauth("salted-pbkdf2-hmac-sha512-512", 1000)]}),
        (
            "fusionauth",
            [
                {"email": "fc@x.org", "encryptionScheme": "bcrypt", "factor": 4}
                | {"salt": BCRYPT[7:29], "password": BCRYPT[29:]}
            ],
        ),
    ]
    for system, content in files:
        assert move(system, content)["imported"] == 1, system
    imported = users(app)
    assert len(imported) == len(files)
    for email in imported:
        assert not signs_in(app, email, "wrong"), email
        assert not signs_in(app, email, PASSWORD + " "), email
        assert signs_in(app, email), email
        assert signs_in(app, email), email
    assert all(user.password_hash.startswith("$argon2id$") for user in users(app).values())


def test_what_a_row_says_is_taken_over(app, move):
    rows = [
        {
            "username": "Mia",
            "email": "MIA@X.org",
            "password": BCRYPT,
            "confirmed": "true",
            "blocked": "f",
            "created_at": "2020-01-02T03:04:05.678Z",
        },
        {
            "username": "bo b",
            "email": "bob@x.org",
            "password": "NULL",
            "confirmed": "0",
            "blocked": "1",
            "created_at": "9999-01-01 00:00:00",
        },
    ]
    said = move("strapi", as_csv(*rows))
    assert (said["imported"], said["refused"], said["withoutUsername"]) == (2, 0, 1)
    mia, bob = users(app)["mia@x.org"], users(app)["bob@x.org"]
    assert (mia.username, mia.active, mia.confirmed, mia.created_at.year) == ("Mia", True, True, 2020)
    assert (bob.username, bob.active, bob.confirmed, bob.password_hash) == (None, False, False, None)
    assert bob.created_at <= mia.created_at.replace(year=2100)
    assert signs_in(app, "mia")
    device = Script(app)
    device.sign_in(Account("mia@x.org", PASSWORD))
    assert device.me().json["data"]["user"]["roles"] == ["member"]
    [event] = told(app, "user.imported")
    assert (event.actor_id, event.detail) == (None, {"from": "strapi", "imported": 2, "refused": 0})


def test_ids_of_fusionauth_stay(app, move):
    own = "0190a5b0-0000-7000-8000-00000000abcd"
    row = {"id": own.upper(), "email": "fa@x.org", "fullName": "Fa", "insertInstant": 1487971807175, "verified": True}
    said = move("fusionauth", {"users": [row, row | {"email": "fb@x.org"}, row | {"id": "7", "email": "fc@x.org"}]})
    assert said["refused"] == 2
    assert {email: user.id for email, user in users(app).items()} == {"fa@x.org": own}


def test_rows_that_cannot_be_taken_over_are_told_one_by_one(app, move, tmp_path):
    Script(app).post("/auth/register", email="taken@x.org", username="taken", password="a quiet harbour at dawn")
    rows = [
        {"email": "taken@x.org", "password": BCRYPT, "name": "a"},
        {"email": "no address", "password": BCRYPT, "name": "b"},
        {"email": "", "password": BCRYPT, "name": "c"},
        {"email": "md5@x.org", "password": "5f4dcc3b5aa765d61d8327deb882cf99", "name": "d"},
        {"email": "dear@x.org", "password": BCRYPT.replace("$04$", "$31$"), "name": "e"},
        {"email": "good@x.org", "password": BCRYPT, "name": "f"},
        {"email": "GOOD@x.org", "password": BCRYPT, "name": "g"},
    ]
    report = tmp_path / "report.csv"
    said = move("laravel", as_csv(*rows), "--report", str(report))
    assert (said["imported"], said["refused"]) == (1, 6)
    listed = list(csv.DictReader(report.read_text().splitlines()))
    assert [row["place"] for row in listed] == [f"line {n}" for n in (2, 3, 4, 5, 6, 8)]
    assert all(row["imported"] == "no" and row["reason"] for row in listed)
    assert BCRYPT not in report.read_text()
    assert sorted(users(app)) == ["good@x.org", "taken@x.org"]


def test_a_dry_run_says_the_same_and_changes_nothing(app, move):
    rows = [{"email": "a@x.org", "password": BCRYPT}, {"email": "a@x.org", "password": BCRYPT}]
    trial = move("strapi", rows, "--dry-run")
    assert (trial["imported"], trial["refused"], trial["dryRun"]) == (1, 1, True)
    assert users(app) == {}
    assert told(app, "user.imported") == []
    assert {**move("strapi", rows), "dryRun": True} == trial


def test_a_file_that_breaks_off_imports_nobody(app, move, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 2)
    whole = json.dumps([{"email": f"u{n}@x.org", "password": BCRYPT} for n in range(9)])
    for broken in (whole[:-20], whole[:-1] + ", 7]", as_csv({"email": "a@x.org", "password": "x"}) + "b@x.org\n"):
        assert "nobody was imported" in move("strapi", broken, code=1)
        assert users(app) == {}
    assert move("strapi", whole)["imported"] == 9


def test_a_name_that_is_taken_meanwhile_undoes_all_of_it(app, move, monkeypatch):
    monkeypatch.setattr(importing, "BATCH", 2)
    rows = [{"email": f"u{n}@x.org", "password": BCRYPT} for n in range(5)]
    add, added = importing._add, []

    def quicker(session, mandate, role_id, batch):
        if len(added) == 1:
            batch[0]["email"] = "admin@example.com"
        added.append(batch)
        add(session, mandate, role_id, batch)

    monkeypatch.setattr(importing, "_add", quicker)
    assert "nobody was imported" in move("strapi", rows, code=1)
    assert users(app) == {}


def test_shapes_of_files(app, move):
    one, two = {"email": "a@x.org"}, {"email": "b@x.org"}
    lines = "\n".join(map(json.dumps, (one, two)))
    for content in (
        lines,
        f"\n [ {json.dumps(one)} , {json.dumps(two)} ] ",
        {"users": [one, two]},
        "email\na@x.org\nb@x.org\n",
    ):
        assert move("fusionauth", content, "--dry-run")["imported"] == 2, content
    dump = [
        {"model": "auth.group", "fields": {"name": "x"}},
        {"model": "accounts.User", "fields": one | {"password": "!x"}},
    ]
    assert move("django", dump)["imported"] == 1
    assert users(app)["a@x.org"].password_hash is None
    assert move("laravel", "", "--dry-run")["imported"] == 0
    many = [{"email": f"u{n}@x.org", "name": "é" * 100} for n in range(3000)]
    assert move("laravel", many, "--dry-run")["imported"] == 3000


def test_only_its_own_tenant_is_moved_into(app, move, make_tenant):
    make_tenant(app, "elsewhere")
    assert move("strapi", [{"email": "a@x.org", "password": BCRYPT}], "--tenant", "elsewhere")["imported"] == 1
    assert not signs_in(app, "a@x.org")
    there = Script(app).post("/auth/login", {"X-Tenant-Id": "elsewhere"}, identifier="a@x.org", password=PASSWORD)
    assert there.status_code == 200


def test_hashes_that_would_take_too_long_are_none():
    for text in (
        BCRYPT.replace("$04$", "$17$"),
        "pbkdf2_sha256$99999999$salt$AAAA",
        "pbkdf2_sha256$0$salt$AAAA",
        "scrypt$1048576$salt$99$99$AAAA",
        "scrypt$3$salt$8$1$AAAA",
        f"fusionauth_sha256$99999999${SALT}$AAAA",
        f"fusionauth_None$1${SALT}$AAAA",
        "sha1$salt$AAAA",
        "",
    ):
        assert not foreign_hashes.is_known(text), text
        assert not foreign_hashes.verify(text, PASSWORD), text
