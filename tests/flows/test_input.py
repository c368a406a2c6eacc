"""What a request may look like, and what is said when it does not: one shape, whatever went wrong."""

import gzip
import json
from io import BytesIO

import pytest

from authsvc.blueprints.bodies import Flag, Jwt, Text, Texts, Uuid
from authsvc.blueprints.token_admin import SELECTORS
from tests.answers import code, refused
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.drivers import HOST, Account, Browser, Script

ADMIN = Account(ADMIN_EMAIL, ADMIN_PASSWORD)
READERS = (("GET", "/auth/me"), ("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/.well-known/jwks.json"))
# Every one of these is right; each test makes one thing wrong.
BODIES = {
    ("POST", "/auth/register"): {"email": "new@example.com", "password": "a quiet harbour at dawn"},
    ("POST", "/auth/login"): {"identifier": ADMIN_EMAIL, "password": ADMIN_PASSWORD},
    ("PATCH", "/auth/me"): {},
    ("POST", "/auth/password"): {"currentPassword": ADMIN_PASSWORD, "newPassword": "a quiet harbour at dawn"},
    ("POST", "/auth/logout"): {},
    ("POST", "/jwt/refresh"): {},
    ("POST", "/admin/users"): {"email": "another@example.com"},
    ("POST", "/admin/roles"): {"name": "reader", "permissions": []},
}
MALFORMED = {
    "nothing but spaces": b"  ",
    "null": b"null",
    "true": b"true",
    "a number": b"1",
    "a string": b'"x"',
    "a list": b"[]",
    "a list of objects": b"[{}]",
    "two objects": b"{} {}",
    "cut off": b'{"email": "x',
    "trailing comma": b'{"email": "x",}',
    "single quotes": b"{'email': 'x'}",
    "a comment": b"{} // x",
    "a form": b"email=x&password=y",
    "a name twice": b'{"email": "a@example.com", "email": "a@example.com"}',
    "a name twice, once escaped": b'{"email": "a@example.com", "\\u0065mail": "a@example.com"}',
    "a name twice, further down": b'{"email": {"a": 1, "a": 1}}',
    "NaN": b'{"email": NaN}',
    "Infinity": b'{"email": Infinity}',
    "-Infinity": b'{"email": -Infinity}',
    "a 5000-digit number": b'{"email": ' + b"9" * 5000 + b"}",
    "a lone high surrogate": b'{"email": "\\ud800"}',
    "a lone low surrogate": b'{"email": "\\udfff"}',
    "surrogates the wrong way round": b'{"email": "\\udfff\\ud800"}',
    "a lone surrogate in a name": b'{"\\ud800": 1}',
    "a surrogate in UTF-8": b'{"email": "\xed\xa0\x80"}',
    "Latin-1": '{"email": "é"}'.encode("latin-1"),
    "an overlong NUL": b'{"email": "\xc0\x80"}',
    "a raw control character": b'{"email": "\x01"}',
    "UTF-16": '{"email": "x"}'.encode("utf-16"),
    "UTF-16 without a mark": '{"email": "x"}'.encode("utf-16-le"),
    "UTF-32": '{"email": "x"}'.encode("utf-32"),
    "a byte order mark": b'\xef\xbb\xbf{"email": "x"}',
    "gzip, unannounced": gzip.compress(b"{}"),
    "a pit of lists": b"[" * 60_000,
    "a pit of objects": b'{"a":' * 12_000,
    "a pit of lists in a field": b'{"email":' + b"[" * 25_000 + b"]" * 25_000 + b"}",
}
MAX_BODY = 64 * 1024
FORM = "application/x-www-form-urlencoded"
SECURITY_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains",
}


@pytest.fixture
def admin(app):
    """On a device: the one user that every database has."""
    device = Script(app)
    device.sign_in(ADMIN)
    return device


def send(device, method, path, body=b"", headers=None, content_type="application/json", **more):
    """As it is: bytes, not JSON."""
    return device.client.open(
        path,
        method=method,
        data=body,
        headers=device.bearer() | (headers or {}),
        content_type=content_type,
        base_url=HOST,
        **more,
    )


def send_json(device, route, body, **more):
    return send(device, *route, json.dumps(body).encode(), **more)


def json_routes(app):
    """Every method and path that takes a JSON body, as the URL map has them."""
    for rule in app.url_map.iter_rules():
        if hasattr(app.view_functions[rule.endpoint], "body_schema"):
            path = app.url_map.bind("").build(
                rule.endpoint, dict.fromkeys(rule.arguments, "0190a0a0-0000-7000-8000-000000000001")
            )
            for method in rule.methods - {"HEAD", "OPTIONS", "GET"}:
                yield method, path


def schema_of(app, route):
    method, path = route
    endpoint, _ = app.url_map.bind("").match(path, method)
    return app.view_functions[endpoint].body_schema


def test_the_routes_that_are_tried_here_exist_and_take_json(app):
    assert set(BODIES) <= set(json_routes(app))


# The body


def test_what_is_not_one_json_object_is_malformed_on_every_route(admin):
    for method, path in json_routes(admin.app):
        for kind, body in MALFORMED.items():
            answer = send(admin, method, path, body)
            assert answer.status_code == 400, (path, kind)
            refused(answer, 400, "malformed_json")


def test_a_body_that_does_not_say_it_is_json_is_unsupported(admin):
    for method, path in json_routes(admin.app):
        for content_type in (None, "text/plain", FORM, "multipart/form-data; boundary=x", "application/jsonp"):
            answer = send(admin, method, path, b"{}", content_type=content_type)
            refused(answer, 415, "unsupported_media_type")


def test_an_encoded_body_is_unsupported(admin):
    for method, path in json_routes(admin.app):
        for encoding in ("gzip", "br", "deflate"):
            answer = send(admin, method, path, gzip.compress(b"{}"), {"Content-Encoding": encoding})
            refused(answer, 415, "unsupported_media_type")


def test_json_may_be_announced_in_any_spelling(admin):
    for content_type in ("application/json; charset=utf-8", "Application/JSON", "application/json;"):
        answer = send(admin, "PATCH", "/auth/me", b'{"name": "\xc3\xa9"}', content_type=content_type)
        assert answer.json["data"]["user"]["name"] == "é"


def test_a_body_of_one_byte_too_many_is_too_large(admin):
    for method, path in json_routes(admin.app):
        refused(send(admin, method, path, b" " * MAX_BODY), 400, "malformed_json")
        refused(send(admin, method, path, b" " * (MAX_BODY + 1)), 413, "too_large")


def test_a_body_that_does_not_tell_its_length_has_the_same_limit(admin):
    def send_chunked(method, path, body):
        return admin.client.open(
            path,
            method=method,
            input_stream=BytesIO(body),
            headers=admin.bearer() | {"Transfer-Encoding": "chunked"},
            content_type="application/json",
            environ_overrides={"wsgi.input_terminated": True},
            base_url=HOST,
        )

    for method, path in json_routes(admin.app):
        refused(send_chunked(method, path, b" " * (MAX_BODY - 1)), 400, "malformed_json")
        for body in (b" " * (MAX_BODY + 1), b"{}" + b" " * MAX_BODY, b"{}" + b" " * MAX_BODY + b"{}"):
            refused(send_chunked(method, path, body), 413, "too_large")
    assert send_chunked("PATCH", "/auth/me", b'{"name": "Mix"}').json["data"]["user"]["name"] == "Mix"


@pytest.mark.parametrize("route", BODIES)
def test_an_empty_body_is_an_empty_object_where_nothing_must_be_said_and_malformed_elsewhere(admin, route):
    needed = BODIES[route]
    for content_type in ("application/json", None):
        answer = send(admin, *route, b"", content_type=content_type)
        if needed:
            refused(answer, 400, "malformed_json")
        elif route == ("POST", "/jwt/refresh"):
            refused(answer, 401, "credentials_missing")
        else:
            assert answer.status_code == 200


def test_refreshing_and_signing_out_by_cookie_need_no_body(make_app):
    browser = Browser(make_app(TRANSPORT="cookie"))
    browser.sign_in(ADMIN)
    for path in ("/jwt/refresh", "/auth/logout"):
        headers = {"X-CSRF-TOKEN": browser.held()[1], "Content-Type": "application/json"}
        answer = browser.client.post(path, headers=headers, base_url=HOST)
        assert answer.status_code == 200
    assert answer.json["data"] == {"revoked": 1}


# Fields


JUNK = {
    Text: (True, False, 0, -1, 1.5, 1e300, [], ["a"], {}, {"$ne": 1}, {"a": 1}),
    Jwt: (None, True, 0, 1.5, [], ["a"], {}, {"a": 1}, "", "a\0b"),
    Flag: (None, 0, 1, "true", "false", "", "on", [], ["a"], {}, {"$ne": 1}),
    Texts: (None, True, 0, 1.5, "", "a", {}, {"a": 1}, [1], [None], [True], [""], ["a\0b"], [["a"]], [{}], ["x" * 257]),
    Uuid: (None, True, 0, [], {}, "", "a", "0190a0a000007000800000000000001", "0190a0a0-0000-7000-8000-00000000000g"),
}


@pytest.mark.parametrize("route", BODIES)
def test_a_value_of_another_type_is_refused_and_never_converted(admin, route):
    tried = 0
    # A selector that is empty has a refusal of its own: tests/flows/test_revoking_nothing.py.
    for field in (
        one for one in schema_of(admin.app, route).fields.values() if one.data_key not in {*SELECTORS, "preview"}
    ):
        for junk in JUNK.get(type(field), ()):
            answer = send_json(admin, route, BODIES[route] | {field.data_key: junk})
            refused(answer, 422, "validation_failed", [field.data_key])
            tried += 1
        if type(field) is Text and not field.allow_none:
            answer = send_json(admin, route, BODIES[route] | {field.data_key: None})
            refused(answer, 422, "validation_failed", [field.data_key])
    assert tried >= 10


@pytest.mark.parametrize("route", BODIES)
def test_a_text_is_neither_empty_nor_endless_nor_holds_a_nul(admin, route):
    for field in schema_of(admin.app, route).fields.values():
        if type(field) is Text:
            for value in ("", "\0", "a\0b", "x" * 8193):
                answer = send_json(admin, route, BODIES[route] | {field.data_key: value})
                refused(answer, 422, "validation_failed", [field.data_key])


def test_unknown_fields_are_refused_as_they_are_spelled(admin):
    unknown = {"Email": 1, "pass_word": None, "é": "x", "": {}, "a.b": [], "\0": 1, "$where": "1", "_": 1}
    for route, body in BODIES.items():
        refused(send_json(admin, route, body | unknown), 422, "validation_failed", unknown)


def test_all_that_is_wrong_is_said_at_once(admin):
    body = {"email": 1, "password": None, "nickname": "x"}
    refused(send_json(admin, ("POST", "/auth/register"), body), 422, "validation_failed", body)


def test_thousands_of_unknown_fields_are_refused_like_one(admin):
    many = {f"n{number}": 0 for number in range(5000)}
    refused(send_json(admin, ("POST", "/auth/login"), many), 422, "validation_failed", {*many, "password"})


OTHER_NAMES = [
    (("POST", "/jwt/refresh"), "refreshToken", "refresh_token"),
    (("POST", "/jwt/refresh"), "refreshToken", "refreshtoken"),
    (("POST", "/auth/logout"), "refreshToken", "refresh_token"),
    (("POST", "/auth/logout"), "refreshToken", "refreshtoken"),
    (("POST", "/auth/register"), "applicationId", "applicationsId"),
    (("POST", "/auth/login"), "applicationId", "applicationsId"),
]


@pytest.mark.parametrize(("route", "ours", "theirs"), OTHER_NAMES)
def test_the_names_of_the_first_guides_are_taken_too(admin, route, ours, theirs):
    good = {"refreshToken": admin.refresh_token, "applicationId": "default"}[ours]
    answer = send_json(admin, route, BODIES[route] | {theirs: good})
    assert answer.status_code in (200, 201)
    if ours == "refreshToken":
        assert set(answer.json["data"]) & {"revoked", "refreshToken"}


@pytest.mark.parametrize(("route", "ours", "theirs"), OTHER_NAMES)
def test_a_field_under_two_of_its_names_is_ambiguous(admin, route, ours, theirs):
    good = {"refreshToken": admin.refresh_token, "applicationId": "default"}[ours]
    refused(send_json(admin, route, BODIES[route] | {ours: good, theirs: good}), 400, "ambiguous_request")
    assert admin.me().status_code == 200


def test_what_is_wrong_with_a_field_is_told_under_the_name_it_came_by(admin):
    for route, _, theirs in OTHER_NAMES:
        refused(send_json(admin, route, BODIES[route] | {theirs: 1}), 422, "validation_failed", [theirs])


# Paths, methods, parameters, headers


def test_unknown_query_parameters_are_refused_by_name(admin):
    for route in (*BODIES, *READERS):
        for query, name in (("x=1", "x"), ("x", "x"), ("x=1&x=2", "x"), ("tokens=x", "tokens"), ("x%00=%ff", "x\0")):
            method, path = route
            answer = send(admin, method, f"{path}?{query}", json.dumps(BODIES.get(route, {})).encode())
            refused(answer, 422, "validation_failed", [name])


def test_a_trailing_slash_makes_no_difference(admin):
    same = {"currentPassword": ADMIN_PASSWORD, "newPassword": ADMIN_PASSWORD}
    right = BODIES | {
        ("POST", "/auth/password"): same,
        ("POST", "/jwt/refresh"): {"refreshToken": admin.refresh_token},
    }
    signing_out = ("POST", "/auth/logout")
    for route in (*READERS, *(right.keys() - {signing_out}), signing_out):
        method, path = route
        answer = send(admin, method, f"{path}/", json.dumps(right.get(route, {})).encode())
        assert answer.status_code in (200, 201), answer.text


NOWHERE = [
    "//jwt//refresh",
    "/jwt//refresh",
    "//auth/login",
    "/auth/login//",
    "/AUTH/LOGIN",
    "/auth/./login/x",
    "/nothing",
    "/",
    "/auth",
    "/auth/%ff",
    "/auth/%00",
    "/auth/%c0%80",
    "/auth/login%20",
    "/auth/１",
    "/.well-known/nothing",
    "/jwks.json",
]


def test_a_path_that_is_not_there_is_not_found_and_leads_nowhere_else(client):
    for path in NOWHERE:
        for method in ("GET", "POST", "DELETE"):
            answer = client.open(path, method=method, json={}, base_url=HOST)
            refused(answer, 404, "not_found")
            assert "Location" not in answer.headers


def test_a_method_that_a_path_does_not_take_is_refused_with_those_it_takes(client):
    for method, path, allowed in (
        ("GET", "/auth/login", {"POST", "OPTIONS"}),
        ("DELETE", "/auth/me", {"GET", "HEAD", "PATCH", "OPTIONS"}),
        ("PUT", "/auth/me/", {"GET", "HEAD", "PATCH", "OPTIONS"}),
        ("POST", "/healthz", {"GET", "HEAD", "OPTIONS"}),
        ("TRACE", "/auth/login", {"POST", "OPTIONS"}),
        ("PUT", "/auth/logout", {"POST", "OPTIONS"}),
    ):
        answer = client.open(path, method=method, base_url=HOST)
        refused(answer, 405, "method_not_allowed")
        assert set(answer.headers["Allow"].split(", ")) == allowed


def test_a_sane_request_id_comes_back(client):
    for given in ("abc", "a-b_c.9", "x" * 128, "0190a0a0-0000-7000-8000-000000000001"):
        for path in ("/healthz", "/auth/me", "/nothing"):
            answer = client.get(path, headers={"X-Request-Id": given}, base_url=HOST)
            assert answer.headers["X-Request-Id"] == given
        assert answer.json["error"]["requestId"] == given


def test_any_other_request_id_is_replaced(client):
    for given in ("", " ", "x" * 129, "a b", "<script>", "é", "a,b", "a\tb", "...", "{{7*7}}", "%0d%0a"):
        answer = client.get("/nothing", headers={"X-Request-Id": given}, base_url=HOST)
        made = answer.headers["X-Request-Id"]
        assert made != given
        assert len(made) == 36
        refused(answer, 404, "not_found")


def test_every_answer_has_the_headers_that_protect_it(admin):
    answers = {
        200: admin.me(),
        400: send(admin, "POST", "/auth/login", b"x"),
        401: admin.get("/auth/me", {"Authorization": "Bearer x"}),
        403: admin.get("/auth/me", {"X-Tenant-Id": "other"}),
        404: admin.get("/nothing"),
        405: admin.get("/auth/login"),
        413: send(admin, "POST", "/auth/login", b" " * 100_000),
        415: send(admin, "POST", "/auth/login", b"{}", content_type="text/plain"),
        422: admin.get("/auth/me?x=1"),
        201: admin.post("/auth/register", email="new@example.com", password="a quiet harbour at dawn"),
    }
    answers["health"] = admin.get("/healthz")
    answers["refresh"] = admin.refresh()
    answers["logout"] = admin.post("/auth/logout", admin.bearer())
    for expected, answer in answers.items():
        assert expected in (answer.status_code, "health", "refresh", "logout")
        assert {name: answer.headers.get(name) for name in SECURITY_HEADERS} == SECURITY_HEADERS
        assert answer.headers["X-Request-Id"]
        assert answer.mimetype == "application/json"
        assert "Server" not in answer.headers


def test_the_key_set_may_be_kept_a_while(client):
    answer = client.get("/.well-known/jwks.json", base_url=HOST)
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_strict_transport_security_is_for_https_alone(make_app):
    client = make_app(BASE_URL="http://127.0.0.1:8000").test_client()
    assert "Strict-Transport-Security" not in client.get("/healthz").headers


ODD_HEADERS = [
    {"Authorization": "Bearer \xff"},
    {"X-Tenant-Id": "\xff"},
    {"X-Tenant-Id": "' OR '1'='1"},
    {"X-Tenant-Id": "x" * 5000},
    {"Idempotency-Key": "\xff"},
    {"User-Agent": "x" * 5000},
    {"User-Agent": "\xff{{7*7}}${jndi:x}%s%n<script>"},
    {"Cookie": "__Host-refresh_token=\xff; csrf_refresh_token=\xff"},
    {"Cookie": '__Host-refresh_token="\\377\\000"'},
    {"Cookie": "=nameless; ;;; a"},
    {"X-CSRF-TOKEN": "\xff"},
    {"Origin": "\xff"},
    {"Origin": "x" * 5000},
    {"Sec-Fetch-Site": "cross-site"},
    {"Content-Type": "application/json; charset=\xff"},
    {"Accept": "text/html"},
    {"X-Request-Id": "\xff"},
    {"Host": "evil.example"},
]


def test_no_header_breaks_anything(admin):
    for headers in ODD_HEADERS:
        for route in (("POST", "/auth/login"), ("GET", "/auth/me"), ("POST", "/auth/logout"), ("POST", "/jwt/refresh")):
            admin.sign_in(ADMIN)
            answer = send_json(admin, route, BODIES.get(route, {}), headers=headers)
            assert answer.status_code < 500, headers
            assert answer.mimetype == "application/json"
            if answer.status_code >= 400:
                refused(answer, answer.status_code, code(answer))
            if "X-Tenant-Id" in headers and route == ("POST", "/auth/login"):
                refused(answer, 400, "unknown_tenant")


@pytest.mark.settings(ALLOWED_HOSTS=("auth.example.org",))
def test_a_host_that_is_not_ours_is_refused(client):
    for host in ("evil.example", "auth.example.org.evil.example", "good@evil", "a b", "auth.example.org:x", ""):
        for path in ("/auth/login", "/nothing"):
            for headers in ({}, {"Origin": "https://evil.example"}, {"Origin": "https://auth.example.org"}):
                answer = client.post(path, json={}, headers=headers | {"Host": host}, base_url=HOST)
                refused(answer, 400, "bad_request")
                assert "evil" not in answer.text + str(answer.headers)
    assert client.get("/healthz", base_url=HOST).status_code == 200
