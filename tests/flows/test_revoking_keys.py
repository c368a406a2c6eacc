"""A signing key that somebody else may have is revoked: what ends with it, what goes on, and who follows."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from authsvc.cli.authority import mandate
from authsvc.errors import Unavailable
from authsvc.models import RefreshToken, refresh_token
from authsvc.services import key_rotation
from tests.answers import code, refused
from tests.flows.keys import (
    SHAPE,
    at,
    change,
    in_state,
    kid_of,
    long_ago,
    published,
    put,
    revoke,
    rotate,
    someone,
    told,
)

ANOTHER_SECRET = "another-secret-of-more-than-thirty-two-bytes"


def test_revoking_the_key_that_signs_ends_what_it_signed_at_once_on_every_worker(operator, stale_worker, rows):
    app, device, other = operator.app, someone(operator.app), someone(stale_worker)
    signing, [following] = kid_of(device), in_state(operator, "next")
    assert signing in stale_worker.extensions["authsvc.ring"].keys
    answer = change(operator, "revoke", signing)
    assert answer.status_code == 200
    data = answer.json["data"]
    assert set(data) == {"key", "revoked"}
    assert set(data["key"]) == SHAPE
    assert (data["key"]["kid"], data["key"]["state"], data["revoked"]) == (signing, "retired", 3)
    assert data["key"]["retiredAt"] == data["key"]["replacedAt"]
    for worker in (app, stale_worker):
        for one in (device, other, operator):
            here = at(worker, one)
            for refusal in (here.me(), here.refresh()):
                assert refused(refusal, 401, code(refusal))
                assert code(refusal) in ("token_invalid", "token_revoked")
        assert signing not in published(worker)
        again = someone(worker)
        assert kid_of(again) == following
        for second in (app, stale_worker):
            assert at(second, again).me().status_code == at(second, again).refresh().status_code == 200
    assert rows(app, "SELECT revoke_reason, count(*) FROM refresh_tokens WHERE revoked_at IS NOT NULL GROUP BY 1") == [
        ("key_revoked", 3)
    ]
    assert told(app, rows, "key.revoked") == [{"kid": signing}]
    [ended] = told(app, rows, "refresh_token.revoked")
    assert (ended["reason"], ended["revoked"], len(ended["ids"])) == ("key_revoked", 3, 3)
    states = [state for (state,) in rows(app, "SELECT state FROM signing_keys ORDER BY kid")]
    assert states == ["retired", "active", "next"]


def test_a_step_on_its_way_when_its_key_is_revoked_is_taken_under_the_next_one(operator, age, monkeypatch):
    app, device = operator.app, someone(operator.app)
    long_ago(app, kid_of(device), hours=1)
    age(app, device.refresh_token_id, minutes=10)
    second, [third] = rotate(operator), in_state(operator, "next")
    advance, tries = refresh_token.advance, []

    def late(*arguments, **step):
        tries.append(step["signing_kid"])
        if len(tries) == 1:
            key_rotation.revoke(mandate(), second)
        return advance(*arguments, **step)

    monkeypatch.setattr(refresh_token, "advance", late)
    assert device.refresh().status_code == 200
    assert tries == [second, third]
    assert kid_of(device) == third
    assert device.me().status_code == 200


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
    revoked = run("revoke", first, "--yes")
    assert (revoked.exit_code, revoked.output) == (0, f"{first} is revoked; sign-ins ended: 1.\n")
    assert "retired" in run("retire", first).output
    for words in (("retire", "x\x00"), ("revoke", "x\x00", "--yes")):
        unknown = run(*words)
        assert (unknown.exit_code, unknown.output) == (1, "Error: There is nothing here.\n")
    assert code(admin.refresh()) == "token_invalid"
    assert rows(app, "SELECT actor_id FROM events WHERE kind = 'key.revoked'") == [(None,)]
