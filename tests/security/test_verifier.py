"""The forgeries that authsvc refuses, shown to a verifier elsewhere: refused there too, and none costs a question."""

import json
import uuid

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from authsvc import Verifier, clock, opaque
from authsvc.errors import TokenExpired, TokenInvalid
from tests.claims import header_of
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, register
from tests.drivers import Account, Script
from tests.flows import keys
from tests.security.forgery import (
    ACCESS,
    HASHES,
    REFRESH,
    Forger,
    compact,
    encoded,
    hmac_under,
    public_material,
    respelled,
    signer,
)
from tests.servers.threads import Served

JWKS = "/.well-known/jwks.json"


@pytest.fixture
def database_kind():
    return "sqlite"


@pytest.fixture
def service(make_app):
    """The real service on a port; it hears what is asked of it."""
    served = Served()
    served.app = make_app(BASE_URL=served.url)
    served.start()
    yield served
    served.stop()


@pytest.fixture
def device(service):
    made = Script(service.app)
    made.sign_in(register(Script(service.app)))
    return made


@pytest.fixture
def forger(device):
    return Forger(device)


@pytest.fixture
def verifier(service):
    made = Verifier(service.url)
    yield made
    made.close()


def judged(verifier, token):
    return verifier.principal({"HTTP_AUTHORIZATION": f"Bearer {token}", "REMOTE_ADDR": "192.0.2.1"})


@pytest.fixture
def none_passes(verifier, forger, service):
    """Show it every forgery; see that the genuine token works, and that the keys were read once for all of them."""

    def check(forged, refused=TokenInvalid):
        genuine = forger.genuine[ACCESS]
        assert judged(verifier, genuine).user_id == forger.claims(ACCESS)["sub"]
        before = len(service.asked)
        for name, token in forged.items():
            with pytest.raises(refused):
                pytest.fail(f"{name}: {judged(verifier, token)}")
        assert len(forged) > 1
        assert judged(verifier, genuine).user_id == forger.claims(ACCESS)["sub"]
        # A name that is not known is looked for, once in a while.
        assert {path for _, path, _ in service.asked[before:]} <= {JWKS}
        assert service.count(JWKS) <= 2

    return check


def test_no_other_signature_is_one(forger, none_passes, service):
    genuine, own = forger.genuine[ACCESS], forger.claims(ACCESS)
    head, _, signature = genuine.rpartition(".")
    forged = {}
    material = public_material(forger.key, forger.device.client.get(JWKS).data)
    for algorithm in HASHES:
        for name, secret in material.items():
            sign = hmac_under(secret, algorithm)
            forged[algorithm, name] = forger.sign(ACCESS, header={"alg": algorithm}, sign=sign)
    for algorithm in ("none", "None", "NONE", "nOnE", "", None, [], ["none"], {"none": 1}, 0):
        unsigned = forger.sign(ACCESS, header={"alg": algorithm}, sign=lambda _data: b"").rpartition(".")[0]
        forged |= {(str(algorithm), end): f"{unsigned}.{end}" for end in ("", "AA", signature)}
    forged["no alg"] = forger.sign(ACCESS, without=("alg",))
    siblings = {
        "ES384": ec.generate_private_key(ec.SECP384R1()),
        "ES512": ec.generate_private_key(ec.SECP521R1()),
        "ES256K": ec.generate_private_key(ec.SECP256K1()),
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        **dict.fromkeys(("RS256", "PS256"), rsa.generate_private_key(65537, 2048)),
    }
    for algorithm, key in siblings.items():
        forged[algorithm] = forger.sign(ACCESS, header={"alg": algorithm}, sign=signer(algorithm, key))
    for name in ("ES512", "ES384", "RS256", "EdDSA", "HS256", "es256", "ES256 ", ["ES256"], 256):
        forged["our key as", str(name)] = forger.sign(ACCESS, header={"alg": name})
    forged |= {"empty": f"{head}.", "short": f"{head}.AA", "zeros": f"{head}.{encoded(bytes(64))}"}
    forged["of the refresh token"] = f"{head}.{forger.genuine[REFRESH].rpartition('.')[2]}"
    changed = compact(forger.header(ACCESS), own | {"gen": 1}, forger.own_signature).rpartition(".")[0]
    forged["of another text"] = f"{changed}.{signature}"
    # What verifies in many libraries: here a text has one spelling. Which of two good signatures, says nothing.
    forged |= {name: token for name, token in respelled(genuine).items() if name != "malleated"}
    forged |= {"newline": f"{head}.\n{signature}", "no ASCII": f"{genuine}é", "NUL": f"{genuine}\0"}
    none_passes(forged)


def test_no_key_but_the_published_ones_counts(forger, none_passes, service):
    theirs = ec.generate_private_key(ec.SECP256R1())
    jwk = jwt.algorithms.ECAlgorithm.to_jwk(theirs.public_key(), as_dict=True)
    own = forger.key.kid
    forged = {}
    for name, header in {
        "jwk": {"jwk": jwk | {"kid": own, "alg": "ES256"}},
        "jku": {"jku": f"{service.url}/keys"},
        "x5u": {"x5u": f"{service.url}/keys"},
        "file": {"jku": "file:///etc/passwd", "x5u": "http://169.254.169.254/"},
    }.items():
        for kid in (own, "theirs"):
            forged[name, kid] = forger.sign(ACCESS, header=header | {"kid": kid}, sign=signer("ES256", theirs))
        forged[name, "absent"] = forger.sign(ACCESS, header=header, without=("kid",), sign=signer("ES256", theirs))
    kids = ["../../../../dev/null", "' OR 1=1--", f"{own}\0", f"{own}%00", f" {own}", own.upper(), own[:-1], "k" * 5000]
    kids += ["", "\ud800", "é", 0, 1.5, True, None, [own], {"kid": own}]
    forged |= {("kid", str(kid)[:20]): forger.sign(ACCESS, header={"kid": kid}) for kid in kids}
    forged |= {("unknown", number): forger.sign(ACCESS, header={"kid": str(uuid.uuid4())}) for number in range(100)}
    crits = [{"crit": ["x"], "x": 1}, {"crit": []}, {"crit": "exp"}, {"crit": ["exp"], "exp": 1}, {"crit": None}]
    crits += [{"crit": ["b64"], "b64": False}, {"crit": ["b64"], "b64": True}, {"b64": False}]
    forged |= {str(header): forger.sign(ACCESS, header=header) for header in crits}
    none_passes(forged)
    assert service.count("/keys") == 0


def test_only_a_compact_token_of_a_sane_length_is_one(forger, none_passes):
    header, claims, signature = forger.genuine[ACCESS].split(".")
    general = {"payload": claims, "signatures": [{"protected": header, "signature": signature}]}
    jwe = [{"alg": "dir", "enc": "A128GCM", "zip": "DEF"}, {"alg": "PBES2-HS256+A128KW", "p2c": 10**9, "p2s": "AAAA"}]
    shapes = [claims, f"{header}.{claims}", f"{header}.{claims}.{signature}.{signature}", "..", "....", "not.a.token"]
    shapes += [f".{claims}.{signature}", f"{header}..{signature}", "", "Bearer", "a b c"]
    shapes += [json.dumps(general), json.dumps(general | {"signatures": []}), f"{json.dumps(general)}.{signature}"]
    shapes += [f"{encoded(json.dumps(head).encode())}.AAAA.AAAAAAAAAAAAAAAA.AAAA.AAAA" for head in jwe]
    shapes += [compact(head, {}, forger.own_signature) for head in ([], None, 1, "ES256")]
    payloads = [b"[]", b"null", b"1", b'"x"', b"{", b"\xff\xfe", b"[" * 3000, b'{"exp":' + b"9" * 5000 + b"}"]
    shapes += [compact(forger.header(ACCESS), payload, forger.own_signature) for payload in payloads]
    shapes += [forger.sign(ACCESS, claims={"x": "x" * size}) for size in (9000, 2_000_000)]
    shapes += [forger.sign(ACCESS, header={"x": "x" * 9000}), "." * 9000, forger.genuine[ACCESS] + "A" * 9000]
    none_passes(dict(enumerate(shapes)))


def test_every_claim_must_be_there_and_right(forger, none_passes, service):
    own = forger.claims(ACCESS)
    now, url = int(clock.utcnow().timestamp()), service.url
    other = opaque.new_id()
    wrong = {name: [None, True, [own[name]], {"is": own[name]}] for name in own if name not in ("fresh", "roles")}
    wrong["iss"] += [url[:-1], f"{url}/", f"{url}.evil.example", url.upper(), url.replace("http", "https"), ""]
    wrong["aud"] += [[], "", own["aud"].upper(), other, [own["aud"], other], "default"]
    wrong["client_id"] += ["", other]
    wrong["type"] += ["refresh", "reset_password", "", "Access", "access ", 1]
    for name in ("sub", "tid", "sid"):
        wrong[name] += ["", "default", own[name].upper(), own[name].replace("-", ""), 1]
    wrong["exp"] += ["soon", str(own["exp"]), float(own["exp"]), 2**53, 10**400]
    wrong["iat"] += [str(now), -1, now + 600, 10**400, float(now)]
    wrong["nbf"] += [str(now), now + 600, 10**400, float(now)]
    wrong["gen"] += [-1, 2**31, 1.0, "0"]
    wrong["scope"] += [1, ["auth:refresh"]]
    wrong["roles"] = [None, "admin", {"admin": 1}, [["admin"]], [{}], [1]]
    forged = {
        (name, str(value)[:30]): forger.sign(ACCESS, claims={name: value})
        for name, values in wrong.items()
        for value in values
    }
    forged |= {f"no {name}": forger.sign(ACCESS, without=(name,)) for name in wrong}
    for name in ("exp", "iat", "nbf", "gen"):
        for literal in ("1e400", "-1e400", "NaN", "Infinity", "1" * 5000):
            payload = json.dumps(own | {name: "@"}).replace('"@"', literal).encode()
            forged[name, literal[:9]] = compact(forger.header(ACCESS), payload, forger.own_signature)
    for typ in ("JWT", "rt+jwt", "logout+jwt", "", "at", "at+jwt ", "application/jwt", None, 1, ["at+jwt"]):
        forged["typ", str(typ)] = forger.sign(ACCESS, header={"typ": typ})
    forged["no typ"] = forger.sign(ACCESS, without=("typ",))
    # A refresh token is none, whatever it calls itself.
    forged["refresh"] = forger.genuine[REFRESH]
    forged["refresh as access"] = forger.sign(REFRESH, header=forger.header(ACCESS), claims={"type": "access"})
    none_passes(forged)


def test_an_end_is_an_end_to_the_second(verifier, forger, none_passes):
    now = int(clock.utcnow().timestamp())
    ends = {end: forger.sign(ACCESS, claims={"exp": end}) for end in (0, 1, now - 3600, now - 1, now)}
    none_passes(ends, TokenExpired)
    skewed = {"exp": now + 60, "nbf": now + 20, "iat": now + 20}
    for claims in ({"exp": now + 60}, skewed):
        assert judged(verifier, forger.sign(ACCESS, claims=claims)).via == "access_token"
    for typ in ("AT+JWT", "application/at+jwt", "APPLICATION/AT+JWT"):
        assert judged(verifier, forger.sign(ACCESS, header={"typ": typ})).via == "access_token"


def test_a_verifier_for_one_application_takes_its_tokens_alone(service, forger):
    own, other = forger.claims(ACCESS)["aud"], opaque.new_id()
    theirs = forger.sign(ACCESS, claims={"aud": other, "client_id": other})
    for application, taken, refused in ((own, forger.genuine[ACCESS], theirs), (other, theirs, forger.genuine[ACCESS])):
        verifier = Verifier(service.url, application=application)
        assert judged(verifier, taken).application_id == application
        with pytest.raises(TokenInvalid):
            judged(verifier, refused)
        verifier.close()
    for name in ("default", "", own.upper()):
        with pytest.raises(ValueError, match="id of an application"):
            Verifier(service.url, application=name)


def test_what_an_application_got_for_itself_is_nobodys(verifier, forger):
    own = forger.claims(ACCESS)["aud"]
    who = judged(verifier, forger.sign(ACCESS, claims={"sub": own, "sid": own, "scope": "restaurants:read"}))
    assert (who.user_id, who.application_id, who.via) == (None, own, "client_credentials")
    assert (who.actor_id, who.refresh_token_id, who.permissions) == (own, None, {"restaurants:read"})


def test_what_the_next_key_signs_is_good_at_once_and_what_a_revoked_one_signed_when_the_keys_are_read_again(
    verifier, service, device
):
    operator = Script(service.app)
    operator.sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD))
    old = device.access_token
    assert judged(verifier, old).via == "access_token"
    keys.rotate(operator)
    device.refresh()
    new = device.access_token
    assert header_of(old)["kid"] != header_of(new)["kid"]
    assert judged(verifier, new) == judged(verifier, old)
    assert service.count(JWKS) == 1
    keys.revoke(operator, header_of(old)["kid"])
    fresh = Verifier(service.url)
    assert judged(fresh, new).via == "access_token"
    with pytest.raises(TokenInvalid):
        judged(fresh, old)
    fresh.close()
