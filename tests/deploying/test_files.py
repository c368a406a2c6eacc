"""What deploy/ names is there, the service starts alike everywhere, and each file is sound to who knows its kind."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ruamel.yaml import YAML

from config import Base
from config.environment import TYPES
from tests.servers.gunicorn import ROOT
from tests.servers.proxies import program

DEPLOY = ROOT / "deploy"
FILES = ("Dockerfile", "authsvc.service", "compose.yml", "haproxy.cfg", "healthy.py", "nginx.conf", "start")
PREPARE, SERVE = "flask --app wsgi prepare", "gunicorn -c config/gunicorn.py"


def text_of(name):
    return (DEPLOY / name).read_text()


def compose():
    return YAML(typ="safe").load(text_of("compose.yml"))


def seconds(pattern, name):
    [found] = re.findall(pattern, text_of(name), re.M)
    return int(found)


def of_gunicorn(name):
    [value] = re.findall(rf"^{name} = (\d+)$", (ROOT / "config" / "gunicorn.py").read_text(), re.M)
    return int(value)


@pytest.mark.parametrize("name", FILES)
def test_every_setting_that_is_named_exists(name):
    for setting in re.findall(r"\bAUTHSVC_([A-Z_0-9]+)", text_of(name)):
        assert setting in TYPES, setting


def test_everywhere_the_service_is_started_alike():
    documented = (ROOT / "docs" / "operations.md").read_text()
    assert f"\n{PREPARE}\n{SERVE}\n" in documented
    assert f"\n{PREPARE}\nexec {SERVE}\n" in text_of("start")
    unit = text_of("authsvc.service")
    assert f"\nExecStartPre=/srv/authsvc/.venv/bin/{PREPARE}\n" in unit
    assert f"\nExecStart=/srv/authsvc/.venv/bin/{SERVE}\n" in unit
    made = (ROOT / "Makefile").read_text()
    assert f"@$(BIN)/{PREPARE} && exec $(BIN)/{SERVE}\n" in made
    assert not {"flask", "gunicorn"} & set(re.findall(r"\w+", text_of("Dockerfile")))


def test_every_file_is_documented():
    documented = (ROOT / "docs" / "operations.md").read_text()
    for name in FILES[:4] + FILES[5:6]:
        assert f"(../deploy/{name})" in documented, name


def test_who_waits_for_whom_waits_long_enough():
    """Proxies let go of idle connections before gunicorn does, and nobody is killed while it finishes."""
    assert seconds(r"^ +keepalive_timeout (\d+)s;", "nginx.conf") < of_gunicorn("keepalive")
    assert seconds(r"pool-purge-delay (\d+)s", "haproxy.cfg") < of_gunicorn("keepalive")
    assert seconds(r"^TimeoutStopSec=(\d+)s$", "authsvc.service") > of_gunicorn("graceful_timeout")
    assert seconds(r"^  stop_grace_period: (\d+)s$", "compose.yml") > of_gunicorn("graceful_timeout")
    # What is too large is for authsvc to refuse.
    assert seconds(r"client_max_body_size (\d+)k;", "nginx.conf") * 1024 > Base.MAX_BODY


def test_the_addresses_are_the_same_everywhere():
    services = compose()["services"]
    front = {
        name: service["networks"]["front"]["ipv4_address"]
        for name, service in services.items()
        if "front" in service["networks"]
    }
    servers = [front["authsvc-1"], front["authsvc-2"]]
    for name in ("nginx.conf", "haproxy.cfg"):
        assert re.findall(r"^ +server (?:authsvc-\d )?([\d.]+):8000", text_of(name), re.M) == servers
    assert services["authsvc-1"]["environment"]["AUTHSVC_TRUSTED_PROXIES"] == front["nginx"]


def test_in_compose_no_secret_has_a_value_and_no_image_is_whatever_is_newest():
    asked = re.findall(r"\$\{([^}]*)\}", text_of("compose.yml"))
    assert {one.partition(":?")[0] for one in asked} == {
        "AUTHSVC_BASE_URL",
        "AUTHSVC_SECRET_KEY",
        "POSTGRES_PASSWORD",
        "REDIS_PASSWORD",
    }
    assert all(one.partition(":?")[2] for one in asked)
    for name, service in compose()["services"].items():
        if "build" not in service:
            assert re.search(r":\d+", service["image"]), name
            assert "healthcheck" in service or name == "nginx"
        assert "ports" not in service or name == "nginx"
    assert re.findall(r"^FROM (\S+)", text_of("Dockerfile"), re.M) == ["python:3.11-slim-bookworm"] * 2


def test_the_compose_file_is_as_its_schema_says():
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, str(DEPLOY / "compose.yml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_the_dockerfile_is_as_hadolint_likes_it():
    hadolint = shutil.which("hadolint", path=str(Path(sys.executable).parent))
    assert hadolint, "hadolint comes with the packages for development: make check"
    done = subprocess.run([hadolint, str(DEPLOY / "Dockerfile")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_the_unit_is_sound_and_confined(tmp_path):
    unit, analyze = tmp_path / "authsvc.service", program("systemd-analyze")
    # It looks whether the programs are there.
    unit.write_text(re.sub(r"/srv/authsvc/\.venv/bin/\w+", "/bin/true", text_of("authsvc.service")))
    done = subprocess.run([analyze, "verify", "--man=no", unit], capture_output=True, text=True, check=False)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "authsvc" in line]) == (0, [])
    confined = [analyze, "security", "--offline=yes", "--threshold=20", "--json=short", "--no-pager", unit]
    done = subprocess.run(confined, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)
