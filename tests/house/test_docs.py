"""Everything that callers and operators can meet is documented, and nothing that does not exist."""

import os
import re
from datetime import timedelta
from pathlib import Path

import jwt
import pytest
from flask import Flask

from authsvc import errors
from authsvc.errors import Refusal
from authsvc.services.events import KINDS
from config import Body, Cookie, Development, Production, Testing
from config.base import Base
from config.environment import TYPES
from tests.claims import claims_of
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, BASE_URL, close

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
ANYWHERE = "/srv/authsvc"
KINDS_OF_VALUES = {str: "text", int: "number", timedelta: "seconds", bool: "switch"}
MADE_AT_START = {"SECRET_KEY"}


@pytest.fixture
def database_kind():
    return "sqlite"


def page(name):
    return (DOCS / name).read_text()


def table_rows(text, first):
    """The cells of every table row whose first cell is in `code` and like that."""
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip("|").split(" | ")]
        if line.startswith("| `") and re.fullmatch(first, cells[0].strip("| ").strip("`")):
            yield [cell.strip("| ").strip() for cell in cells]


def written(value):
    """A value as an environment variable would give it."""
    if isinstance(value, bool):
        return "on" if value else "off"
    if isinstance(value, timedelta):
        return f"{value.total_seconds():g}" if value % timedelta(seconds=1) else str(int(value.total_seconds()))
    if isinstance(value, tuple):
        return ",".join(value)
    return str(value).replace(str(ROOT), ANYWHERE)


def refusals(kind=Refusal):
    """Ours. What only one dialect tells apart has the words of that system, and stays with it."""
    for below in kind.__subclasses__():
        if not below.__module__.startswith("authsvc.dialects."):
            yield below
            yield from refusals(below)


def settings_rows():
    return {row[0].strip("`"): row[1:] for row in table_rows(page("settings.md"), r"AUTHSVC_\w+")}


def test_every_setting_is_documented_and_nothing_else():
    assert set(settings_rows()) == {f"AUTHSVC_{name}" for name in TYPES}


@pytest.mark.parametrize("name", TYPES)
def test_the_type_and_the_defaults_of_a_setting_are_as_documented(name):
    kind, default, meaning = settings_rows()[f"AUTHSVC_{name}"]
    assert kind == KINDS_OF_VALUES.get(TYPES[name], "list")
    assert meaning.endswith(".")
    head, *others = default.split("; ")
    assert head == (f"`{written(getattr(Base, name))}`" if written(getattr(Base, name)) else "empty")
    for stage in (Development, Testing, Production):
        told = [other.partition(": ")[2] for other in others if other.startswith(f"{stage.ENV}: ")]
        own = getattr(stage, name)
        if name in MADE_AT_START or name == "ENV":
            continue
        assert told == ([] if own == getattr(Base, name) else [f"`{written(own)}`" if own else "none"])


@pytest.mark.parametrize("transport", [Body, Cookie])
def test_a_transport_changes_no_default_but_its_own(transport):
    changed = {name for name in TYPES if getattr(transport, name) != getattr(Base, name)}
    assert changed <= {"TRANSPORT"}


def test_the_example_file_has_every_setting_commented_out_with_its_default():
    lines = (ROOT / ".env.example").read_text().splitlines()
    given = dict(line.removeprefix("# ").split("=", 1) for line in lines if re.match(r"# [A-Z_0-9]+=", line))
    assert all(line.startswith("#") or not line for line in lines)
    expected = {f"AUTHSVC_{name}": written(getattr(Base, name)) for name in TYPES}
    assert given == {"HOST": "127.0.0.1", "PORT": "8000"} | expected
    assert {given[f"AUTHSVC_{name}"] for name in ("SECRET_KEY", "ADMIN_PASSWORD")} == {""}


def test_every_error_code_is_documented_with_its_status_and_nothing_else():
    documented = {row[0].strip("`"): int(row[1]) for row in table_rows(page("errors.md"), r"[a-z_]+") if len(row) == 4}
    assert documented == {kind.code: kind.status for kind in [Refusal, *refusals()]}


def test_every_error_is_in_its_one_module():
    assert {kind.__module__ for kind in refusals()} == {errors.__name__}


def test_codes_that_other_pages_name_exist():
    known = {kind.code for kind in [Refusal, *refusals()]}
    for path in DOCS.glob("*.md"):
        for status, code in re.findall(r"\b([45]\d\d) `([a-z]+_[a-z_]+)`", path.read_text()):
            assert code in known, f"{path.name}: {code}"
            assert int(status) == next(kind.status for kind in [Refusal, *refusals()] if kind.code == code), path.name


def test_every_kind_of_event_is_documented_and_nothing_else():
    assert {row[0].strip("`") for row in table_rows(page("events.md"), r"[a-z_]+\.[a-z_]+")} == KINDS


def test_every_kind_of_event_is_written_somewhere():
    sources = [path for path in (ROOT / "authsvc").rglob("*.py") if path.name != "events.py"]
    written_somewhere = "".join(path.read_text() for path in sources)
    assert {kind for kind in KINDS if f'"{kind}"' not in written_somewhere} == set()


def test_settings_that_other_pages_name_exist():
    for path in [*DOCS.glob("*.md"), *(ROOT / "authsvc").rglob("*.py")]:
        for name in re.findall(r"AUTHSVC_([A-Z_0-9]+)\b", path.read_text()):
            assert name in TYPES or name.startswith(("SERVICE_", "PORT")), f"{path.name}: AUTHSVC_{name}"


def test_every_link_between_pages_leads_somewhere():
    for path in DOCS.glob("*.md"):
        for target in re.findall(r"\]\(([^)\s]+)\)", path.read_text()):
            if "://" in target:
                continue
            name, _, anchor = target.partition("#")
            linked = DOCS / name if name else path
            assert linked.exists(), f"{path.name}: {target}"
            if anchor:
                headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.M)
                assert anchor in {re.sub(r"[^\w\- ]", "", one.lower()).replace(" ", "-") for one in headings}, target


def test_tests_that_the_page_on_security_names_exist():
    named = re.findall(r"`((?:[a-z]+/)?[\w*]+\.py|[a-z]+/)`", (DOCS / "security.md").read_text())
    assert len(named) > 30
    assert [one for one in named if not list((ROOT / "tests").glob(one))] == []


def test_pages_that_the_code_refers_to_exist():
    """docs/rotation.md and its like, in docstrings."""
    for path in (ROOT / "authsvc").rglob("*.py"):
        for name in re.findall(r"docs/(\w+\.md)", path.read_text()):
            assert (DOCS / name).exists(), f"{path}: {name}"


def python_in(name):
    return re.findall(r"```python\n(.*?)```", page(name), re.S)


def test_the_claims_are_as_documented(client):
    body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    signed_in = client.post("/auth/login", json=body).json["data"]
    claims = re.search(r"Claims:\n\n```json\n(.*?)```", page("tokens.md"), re.S)[1]
    assert set(re.findall(r'"(\w+)":', claims)) == set(claims_of(signed_in["accessToken"]))
    sentence = re.search(r"its claims are (.*)\.", page("tokens.md"))[1]
    named = set(re.findall(r"`(\w+)[`:]", sentence)) - {"csrf"}
    assert named == set(claims_of(signed_in["refreshToken"]))


def test_the_example_of_a_verifier_elsewhere_works(app, client, monkeypatch):
    body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    signed_in = client.post("/auth/login", json=body).json["data"]
    told = claims_of(signed_in["accessToken"])
    monkeypatch.setattr(jwt.PyJWKClient, "fetch_data", lambda _: client.get("/.well-known/jwks.json").json)
    [example] = python_in("tokens.md")
    elsewhere = {}
    exec(re.sub(r'APPLICATION = ".*"', f'APPLICATION = "{told["aud"]}"', example), elsewhere)  # noqa: S102
    assert elsewhere["BASE_URL"] == BASE_URL
    user_id, tenant_id, permissions = elsewhere["who_is"](signed_in["accessToken"])
    assert (user_id, tenant_id) == (told["sub"], told["tid"])
    assert "auth:refresh" in permissions
    for other in (signed_in["refreshToken"], signed_in["accessToken"][:-4] + "AAAA"):
        with pytest.raises(jwt.InvalidTokenError):
            elsewhere["who_is"](other)


def test_the_example_of_an_embedding_works(tmp_path, monkeypatch):
    for name in [name for name in os.environ if name.startswith("AUTHSVC_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("AUTHSVC_ENV", "testing")
    monkeypatch.setenv("AUTHSVC_DATABASE_URL", f"sqlite:///{tmp_path / 'authsvc.db'}")
    monkeypatch.setenv("AUTHSVC_ADMIN_PASSWORD", ADMIN_PASSWORD)
    names = {"__name__": "restaurants"}
    exec(python_in("embedding.md")[0], names)  # noqa: S102
    app = names["app"]
    assert isinstance(app, Flask)
    assert app.test_cli_runner().invoke(args=["authsvc", "prepare"]).exit_code == 0
    client = app.test_client()
    body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    signed_in = client.post("/identity/auth/login", json=body).json["data"]
    bearer = {"Authorization": f"Bearer {signed_in['accessToken']}"}
    assert client.get("/restaurants", headers=bearer).json == {"for": signed_in["user"]["id"]}
    assert client.get("/restaurants").status_code == 401
    close(app.extensions["authsvc.embedded"])


def test_commands_that_are_documented_exist(app):
    known = set(app.cli.list_commands(None))
    for path in DOCS.glob("*.md"):
        for rest in re.findall(r"^flask --app \w+ (?:authsvc )?(\w[\w-]*)", path.read_text(), re.M):
            assert rest in known | {"run"}, f"{path.name}: {rest}"


def test_pages_end_with_one_newline_and_hold_no_machine_path():
    for path in [*DOCS.glob("*.md"), ROOT / ".env.example"]:
        text = path.read_text()
        assert text.endswith("\n")
        assert not text.endswith("\n\n")
        assert str(ROOT) not in text
