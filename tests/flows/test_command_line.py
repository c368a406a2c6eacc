"""The commands do what the HTTP API does, for people and for programs, and say no in one line."""

import fcntl
import json
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest

from authsvc import clock, create_app
from authsvc.models import Event, RefreshToken, User
from authsvc.models.engine import reading
from tests.answers import refused
from tests.conftest import ADMIN_EMAIL, close, configured
from tests.drivers import Account, Script
from tests.flows.people import PASSWORD
from tests.flows.sign_ins import NOBODY, live_ids, rows_like
from tests.servers.gunicorn import ROOT

MISSPELLED = "no-such-thing"


@pytest.fixture
def run(app):
    """Run a command; answers what it printed."""

    def command(*words, code=0, stdin=None):
        done = app.test_cli_runner().invoke(args=list(words), input=stdin)
        assert done.exit_code == code, done.output
        assert "Traceback" not in done.output
        return done.stdout if code == 0 else done.stderr

    return command


@pytest.fixture
def ask(run):
    """Run a command as a program does; answers what it was told."""

    def command(*words, **more):
        return json.loads(run(*words, "--json", **more))

    return command


@pytest.fixture
def told(app):
    """The events of a kind, oldest first."""

    def ask(kind):
        with app.app_context(), reading() as session:
            return session.query(Event).filter_by(kind=kind).order_by(Event.id).all()

    return ask


# Users


def test_a_user_from_beginning_to_end(app, ask, run, told):
    made = ask("users", "create", "Me@Example.com", "--name", "Me", "--username", "me")
    assert (made["email"], made["roles"], made["active"]) == ("me@example.com", ["member"], True)
    device = Script(app)
    device.sign_in(Account("me@example.com", made["password"]))
    assert (
        ask("users", "show", "me") == ask("users", "show", made["id"].upper()) == ask("users", "show", "ME@example.com")
    )
    assert "password" not in ask("users", "show", "me")

    assert ask("users", "disable", "me")["active"] is False
    refused(device.me(), 401, "token_revoked")
    assert ask("users", "enable", "me")["active"] is True
    refused(device.refresh(), 401, "token_revoked")

    device.sign_in(Account("me@example.com", made["password"]))
    assert ask("users", "password", "me", "--password-stdin", stdin=f"{PASSWORD}\n") == {"id": made["id"], "revoked": 1}
    refused(device.me(), 401, "token_revoked")
    device.sign_in(Account("me@example.com", PASSWORD))
    given = ask("users", "password", "me")
    device.sign_in(Account("me@example.com", given["password"]))

    assert ask("users", "update", "me", "--role", "admin", "--role", "member")["roles"] == ["admin", "member"]
    assert ask("users", "update", "me", "--no-roles", "--confirmed")["roles"] == []
    assert "me@example.com was deleted" in run("users", "delete", "me", "--yes")
    assert "no user me" in run("users", "show", "me", code=1)
    for kind in ("user.created", "user.disabled", "user.enabled", "user.roles_changed", "user.deleted"):
        events = told(kind)
        assert events, kind
        assert {(event.actor_id, event.subject_id, event.user_agent) for event in events} == {
            (None, made["id"], "command line")
        }


def test_a_password_that_was_given_is_not_shown(run):
    for words in (("create", "me@example.com"), ("password", "me@example.com")):
        printed = run("users", *words, "--password-stdin", stdin=f"{PASSWORD}\n")
        assert PASSWORD not in printed
    assert "password" in run("users", "password", "me@example.com", "--password-stdin", stdin="short\n", code=1)


def test_lists_are_filtered_and_paged_to_the_end(app, ask, run):
    for number in range(5):
        ask("users", "create", f"user{number}@example.com")
    with app.app_context(), reading() as session:
        assert session.query(User).count() == 6
    assert [one["email"] for one in ask("users", "list", "--limit", "2")] == ["user4@example.com", "user3@example.com"]
    assert len(ask("users", "list", "--limit", "0")) == 6
    assert [one["email"] for one in ask("users", "list", "--role", "operator")] == [ADMIN_EMAIL]
    ask("users", "disable", "user1@example.com")
    assert [one["email"] for one in ask("users", "list", "--disabled")] == ["user1@example.com"]
    assert [one["email"] for one in ask("users", "list", "--search", "USER2")] == ["user2@example.com"]
    printed = run("users", "list", "--search", "user2")
    assert "user2@example.com" in printed
    assert "\x1b" not in printed
    assert run("users", "list", "--search", MISSPELLED) == "None.\n"
    assert ask("users", "list", "--search", MISSPELLED) == []


@pytest.mark.parametrize(("columns", "lines"), [(200, 4), (60, 15)])
def test_whatever_the_width_of_the_terminal_nothing_is_broken_that_people_copy(database, ask, columns, lines):
    """As wide as the table: the table. Narrower: one thing below the other."""
    made = ask("users", "create", "me@example.com")
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 50, columns, 0, 0))
    environment = {"PATH": os.environ["PATH"], "AUTHSVC_ENV": "testing", "AUTHSVC_DATABASE_URL": database}
    command = [sys.executable, "-m", "flask", "--app", "wsgi", "users", "list"]
    subprocess.run(command, cwd=ROOT, env=environment, stdin=theirs, stdout=theirs, check=True)
    os.close(theirs)
    printed = os.read(ours, 65536).decode()
    os.close(ours)
    for text in (made["id"], "me@example.com", ADMIN_EMAIL, "admin member operator", made["createdAt"]):
        assert text in printed
    assert len(printed.strip().splitlines()) == lines


def test_a_long_list_is_read_to_its_end_or_to_its_limit(town, ask):
    rows_like(town.app, town.mine_too.refresh_token_id, 447)
    whole = ask("tokens", "list", "--user", town.me.account.email, "--limit", "0")
    assert len(whole) == len({one["id"] for one in whole}) == 450
    assert ask("tokens", "list", "--user", town.me.account.email, "--limit", "333") == whole[:333]


def test_what_a_stranger_wrote_does_not_steer_the_terminal(run, ask):
    ask("users", "create", "me@example.com", "--name", "a\x1b[2Jb\r\nc[red]d")
    for printed in (run("users", "list"), run("users", "show", "me@example.com")):
        assert "\x1b" not in printed
        assert "\r" not in printed
        assert "[red]d" in printed


# Roles, applications, tenants


def test_roles(ask, run):
    made = ask("roles", "create", "waiter", "restaurants:read", "menus:read")
    assert made["permissions"] == ["menus:read", "restaurants:read"]
    changed = ask("roles", "update", "Waiter", "--add", "menus:write", "--remove", "menus:read", "--rename", "server")
    assert (changed["name"], changed["permissions"]) == ("server", ["menus:write", "restaurants:read"])
    assert "menus:read" in run("roles", "update", "server", "--remove", "menus:read", code=2)
    assert {one["name"] for one in ask("roles", "list")} == {"member", "admin", "operator", "server"}
    assert "built in" in run("roles", "delete", "member", "--yes", code=1)
    assert ask("roles", "delete", "server", "--yes") == {"id": made["id"], "holders": 0}
    assert "no role server" in run("roles", "show", "server", code=1)
    assert "no permission" in run("roles", "create", "x", "everything", code=1)


def test_applications(app, ask, run):
    words = "--transport cookie --access-lifetime 60 --no-rotate --max-refresh-tokens 5 --confidential"
    origin = ("--cors-origin", "https://office.example.org")
    made = ask("applications", "create", "Back Office", *words.split(), *origin)
    assert made == made | {
        "slug": "back-office",
        "transport": "cookie",
        "accessLifetime": 60,
        "rotate": False,
        "maxRefreshTokens": 5,
        "corsOrigins": ["https://office.example.org"],
        "confidential": True,
    }
    assert made["clientSecret"].startswith("asvcs_")
    assert "clientSecret" not in ask("applications", "show", "back-office")
    assert ask("applications", "secret", "back-office", "--overlap", "0")["clientSecret"] != made["clientSecret"]
    words = "--transport default --access-lifetime default --no-cors-origins --rotate --public --name Office"
    changed = ask("applications", "update", "back-office", *words.split())
    assert changed == changed | {"transport": None, "accessLifetime": None, "corsOrigins": [], "name": "Office"}
    for wrong in ("x", "0", "1.5", "-1", "9999999999"):
        run("applications", "update", "back-office", f"--access-lifetime={wrong}", code=2)
    assert "origin" in run("applications", "update", "back-office", "--cors-origin", "office", code=1)
    assert ask("applications", "disable", "back-office")["active"] is False
    assert ask("applications", "enable", made["id"])["active"] is True
    assert [one["slug"] for one in ask("applications", "list")] == ["back-office", "default"]
    assert ask("applications", "delete", "back-office", "--yes")["revoked"] == 0
    assert "default" in run("applications", "delete", "default", "--yes", code=1)


def test_tenants_and_what_is_done_in_one(ask, run):
    made = ask("tenants", "create", "Elsewhere", "elsewhere")
    ask("users", "create", "me@example.com", "--tenant", "elsewhere")
    assert [one["email"] for one in ask("users", "list", "--tenant", made["id"])] == ["me@example.com"]
    assert [one["email"] for one in ask("users", "list")] == [ADMIN_EMAIL]
    assert "no user" in run("users", "show", "me@example.com", code=1)
    assert "no tenant nowhere" in run("users", "list", "--tenant", "nowhere", code=1)
    assert ask("tenants", "update", "elsewhere", "--slug", "there")["slug"] == "there"
    assert ask("tenants", "disable", "there", "--yes")["active"] is False
    assert ask("tenants", "enable", "there")["active"] is True
    assert {one["slug"] for one in ask("tenants", "list")} == {"default", "there"}
    assert ask("tenants", "delete", "there", "--yes") == {"id": made["id"], "revoked": 0}
    assert "no tenant" in run("tenants", "show", "there", code=1)
    assert "default" in run("tenants", "delete", "default", "--yes", code=1)


# Sign-ins


def test_sign_ins_are_found_and_ended(town, ask, run):
    everything = town.ids("me", "mine_too", "mine_at_office", "other", "other_at_office", "admin")
    email = town.me.account.email
    assert {one["id"] for one in ask("tokens", "list")} == everything
    assert {one["id"] for one in ask("tokens", "list", "--user", email, "--application", "office")} == town.ids(
        "mine_at_office"
    )
    assert ask("tokens", "show", town.me.refresh_token_id)["userId"] == town.me.account.id
    assert run("tokens", "show", town.stranger.refresh_token_id, code=1)
    assert [one["id"] for one in ask("tokens", "list", "--tenant", "elsewhere")] == [town.stranger.refresh_token_id]

    assert ask("tokens", "revoke", "--user", email, "--preview") == {"revoked": 3, "preview": True}
    assert town.dead() == set()
    assert ask("tokens", "revoke", town.me.refresh_token_id, "--yes") == {"revoked": 1}
    assert ask("tokens", "revoke", "--string", "-", "--yes", stdin=f"{town.mine_too.refresh_token}\n") == {"revoked": 1}
    assert town.dead() == {"me", "mine_too"}
    assert ask("tokens", "revoke", "--application", "office", "--user", email, "--yes") == {"revoked": 1}
    spared = town.other.refresh_token_id
    assert ask("tokens", "revoke", "--all", "--except", spared, "--yes") == {"revoked": 2}
    assert town.alive() == {"other", "stranger"}
    assert {one["id"] for one in ask("tokens", "list", "--state", "revoked")} == everything - {spared}


def test_nothing_ends_without_being_named_or_confirmed(town, run):
    assert "Say which" in run("tokens", "revoke", code=1)
    assert "Say which" in run("tokens", "revoke", "--except", NOBODY, code=1)
    assert "Say which" in run("tokens", "revoke", "--user", "", code=1)
    run("tokens", "revoke", "--all", code=1, stdin="n\n")
    run("tokens", "revoke", "--all", code=1, stdin="")
    for wrong in ("abc", "null", "*"):
        run("tokens", "revoke", wrong, "--yes", code=2)
    run("tokens", "revoke", NOBODY, "--yes", code=1)
    run("tokens", "revoke", "--user", MISSPELLED, "--yes", code=1)
    run("tokens", "revoke", "--application", MISSPELLED, "--yes", code=1)
    run("tokens", "revoke", "--string", "-", "--yes", code=1, stdin="junk")
    run("tokens", "revoke", town.stranger.refresh_token_id, "--yes", code=1)
    assert town.dead() == set()
    assert "Sign-ins ended: 6." in run("tokens", "revoke", "--all", stdin="y\n")


def test_many_end_in_short_transactions_and_every_one_is_told(town, ask, told):
    rows_like(town.app, town.mine_too.refresh_token_id, 2497)
    assert ask("tokens", "revoke", "--user", town.me.account.id, "--yes") == {"revoked": 2500}
    assert town.dead() == {"me", "mine_too", "mine_at_office"}
    assert [event.detail["revoked"] for event in told("refresh_token.revoked")] == [1000, 1000, 500]


def test_long_dead_sign_ins_are_removed(town, ask, run, age):
    ids = rows_like(town.app, town.mine_too.refresh_token_id, 1500, revoked_at=clock.utcnow(), revoke_reason="x")
    age(town.app, town.mine_at_office.refresh_token_id, days=70)
    assert ask("tokens", "prune", "--older-than", "30") == {"removed": 1}
    assert run("tokens", "prune").endswith("Sign-ins removed: 0.\n")
    run("tokens", "prune", "--older-than", "0", code=2)
    with town.app.app_context(), reading() as session:
        left = {row.id for row in session.query(RefreshToken)}
    assert set(ids) < left
    assert live_ids(town.app) == town.ids("me", "mine_too", "other", "other_at_office", "admin", "stranger")
    refused(town.mine_at_office.refresh(), 401, "token_revoked")


# Keys and events


def test_api_tokens(app, admin, ask, run, told):
    narrow = ("--scope", "users:read", "--days", "3", "--allow-in-query", "--allowed-ip", "127.0.0.0/8")
    made = ask("api-tokens", "create", ADMIN_EMAIL, "nightly export", *narrow)
    row, text = made["apiToken"], made["token"]
    assert (row["scopes"], row["allowInQuery"], row["allowedIps"]) == (["users:read"], True, ["127.0.0.0/8"])
    assert admin.client.get("/admin/users", headers={"X-Api-Key": text}).status_code == 200
    assert [one["id"] for one in ask("api-tokens", "list", "--user", ADMIN_EMAIL)] == [row["id"]]
    assert ask("api-tokens", "show", row["id"].upper())["name"] == "nightly export"
    assert text not in run("api-tokens", "list") + run("api-tokens", "show", row["id"])

    following = ask("api-tokens", "rotate", row["id"], "--overlap", "0")
    refused(admin.client.get("/auth/me", headers={"X-Api-Key": text}), 401, "token_revoked")
    assert admin.client.get("/auth/me", headers={"X-Api-Key": following["token"]}).status_code == 200
    assert "asvc_" in run("api-tokens", "create", ADMIN_EMAIL, "shown to people")
    assert "No API token can have" in run("api-tokens", "create", ADMIN_EMAIL, "z", "--scope", "auth:refresh", code=1)
    assert run("users", "create", "plain@example.com")
    assert "users:read" in run("api-tokens", "create", "plain@example.com", "z", "--scope", "users:read", code=1)

    new = following["apiToken"]["id"]
    assert "nightly export" in run("api-tokens", "revoke", new, code=1, stdin="n\n")
    assert ask("api-tokens", "revoke", new, "--yes") == {"id": new, "revoked": 1}
    assert ask("api-tokens", "revoke", new, "--yes") == {"id": new, "revoked": 0}
    assert len(ask("api-tokens", "list", "--state", "revoked")) == 2
    assert [event.actor_id for event in told("api_token.revoked")] == [None]


def test_keys(admin, ask, run):
    first, second = sorted(ask("keys", "list"), key=lambda key: key["state"])
    assert (first["state"], second["state"]) == ("active", "next")
    assert ask("keys", "rotate")["kid"] == second["kid"]
    assert admin.me().status_code == 200
    assert "may still hold" in run("keys", "retire", first["kid"], code=1)
    assert ask("keys", "revoke", first["kid"], "--yes")["revoked"] == 1
    refused(admin.me(), 401, "token_invalid")
    assert run("keys", "revoke", MISSPELLED, "--yes", code=1)
    states = {key["kid"]: key["state"] for key in ask("keys", "list")}
    assert (states[first["kid"]], states[second["kid"]]) == ("retired", "active")


def test_events(town, ask, run):
    town.me.ask("DELETE", f"/jwt/refresh/{town.mine_too.refresh_token_id}")
    [event] = ask("events", "list", "--kind", "refresh_token.revoked")
    assert event["refreshTokenId"] == town.mine_too.refresh_token_id
    assert ask("events", "show", event["id"]) == event
    assert ask("events", "list", "--token", town.mine_too.refresh_token_id, "--limit", "1") == [event]
    assert ask("events", "list", "--user", town.me.account.email, "--kind", "refresh_token.revoked") == [event]
    assert ask("events", "list", "--after", "2100-01-01") == []
    assert ask("events", "list", "--tenant", "elsewhere", "--kind", "refresh_token.revoked") == []
    run("events", "list", "--kind", "no.such", code=2)
    run("events", "list", "--before", "yesterday", code=2)
    run("events", "show", MISSPELLED, code=2)
    run("events", "show", NOBODY, code=1)
    assert "refresh_token.revoked" in run("events", "list")


# Refusals


def test_without_the_database_every_command_says_so_in_one_line():
    away = create_app(configured("postgresql+psycopg://nobody@127.0.0.1:1/nothing"))
    for words in (["users", "list"], ["tokens", "revoke", "--all", "--yes"], ["keys", "rotate"], ["events", "list"]):
        done = away.test_cli_runner().invoke(args=words)
        assert done.exit_code == 3
        assert done.stderr.startswith("Error: The database did not answer")
        assert done.stderr.count("\n") == 1
    close(away)


def test_every_command_explains_itself(app, run):
    groups = ("users", "roles", "applications", "tenants", "tokens", "keys", "events")
    for group in groups:
        assert run(group, "--help")
        for name, command in app.cli.get_command(None, group).commands.items():
            assert command.help, f"{group} {name}"
            assert run(group, name, "--help")
            run(group, name, "--no-such-option", code=2)
