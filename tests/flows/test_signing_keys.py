"""Signing keys, from the first start on: published before they sign, believed afterwards, sealed where they lie."""

import base64
import json
from datetime import timedelta

import jwt
import pytest
from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives import serialization

from authsvc import clock
from authsvc.cli.authority import mandate
from authsvc.services import installation, key_rotation, signing_keys
from tests.claims import claims_of, header_of
from tests.conftest import BASE_URL, register
from tests.drivers import HOST, Script

ALGORITHMS = ["ES256", "RS256", "EdDSA"]
MEMBERS = {
    "ES256": {"kty", "crv", "x", "y", "kid", "alg", "use"},
    "RS256": {"kty", "n", "e", "kid", "alg", "use"},
    "EdDSA": {"kty", "crv", "x", "kid", "alg", "use"},
}
ANOTHER_SECRET = "another-secret-of-more-than-thirty-two-bytes"


def code(answer):
    return answer.json["error"]["code"]


def kid(token):
    return header_of(token)["kid"]


def published(app):
    return app.test_client().get("/.well-known/jwks.json", base_url=HOST)


def kids(app):
    return [key["kid"] for key in published(app).json["keys"]]


def reread(app):
    """As if this worker had last looked at the keys long ago."""
    with app.app_context():
        signing_keys.usable(clock.utcnow() + timedelta(days=1))


def rotate(app):
    with app.app_context():
        return key_rotation.rotate(mandate()).kid


def begin_anew(app, rows):
    """A database that has no keys yet is started for the first time."""
    rows(app, "DELETE FROM signing_keys RETURNING 1")
    with app.app_context():
        installation.complete(clock.utcnow())


def states(app, rows):
    return [state for (state,) in rows(app, "SELECT state FROM signing_keys ORDER BY kid")]


@pytest.fixture
def script(app):
    """Signed in, in body transport."""
    device = Script(app)
    device.sign_in(register(device))
    return device


@pytest.fixture
def follower(make_app, settings):
    """Another worker on the same database."""
    return make_app(**settings)


def on(app, script):
    """The same sign-in, at another worker."""
    other = Script(app)
    other.access_token, other.refresh_token = script.access_token, script.refresh_token
    return other


# Made


def test_the_first_start_makes_one_key_to_sign_and_one_to_follow_it(app, rows):
    begin_anew(app, rows)
    assert sorted(states(app, rows)) == ["active", "next"]


def test_a_further_start_makes_no_more(app, rows):
    before = rows(app, "SELECT * FROM signing_keys ORDER BY kid")
    with app.app_context():
        installation.complete(clock.utcnow())
    assert rows(app, "SELECT * FROM signing_keys ORDER BY kid") == before


def test_without_a_key_the_service_is_not_ready_but_refuses_nobody(app, rows):
    account = register(Script(app))
    rows(app, "DELETE FROM signing_keys RETURNING 1")
    reread(app)
    body = {"email": account.email, "password": account.password}
    for answer in (app.test_client().get("/readyz"), app.test_client().post("/auth/login", json=body)):
        assert (answer.status_code, code(answer)) == (503, "unavailable")
        assert answer.headers["Retry-After"]


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_no_private_key_can_be_read_in_the_database(make_app, rows, algorithm):
    app = make_app(SIGNING_ALGORITHM=algorithm)
    begin_anew(app, rows)
    stored = rows(app, "SELECT * FROM signing_keys")
    text = " ".join(str(column) for row in stored for column in row)
    for key in opened(app):
        private = getattr(key.private, "key", key.private)
        der = private.private_bytes(
            serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        secrets = [der, der[-32:], base64.b64encode(der), base64.urlsafe_b64encode(der[-30:])]
        for sealed in rows(app, "SELECT sealed_private_key FROM signing_keys"):
            raw = base64.urlsafe_b64decode(sealed[0])
            assert not any(secret in raw for secret in (*secrets, b"PRIVATE KEY"))
        assert not any(secret.hex() in text for secret in secrets[:2])
        assert not any(secret.decode() in text for secret in secrets[2:])
    assert "PRIVATE" not in text
    assert not any(f'"{member}"' in text for member in ("d", "p", "q", "dp", "dq", "qi", "k"))


def opened(app):
    with app.app_context():
        return list(signing_keys.usable(clock.utcnow()).values())


def test_what_is_sealed_opens_with_the_secret_and_no_other(app, rows):
    sealed = rows(app, "SELECT sealed_private_key FROM signing_keys")[0][0].encode()
    with app.app_context():
        right = signing_keys.secret_for("signing keys")
        wrong = signing_keys.secret_for("csrf")
    assert b"PRIVATE KEY" in Fernet(base64.urlsafe_b64encode(right)).decrypt(sealed)
    with pytest.raises(InvalidToken):
        Fernet(base64.urlsafe_b64encode(wrong)).decrypt(sealed)


# Published


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_published_set_has_public_members_only_and_tomorrows_key(make_app, rows, algorithm):
    app = make_app(SIGNING_ALGORITHM=algorithm)
    begin_anew(app, rows)
    script = Script(app)
    script.sign_in(register(script))
    answer = published(app)
    keys = answer.json["keys"]
    assert len({key["kid"] for key in keys}) == len(keys) == 2
    assert kid(script.access_token) in {key["kid"] for key in keys}
    for key in keys:
        assert set(key) == MEMBERS[algorithm]
        assert (key["alg"], key["use"]) == (algorithm, "sig")
    strengths = {"ES256": ("crv", "P-256"), "EdDSA": ("crv", "Ed25519"), "RS256": ("e", "AQAB")}
    member, expected = strengths[algorithm]
    assert keys[0][member] == expected
    if algorithm == "RS256":
        assert len(base64.urlsafe_b64decode(keys[0]["n"] + "==")) * 8 >= 3072


def test_the_published_set_is_for_everybody_and_may_be_kept_a_while(app):
    for headers in ({}, {"X-Tenant-Id": "nowhere"}, {"Authorization": "Bearer bad"}):
        answer = app.test_client().get("/.well-known/jwks.json", headers=headers, base_url=HOST)
        assert (answer.status_code, answer.mimetype) == (200, "application/jwk-set+json")
        assert answer.headers["Cache-Control"] == "public, max-age=300"
        assert "Set-Cookie" not in answer.headers


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_anybody_can_verify_our_tokens_with_the_published_set(make_app, rows, algorithm):
    app = make_app(SIGNING_ALGORITHM=algorithm)
    begin_anew(app, rows)
    script = Script(app)
    script.sign_in(register(script))
    key = jwt.PyJWKSet.from_dict(published(app).json)[kid(script.access_token)]
    audience = claims_of(script.access_token)["client_id"]
    claims = jwt.decode(script.access_token, key, [algorithm], audience=audience, issuer=BASE_URL)
    assert claims["sid"] == script.refresh_token_id
    assert jwt.decode(script.refresh_token, key, [algorithm], audience=BASE_URL, issuer=BASE_URL)["gen"] == 0
    head, _, signature = script.access_token.rpartition(".")
    with pytest.raises(jwt.InvalidSignatureError):
        jwt.decode(f"{head}.{'A' * len(signature)}", key, [algorithm], audience=audience)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_each_algorithm_signs_and_verifies_from_end_to_end(make_app, rows, algorithm, age):
    app = make_app(SIGNING_ALGORITHM=algorithm)
    begin_anew(app, rows)
    script = Script(app)
    script.sign_in(register(script))
    assert header_of(script.access_token)["alg"] == header_of(script.refresh_token)["alg"] == algorithm
    assert script.me().status_code == 200
    before = script.refresh_token
    assert script.refresh().status_code == 200
    once = script.refresh_token
    assert script.refresh().status_code == script.refresh(held=before).status_code == 200
    assert script.refresh_token == once
    age(app, script.refresh_token_id, seconds=11)
    assert code(script.refresh(held=before)) == "refresh_token_reused"


# Replaced


def test_rotating_makes_the_published_key_sign_and_publishes_another(script, rows):
    app = script.app
    before = set(kids(app))
    [following] = before - {kid(script.access_token)}
    assert rotate(app) == following
    reread(app)
    assert set(kids(app)) > before
    assert len(kids(app)) == 3
    assert states(app, rows) == ["previous", "active", "next"]


def test_after_a_rotation_new_tokens_carry_the_new_name_and_old_ones_still_work(script):
    app, old_access, old_refresh = script.app, script.access_token, script.refresh_token
    signing = rotate(app)
    reread(app)
    assert script.me().status_code == 200
    assert script.refresh().status_code == 200
    assert kid(script.access_token) == kid(script.refresh_token) == signing != kid(old_access)
    assert script.me().status_code == 200
    assert script.refresh(held=old_refresh).status_code == 200


@pytest.mark.settings(KEY_REREAD=timedelta(hours=1))
def test_another_worker_follows_at_its_next_answer_and_refuses_nothing_before(script, follower):
    app, other = script.app, on(follower, script)
    assert other.me().status_code == 200
    signing = rotate(app)
    reread(app)
    script.refresh()
    assert kid(script.access_token) == signing
    # It has known the key since before it signed; that it signs now, the row of the sign-in tells.
    assert on(follower, script).me().status_code == 200
    other = on(follower, script)
    other.refresh()
    assert kid(other.access_token) == signing
    assert script.app.test_client().get("/auth/me", headers=other.bearer(), base_url=HOST).status_code == 200


@pytest.mark.settings(KEY_REREAD=timedelta(microseconds=1))
def test_a_worker_looks_again_as_often_as_it_is_told(script, follower):
    signing = rotate(script.app)
    for app in (script.app, follower):
        device = on(app, script)
        assert device.refresh().status_code == 200
        assert kid(device.access_token) == signing


@pytest.mark.settings(KEY_REREAD=timedelta(hours=1))
def test_a_worker_that_meets_a_name_it_does_not_know_looks_again(script, follower):
    app = script.app
    assert on(follower, script).me().status_code == 200
    for _ in range(2):
        rotate(app)
    reread(app)
    script.refresh()
    stale = follower.extensions["authsvc.ring"]
    assert kid(script.access_token) not in stale.keys
    stale.read_at -= timedelta(seconds=2)
    assert on(follower, script).me().status_code == 200


def test_a_rotation_is_told_and_says_no_secret(app, rows):
    signing = rotate(app)
    [(outcome, detail)] = rows(app, "SELECT outcome, detail FROM events WHERE kind = 'key.rotated'")
    assert outcome == "success"
    assert (detail if isinstance(detail, dict) else json.loads(detail)) == {"kid": signing}


def test_the_command_rotates(app, rows):
    [(following,)] = rows(app, "SELECT kid FROM signing_keys WHERE state = 'next'")
    result = app.test_cli_runner().invoke(args=["keys", "rotate"])
    assert (result.exit_code, result.output.split()[0]) == (0, following)
    assert states(app, rows) == ["previous", "active", "next"]
    reread(app)
    device = Script(app)
    device.sign_in(register(device))
    assert kid(device.access_token) == following


def test_the_command_lists_names_and_states_only(app):
    result = app.test_cli_runner().invoke(args=["keys", "list"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    for name in kids(app):
        assert name in result.output
    assert "PRIVATE" not in result.output


def test_a_previous_key_is_believed_until_all_that_it_signed_has_ended(script, rows):
    app = script.app
    first = kid(script.access_token)
    rotate(app)
    rotate(app)
    assert states(app, rows) == ["previous", "previous", "active", "next"]
    rows(app, "UPDATE signing_keys SET replaced_at = :at WHERE kid = :kid RETURNING 1", at=days_ago(29), kid=first)
    rotate(app)
    assert "retired" not in states(app, rows)
    rows(app, "UPDATE signing_keys SET replaced_at = :at WHERE kid = :kid RETURNING 1", at=days_ago(31), kid=first)
    rotate(app)
    assert rows(app, "SELECT kid FROM signing_keys WHERE state = 'retired'") == [(first,)]
    reread(app)
    assert first not in kids(app)


def test_an_application_whose_sign_ins_live_longer_keeps_keys_longer(script, rows):
    app = script.app
    first = kid(script.access_token)
    assert rows(app, "UPDATE applications SET refresh_lifetime = :s RETURNING 1", s=90 * 24 * 3600)
    rotate(app)
    rows(app, "UPDATE signing_keys SET replaced_at = :at WHERE kid = :kid RETURNING 1", at=days_ago(89), kid=first)
    rotate(app)
    assert "retired" not in states(app, rows)


def days_ago(days):
    return (clock.utcnow() - timedelta(days=days)).strftime("%Y-%m-%d %H:%M:%S.%f")


# Refused


@pytest.mark.settings(KEY_REREAD=timedelta(hours=1))
def test_what_a_retired_key_signed_is_refused_at_once_by_every_worker(script, follower, rows):
    app, first = script.app, kid(script.access_token)
    assert on(follower, script).me().status_code == 200
    rotate(app)
    assert rows(app, "UPDATE signing_keys SET state = 'retired' WHERE kid = :kid RETURNING 1", kid=first)
    for worker in (app, follower):
        assert first in worker.extensions["authsvc.ring"].keys
        device = on(worker, script)
        for answer in (device.me(), device.refresh()):
            assert (answer.status_code, code(answer)) == (401, "token_invalid")
        assert device.present("/auth/logout", device.held()).json["data"] == {"revoked": 0}
    assert rows(
        app, "SELECT revoked_at, generation FROM refresh_tokens WHERE id = :id", id=script.refresh_token_id
    ) == [(None, 0)]
    reread(app)
    assert first not in kids(app)
    assert code(script.me()) == "token_invalid"


def test_with_another_secret_the_service_is_unavailable_and_refuses_nobody(script, make_app):
    app = make_app(SECRET_KEY=ANOTHER_SECRET)
    device = on(app, script)
    body = {"email": "stray@example.com", "password": "a quiet harbour at dawn"}
    answers = [
        device.me(),
        device.refresh(),
        device.post("/auth/register", **body),
        device.get("/readyz"),
        published(app),
    ]
    for answer in answers:
        assert (answer.status_code, code(answer)) == (503, "unavailable")
    assert script.me().status_code == 200


def test_with_another_secret_nothing_can_be_rotated(script, make_app, rows):
    before = rows(script.app, "SELECT * FROM signing_keys ORDER BY kid")
    result = make_app(SECRET_KEY=ANOTHER_SECRET).test_cli_runner().invoke(args=["keys", "rotate"])
    assert result.exit_code != 0
    assert rows(script.app, "SELECT * FROM signing_keys ORDER BY kid") == before
    reread(script.app)
    assert script.refresh().status_code == 200


@pytest.mark.parametrize("algorithm", ["RS256", "EdDSA"])
def test_a_service_moves_to_another_algorithm_in_two_rotations_and_refuses_nothing(script, make_app, rows, algorithm):
    moving = make_app(SIGNING_ALGORITHM=algorithm)
    tokens = [(script.access_token, script.refresh_token)]
    for expected in ("ES256", algorithm, algorithm):
        rotate(moving)
        for app in (moving, script.app):
            reread(app)
            device = Script(app)
            device.sign_in(register(device))
            assert header_of(device.access_token)["alg"] == header_of(device.refresh_token)["alg"] == expected
            tokens.append((device.access_token, device.refresh_token))
        for app in (moving, script.app):
            for access, _ in tokens:
                assert (
                    app.test_client().get("/auth/me", headers={"Authorization": f"Bearer {access}"}).status_code == 200
                )
    assert {key["alg"] for key in published(moving).json["keys"]} == {"ES256", algorithm}
    for _, refresh in tokens:
        answer = script.present("/jwt/refresh", refresh)
        assert answer.status_code == 200
        assert header_of(answer.json["data"]["accessToken"])["alg"] == algorithm
