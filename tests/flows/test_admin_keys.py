"""Signing keys over HTTP: who may, what they show, when a key retires, and what ends when one is revoked."""

import json
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from authsvc import clock
from authsvc.models import Application, RefreshToken, SigningKey
from authsvc.models.engine import transaction
from tests.answers import code, refused
from tests.claims import header_of
from tests.conftest import counter
from tests.drivers import HOST, Script
from tests.flows.people import PASSWORD

SHAPE = {"kid", "algorithm", "state", "createdAt", "activatedAt", "replacedAt", "retiredAt", "publicJwk"}
NO_KIDS = ["x", "0190a5b0-0000-7000-8000-000000000000", "%00", "a%00b", "é", "%ff", "x" * 3000, "..", "'; --", "a%20b"]
ANOTHER_SECRET = "another-secret-of-more-than-thirty-two-bytes"


@pytest.fixture
def follower(make_app, settings):
    """Another worker on the same database, which has read the keys and won't soon do so again."""
    return make_app(KEY_REREAD=timedelta(hours=1), **settings)


@pytest.fixture
def operator(make_person):
    return make_person("keys:rotate", "auth:refresh")


def listed(device):
    answer = device.ask("GET", "/admin/keys")
    assert answer.status_code == 200, answer.text
    return answer.json["data"]["items"]


def in_state(device, state):
    return [key["kid"] for key in listed(device) if key["state"] == state]


def change(device, what, kid=None):
    return device.ask("POST", f"/admin/keys/{kid}/{what}" if kid else f"/admin/keys/{what}")


def rotate(device):
    answer = change(device, "rotate")
    assert answer.status_code == 200, answer.text
    return answer.json["data"]["kid"]


def revoke(device, kid):
    answer = change(device, "revoke", kid)
    assert answer.status_code == 200, answer.text
    return answer.json["data"]["revoked"]


def kid_of(device):
    return header_of(device.refresh_token)["kid"]


def someone(app):
    """A new user, signed in once."""
    device = Script(app)
    answer = device.post("/auth/register", email=f"someone{next(counter)}@example.com", password=PASSWORD)
    assert answer.status_code == 201, answer.text
    device.keep(answer)
    return device


def at(app, device):
    """The same sign-in, at another worker."""
    other = Script(app)
    other.access_token, other.refresh_token = device.access_token, device.refresh_token
    return other


def published(app):
    return [key["kid"] for key in app.test_client().get("/.well-known/jwks.json", base_url=HOST).json["keys"]]


def put(app, model, key, **values):
    with app.app_context(), transaction() as session:
        row = session.get_one(model, key)
        for name, value in values.items():
            setattr(row, name, value)


def told(app, rows, kind):
    found = rows(app, "SELECT detail FROM events WHERE kind = :kind ORDER BY id", kind=kind)
    return [detail if isinstance(detail, dict) else json.loads(detail) for (detail,) in found]


def long_ago(app, *kids, **by):
    """As if these keys had been made and used that much earlier."""
    with app.app_context(), transaction() as session:
        for kid in kids:
            row = session.get_one(SigningKey, kid)
            for column in ("created_at", "activated_at", "replaced_at"):
                if getattr(row, column) is not None:
                    setattr(row, column, getattr(row, column) - timedelta(**by))


# Seen


def test_keys_are_shown_newest_first_with_nothing_private(operator, rows):
    for _ in range(2):
        rotate(operator)
    keys = listed(operator)
    assert [key["state"] for key in keys] == ["next", "active", "previous", "previous"]
    assert [key["kid"] for key in keys] == sorted((key["kid"] for key in keys), reverse=True)
    for key in keys:
        assert set(key) == SHAPE
        assert set(key["publicJwk"]) == {"kty", "crv", "x", "y", "kid", "alg", "use"}
        assert operator.ask("GET", f"/admin/keys/{key['kid']}").json["data"] == key
        assert (key["activatedAt"] is None) == (key["state"] == "next")
        assert (key["replacedAt"] is None) == (key["state"] != "previous")
    assert {key["publicJwk"]["kid"] for key in keys} == set(published(operator.app))
    text = operator.ask("GET", "/admin/keys").text
    assert not any(sealed in text for (sealed,) in rows(operator.app, "SELECT sealed_private_key FROM signing_keys"))


def test_keys_come_by_the_page(operator):
    for _ in range(3):
        rotate(operator)
    seen, cursor = [], ""
    while cursor is not None:
        answer = operator.ask("GET", "/admin/keys?limit=2" + (f"&cursor={cursor}" if cursor else ""))
        seen += [key["kid"] for key in answer.json["data"]["items"]]
        cursor = answer.json["data"]["nextCursor"]
    assert seen == [key["kid"] for key in listed(operator)]
    for bad in ("x", "%00", "0190a5b0-0000-7000-8000-000000000000", "a" * 100):
        refused(operator.ask("GET", f"/admin/keys?cursor={bad}"), 422, "validation_failed", ["cursor"])


@pytest.mark.parametrize("kid", NO_KIDS)
def test_a_name_that_no_key_has_is_not_found(operator, kid):
    for method, path in (("GET", ""), ("POST", "/retire"), ("POST", "/revoke")):
        refused(operator.ask(method, f"/admin/keys/{kid}{path}"), 404, "not_found")


def test_only_who_may_rotate_keys_sees_or_changes_them(make_person, rows):
    lesser = make_person("tenants:write", roles=("admin",))
    before = rows(lesser.app, "SELECT * FROM signing_keys ORDER BY kid")
    kid = kid_of(lesser)
    for method, path in (
        ("GET", ""),
        ("GET", f"/{kid}"),
        ("POST", "/rotate"),
        ("POST", f"/{kid}/retire"),
        ("POST", f"/{kid}/revoke"),
    ):
        answer = refused(lesser.ask(method, f"/admin/keys{path}"), 403, "permission_denied")
        assert "keys:rotate" in answer.json["message"]
    assert rows(lesser.app, "SELECT * FROM signing_keys ORDER BY kid") == before


def test_a_body_with_anything_in_it_is_refused(operator):
    kid = kid_of(operator)
    for path in ("rotate", f"{kid}/retire", f"{kid}/revoke"):
        answer = operator.ask("POST", f"/admin/keys/{path}", {"force": True})
        refused(answer, 422, "validation_failed", ["force"])
    assert operator.me().status_code == 200


def test_keys_are_the_same_whatever_tenant_they_are_asked_from(app, make_tenant, make_person, rows):
    make_tenant(app, "elsewhere")
    device = make_person("keys:rotate", tenant="elsewhere")
    assert {key["state"] for key in listed(device)} == {"active", "next"}
    signing = rotate(device)
    found = rows(
        app, "SELECT t.slug, e.actor_id FROM events e JOIN tenants t ON t.id = e.tenant_id WHERE kind = 'key.rotated'"
    )
    assert [(slug, str(actor)) for slug, actor in found] == [("default", device.account.id)]
    assert in_state(device, "active") == [signing]


# Rotated


def test_rotating_answers_the_key_that_signs_now_and_signs_nobody_out(operator, follower, rows):
    app = operator.app
    devices = [someone(app), someone(follower)]
    [following] = in_state(operator, "next")
    answer = change(operator, "rotate")
    assert answer.json["data"]["kid"] == following
    assert answer.json["data"]["state"] == "active"
    for device in devices:
        for worker in (app, follower):
            here = at(worker, device)
            assert here.me().status_code == 200
            assert here.refresh().status_code == 200
            assert kid_of(here) == following
    assert told(app, rows, "key.rotated") == [{"kid": following}]


def test_a_rotation_retires_what_is_over_unless_somebody_still_holds_it(operator, rows):
    app, device = operator.app, someone(operator.app)
    first = kid_of(device)
    second = rotate(operator)
    rotate(operator)
    for one in (device, operator):
        assert one.refresh().status_code == 200
    long_ago(app, first, days=40)
    long_ago(app, second, days=31)
    # A row that lives longer than any setting says now, such as one from before the settings were changed.
    now = clock.utcnow()
    created = now - timedelta(days=40)
    put(app, RefreshToken, device.refresh_token_id, rotated_at=None, created_at=created, generation=0)
    rotate(operator)
    assert in_state(operator, "retired") == [second]
    assert told(app, rows, "key.retired") == [{"kid": second}]
    put(app, RefreshToken, device.refresh_token_id, revoked_at=now)
    rotate(operator)
    assert set(in_state(operator, "retired")) == {first, second}
    [key] = [key for key in listed(operator) if key["kid"] == first]
    assert key["retiredAt"]


# Retired


def test_only_a_replaced_key_can_retire(operator, rows):
    before = listed(operator)
    for state in ("active", "next"):
        answer = change(operator, "retire", in_state(operator, state)[0])
        assert "Rotate first" in refused(answer, 409, "conflict").json["message"]
    assert listed(operator) == before
    assert told(operator.app, rows, "key.retired") == []


def test_a_key_retires_when_nobody_holds_anything_of_it_and_signs_nobody_out(operator, admin, follower, rows):
    app, device = operator.app, someone(operator.app)
    first = kid_of(device)
    long_ago(app, first, hours=1)
    rotate(operator)
    answer = refused(change(operator, "retire", first), 409, "conflict")
    assert answer.json["message"].startswith("3 live sign-ins may still hold")
    until = re.search(r"until (\S+) at", answer.json["message"])[1]
    assert abs(datetime.fromisoformat(until) - clock.utcnow() - timedelta(days=7)) < timedelta(minutes=5)
    assert device.me().status_code == 200

    # All but one went on to the next key.
    now = clock.utcnow()
    for one in (operator, device):
        assert one.refresh().status_code == 200
        put(app, RefreshToken, one.refresh_token_id, rotated_at=now + timedelta(minutes=2))
    answer = refused(change(operator, "retire", first), 409, "conflict")
    assert answer.json["message"].startswith("1 live sign-in may still hold")
    assert admin.refresh().status_code == 200
    put(app, RefreshToken, admin.refresh_token_id, rotated_at=now + timedelta(minutes=2))
    retired = change(operator, "retire", first)
    assert retired.status_code == 200
    assert (retired.json["data"]["state"], bool(retired.json["data"]["retiredAt"])) == ("retired", True)
    for worker in (app, follower):
        assert first not in published(worker)
        for one in (operator, device, admin):
            assert at(worker, one).refresh().status_code == 200
    assert change(operator, "retire", first).json == retired.json
    assert told(app, rows, "key.retired") == [{"kid": first}]


def window(app, kid):
    """The first and the last moment at which a sign-in's last step makes it one that may hold a token of the key."""
    with app.app_context(), transaction() as session:
        row = session.get_one(SigningKey, kid)
        return row.activated_at - timedelta(seconds=70), row.replaced_at + timedelta(seconds=60)


@pytest.mark.parametrize("how", ["created", "rotated", "not rotating", "with an attempt key"])
def test_who_may_hold_a_token_of_a_key_follows_from_time_to_the_microsecond(operator, admin, how):
    """The margins: CLOCK_SKEW and the longest request on both sides, and the leeway before."""
    app, device = operator.app, someone(operator.app)
    first = kid_of(device)
    rotate(operator)
    second = in_state(operator, "active")[0]
    rotate(operator)
    long_ago(app, first, second, days=1)
    for one in (operator, admin):
        assert one.refresh().status_code == 200
        put(app, RefreshToken, one.refresh_token_id, rotated_at=clock.utcnow() + timedelta(days=1), attempt_digest=None)
        put(app, RefreshToken, one.refresh_token_id, created_at=clock.utcnow() + timedelta(days=1))
    since, until = window(app, second)
    tick = timedelta(microseconds=1)
    before, within, after = (since - tick,), (since, until), (until + tick,)
    if how == "with an attempt key":
        before, within = (), (*within, since - tick, since - timedelta(days=5))
    if how == "not rotating":
        with app.app_context(), transaction() as session:
            for application in session.query(Application):
                application.rotate = False
    for moments, held in ((before, False), (within, True), (after, False)):
        for moment in moments:
            values = {"created_at": moment, "rotated_at": None, "generation": 0}
            if how in ("rotated", "with an attempt key"):
                values = {"created_at": since - timedelta(days=9), "rotated_at": moment, "generation": 3}
            if how == "not rotating":
                # It was created then and has been used since.
                used = moment if moment < since else until + timedelta(hours=1)
                values = {"created_at": moment, "rotated_at": used, "generation": 3}
            if how == "with an attempt key":
                values["attempt_digest"] = "0" * 64
            put(app, RefreshToken, device.refresh_token_id, **values)
            answer = change(operator, "retire", second)
            assert (answer.status_code == 409) == held, (how, moment, answer.text)
            put(app, SigningKey, second, state="previous", retired_at=None)


# Revoked


def test_revoking_the_key_that_signs_ends_what_it_signed_at_once_on_every_worker(operator, follower, rows):
    app, device, other = operator.app, someone(operator.app), someone(follower)
    signing, [following] = kid_of(device), in_state(operator, "next")
    assert signing in follower.extensions["authsvc.ring"].keys
    answer = change(operator, "revoke", signing)
    assert answer.status_code == 200
    data = answer.json["data"]
    assert set(data) == {"key", "revoked"}
    assert set(data["key"]) == SHAPE
    assert (data["key"]["kid"], data["key"]["state"], data["revoked"]) == (signing, "retired", 3)
    assert data["key"]["retiredAt"] == data["key"]["replacedAt"]
    for worker in (app, follower):
        for one in (device, other, operator):
            here = at(worker, one)
            for refusal in (here.me(), here.refresh()):
                assert refused(refusal, 401, code(refusal))
                assert code(refusal) in ("token_invalid", "token_revoked")
        assert signing not in published(worker)
        again = someone(worker)
        assert kid_of(again) == following
        for second in (app, follower):
            assert at(second, again).me().status_code == at(second, again).refresh().status_code == 200
    assert rows(app, "SELECT revoke_reason, count(*) FROM refresh_tokens WHERE revoked_at IS NOT NULL GROUP BY 1") == [
        ("key_revoked", 3)
    ]
    assert told(app, rows, "key.revoked") == [{"kid": signing, "revoked": 3}]
    states = [state for (state,) in rows(app, "SELECT state FROM signing_keys ORDER BY kid")]
    assert states == ["retired", "active", "next"]


def test_a_sign_in_that_the_key_never_signed_for_goes_on(operator, age):
    app, device, gone_on = operator.app, someone(operator.app), someone(operator.app)
    first = kid_of(device)
    long_ago(app, first, hours=1)
    age(app, device.refresh_token_id, minutes=10)
    age(app, gone_on.refresh_token_id, minutes=10)
    second = rotate(operator)
    assert gone_on.refresh().status_code == operator.refresh().status_code == 200
    assert kid_of(gone_on) == kid_of(operator) == second
    assert revoke(operator, second) == 2
    assert code(gone_on.refresh()) in ("token_invalid", "token_revoked")
    assert device.me().status_code == device.refresh().status_code == 200


def test_revoking_a_replaced_key_ends_only_those_who_did_not_go_on(operator, age, rows):
    app, device, gone_on = operator.app, someone(operator.app), someone(operator.app)
    first = kid_of(device)
    rotate(operator)
    long_ago(app, first, hours=1)
    for one in (operator, gone_on):
        assert one.refresh().status_code == 200
    age(app, device.refresh_token_id, hours=1)
    assert revoke(operator, first) == 1
    assert code(device.refresh()) == "token_invalid"
    assert gone_on.refresh().status_code == gone_on.me().status_code == 200
    assert [state for (state,) in rows(app, "SELECT state FROM signing_keys ORDER BY kid")] == [
        "retired",
        "active",
        "next",
    ]


def test_revoking_the_next_key_publishes_another_and_ends_nothing(operator):
    [following] = in_state(operator, "next")
    assert revoke(operator, following) == 0
    [other] = in_state(operator, "next")
    assert other != following
    assert following not in published(operator.app)
    assert operator.me().status_code == 200
    assert rotate(operator) == other


def test_revoking_a_retired_key_changes_nothing(operator, admin, rows):
    signing = kid_of(operator)
    assert revoke(operator, signing) == 2
    admin.sign_in(operator.account)
    before = rows(operator.app, "SELECT * FROM signing_keys ORDER BY kid")
    assert revoke(admin, signing) == 0
    assert change(admin, "retire", signing).status_code == 200
    assert rows(operator.app, "SELECT * FROM signing_keys ORDER BY kid") == before
    assert len(told(operator.app, rows, "key.revoked")) == 1
    assert told(operator.app, rows, "key.retired") == []


def test_a_revocation_ends_sign_ins_of_every_tenant(app, make_tenant, make_person, operator, rows):
    make_tenant(app, "elsewhere")
    far = make_person(tenant="elsewhere")
    assert revoke(operator, kid_of(operator)) == 2
    assert code(far.me()) in ("token_invalid", "token_revoked")
    slugs = rows(app, "SELECT t.slug FROM events e JOIN tenants t ON t.id = e.tenant_id WHERE kind = 'key.revoked'")
    assert slugs == [("default",)]


def test_what_was_ended_stays_so_whichever_level_ended_it_first(operator, rows):
    """A sign-out and a revoked key, in both orders: dead if either says so."""
    app = operator.app
    signed_out, revoked = someone(app), someone(app)
    assert signed_out.ask("POST", "/auth/logout", {}).json["data"] == {"revoked": 1}
    assert revoke(operator, kid_of(signed_out)) == 2
    for device in (signed_out, revoked):
        assert device.ask("POST", "/auth/logout", {}).json["data"] == {"revoked": 0}
        for answer in (device.me(), device.refresh()):
            assert code(answer) in ("token_invalid", "token_revoked")
    reasons = dict(rows(app, "SELECT CAST(id AS VARCHAR(36)), revoke_reason FROM refresh_tokens"))
    assert reasons[signed_out.refresh_token_id] == "signed_out"
    assert reasons[revoked.refresh_token_id] == "key_revoked"
    # The key is dead even where the row is not, and the row even where the key is not.
    put(app, RefreshToken, revoked.refresh_token_id, revoked_at=None, revoke_reason=None)
    assert code(revoked.refresh()) == "token_invalid"


@pytest.mark.parametrize("state", ["active", "next"])
def test_with_another_secret_nothing_is_half_revoked(app, make_app, operator, rows, state):
    from authsvc.cli.authority import mandate
    from authsvc.errors import Unavailable
    from authsvc.services import key_rotation

    [kid] = in_state(operator, state)
    before = rows(app, "SELECT * FROM signing_keys ORDER BY kid")
    with make_app(SECRET_KEY=ANOTHER_SECRET).app_context():
        for change_it in (lambda: key_rotation.revoke(mandate(), kid), lambda: key_rotation.rotate(mandate())):
            with pytest.raises(Unavailable):
                change_it()
    assert rows(app, "SELECT * FROM signing_keys ORDER BY kid") == before
    assert told(app, rows, "key.revoked") == []
    assert operator.refresh().status_code == 200


def test_changes_at_the_same_time_come_one_after_the_other(operator, admin, make_person, rows):
    app, kid = operator.app, kid_of(operator)
    others = [make_person("keys:rotate") for _ in range(3)]
    with ThreadPoolExecutor(4) as crowd:
        revoking = [crowd.submit(change, one, "revoke", kid) for one in (operator, *others)]
        answers = [one.result() for one in revoking]
    # Whoever came second may have been signed out by then.
    assert {answer.status_code for answer in answers} <= {200, 401}
    assert [answer.json["data"]["revoked"] for answer in answers if answer.status_code == 200].count(0) < len(answers)
    states = [state for (state,) in rows(app, "SELECT state FROM signing_keys ORDER BY kid")]
    assert sorted(states) == ["active", "next", "retired"]
    assert len(told(app, rows, "key.revoked")) == 1

    admin.sign_in(operator.account)
    with ThreadPoolExecutor(4) as crowd:
        list(crowd.map(lambda _: change(admin, "rotate"), range(4)))
    states = [state for (state,) in rows(app, "SELECT state FROM signing_keys")]
    assert (states.count("active"), states.count("next"), states.count("previous")) == (1, 1, 4)


# From the command line


def test_the_commands_retire_and_revoke(app, admin, rows):
    def run(*arguments):
        return app.test_cli_runner().invoke(args=["keys", *arguments])

    first = kid_of(admin)
    assert run("rotate").exit_code == 0
    held = run("retire", first)
    assert held.exit_code == 1
    assert "may still hold" in held.output
    revoked = run("revoke", first)
    assert (revoked.exit_code, revoked.output) == (0, f"{first} is revoked. Sign-ins that ended with it: 1\n")
    assert run("retire", first).output == f"{first} is retired.\n"
    for what in ("retire", "revoke"):
        unknown = run(what, "x\x00")
        assert (unknown.exit_code, unknown.output) == (1, "Error: There is nothing here.\n")
    assert code(admin.refresh()) == "token_invalid"
    assert rows(app, "SELECT actor_id FROM events WHERE kind = 'key.revoked'") == [(None,)]
