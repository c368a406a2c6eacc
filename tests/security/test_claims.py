"""Claims: what our tokens say, and that a good signature under anything else is refused."""

import json
from datetime import timedelta

import pytest

from authsvc import clock, opaque
from authsvc.models.engine import transaction
from authsvc.services import tenants
from tests.claims import claims_of
from tests.conftest import BASE_URL, register
from tests.drivers import HOST
from tests.flows import sign_ins
from tests.security.forgery import ACCESS, KINDS, REFRESH, REFUSED, Forger, decoded, encoded, verdict

EVERYWHERE = {"iss", "aud", "sub", "tid", "sid", "gen", "jti", "iat", "exp", "type"}
CLAIMS = {ACCESS: EVERYWHERE | {"client_id", "nbf", "scope", "roles"}, REFRESH: EVERYWHERE}
TEXTS = {"iss", "aud", "sub", "tid", "sid", "jti", "type", "client_id", "scope"}
NUMBERS = {"gen", "iat", "exp", "nbf"}
FROM_LIBRARY = {"fresh"}  # flask-jwt-extended writes it into every token; nothing reads it

# Where neither the database nor the transport makes a difference.
anywhere = pytest.mark.parametrize(("database_kind", "transport"), [("sqlite", "body")])


def code(answer):
    return answer.json["error"]["code"]


def now_in_seconds():
    return int(clock.utcnow().timestamp())


# What they say


def test_the_header_says_algorithm_key_and_kind_and_no_more(forger):
    for kind, typ in ((ACCESS, "at+jwt"), (REFRESH, "rt+jwt")):
        assert forger.header(kind) == {"alg": "ES256", "kid": forger.key.kid, "typ": typ}


def test_an_access_token_says_exactly_what_is_documented(device, account, rows):
    [(tenant_id, application_id)] = rows(
        device.app, "SELECT tenant_id, application_id FROM refresh_tokens WHERE id = :id", id=device.refresh_token_id
    )
    claims = claims_of(device.access_token)
    assert set(claims) - FROM_LIBRARY == CLAIMS[ACCESS]
    issued = claims["iat"]
    expected = {
        "iss": BASE_URL,
        "aud": str(application_id),
        "client_id": str(application_id),
        "sub": account.id,
        "tid": str(tenant_id),
        "sid": device.refresh_token_id,
        "gen": 0,
        "nbf": issued,
        "exp": issued + 900,
        "type": "access",
        "scope": "api-tokens:write auth:refresh",
        "roles": ["member"],
    }
    assert {name: claims[name] for name in expected} == expected


def test_a_refresh_token_says_exactly_what_is_documented(forger, account, transport):
    claims = forger.claims(REFRESH)
    csrf = {"csrf"} if transport == "cookie" else set()
    assert set(claims) - FROM_LIBRARY == CLAIMS[REFRESH] | csrf
    assert claims.get("csrf") == forger.csrf
    assert (claims["iss"], claims["aud"], claims["type"]) == (BASE_URL, BASE_URL, "refresh")
    assert claims["exp"] == claims["iat"] + 7 * 24 * 3600
    shared = ("sub", "tid", "sid", "gen")
    assert [claims[name] for name in shared] == [forger.claims(ACCESS)[name] for name in shared]
    assert claims["sub"] == account.id


def test_no_token_says_who_its_owner_is(make_device):
    device = make_device()
    account = register(device, username="Captain.Nemo", name="Nemo of the Nautilus")
    device.sign_in(account)
    forger = Forger(device)
    for kind in KINDS:
        said = "".join(str(decoded(segment)) for segment in forger.genuine[kind].split(".")[:2]).lower()
        for secret in (account.email, account.password, "nemo", "nautilus", "argon2", "127.0.0.1"):
            assert secret not in said


def test_every_token_has_a_jti_of_its_own(make_device, account):
    seen = []
    for _ in range(20):
        device = make_device()
        device.sign_in(account)
        forger = Forger(device)
        seen += [forger.claims(kind)["jti"] for kind in KINDS]
        device.refresh()
        forger = Forger(device)
        seen += [forger.claims(kind)["jti"] for kind in KINDS]
    assert len(set(seen)) == len(seen) == 80


def test_no_two_access_tokens_are_the_same_even_when_the_refresh_token_is(device):
    device.refresh()
    first, held = device.access_token, device.held()
    device.refresh()
    assert device.held() == held
    assert claims_of(device.access_token)["jti"] != claims_of(first)["jti"]


@pytest.mark.parametrize("name", ["claims", "additional_claims", "roles", "scope", "exp", "expires_in", "sub", "fresh"])
@anywhere
def test_nobody_chooses_claims(device, account, row, name):
    before = row()
    answer = device.post("/auth/login", email=account.email, password=account.password, **{name: "admin"})
    assert (answer.status_code, list(answer.json["error"]["fields"])) == (422, [name])
    answer = device.present("/jwt/refresh", device.held(), **{name: "admin"})
    assert (answer.status_code, list(answer.json["error"]["fields"])) == (422, [name])
    assert row() == before


# Every claim is required, of its type, and right


def test_a_token_without_any_one_of_its_claims_is_refused(forger, none_passes):
    none_passes(lambda kind: {name: forger.sign(kind, without=(name,)) for name in CLAIMS[kind]})


def test_a_claim_of_another_type_is_refused(forger, none_passes):
    def wrong(name, right):
        if name == "roles":
            return [None, "admin", {"admin": 1}, 1, True]
        if name in NUMBERS:
            return [None, str(right), float(right), [right], {"is": right}, True, "soon"]
        assert name in TEXTS
        return [None, 1, True, [], [right], {right: right}, {}]

    none_passes(
        lambda kind: {
            f"{name}: {value!r}": forger.sign(kind, claims={name: value})
            for name in CLAIMS[kind]
            for value in wrong(name, forger.claims(kind)[name])
        }
    )


def test_a_number_that_cant_be_is_refused(forger, none_passes):
    numbers = {name: [-1, 2**31, 2**63, 2**64, 10**30] for name in ("gen",)}
    numbers |= {"exp": [-1, 2**52, 2**63, 2**64, 10**400], "iat": [-1, 2**63, 10**400], "nbf": [2**63, 10**400]}

    def forge(kind):
        forged = {
            f"{name}: {str(value)[:20]}": forger.sign(kind, claims={name: value})
            for name, values in numbers.items()
            for value in values
            if name in CLAIMS[kind]
        }
        for name in ("exp", "iat", "gen"):
            for literal in ("1e400", "-1e400", "NaN", "Infinity", "1" * 5000):
                forged[f"{name}: {literal[:9]}"] = in_words(forger, kind, name, literal)
        return forged

    none_passes(forge)


def in_words(forger, kind, name, literal):
    """A claim as a literal that no JSON library would write."""
    claims = json.dumps(forger.claims(kind) | {name: "@"}).replace('"@"', literal)
    head = f"{encoded(json.dumps(forger.header(kind)).encode())}.{encoded(claims.encode())}"
    return f"{head}.{encoded(forger.own_signature(head.encode()))}"


def test_the_issuer_is_compared_to_the_letter(forger, none_passes):
    issuers = [
        "https://auth.example.or",
        "https://auth.example.organic",
        "https://auth.example.org/",
        "https://auth.example.org.evil.example",
        "https://AUTH.example.org",
        "HTTPS://auth.example.org",
        "http://auth.example.org",
        "https://auth.example.org:443",
        " https://auth.example.org",
        "auth.example.org",
        "",
    ]
    none_passes(lambda kind: {issuer: forger.sign(kind, claims={"iss": issuer}) for issuer in issuers})


@pytest.fixture
def add_application(rows):
    """A further application of the default tenant; answers its id."""

    def add(app, slug, **more):
        [(tenant_id,)] = rows(app, "SELECT id FROM tenants WHERE slug = 'default'")
        return sign_ins.add_application(app, str(tenant_id), slug, **more)

    return add


def test_an_access_token_is_for_its_own_application_alone(forger, none_passes, add_application):
    other, own = add_application(forger.device.app, "other"), forger.claims(ACCESS)["aud"]
    audiences = [other, own.upper(), own[:-1], f"{own},{other}", "default", "other", BASE_URL, ""]
    none_passes(
        lambda kind: (
            {a: forger.sign(kind, claims={"aud": a, "client_id": a}) for a in audiences}
            | {f"{a} alone": forger.sign(kind, claims={"aud": a}) for a in [*audiences, [own, other], [other], [own]]}
            | {f"client {a}": forger.sign(kind, claims={"client_id": a}) for a in audiences}
        ),
        kinds=(ACCESS,),
    )


def test_a_refresh_token_is_for_us_alone(forger, none_passes):
    own = forger.claims(ACCESS)["aud"]
    audiences = [own, f"{BASE_URL}/", BASE_URL.upper(), "http://auth.example.org", "", [BASE_URL], [BASE_URL, own]]
    none_passes(lambda kind: {str(a): forger.sign(kind, claims={"aud": a}) for a in audiences}, kinds=(REFRESH,))


def test_neither_kind_is_taken_for_the_other(forger, row):
    before = row()
    access, refresh = forger.genuine[ACCESS], forger.genuine[REFRESH]
    assert verdict(forger.present(ACCESS, refresh)) == REFUSED
    # An access token in the cookie has no csrf claim either: whatever is missed first, it is refused.
    assert verdict(forger.present(REFRESH, access)) == REFUSED
    assert row() == before


def test_changing_what_a_token_calls_itself_makes_it_nothing_else(forger, none_passes):
    def forge(kind):
        other = REFRESH if kind == ACCESS else ACCESS
        typ = forger.header(other)["typ"]
        return {
            "the other, typ changed": forger.sign(other, header={"typ": forger.header(kind)["typ"]}),
            "the other, type changed": forger.sign(other, claims={"type": kind}),
            "the other, both changed": forger.sign(other, header=forger.header(kind), claims={"type": kind}),
            "typ": forger.sign(kind, header={"typ": typ}),
            "type": forger.sign(kind, claims={"type": other}),
            "both": forger.sign(kind, header={"typ": typ}, claims={"type": other}),
        }

    for kind, other in ((ACCESS, REFRESH), (REFRESH, ACCESS)):
        assert verdict(forger.present(kind, forger.genuine[other])) == REFUSED
    none_passes(forge)


def test_only_its_own_type_is_a_type(forger, none_passes):
    types = ["reset_password", "", "Access", "access ", "ACCESS", "Refresh", "id", "confirm", None, ["access"], 1]
    none_passes(lambda kind: {str(t): forger.sign(kind, claims={"type": t}) for t in types if t != kind})


def test_only_its_own_typ_is_a_typ(forger, none_passes):
    typs = ["JWT", "logout+jwt", "jwt", "", "at", "at+jwt ", "application/jwt", "text/at+jwt", None, 1, ["at+jwt"]]
    none_passes(
        lambda kind: (
            {str(typ): forger.sign(kind, header={"typ": typ}) for typ in typs}
            | {"absent": forger.sign(kind, without=("typ",))}
        )
    )


@pytest.mark.parametrize("spelling", ["application/{}", "APPLICATION/{}", "{}"])
def test_typ_is_a_media_type_whose_case_does_not_matter(forger, spelling):
    for kind in KINDS:
        typ = spelling.format(forger.header(kind)["typ"].upper())
        assert forger.present(kind, forger.sign(kind, header={"typ": typ})).status_code == 200


# Whose they are


def test_a_token_for_another_users_row_is_refused(forger, none_passes, make_device):
    other = make_device()
    account = register(other)
    other.sign_in(account)
    theirs = Forger(other)
    csrf = {} if forger.csrf is None else {"csrf": forger.csrf}

    def forge(kind):
        own = forger.claims(kind)["sub"]
        return {
            "their id": forger.sign(kind, claims={"sub": account.id}),
            "their sign-in": forger.sign(kind, claims={"sid": other.refresh_token_id}),
            "my id on theirs": theirs.sign(kind, claims={"sub": own, **csrf}),
            "nobody": forger.sign(kind, claims={"sub": opaque.new_id()}),
            "my id in capitals": forger.sign(kind, claims={"sub": own.upper()}),
        }

    none_passes(forge)


@pytest.mark.parametrize("transport", ["body"])
def test_a_refresh_token_in_a_body_has_no_csrf_claim(forger, none_passes):
    none_passes(
        lambda kind: {str(csrf): forger.sign(kind, claims={"csrf": csrf}) for csrf in ("x", "", None)},
        kinds=(REFRESH,),
        worthless=False,  # as one that travels in a cookie it is good
    )


def test_a_token_for_another_tenant_is_refused(forger, none_passes, make_device):
    app = forger.device.app
    with app.app_context(), transaction() as session:
        other = tenants.establish(session, "other", "Other", clock.utcnow()).id
    in_other = make_device()
    account = register(in_other, headers={"X-Tenant-Id": "other"})
    own = forger.claims(ACCESS)["tid"]
    none_passes(
        lambda kind: {
            "their tenant": forger.sign(kind, claims={"tid": other}),
            "their user": forger.sign(kind, claims={"sub": account.id}),
            "their user and tenant": forger.sign(kind, claims={"sub": account.id, "tid": other}),
            "slug": forger.sign(kind, claims={"tid": "default"}),
            "list": forger.sign(kind, claims={"tid": [own]}),
            "nowhere": forger.sign(kind, claims={"tid": opaque.new_id()}),
        }
    )


def test_the_tenant_header_selects_nothing_but_the_tokens_own(forger, row):
    with forger.device.app.app_context(), transaction() as session:
        other = tenants.establish(session, "other", "Other", clock.utcnow()).id
    before = row()
    for kind in KINDS:
        for name in (other, "other", "nowhere", opaque.new_id(), "DEFAULT", "default,other"):
            answer = forger.present(kind, forger.genuine[kind], {"X-Tenant-Id": name})
            assert (answer.status_code, code(answer)) == (403, "tenant_mismatch"), (kind, name)
    assert row() == before
    for kind in KINDS:
        for name in ("default", forger.claims(kind)["tid"]):
            assert forger.present(kind, forger.genuine[kind], {"X-Tenant-Id": name}).status_code == 200


def test_two_tenant_headers_that_differ_name_no_tenant(forger):
    for kind in KINDS:
        both = {"X-Tenant-Id": "default", "X-Stencil-TenantId": "other"}
        assert code(forger.present(kind, forger.genuine[kind], both)) == "tenant_mismatch"


def test_a_sign_in_that_never_was_is_an_ended_one(forger, row):
    before = row()
    for kind in KINDS:
        answer = forger.present(kind, forger.sign(kind, claims={"sid": opaque.new_id()}))
        assert (answer.status_code, code(answer)) == (401, "token_revoked")
    assert row() == before


def test_a_role_in_the_token_gives_nothing_that_its_owner_lacks(forger):
    grand = {"roles": ["admin", "operator"], "scope": "* tokens:read keys:rotate auth:refresh"}
    answer = forger.present(ACCESS, forger.sign(ACCESS, claims=grand))
    assert answer.json["data"]["permissions"] == ["auth:refresh"]
    assert answer.json["data"]["user"]["roles"] == ["member"]


def test_a_narrower_scope_in_the_token_narrows(forger):
    answer = forger.present(ACCESS, forger.sign(ACCESS, claims={"scope": ""}))
    assert (answer.status_code, answer.json["data"]["permissions"]) == (200, [])


# When


def test_expiry_is_to_the_second_whatever_the_clock_skew(forger, row):
    before = row()
    for kind in KINDS:
        for past in (0, 1, 2, 29, 31, 10**9):
            answer = forger.present(kind, forger.sign(kind, claims={"exp": now_in_seconds() - past}))
            assert (answer.status_code, code(answer)) == (401, "token_expired"), (kind, past)
            assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authsvc", error="invalid_token"'
            assert not answer.headers.getlist("Set-Cookie")
    assert row() == before
    for kind in KINDS:
        assert forger.present(kind, forger.sign(kind, claims={"exp": now_in_seconds() + 30})).status_code == 200


def test_another_nodes_clock_may_be_ahead_by_the_skew(forger):
    for kind in KINDS:
        for name in ("iat", "nbf"):
            ahead = forger.sign(kind, claims={name: now_in_seconds() + 20})
            assert forger.present(kind, ahead).status_code == 200, (kind, name)


def test_but_not_by_more(forger, none_passes):
    none_passes(
        lambda kind: {
            f"{name} +{ahead}": forger.sign(kind, claims={name: now_in_seconds() + ahead})
            for name in ("iat", "nbf")
            for ahead in (92, 3600, 10**9)
        }
    )


@pytest.mark.settings(CLOCK_SKEW=timedelta(0))
def test_without_a_skew_no_clock_may_be_ahead(forger, none_passes):
    none_passes(lambda kind: {name: forger.sign(kind, claims={name: now_in_seconds() + 20}) for name in ("iat", "nbf")})


@pytest.mark.settings(REFRESH_LIFETIME=timedelta(seconds=60))
def test_an_access_token_never_outlives_its_sign_in(device):
    assert device.refresh().json["data"]["expiresIn"] <= 60
    forger = Forger(device)
    assert forger.claims(ACCESS)["exp"] == forger.claims(REFRESH)["exp"]


# The row has the last word


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE refresh_tokens SET revoked_at = created_at", "token_revoked"),
        ("UPDATE refresh_tokens SET expires_at = created_at", "token_expired"),
        ("UPDATE refresh_tokens SET idle_expires_at = created_at", "token_expired"),
        ("DELETE FROM refresh_tokens", "token_revoked"),
        ("UPDATE users SET active = false", "token_revoked"),
        ("UPDATE applications SET active = false", "token_revoked"),
        ("UPDATE tenants SET active = false", "token_revoked"),
    ],
)
def test_a_dead_row_is_a_dead_token_at_the_next_request_on_every_worker(forger, make_app, rows, change, told):
    app = forger.device.app
    elsewhere = make_app().test_client()
    bearer = {"Authorization": f"Bearer {forger.genuine[ACCESS]}"}
    assert elsewhere.get("/auth/me", headers=bearer).status_code == forger.device.me().status_code == 200
    assert rows(app, f"{change} RETURNING 1")
    assert code(forger.device.me()) == code(elsewhere.get("/auth/me", headers=bearer)) == told
    assert code(forger.present(REFRESH, forger.genuine[REFRESH])) == told


@pytest.mark.settings(REVOCATION_LAG=timedelta(hours=1))
def test_with_a_revocation_lag_a_worker_trusts_what_it_read_for_that_long(device, transport, make_app, rows):
    elsewhere = make_app(TRANSPORT=transport, REVOCATION_LAG=timedelta(hours=1)).test_client()
    assert device.me().status_code == 200
    assert rows(device.app, "UPDATE refresh_tokens SET revoked_at = created_at RETURNING 1")
    assert device.me().status_code == 200
    assert code(elsewhere.get("/auth/me", headers=device.bearer())) == "token_revoked"
    recalled = device.app.extensions["authsvc.recalled"]
    for key, (standing, read_at) in recalled.items():
        recalled[key] = (standing, read_at - timedelta(hours=1))
    assert code(device.me()) == "token_revoked"


@pytest.mark.settings(REVOCATION_LAG=timedelta(hours=1))
def test_a_revocation_lag_is_for_access_tokens_alone(device, rows):
    assert device.me().status_code == 200
    assert rows(device.app, "UPDATE refresh_tokens SET revoked_at = created_at RETURNING 1")
    assert code(device.refresh()) == "token_revoked"


@pytest.mark.settings(REVOCATION_LAG=timedelta(hours=1))
def test_what_a_worker_trusts_is_still_compared_with_the_token(forger):
    assert forger.present(ACCESS, forger.genuine[ACCESS]).status_code == 200
    assert verdict(forger.present(ACCESS, forger.sign(ACCESS, claims={"sub": opaque.new_id()}))) == REFUSED
    assert code(forger.present(ACCESS, forger.genuine[ACCESS], {"X-Tenant-Id": "other"})) == "tenant_mismatch"


# How they are sent, and what a refusal says


def me_with(device, *headers):
    return device.client.get("/auth/me", headers=[("Authorization", header) for header in headers], base_url=HOST)


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR", "Bearer "])
@anywhere
def test_the_case_of_the_scheme_does_not_matter(device, scheme):
    assert me_with(device, f"{scheme} {device.access_token}").status_code == 200


@pytest.mark.parametrize("header", ["Bearer", "Bearer ", "Bearer a b", "Bearer a,b", "Bearer a.b.c", "Bearer ="])
@anywhere
def test_a_bearer_header_without_one_good_token_is_refused(device, header):
    assert verdict(me_with(device, header)) == REFUSED


@anywhere
def test_a_good_token_beside_anything_else_in_the_header_is_refused(device):
    token = device.access_token
    for header in (
        f"Bearer {token} {token}",
        f"Bearer {token};x",
        f'Bearer "{token}"',
    ):
        assert verdict(me_with(device, header)) == REFUSED, header


@anywhere
def test_two_authorization_headers_are_ambiguous(device):
    good, bad = f"Bearer {device.access_token}", "Bearer x"
    for pair in ((good, bad), (bad, good), (good, good), (f"{good}, {good}",), (f"{good},token x",)):
        answer = me_with(device, *pair)
        assert (answer.status_code, code(answer)) == (400, "ambiguous_request")


@pytest.mark.parametrize("header", [None, "", "Basic dXNlcjpwYXNz", "Bearerx", "Digest username=x", "Negotiate"])
@anywhere
def test_without_a_token_there_is_a_challenge_without_an_error(device, header):
    answer = device.client.get("/auth/me", headers={} if header is None else {"Authorization": header}, base_url=HOST)
    assert (answer.status_code, code(answer)) == (401, "credentials_missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authsvc"'


def test_refreshing_without_a_token_is_a_challenge_without_an_error(make_device):
    answer = make_device().post("/jwt/refresh")
    assert (answer.status_code, code(answer)) == (401, "credentials_missing")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authsvc"'


def test_a_wrong_password_is_a_challenge_without_an_error(device, account):
    answer = device.post("/auth/login", email=account.email, password="not that one")
    assert (answer.status_code, code(answer)) == (401, "credentials_invalid")
    assert answer.headers["WWW-Authenticate"] == 'Bearer realm="authsvc"'


def test_what_a_role_no_longer_allows_is_insufficient_scope(device, rows, row):
    assert rows(device.app, "UPDATE roles SET permissions = 'api-tokens:write' WHERE name = 'member' RETURNING 1")
    before = row()
    answer = device.refresh()
    assert (answer.status_code, code(answer)) == (403, "permission_denied")
    assert answer.headers["WWW-Authenticate"] == (
        'Bearer realm="authsvc", error="insufficient_scope", scope="auth:refresh"'
    )
    assert row() == before
    assert device.me().json["data"]["permissions"] == ["api-tokens:write"]


@anywhere
def test_a_token_in_the_query_is_no_token(device):
    answer = device.client.get(f"/auth/me?token={device.access_token}", base_url=HOST)
    assert answer.status_code in (400, 401, 422)
    assert device.access_token not in answer.text


def test_an_expired_access_token_beside_a_refresh_token_does_not_matter(device):
    forger = Forger(device)
    expired = forger.sign(ACCESS, claims={"exp": now_in_seconds() - 60})
    assert device.refresh(headers={"Authorization": f"Bearer {expired}"}).status_code == 200
