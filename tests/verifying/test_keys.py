"""The published keys at an API elsewhere: how often they are read, how long they are believed, which are keys."""

import threading
import uuid
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from authsvc import opaque
from authsvc.errors import TokenInvalid, Unavailable
from authsvc.verifier.keys import PublishedKeys
from authsvc.verifier.service import Service
from tests.verifying.conftest import JWKS, NamedKey, bearing, key_set

NOW = datetime(2030, 1, 31, 12, tzinfo=UTC)


@pytest.fixture
def keys(scripted):
    service = Service(scripted.url, timedelta(seconds=5))
    yield PublishedKeys(service)
    service.close()


def after(**time):
    return NOW + timedelta(**time)


def test_a_hundred_unknown_names_are_one_read(keys, scripted):
    assert keys.named("first", NOW).key_id == "first"
    assert [keys.named(str(uuid.uuid4()), after(milliseconds=10 * n)) for n in range(100)] == [None] * 100
    assert scripted.count(JWKS) == 1
    # A while later they may be new: another one.
    assert [keys.named(str(uuid.uuid4()), after(seconds=6)) for _ in range(100)] == [None] * 100
    assert scripted.count(JWKS) == 2


class Watched:
    """A lock that tells who is about to wait for it."""

    def __init__(self, lock):
        self.lock = lock
        self.wanted = threading.Semaphore(0)
        self.release = lock.release

    def acquire(self, blocking):
        self.wanted.release()
        return self.lock.acquire(blocking=blocking)


def test_who_comes_while_the_keys_are_read_waits_for_that_read_however_long_it_takes(keys, scripted):
    keys._reading = watched = Watched(keys._reading)
    came, go = threading.Semaphore(0), threading.Event()

    def slowly(_environ):
        came.release()
        assert go.wait(10)
        return key_set(scripted.key)

    scripted.app.answers[JWKS] = slowly
    with ThreadPoolExecutor(21) as threads:
        first = threads.submit(keys.named, "first", NOW)
        assert came.acquire(timeout=10)
        names = ["first"] * 10 + [str(uuid.uuid4()) for _ in range(10)]
        asked = [threads.submit(keys.named, name, after(seconds=8)) for name in names]
        for _ in range(21):
            assert watched.wanted.acquire(timeout=10)
        go.set()
        found = [one.result(10) for one in asked]
    assert [key.key_id for key in (first.result(), *found[:10])] == ["first"] * 11
    assert found[10:] == [None] * 10
    assert scripted.count(JWKS) == 1


def test_a_known_key_waits_for_nobody(keys, scripted):
    keys.named("first", NOW)
    came, go = threading.Semaphore(0), threading.Event()

    def slowly(_environ):
        came.release()
        assert go.wait(10)
        return key_set(scripted.key)

    scripted.app.answers[JWKS] = slowly
    with ThreadPoolExecutor(1) as threads:
        reading = threads.submit(keys.named, "first", after(minutes=6))
        assert came.acquire(timeout=10)
        assert keys.named("first", after(minutes=6)).key_id == "first"
        assert not reading.done()
        go.set()
        assert reading.result(10).key_id == "first"


def test_a_new_key_is_believed_at_once_and_a_retired_one_until_the_keys_are_read_again(keys, scripted):
    assert keys.named("first", NOW).key_id == "first"
    scripted.app.answers[JWKS] = key_set(NamedKey("second"))
    # Within their age nobody looks, while all names are known.
    assert keys.named("first", after(seconds=299)).key_id == "first"
    assert scripted.count(JWKS) == 1
    assert keys.named("second", after(seconds=299)).key_id == "second"
    assert keys.named("first", after(seconds=299)) is None
    assert scripted.count(JWKS) == 2


def test_they_are_read_again_when_they_are_older_than_they_may_be(keys, scripted):
    for cache_control, age in (
        ("public, max-age=300", 300),
        ("max-age=20", 20),
        ("max-age=20,public", 20),
        ("", 300),
        ("no-store", 300),
        ("s-maxage=9, max-age=60", 60),
        ("max-age=junk", 300),
        ("max-age=999999999", 3600),
        ("max-age=0", 5),
    ):
        status, headers, body = key_set(scripted.key)
        scripted.app.answers[JWKS] = (status, {**headers, "Cache-Control": cache_control}, body)
        fresh = PublishedKeys(keys._service)
        before = scripted.count(JWKS)
        for seconds, reads in ((0, 1), (age - 1, 1), (age, 2)):
            assert fresh.named("first", after(seconds=seconds)).key_id == "first"
            assert scripted.count(JWKS) - before == reads, (cache_control, seconds)


def test_while_they_cant_be_read_known_keys_go_on_for_an_hour(keys, scripted):
    keys.named("first", NOW)
    scripted.app.answers[JWKS] = ("503 Service Unavailable", {}, b"")
    for time in ({"minutes": 6}, {"minutes": 64}):
        assert keys.named("first", after(**time)).key_id == "first"
        with pytest.raises(Unavailable):  # it may be a new one: who knows?
            keys.named("second", after(**time))
    reads = scripted.count(JWKS)
    assert reads == 3
    for _ in range(10):
        with pytest.raises(Unavailable):
            keys.named("first", after(minutes=66))
    assert scripted.count(JWKS) == reads + 1
    scripted.app.answers[JWKS] = key_set(scripted.key)
    assert keys.named("first", after(minutes=67)).key_id == "first"
    assert keys.named("second", after(minutes=67)) is None


def test_what_is_no_key_set_is_no_answer(keys, scripted):
    status, headers, body = key_set(scripted.key)
    wrong = {
        "not there": ("404 Not Found", headers, body),
        "broken": ("500 Internal Server Error", headers, body),
        "moved": ("302 Found", {"Location": f"{scripted.url}/keys"}, body),
        "moved for good": ("308 Permanent Redirect", {"Location": f"{scripted.url}/keys"}, b""),
        "a page": (status, headers, b"<h1>Welcome</h1>"),
        "a list": (status, headers, b"[]"),
        "another object": (status, headers, b"{}"),
        "keys that are none": (status, headers, b'{"keys": {}}'),
        "deep": (status, headers, b"[" * 60_000),
        "too large": (status, headers, body + b" " * 70_000),
        "not in UTF-8": (status, headers, b'{"keys": ["\xff"]}'),
    }
    scripted.app.answers["/keys"] = key_set(scripted.key)
    for name, answer in wrong.items():
        scripted.app.answers[JWKS] = answer
        with pytest.raises(Unavailable):
            pytest.fail(f"{name}: {PublishedKeys(keys._service).named('first', NOW)}")
    assert scripted.count("/keys") == 0
    assert scripted.count(JWKS) == len(wrong)


def test_only_public_keys_of_our_own_kinds_are_keys(keys, scripted):
    own = scripted.key.jwk
    private = jwt.algorithms.ECAlgorithm.to_jwk(scripted.key.private, as_dict=True)
    p384 = jwt.algorithms.ECAlgorithm.to_jwk(ec.generate_private_key(ec.SECP384R1()).public_key(), as_dict=True)
    secret = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0LXNlY3JldA"}

    def of_rsa(bits):
        key = rsa.generate_private_key(65537, bits).public_key()  # the short one is to be refused
        return jwt.algorithms.RSAAlgorithm.to_jwk(key, as_dict=True)

    ed = jwt.algorithms.OKPAlgorithm.to_jwk(ed25519.Ed25519PrivateKey.generate().public_key(), as_dict=True)
    bad = [
        *[{**secret, "alg": alg} for alg in ("HS256", "ES256", "RS256", "none")],
        secret,
        {**private, "alg": "ES256"},
        {**p384, "alg": "ES256"},
        {**p384, "alg": "ES384"},
        {**own, "alg": "HS256"},
        {**own, "alg": "RS256"},
        {**own, "alg": None},
        {**own, "alg": ["ES256"]},
        {**own, "kty": ["EC"]},
        {**own, "crv": {"P-256": 1}},
        {**own, "use": "enc"},
        {**own, "x": "AAAA"},
        {**own, "x": None},
        {**own, "y": own["x"]},
        {**of_rsa(1024), "alg": "RS256"},
        {name: value for name, value in own.items() if name != "alg"},
    ]
    good = [{**of_rsa(2048), "alg": "RS256"}, {**ed, "alg": "EdDSA"}, own]
    named = [{**jwk, "kid": f"bad {number}", "use": jwk.get("use", "sig")} for number, jwk in enumerate(bad)]
    named += [{**jwk, "kid": f"good {number}"} for number, jwk in enumerate(good)]
    strange = ["first", None, 1, [], {}, {**own, "kid": None}, {**own, "kid": 1}, {**own, "kid": ["first"]}]
    scripted.app.answers[JWKS] = key_set(*strange, *named)
    assert [number for number in range(len(bad)) if keys.named(f"bad {number}", NOW)] == []
    assert [keys.named(f"good {n}", NOW).algorithm_name for n in range(3)] == ["RS256", "EdDSA", "ES256"]
    assert set(keys._known.keys) == {"good 0", "good 1", "good 2"}


def test_a_verifier_reads_them_once_for_all_its_threads(make_verifier, scripted):
    verifier = make_verifier()
    token = scripted.key.sign(scripted.url)
    with ThreadPoolExecutor(8) as threads:
        asked = [threads.submit(verifier.principal, bearing(token)) for _ in range(40)]
        assert {one.result(10).user_id for one in asked} == {"0190a5b0-0000-7000-8000-000000000002"}
        stranger = NamedKey("stranger").sign(scripted.url)
        for _ in range(100):
            with pytest.raises(TokenInvalid):
                verifier.principal(bearing(stranger))
    assert scripted.count(JWKS) == 1


def test_a_verifier_without_an_authsvc_says_come_back_later(verifiers, scripted):
    verifier, token = verifiers(scripted.url), scripted.key.sign(scripted.url)
    never = verifiers(scripted.url)
    assert verifier.principal(bearing(token)).via == "access_token"
    scripted.stop()
    assert verifier.principal(bearing(token)).via == "access_token"
    for one, shown in ((never, token), (verifier, opaque.new_api_token())):
        with pytest.raises(Unavailable) as refused:
            one.principal(bearing(shown))
        assert refused.value.headers == {"Retry-After": "1"}


def test_a_key_verifies_by_its_own_algorithm_alone(make_verifier, scripted):
    private = rsa.generate_private_key(65537, 2048)
    published = jwt.algorithms.RSAAlgorithm.to_jwk(private.public_key(), as_dict=True)
    scripted.app.answers[JWKS] = key_set({**published, "kid": "of RSA", "alg": "RS256"})
    claims = jwt.decode(scripted.key.sign(scripted.url), options={"verify_signature": False})
    verifier = make_verifier()
    for algorithm in ("RS384", "RS512", "PS256", "PS512"):
        token = jwt.encode(claims, private, algorithm, {"kid": "of RSA", "typ": "at+jwt"})
        with pytest.raises(TokenInvalid):
            pytest.fail(f"{algorithm}: {verifier.principal(bearing(token))}")
    token = jwt.encode(claims, private, "RS256", {"kid": "of RSA", "typ": "at+jwt"})
    assert verifier.principal(bearing(token)).via == "access_token"
