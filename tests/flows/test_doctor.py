"""The doctor finds what is wrong, says what to change, and works where the service does not."""

import json
import os
import pty
import subprocess
import sys
from datetime import timedelta
from types import SimpleNamespace

import pytest

from authsvc import clock
from authsvc.cli.doctor import alone
from authsvc.extensions import db
from authsvc.models.engine import transaction
from authsvc.services.doctor import configuration, database, machine
from authsvc.services.doctor import redis as doctor_redis
from authsvc.services.web_origins import are_same_site
from config import SettingInvalid
from tests.conftest import configured, on_postgresql
from tests.servers.gunicorn import ROOT
from tests.servers.postgresql import free_port
from tests.servers.threads import Scripted, Served

FINE, WARNING, BROKEN = "fine", "warning", "broken"
SECRET = "uW5mKq0x9ZcT4vBn7LrEa2YsDhGjP8fXoI3wQk6MtNRy1UeV"
PASSWORD = "sesame-4711"
NOWHERE = "sqlite:////nowhere/authsvc.db"
sqlite_alone = pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
postgresql_alone = pytest.mark.parametrize("database_kind", ["postgresql"], indirect=True)


def examined(app, code=0):
    """What the doctor finds: findings by check, the worst of each."""
    done = app.test_cli_runner().invoke(args=["doctor", "--json"])
    assert done.exit_code == code, done.output
    findings = json.loads(done.stdout)
    assert all(set(one) == {"check", "verdict", "found", "advice"} and one["found"] for one in findings)
    assert all(bool(one["advice"]) == (one["verdict"] != FINE) for one in findings)
    findings.sort(key=lambda one: (FINE, WARNING, BROKEN).index(one["verdict"]))
    return {one["check"]: one for one in findings}


def verdicts(found, *checks):
    return {check: found[check]["verdict"] for check in checks}


def test_a_sound_installation_is_told_so(make_app, database_kind):
    app = make_app(TRUSTED_PROXIES=("10.0.0.1",), THREADS=13, WORKERS=2)
    found = examined(app)
    of_its_own = {
        "sqlite": {"database file", "disk", "journal"},
        "postgresql": {"isolation", "connections", "limits", "clock"},
    }
    both = {"settings", "https", "hosts", "proxies", "database", "tables", "writing", "keys", "cookies", "operators"}
    assert {check for check in found if found[check]["verdict"] == FINE} - {"libraries", "python"} == (
        both | of_its_own[database_kind]
    )
    assert found["stage"]["verdict"] == WARNING  # a public address, and not in production
    printed = app.test_cli_runner().invoke(args=["doctor"]).stdout
    assert "\x1b" not in printed
    assert len(printed.splitlines()) == len(found) + 2


@sqlite_alone
def test_what_lies_in_the_database_is_judged(app, make_app):
    found = examined(make_app(SECRET_KEY=SECRET), code=1)
    assert found["keys"]["verdict"] == BROKEN
    assert "AUTHSVC_SECRET_KEY" in found["keys"]["advice"]

    def change(statement):
        with app.app_context(), transaction() as session:
            session.connection().exec_driver_sql(statement)

    assert examined(make_app(SIGNING_ALGORITHM="EdDSA"))["algorithm"]["verdict"] == WARNING
    change("UPDATE signing_keys SET activated_at = '2020-01-31 00:00:00.000000' WHERE state = 'active'")
    for rotation in (timedelta(0), timedelta(days=90)):
        assert examined(make_app(KEY_ROTATION=rotation))["keys"]["verdict"] == WARNING
    change("UPDATE signing_keys SET state = 'retired' WHERE state = 'next'")
    assert "next" in app.test_cli_runner().invoke(args=["doctor"]).stdout
    change("UPDATE signing_keys SET state = 'retired'")
    change("UPDATE users SET active = false")
    found = examined(app, code=1)
    assert verdicts(found, "keys", "operators") == {"keys": BROKEN, "operators": WARNING}
    for revision, told in (("9999", "newer"), (None, "None")):
        change("DELETE FROM alembic_version")
        if revision:
            change(f"INSERT INTO alembic_version VALUES ('{revision}')")
        found = examined(app, code=1)
        assert found["tables"]["verdict"] == BROKEN
        assert told in found["tables"]["found"]
        assert "keys" not in found


@sqlite_alone
@pytest.mark.settings(TRANSPORT="cookie")
def test_a_cookie_that_no_browser_would_send_is_found(app, make_app):
    cases = {
        # How the application is made, and what is found of it.
        ("same", "https://www.example.org", "Strict"): FINE,
        ("plain", "http://www.example.org", "Strict"): BROKEN,
        ("strict", "https://www.example.com", "Strict"): BROKEN,
        ("lax", "https://www.example.com:8443", "Lax"): BROKEN,
        ("none", "https://www.example.com", "None"): WARNING,
    }
    run = app.test_cli_runner().invoke
    for slug, origin, same_site in cases:
        words = ("--slug", slug, "--cors-origin", origin, "--cookie-same-site", same_site)
        assert run(args=["applications", "create", slug, *words]).exit_code == 0
    words = ("--slug", "phone", "--transport", "body", "--cors-origin", "https://www.example.com")
    assert run(args=["applications", "create", "phone", *words]).exit_code == 0

    def told(app):
        done = app.test_cli_runner().invoke(args=["doctor", "--json"])
        findings = [one for one in json.loads(done.stdout) if one["check"] == "cookies"]
        return {(one["found"].split()[2], one["verdict"]) for one in findings}

    assert told(app) == {(slug, verdict) for (slug, _, _), verdict in cases.items() if verdict != FINE}
    assert ("none", BROKEN) in told(make_app(TRANSPORT="cookie", BASE_URL="http://auth.example.org"))


def test_settings_that_do_not_fit_each_other_are_found():
    sound = {"TRUSTED_PROXIES": ("10.0.0.1",), "ENV": "production", "ADMIN_PASSWORD": ""}
    cases = [
        ({}, {}),
        ({"BASE_URL": "http://auth.example.org"}, {"https": BROKEN}),
        ({"BASE_URL": "http://[::1]:8000", "ENV": "development"}, {}),
        ({"BASE_URL": "http://10.0.0.2", "ENV": "development"}, {"https": BROKEN, "stage": WARNING}),
        ({"ALLOWED_HOSTS": ("www.example.org",)}, {"hosts": BROKEN}),
        ({"ALLOWED_HOSTS": ("www.example.org", "auth.example.org:443")}, {}),
        ({"ALLOWED_HOSTS": ("AUTH.example.org",)}, {"hosts": BROKEN}),
        ({"BASE_URL": "https://[2001:db8::1]"}, {"hosts": BROKEN}),
        ({"ALLOWED_HOSTS": (".example.org",)}, {}),
        ({"ALLOWED_HOSTS": (".th.example.org",)}, {"hosts": BROKEN}),
        ({"TRUSTED_PROXIES": ()}, {"proxies": WARNING}),
        ({"TRUSTED_PROXIES": ("10.0.0.1", "0.0.0.0/0")}, {"proxies": BROKEN}),
        ({"TRUSTED_PROXIES": ("::/0",)}, {"proxies": BROKEN}),
        ({"HASHING_QUEUE": 15, "HASHING_CONCURRENCY": 1}, {"threads": WARNING}),
        ({"DATABASE_POOL": 15}, {"pool": WARNING}),
        ({"DATABASE_POOL": 16}, {}),
        ({"ADMIN_PASSWORD": PASSWORD}, {"first password": WARNING}),
    ]
    for changes, expected in cases:
        findings = list(configuration.examine(configured(NOWHERE, **sound | changes), None))
        found = {one.check: one.verdict for one in findings if one.verdict != FINE}
        assert found == expected, changes
        assert PASSWORD not in repr(findings)


@postgresql_alone
def test_a_postgresql_that_is_set_up_differently_is_found(make_app, first_rows):
    changed = ("default_transaction_isolation = 'serializable'", "default_transaction_read_only = on")
    try:
        for setting in (*changed, "synchronous_commit = off"):
            on_postgresql(f"ALTER DATABASE {first_rows.name} SET {setting}")
        found = examined(make_app(DATABASE_POOL=7, WORKERS=4000), code=1)
    finally:
        on_postgresql(f"ALTER DATABASE {first_rows.name} RESET ALL")
    expected = {"isolation": BROKEN, "durability": WARNING, "writing": BROKEN, "connections": WARNING}
    assert verdicts(found, *expected) == expected
    assert "read-only" in found["writing"]["found"]


@sqlite_alone
def test_a_clock_that_differs_is_found(app):
    class Server:
        def __init__(self, ahead):
            self.ahead = timedelta(seconds=ahead)

        def scalars(self, _):
            return self

        def one(self):
            return clock.utcnow() + self.ahead

    with app.app_context():
        for ahead, verdict in ((0, FINE), (4, FINE), (-15, WARNING), (15, WARNING), (-60, BROKEN), (60, BROKEN)):
            [finding] = database._clock(Server(ahead))
            assert finding.verdict == verdict, ahead


@sqlite_alone
def test_a_journal_that_can_not_be_a_wal_and_a_full_disk_are_found(app, monkeypatch, tmp_path):
    for mode, verdict in (("wal", FINE), ("delete", WARNING)):
        monkeypatch.setattr(database.engine, "journal_mode", lambda _, mode=mode: mode)
        assert verdicts(examined(app), "journal") == {"journal": verdict}
    for mebibytes, verdict in ((5000, FINE), (500, WARNING), (5, BROKEN)):
        free = SimpleNamespace(free=mebibytes * 1024**2)
        monkeypatch.setattr(machine.shutil, "disk_usage", lambda _, free=free: free)
        [finding] = machine._room(tmp_path / "any.db")
        assert finding.verdict == verdict


def test_one_site_is_what_browsers_take_for_one():
    own = "https://auth.example.org"
    cases = {
        ("https://www.example.org", own): True,
        ("https://example.org:8443", own): True,
        ("http://www.example.org", own): False,
        ("https://www.example.com", own): False,
        ("https://example.org.example.com", own): False,
        ("https://a.one.co.uk", "https://b.one.co.uk"): True,
        ("https://one.co.uk", "https://two.co.uk"): False,
        ("http://localhost:3000", "http://localhost:8000"): True,
        ("http://127.0.0.1:3000", "http://localhost:8000"): False,
        ("https://10.0.0.1", "https://10.1.0.1"): False,
        ("https://[::1]:3000", "https://[::1]"): True,
    }
    assert {pair: are_same_site(*pair) for pair in cases} == cases


@sqlite_alone
def test_files_that_others_may_read_are_found(app, tmp_path):
    place = tmp_path / "any.db"
    place.touch()
    cases = [(0o700, 0o644, FINE), (0o755, 0o600, FINE), (0o711, 0o644, WARNING), (0o750, 0o640, WARNING)]
    for folder, file, verdict in [*cases, (0o711, 0o622, BROKEN), (0o755, 0o666, BROKEN)]:
        tmp_path.chmod(folder)
        place.chmod(file)
        [finding] = machine._readers("database file", [place, tmp_path / "none"], broken_if_read=False)
        assert finding.verdict == verdict, (oct(folder), oct(file))
    tmp_path.chmod(0o700)


def test_libraries_other_than_those_tested_together_are_found(monkeypatch, tmp_path):
    monkeypatch.setattr(machine, "PINS", tmp_path / "requirements.txt")
    assert list(machine._libraries()) == []
    for pins, verdict in (
        (f"pytest=={pytest.__version__} \\\n    --hash=x", FINE),
        ("pytest==0.1 \\\n    --hash=x", WARNING),
        ("no-such-library==1\npytest==0.1", BROKEN),
        (f"no-such-library==1 ; sys_platform == 'win32'\npytest=={pytest.__version__}", FINE),
    ):
        machine.PINS.write_text(pins)
        [finding] = machine._libraries()
        assert finding.verdict == verdict, pins


def test_where_the_database_is_away_everything_else_is_told(tmp_path):
    away = f"postgresql+psycopg://me:{PASSWORD}@127.0.0.1:1/authsvc"
    none = f"sqlite:///{tmp_path / 'none.db'}"
    for address, code, check in ((away, 3, "database"), (none, 1, "tables")):
        app = alone(configured(address, ENV="production", SECRET_KEY=PASSWORD), SettingInvalid("SECRET_KEY is bad."))
        found = examined(app, code=code)
        assert verdicts(found, "settings", check) == {"settings": BROKEN, check: BROKEN}
        assert found["settings"]["advice"] == "AUTHSVC_SECRET_KEY is bad."
        assert {"https", "hosts", "python"} < set(found)
        assert PASSWORD not in repr(found)
        with app.app_context():
            db.engine.dispose()
    assert not (tmp_path / "none.db").exists()


def test_where_no_setting_can_be_read_it_says_which_one_stands_in_the_way():
    app = alone(None, SettingInvalid("There is no setting AUTHSVC_WORKERS."))
    found = examined(app, code=1)
    assert found["settings"]["advice"] == "There is no setting AUTHSVC_WORKERS."
    assert set(found) == {"settings", "python", "libraries"}
    assert app.test_client().get("/healthz").status_code >= 500
    other = app.test_cli_runner().invoke(args=["users", "list"])
    assert (other.exit_code, other.stdout) == (1, "")
    assert "AUTHSVC_WORKERS" in other.stderr


def test_it_works_where_the_service_refuses_to_start(tmp_path):
    """In a terminal, with colours."""
    environ = {
        "PATH": os.environ["PATH"],
        "TERM": "xterm",
        "COLUMNS": "100",
        "PYTHONDONTWRITEBYTECODE": "1",
        "AUTHSVC_ENV": "production",
        "AUTHSVC_SECRET_KEY": PASSWORD,
        "AUTHSVC_BASE_URL": "https://auth.my-company.com",
        "AUTHSVC_DATABASE_URL": f"sqlite:///{tmp_path / 'none.db'}",
    }
    ours, theirs = pty.openpty()
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "doctor"]
    with os.fdopen(ours, "rb", buffering=0) as terminal:
        done = subprocess.Popen(command, cwd=ROOT, env=environ, stdout=theirs, stderr=theirs, stdin=theirs)
        os.close(theirs)
        told = b""
        try:
            while chunk := terminal.read(4096):
                told += chunk
        except OSError:
            pass  # so a terminal says that nobody writes to it any more
    assert done.wait() == 1
    assert b"\x1b[1;31mbroken" in told
    assert b"AUTHSVC_SECRET_KEY must have at least 32 bytes" in told
    assert PASSWORD.encode() not in told


@sqlite_alone
def test_the_running_service_is_asked_through_its_address(app, make_app):
    def asked(served, *words, code=0):
        done = app.test_cli_runner().invoke(args=["doctor", "--json", "--url", served, *words])
        assert done.exit_code == code, done.output
        checks = ("public address", "ready", "host", "metrics")
        return {one["check"]: one["verdict"] for one in json.loads(done.stdout) if one["check"] in checks}

    def serving(wsgi):
        served = Served(wsgi).start()
        services.append(served)
        return served.url + "/"

    services, all_is_well = [], {"public address": FINE, "ready": FINE, "host": FINE}
    closed = f"http://127.0.0.1:{free_port()}"
    another = Scripted()
    another.answers["/healthz"] = ("302 Found", {"Location": "/elsewhere"}, b"<html>")
    try:
        assert asked(serving(app)) == all_is_well
        assert asked(serving(make_app(METRICS_READERS=("127.0.0.1",)))) == all_is_well | {"metrics": WARNING}
        strict = make_app(ALLOWED_HOSTS=("auth.example.org",))
        assert asked(serving(strict), code=1) == all_is_well | {"host": BROKEN}
        other = make_app(BASE_URL="https://elsewhere.example.org")
        assert asked(serving(other), code=1) == all_is_well | {"host": BROKEN}
        sealed = make_app(SECRET_KEY=SECRET)
        assert asked(serving(sealed), code=1) == all_is_well | {"ready": BROKEN}
        assert asked(serving(another), code=1) == {"public address": BROKEN, "host": BROKEN}
        assert asked(closed, code=1) == {"public address": BROKEN}
        assert asked(closed.replace("http", "https"), code=1) == {"public address": BROKEN}
    finally:
        for served in services:
            served.stop()
    for wrong in ("auth.example.org", "ftp://auth.example.org", "https://me:secret@auth.example.org", "http://[::1"):
        assert app.test_cli_runner().invoke(args=["doctor", "--url", wrong]).exit_code == 2


@sqlite_alone
def test_redis_is_looked_at_where_there_is_one(make_app, redis):
    def told(**settings):
        found = examined(make_app(**settings))
        return {check: found[check]["verdict"] for check in ("redis", "eviction") if check in found}

    assert told() == {}
    sound = {"REDIS_URL": redis.url}
    assert told(**sound) == {"redis": FINE, "eviction": FINE}
    redis.client.config_set("maxmemory", "64mb")
    assert told(**sound) == {"redis": FINE, "eviction": FINE}
    redis.client.config_set("maxmemory-policy", "volatile-lru")
    assert told(**sound) == {"redis": FINE, "eviction": WARNING}
    redis.client.config_set("maxmemory-policy", "noeviction")
    redis.client.config_set("maxmemory", 0)
    redis.client.replicaof("127.0.0.1", 1)
    assert told(**sound) == {"redis": WARNING, "eviction": FINE}
    redis.client.replicaof("NO", "ONE")
    redis.kill()
    assert told(**sound) == {"redis": WARNING}


@sqlite_alone
def test_in_production_a_redis_that_is_open_to_others_is_told(make_app, redis):
    settings = {"ENV": "production", "SECRET_KEY": SECRET, "ADMIN_PASSWORD": ""}

    def told(url):
        found = examined(make_app(REDIS_URL=url, **settings), code=1)  # the keys are sealed with another secret
        assert PASSWORD not in str(found)
        return found["redis"]

    redis.client.config_set("requirepass", PASSWORD)
    try:
        assert told(redis.url.replace("//", f"//:{PASSWORD}@"))["verdict"] == FINE
        assert told(redis.url)["verdict"] == WARNING
    finally:
        redis.client.auth(PASSWORD)
        redis.client.config_set("requirepass", "")
    for url, found in (("redis://redis.example.org", 2), ("rediss://redis.example.org", 1), ("unix:///run/redis", 0)):
        with make_app(REDIS_URL=url, **settings).app_context():
            assert len(list(doctor_redis._way())) == found
