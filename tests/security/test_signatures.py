"""Signatures that are not ours, or not for this text: refused, all alike, without a trace in the row."""

import json
import socket
import threading
import uuid
from base64 import b64encode
from datetime import timedelta

import jwt
import pytest
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.x509 import Name

from authsvc import clock, create_app, opaque
from authsvc.services import signing_keys
from authsvc.settings import SettingsRefused
from tests.conftest import configured
from tests.drivers import HOST
from tests.security.forgery import (
    ACCESS,
    HASHES,
    KINDS,
    REFRESH,
    REFUSED,
    compact,
    decoded,
    encoded,
    hmac_under,
    public_material,
    respelled,
    signer,
    verdict,
)
from tests.statements import watched


@pytest.fixture
def database_kind():
    """The stricter one is enough: hardly anything here gets as far as a database."""
    return "postgresql"


def test_no_public_material_is_an_hmac_secret(forger, none_passes):
    material = public_material(forger.key, forger.device.client.get("/.well-known/jwks.json").data)
    none_passes(
        lambda kind: {
            (algorithm, name): forger.sign(kind, header={"alg": algorithm}, sign=hmac_under(secret, algorithm))
            for algorithm in HASHES
            for name, secret in material.items()
        }
    )


@pytest.mark.parametrize("signature", ["", "AA", "its own"])
def test_no_spelling_of_none_is_an_algorithm(forger, none_passes, signature):
    def unsigned(kind, algorithm):
        header = forger.header(kind) | {"alg": algorithm}
        if algorithm == "absent":
            del header["alg"]
        head = compact(header, forger.claims(kind), lambda _data: b"").rpartition(".")[0]
        return f"{head}.{forger.genuine[kind].rpartition('.')[2] if signature == 'its own' else signature}"

    algorithms = ["none", "None", "NONE", "nOnE", "none ", "", None, [], ["none"], {"none": 1}, 0, "absent"]
    none_passes(lambda kind: {str(algorithm): unsigned(kind, algorithm) for algorithm in algorithms})


def test_a_genuine_token_without_its_own_signature_is_refused(forger, none_passes):
    def stripped(kind):
        head, _, signature = forger.genuine[kind].rpartition(".")
        other = forger.genuine[REFRESH if kind == ACCESS else ACCESS].rpartition(".")[2]
        raw = decoded(signature)
        return {
            "empty": f"{head}.",
            "short": f"{head}.AA",
            "half": f"{head}.{encoded(raw[:32])}",
            "zeros": f"{head}.{encoded(bytes(64))}",
            "r alone": f"{head}.{encoded(raw[:32] + bytes(32))}",
            "one bit": f"{head}.{encoded(raw[:-1] + bytes([raw[-1] ^ 1]))}",
            "of the other token": f"{head}.{other}",
        }

    none_passes(stripped)


def test_only_three_segments_are_a_token(forger, none_passes):
    def reshaped(kind):
        header, claims, signature = forger.genuine[kind].split(".")
        return {
            "1": claims,
            "2": f"{header}.{claims}",
            "4": f"{header}.{claims}.{signature}.{signature}",
            "5": f"{header}.{claims}.{signature}.{claims}.{signature}",
            "dots": "..",
            "more dots": "....",
            "leading dot": f".{header}.{claims}.{signature}",
            "no header": f".{claims}.{signature}",
            "no claims": f"{header}..{signature}",
            "words": "not.a.token",
        }

    none_passes(reshaped)


def test_claims_that_are_no_object_are_refused_however_well_signed(forger, none_passes):
    payloads = [b"", b"[]", b"null", b"1", b'"x"', b"{", b"\xff\xfe", b"[" * 3000, b'{"exp":' + b"9" * 5000 + b"}"]
    none_passes(lambda kind: {p[:9]: compact(forger.header(kind), p, forger.own_signature) for p in payloads})


def test_a_header_that_is_no_object_is_refused(forger, none_passes):
    none_passes(
        lambda kind: {
            str(header): compact(header, forger.claims(kind), forger.own_signature)
            for header in ([], None, 1, "ES256", [{"alg": "ES256"}])
        }
    )


def test_only_the_algorithm_of_the_named_key_is_accepted(forger, none_passes):
    rsa_key = rsa.generate_private_key(65537, 2048)
    keys = {
        "ES384": ec.generate_private_key(ec.SECP384R1()),
        "ES512": ec.generate_private_key(ec.SECP521R1()),
        "ES256K": ec.generate_private_key(ec.SECP256K1()),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        **dict.fromkeys(("RS256", "RS384", "PS256", "PS512"), rsa_key),
    }
    none_passes(
        lambda kind: {
            algorithm: forger.sign(kind, header={"alg": algorithm}, sign=signer(algorithm, key))
            for algorithm, key in keys.items()
        }
    )


def test_our_own_key_under_the_name_of_another_algorithm_is_refused(forger, none_passes):
    names = ["ES512", "ES384", "RS256", "PS256", "EdDSA", "HS256", "es256", "ES256 ", "ECDSA", ["ES256"], 256]
    none_passes(lambda kind: {str(name): forger.sign(kind, header={"alg": name}) for name in names})


@pytest.fixture
def listener():
    """Somewhere that a header may point to; counts who comes."""
    came = []
    server = socket.create_server(("127.0.0.1", 0))

    def accept():
        while True:
            try:
                connection, address = server.accept()
            except OSError:
                return
            came.append(address)
            connection.close()

    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.getsockname()[1]}/keys", came
    server.shutdown(socket.SHUT_RDWR)
    server.close()
    thread.join(5)


def self_signed(key):
    from cryptography import x509

    now = clock.utcnow()
    builder = x509.CertificateBuilder(Name([]), Name([]), key.public_key(), 1, now, now + timedelta(days=1))
    return b64encode(builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)).decode()


@pytest.mark.parametrize("kid", ["ours", "theirs", "absent"])
def test_a_key_that_the_header_brings_or_points_to_is_never_used_nor_fetched(forger, none_passes, listener, kid):
    address, came = listener
    theirs = ec.generate_private_key(ec.SECP256R1())
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(theirs.public_key(), as_dict=True)
    brought = {
        "jwk": jwk | {"kid": forger.key.kid, "alg": "ES256"},
        "x5c": [self_signed(theirs)],
        "jku": address,
        "x5u": address,
    }
    pointing = {
        f"{name} {place}": {name: place}
        for name in ("jku", "x5u")
        for place in ("file:///etc/passwd", "http://169.254.169.254/")
    }
    headers = {name: {name: value} for name, value in brought.items()} | pointing | {"all": brought}

    def forge(kind):
        named = {"theirs": {"kid": "theirs"}}.get(kid, {})
        without = ("kid",) if kid == "absent" else ()
        return {
            name: forger.sign(kind, header=header | named, without=without, sign=signer("ES256", theirs))
            for name, header in headers.items()
        }

    none_passes(forge)
    assert came == []


def test_a_kid_is_a_name_and_nothing_else(forger, none_passes):
    own = forger.key.kid
    kids = [
        "../../../../dev/null",
        "/etc/hostname",
        "' OR 1=1--",
        "x' UNION SELECT 'a'--",
        f"{own}\0",
        f"{own}%00",
        f" {own}",
        f"{own}\n",
        own.upper(),
        own[:-1],
        own.replace("-", ""),
        "k" * 10_000,
        str(uuid.uuid4()),
        "",
        "\ud800",
        "é",
        0,
        1.5,
        True,
        None,
        [own],
        {"kid": own},
    ]

    def forge(kind):
        empty_file = {"kid": "../../../../dev/null", "alg": "HS256"}
        return {str(kid)[:40]: forger.sign(kind, header={"kid": kid}) for kid in kids} | {
            "absent": forger.sign(kind, without=("kid",)),
            "an empty file": forger.sign(kind, header=empty_file, sign=hmac_under(b"", "HS256")),
        }

    none_passes(forge)


def test_a_key_under_the_name_of_another_is_refused(forger, none_passes):
    with forger.device.app.app_context():
        [following] = [k for k in signing_keys.usable(clock.utcnow()).values() if k.state == "next"]
    none_passes(lambda kind: {"next": forger.sign(kind, header={"kid": following.kid})})


@pytest.fixture
def key_reads(app):
    """The statements that look for keys."""
    seen = []

    def note(statement):
        if "FROM signing_keys" in statement:
            seen.append(statement)

    with watched(app, note):
        yield seen


def test_a_hundred_kids_that_we_never_made_cost_no_look(app, key_reads):
    now = clock.utcnow()
    with app.app_context():
        signing_keys.usable(now)
        key_reads.clear()
        later = now + timedelta(seconds=2)
        made_up = [f"{opaque.new_id()}.{'x' * 16}" for _ in range(50)] + [opaque.new_id() for _ in range(50)]
        assert [signing_keys.known(kid, later) for kid in made_up] == [None] * 100
    assert key_reads == []


def test_a_hundred_unknown_kids_over_http_cost_a_look_a_second_at_most(app, client, key_reads):
    claims = {"iss": HOST, "type": "access"}
    key = ec.generate_private_key(ec.SECP256R1())
    started = clock.utcnow()
    for _ in range(100):
        header = {"alg": "ES256", "kid": str(uuid.uuid4()), "typ": "at+jwt"}
        token = compact(header, claims, signer("ES256", key))
        assert verdict(client.get("/auth/me", headers={"Authorization": f"Bearer {token}"})) == REFUSED
    assert 1 <= len(key_reads) <= 2 + (clock.utcnow() - started).total_seconds()


def test_a_critical_extension_is_refused(forger, none_passes):
    headers = [
        {"crit": ["x"]},
        {"crit": ["x"], "x": True},
        {"crit": []},
        {"crit": "exp"},
        {"crit": ["exp"], "exp": 1},
        {"crit": ["alg"]},
        {"crit": None},
        {"crit": ["b64"], "b64": False},
        {"crit": ["b64"], "b64": True},
        {"b64": False},
    ]
    none_passes(lambda kind: {str(header): forger.sign(kind, header=header) for header in headers})


def test_an_unencoded_payload_is_refused(forger, none_passes):
    def detached(kind):
        header = encoded(json.dumps(forger.header(kind) | {"crit": ["b64"], "b64": False}).encode())
        payload = json.dumps(forger.claims(kind))
        signature = encoded(forger.own_signature(f"{header}.{payload}".encode()))
        return {"detached": f"{header}..{signature}", "in clear": f"{header}.{payload}.{signature}"}

    none_passes(detached)


def test_the_malleated_signature_is_one_that_verifies(forger):
    raw = decoded(respelled(forger.genuine[ACCESS])["malleated"].rpartition(".")[2])
    signed = forger.genuine[ACCESS].rpartition(".")[0].encode()
    algorithm = jwt.PyJWS().get_algorithm_by_name("ES256")
    assert algorithm.verify(signed, forger.key.public, raw)
    assert decode_dss_signature(forger.key.private.sign(signed, None))[1] != int.from_bytes(raw[32:], "big")


def test_after_a_sign_out_no_spelling_of_either_token_works(forger, row):
    assert forger.sign_out(ACCESS, forger.genuine[ACCESS]).json["data"] == {"revoked": 1}
    before = row()
    for kind in KINDS:
        for name, token in respelled(forger.genuine[kind]).items():
            answer = forger.present(kind, token)
            assert answer.status_code == 401, (kind, name)
            assert answer.json["error"]["code"] in ("token_revoked", "token_invalid"), (kind, name)
    assert row() == before


def test_a_spent_refresh_token_in_another_spelling_is_reuse_all_the_same(forger, age):
    device = forger.device
    spent = respelled(forger.genuine[REFRESH])["malleated"]
    assert device.refresh().status_code == 200
    age(device.app, device.refresh_token_id, seconds=11)
    assert forger.present(REFRESH, spent).json["error"]["code"] == "refresh_token_reused"
    assert device.me().json["error"]["code"] == "token_revoked"


def test_a_token_of_nine_thousand_characters_is_refused_like_any_other(forger, none_passes):
    none_passes(
        lambda kind: {
            "header": forger.sign(kind, header={"x": "x" * 9000}),
            "claims": forger.sign(kind, claims={"x": "x" * 9000}),
            "signature": forger.genuine[kind] + "A" * 9000,
            "dots": "." * 9000,
        }
    )


def test_a_token_of_megabytes_is_refused_unread(forger, row):
    before = row()
    for kind in KINDS:
        huge = forger.sign(kind, claims={"x": "x" * 2_000_000})
        answer = forger.present(kind, huge)
        assert (answer.status_code, answer.json["error"]["code"]) in [(401, "token_invalid"), (413, "too_large")]
    assert row() == before


def test_encrypted_and_compressed_tokens_are_refused(forger, none_passes):
    headers = [
        {"alg": "dir", "enc": "A128GCM", "zip": "DEF"},
        {"alg": "PBES2-HS256+A128KW", "enc": "A128GCM", "p2c": 10**9, "p2s": "AAAA"},
        {"alg": "RSA-OAEP", "enc": "A256GCM"},
        {"alg": "ES256", "zip": "DEF", "cty": "JWT"},
    ]

    def forge(kind):
        heads = [encoded(json.dumps(forger.header(kind) | header).encode()) for header in headers]
        return {head: f"{head}.AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAAAAAAAAAAAAAAAAAAAA" for head in heads}

    none_passes(forge)


def test_only_the_compact_serialization_is_a_token(forger, none_passes):
    def forge(kind):
        header, claims, signature = forger.genuine[kind].split(".")
        flat = {"payload": claims, "protected": header, "signature": signature}
        return {
            "unsigned": json.dumps({"payload": claims, "signatures": []}),
            "general": json.dumps({"payload": claims, "signatures": [{"protected": header, "signature": signature}]}),
            "flattened": json.dumps(flat),
            "flattened, with dots": json.dumps(flat | {"x": forger.genuine[kind]}),
            "mixed": f'{{"protected":"{header}","payload":"{claims}","signature":"{signature}"}}.{claims}.{signature}',
            "mixed after": f'{header}.{claims}.{signature},"protected":"{header}"',
        }

    none_passes(forge)


def test_signing_out_with_a_forgery_ends_nothing(forger, row):
    before = row()
    stranger = signer("ES256", ec.generate_private_key(ec.SECP256R1()))
    for kind in KINDS:
        for token in (
            forger.sign(kind, sign=stranger),
            forger.sign(kind, header={"alg": "none"}, sign=lambda _data: b""),
            forger.sign(kind, header={"kid": "x"}),
            forger.sign(kind, header={"crit": ["x"]}),
        ):
            answer = forger.sign_out(kind, token)
            assert (answer.status_code, answer.json["data"]) == (200, {"revoked": 0})
    assert row() == before
    assert forger.device.me().status_code == 200


@pytest.mark.parametrize("secret", ["", "8 bytes!", "k3" * 15 + "k", "changeme" * 5, "a" * 64])
def test_production_does_not_start_with_a_weak_secret(secret):
    with pytest.raises(SettingsRefused, match="SECRET_KEY") as refused:
        create_app(configured("sqlite:////nowhere/authsvc.db", ENV="production", SECRET_KEY=secret))
    assert not secret or secret not in str(refused.value)


@pytest.mark.parametrize("algorithm", ["HS256", "none", "", "ES512", "es256"])
def test_no_other_algorithm_can_be_configured(algorithm):
    with pytest.raises(SettingsRefused, match="SIGNING_ALGORITHM"):
        create_app(configured("sqlite:////nowhere/authsvc.db", SIGNING_ALGORITHM=algorithm))


def test_there_is_no_start_without_any_secret():
    with pytest.raises(SettingsRefused, match="SECRET_KEY is missing"):
        create_app(configured("sqlite:////nowhere/authsvc.db", SECRET_KEY=""))
