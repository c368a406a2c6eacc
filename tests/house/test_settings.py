"""From environment variables to a config object, and what is refused before an app is made of one."""

import os
import stat
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from authsvc import create_app
from authsvc.settings import SettingsRefused, check
from config import Body, Cookie, Development, Production, SettingInvalid, Testing, from_environment
from config.environment import TYPES, host_and_port, own_secret

ROOT = Path(__file__).resolve().parents[2]
SECRET = "uW5mKq0x9ZcT4vBn7LrEa2YsDhGjP8fXoI3wQk6MtNRy1UeV"
EVERYWHERE = "0.0.0.0"  # noqa: S104


@pytest.fixture(autouse=True)
def instance(tmp_path, monkeypatch):
    """The development secret of these tests is their own."""
    monkeypatch.setattr("config.environment.ROOT", tmp_path)
    return tmp_path / "instance"


def given(**settings):
    return from_environment({f"AUTHSVC_{name}": text for name, text in settings.items()})


def production(tmp_path, **changes):
    safe = {
        "ENV": "production",
        "SECRET_KEY": SECRET,
        "BASE_URL": "https://auth.my-company.com",
        "DATABASE_URL": f"sqlite:///{tmp_path / 'authsvc.db'}",
    } | changes
    return {f"AUTHSVC_{name}": text for name, text in safe.items() if text is not None}


def refused(environ):
    with pytest.raises(SettingsRefused) as caught:
        check(from_environment(environ))
    return str(caught.value)


# Reading


def test_nothing_given_is_development_in_body_transport():
    settings = from_environment({})
    assert isinstance(settings, Development)
    assert isinstance(settings, Body)
    assert (settings.ENV, settings.TRANSPORT, settings.DEBUG) == ("development", "body", False)


@pytest.mark.parametrize(("stage", "its_class"), [("testing", Testing), ("production", Production)])
def test_the_stage_is_chosen_by_name(stage, its_class):
    assert isinstance(given(ENV=stage), its_class)
    assert stage == given(ENV=stage).ENV


@pytest.mark.parametrize(("transport", "its_class"), [("body", Body), ("cookie", Cookie)])
def test_the_transport_is_chosen_by_name(transport, its_class):
    assert isinstance(given(TRANSPORT=transport), its_class)
    assert transport == given(TRANSPORT=transport).TRANSPORT


@pytest.mark.parametrize("name", ["ENV", "TRANSPORT"])
def test_another_stage_or_transport_is_refused(name):
    with pytest.raises(SettingInvalid, match=f"AUTHSVC_{name} must be one of"):
        given(**{name: "elsewhere"})


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [
        ("SECRET_KEY", " kept as it is ", " kept as it is "),
        ("ADMIN_PASSWORD", "a,b,c", "a,b,c"),
        ("WORKERS", "4", 4),
        ("MAX_BODY", "1024", 1024),
        ("ACCESS_LIFETIME", "60", timedelta(minutes=1)),
        ("REFRESH_LEEWAY", "0.5", timedelta(milliseconds=500)),
        ("REFRESH_LEEWAY", "0", timedelta(0)),
        ("ALLOWED_HOSTS", "a.example.org, b.example.org", ("a.example.org", "b.example.org")),
        ("TRUSTED_PROXIES", "10.0.0.0/8,", ("10.0.0.0/8",)),
        ("TRUSTED_PROXIES", "", ()),
    ],
)
def test_every_type_is_read(name, text, value):
    assert getattr(given(**{name: text}), name) == value


@pytest.mark.parametrize(
    ("text", "value"),
    [("1", True), ("true", True), ("Yes", True), ("ON", True)] + [(no, False) for no in ("0", "false", "No", "OFF")],
)
def test_a_switch_is_on_or_off(text, value):
    assert given(RATE_LIMITS=text).RATE_LIMITS is value


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        ("RATE_LIMITS", "maybe", "on or off"),
        ("RATE_LIMITS", "", "on or off"),
        ("WORKERS", "many", "a whole number"),
        ("WORKERS", "1.5", "a whole number"),
        ("WORKERS", "", "a whole number"),
        ("ACCESS_LIFETIME", "15m", "a number of seconds"),
        ("ACCESS_LIFETIME", "nan", "a number of seconds"),
        ("ACCESS_LIFETIME", "inf", "a number of seconds"),
        ("ACCESS_LIFETIME", "1e30", "a number of seconds"),
    ],
)
def test_what_is_not_of_its_type_is_refused_by_name_and_not_repeated(name, text, kind):
    with pytest.raises(SettingInvalid) as caught:
        given(**{name: text})
    assert str(caught.value) == f"AUTHSVC_{name} must be {kind}."


def test_every_setting_can_be_given_and_its_own_default_is_understood():
    for name, kind in TYPES.items():
        value = getattr(Testing, name)
        if kind is timedelta:
            text = str(value.total_seconds())
        elif isinstance(value, tuple):
            text = ",".join(value)
        else:
            text = str(value)
        assert getattr(given(**{"ENV": "testing", name: text}), name) == value


def test_an_unknown_name_is_refused_with_the_one_that_may_be_meant():
    with pytest.raises(SettingInvalid, match=r"no setting AUTHSVC_SECRETKEY\. Did you mean AUTHSVC_SECRET_KEY\?"):
        given(SECRETKEY=SECRET)
    with pytest.raises(SettingInvalid) as caught:
        given(ZZZ=SECRET)
    assert str(caught.value) == "There is no setting AUTHSVC_ZZZ."


def test_names_without_the_prefix_are_nobodys_business():
    assert from_environment({"SECRET_KEY": "theirs", "WORKERS": "many", "authsvc_WORKERS": "x"}).WORKERS == 0


def test_what_kubernetes_puts_into_a_pod_is_ignored():
    pod = {
        "AUTHSVC_SERVICE_HOST": "10.3.4.5",
        "AUTHSVC_SERVICE_PORT": "8000",
        "AUTHSVC_SERVICE_PORT_HTTP": "8000",
        "AUTHSVC_PORT": "tcp://10.3.4.5:8000",
        "AUTHSVC_PORT_8000_TCP": "tcp://10.3.4.5:8000",
        "AUTHSVC_PORT_8000_TCP_ADDR": "10.3.4.5",
        "AUTHSVC_PORT_8000_TCP_PORT": "8000",
        "AUTHSVC_PORT_8000_TCP_PROTO": "tcp",
    }
    assert from_environment(pod).BASE_URL == "http://127.0.0.1:8000"


@pytest.mark.parametrize(
    ("environ", "address"),
    [
        ({}, "http://127.0.0.1:8000"),
        ({"HOST": "", "PORT": ""}, "http://127.0.0.1:8000"),
        ({"PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"HOST": "192.168.1.5"}, "http://192.168.1.5:8000"),
        ({"HOST": EVERYWHERE}, "http://127.0.0.1:8000"),
        ({"HOST": "::"}, "http://127.0.0.1:8000"),
        ({"HOST": "[::]", "PORT": "9000"}, "http://127.0.0.1:9000"),
        ({"HOST": "::1"}, "http://[::1]:8000"),
        ({"HOST": "[::1]"}, "http://[::1]:8000"),
        ({"HOST": EVERYWHERE, "AUTHSVC_BASE_URL": "https://auth.example.org"}, "https://auth.example.org"),
    ],
)
def test_outside_production_the_base_url_follows_host_and_port(environ, address):
    settings = from_environment(environ)
    assert address == settings.BASE_URL
    check(settings)


def test_in_production_the_base_url_must_be_given():
    settings = from_environment({"AUTHSVC_ENV": "production", "HOST": "10.0.0.1", "PORT": "80"})
    assert settings.BASE_URL == ""


@pytest.mark.parametrize(
    ("host", "bound"), [("::", "[::]:8000"), ("[::1]", "[::1]:8000"), ("10.0.0.1", "10.0.0.1:8000")]
)
def test_gunicorn_listens_where_host_says(host, bound):
    from gunicorn.util import parse_address

    assert ":".join(host_and_port({"HOST": host})) == bound
    assert parse_address(bound) == (host.strip("[]"), 8000)


@pytest.mark.parametrize(("text", "debug"), [("1", True), ("yes", True), ("0", False), ("", False), ("False", False)])
def test_flask_debug_is_a_debug_switch_too(text, debug):
    assert from_environment({"FLASK_DEBUG": text}).DEBUG is debug


# The development secret


def test_development_makes_its_secret_once(instance):
    first = from_environment({}).SECRET_KEY
    assert len(first) >= 64
    assert first == from_environment({}).SECRET_KEY
    assert (instance / "secret_key").read_text() == first
    assert list(instance.iterdir()) == [instance / "secret_key"]


def test_the_secret_is_its_owners_alone_whatever_the_umask(instance):
    before = os.umask(0)
    try:
        from_environment({})
    finally:
        os.umask(before)
    assert stat.S_IMODE((instance / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(instance.stat().st_mode) == 0o700


def test_other_stages_make_no_secret(instance):
    assert given(ENV="production").SECRET_KEY == ""
    given(ENV="testing")
    assert given(SECRET_KEY=SECRET).SECRET_KEY == SECRET
    assert not instance.exists()


def test_many_first_starts_at_once_agree_on_one_secret(tmp_path):
    place = tmp_path / "shared" / "secret_key"
    program = (
        f"from pathlib import Path; from config.environment import own_secret; print(own_secret(Path({str(place)!r})))"
    )
    starts = [
        subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True) for _ in range(8)
    ]
    told = {start.communicate()[0].strip() for start in starts}
    assert [start.returncode for start in starts] == [0] * 8
    assert told == {own_secret(place)}
    assert stat.S_IMODE(place.stat().st_mode) == 0o600
    assert list(place.parent.iterdir()) == [place]


# What no stage takes


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("SIGNING_ALGORITHM", "HS256"),
        ("SIGNING_ALGORITHM", "none"),
        ("REGISTRATION", "half-open"),
        ("COOKIE_SAME_SITE", "strict"),
        ("LOG_FORMAT", "xml"),
        ("LOG_LEVEL", "loud"),
        ("DATABASE_URL", "mysql://root@localhost/authsvc"),
        ("DATABASE_URL", "postgresql://localhost/authsvc"),
        ("DATABASE_URL", "not an address"),
        ("DATABASE_URL", "sqlite://"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite:///file:any?mode=memory&uri=true"),
        ("BASE_URL", ""),
        ("BASE_URL", "login.our-firm.com"),
        ("BASE_URL", "ftp://auth.my-company.com"),
        ("BASE_URL", "https://auth.my-company.com/"),
        ("BASE_URL", "https://auth.my-company.com?a=b"),
        ("BASE_URL", "https://auth.my-company.com#here"),
        ("BASE_URL", "http://[::1"),
        *(
            ("REDIS_URL", text)
            for text in (
                "redis.my-company.com:6379",
                "http://redis.my-company.com",
                "redis://:6379",
                "redis://[::1",
                "redis://redis.my-company.com:many",
                "redis://redis.my-company.com/one",
                "redis://redis.my-company.com/0/1",
                "redis://redis.my-company.com?ssl_ca_certs=/etc/ca.pem",
                "rediss://redis.my-company.com?ssl_cert_reqs=none",
                "redis://redis.my-company.com?decode=",
                "unix://?db=1",
                "unix:///run/redis.sock?max_connections=0",
            )
        ),
        ("TRUSTED_PROXIES", "proxy.my-company.com"),
        ("TRUSTED_PROXIES", "10.0.0.0/8,10.0.0.0/99"),
        ("METRICS_READERS", "scraper.my-company.com"),
        ("ARGON2_MEMORY", "7"),
        ("ARGON2_MEMORY", "-1"),
        ("SECRET_KEY", ""),
        *((name, "0") for name in ("ACCESS_LIFETIME", "REFRESH_IDLE_LIFETIME", "REFRESH_LIFETIME", "KEY_REREAD")),
        *((name, "0") for name in ("DATABASE_TIMEOUT", "GUESS_WINDOW")),
        *((name, "-1") for name in ("CLOCK_SKEW", "REFRESH_LEEWAY", "REVOCATION_LAG", "ACCESS_LIFETIME")),
        *((name, "0") for name in ("HASHING_QUEUE", "MAX_BODY", "PASSWORD_MIN_LENGTH", "THREADS")),
        *((name, "0") for name in ("ARGON2_TIME", "ARGON2_PARALLELISM")),
        *((f"GUESSES_PER_{name}", "0") for name in ("ACCOUNT", "SOURCE", "ACCOUNT_AND_SOURCE")),
        *((name, "-1") for name in ("WORKERS", "HASHING_CONCURRENCY", "THREADS", "DATABASE_POOL")),
    ],
)
def test_what_can_not_work_is_refused_by_name_and_not_repeated(name, text):
    told = refused({"AUTHSVC_ENV": "testing", f"AUTHSVC_{name}": text})
    complaints = told.splitlines()[1:]
    assert complaints
    assert all(line.strip().startswith(name) for line in complaints)
    assert text in ("", "0", "-1", "7", "none") or text not in told


def test_same_site_none_needs_https():
    assert "COOKIE_SAME_SITE=None needs" in refused({"AUTHSVC_ENV": "testing", "AUTHSVC_COOKIE_SAME_SITE": "None"})
    check(given(ENV="testing", COOKIE_SAME_SITE="None", BASE_URL="https://auth.example.org"))


# What production does not take


def test_a_safe_production_starts(tmp_path):
    environ = production(tmp_path)
    check(from_environment(environ))
    assert create_app(from_environment(environ)).debug is False
    database = "postgresql+psycopg://authsvc:another-Secret_4711@db.internal/authsvc"
    check(from_environment(production(tmp_path, DATABASE_URL=database, TRANSPORT="cookie")))
    for redis in ("redis://redis", "rediss://:a%2Fb@[::1]:6380/2?ssl_ca_certs=/ca.pem", "unix:///run/redis.sock?db=1"):
        check(from_environment(production(tmp_path, REDIS_URL=redis)))


@pytest.mark.parametrize(
    "secret",
    [
        None,
        "",
        "short",
        SECRET[:31],
        "changeme",
        "dev",
        "changeme-changeme-changeme-changeme-1234567890",
        "please-change-me-please-change-me-0123456789",
        "my-SECRET-KEY-is-a-long-one-0123456789-abcdefghij",
        "example-0123456789-abcdefghijklmnopqrstuvwxyz",
        "your-secret-here-0123456789-abcdefghijklmnopqrstu",
        "the-default-0123456789-abcdefghijklmnopqrstuvwxyz",
        Testing.SECRET_KEY,
        "a" * 64,
        "abcdefgh" * 8,
        "0123" * 16,
    ],
)
def test_production_refuses_a_missing_short_or_example_secret(tmp_path, secret):
    told = refused(production(tmp_path, SECRET_KEY=secret))
    assert all(line.strip().startswith("SECRET_KEY") for line in told.splitlines()[1:])
    assert not secret or len(secret) < 6 or secret not in told


@pytest.mark.parametrize(
    "other",
    [
        {"ADMIN_PASSWORD": SECRET},
        {"DATABASE_URL": f"postgresql+psycopg://authsvc:{SECRET}@db.internal/authsvc"},
    ],
)
def test_production_refuses_a_secret_that_is_another_secret_too(tmp_path, other):
    told = refused(production(tmp_path, **other))
    assert "SECRET_KEY is used as another secret too" in told
    assert SECRET not in told


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("BASE_URL", None),
        ("BASE_URL", "http://auth.my-company.com"),
        ("ALLOWED_HOSTS", "*"),
        ("ALLOWED_HOSTS", "auth.my-company.com,*"),
        ("DEBUG", "on"),
        ("DATABASE_URL", "sqlite:///:memory:"),
        ("DATABASE_URL", "sqlite://"),
    ],
)
def test_production_refuses_what_is_unsafe_by_name(tmp_path, name, text):
    told = refused(production(tmp_path, **{name: text}))
    assert all(line.strip().startswith(name) for line in told.splitlines()[1:])


@pytest.mark.parametrize("text", ["1", "true", "yes", "anything"])
def test_production_refuses_flask_debug(tmp_path, text):
    assert "FLASK_DEBUG" in refused(production(tmp_path) | {"FLASK_DEBUG": text})


def test_all_that_is_wrong_is_said_at_once_and_no_value_of_it(tmp_path):
    environ = {
        "ENV": "production",
        "SECRET_KEY": "changeme-4711",
        "BASE_URL": "http://plain-4711.example",
        "ALLOWED_HOSTS": "*",
        "DATABASE_URL": "sqlite:///:memory:",
        "DEBUG": "on",
        "THREADS": "0",
        "LOG_LEVEL": "shout-4711",
    }
    told = refused({f"AUTHSVC_{name}": text for name, text in environ.items()})
    for name in set(environ) - {"ENV"}:
        assert f"\n  {name}" in told, name
    assert "4711" not in told


def test_create_app_refuses_too(tmp_path):
    with pytest.raises(SettingsRefused, match="SECRET_KEY"):
        create_app(from_environment(production(tmp_path, SECRET_KEY=None)))


COMMANDS = {
    "gunicorn": [sys.executable, "-m", "gunicorn", "-c", "config/gunicorn.py"],
    "flask": [sys.executable, "-m", "flask", "--app", "wsgi", "prepare"],
    "wsgi": [sys.executable, "-c", "import wsgi"],
}


@pytest.mark.parametrize("how", COMMANDS)
def test_however_it_is_started_it_stops_and_names_the_setting(tmp_path, how):
    from tests.servers.postgresql import free_port

    environ = production(tmp_path, SECRET_KEY="changeme-4711", WORKERS="1") | {"PORT": str(free_port())}
    environ |= {"PATH": os.environ["PATH"], "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(COMMANDS[how], cwd=ROOT, env=environ, capture_output=True, text=True, timeout=60, check=False)
    told = done.stdout + done.stderr
    assert done.returncode != 0
    assert "SECRET_KEY" in told
    assert "4711" not in told
    assert not (tmp_path / "authsvc.db").exists()
