"""Laravel's jwt-auth: what its clients send, and the shape of every answer."""

import pytest

from tests.dialects.laravel import BLACKLISTED, EMAIL, Laravel, told
from tests.drivers import Script
from tests.flows.oauth import add_client
from tests.flows.people import PASSWORD

MISSING = {
    "message": "The email field is required. (and 1 more error)",
    "errors": {"email": ["The email field is required."], "password": ["The password field is required."]},
}


@pytest.fixture
def laravel(app):
    laravel = Laravel(app)
    assert laravel.join(name="Mïx").status_code == 201
    return laravel


def test_the_guides_routes_and_the_librarys_are_the_same(app):
    first = Laravel(app)
    for names, email in (
        (("signup", "signin", "user", "refresh", "signout"), "one@example.com"),
        (("auth/register", "auth/login", "auth/me", "auth/refresh", "auth/logout"), "two@example.com"),
    ):
        up, into, me, again, out = names
        person = {"name": "Mix", "email": email, "password": PASSWORD, "password_confirmation": PASSWORD}
        made = first.ask("POST", up, body=person)
        assert (made.status_code, set(made.json)) == (
            201,
            {"message", "user", "access_token", "token_type", "expires_in"},
        )
        user = made.json["user"]
        assert (user["name"], user["email"], user["roles"]) == ("Mix", email, ["member"])
        assert {"id", "created_at"} < set(user)
        signed_in = first.ask("POST", into, body=person)
        assert signed_in.headers["Cache-Control"] == "no-store"
        assert (signed_in.json["token_type"], signed_in.json["expires_in"]) == ("bearer", 900)
        token = signed_in.json["access_token"]
        for method in ("GET", "POST"):
            assert told(first.ask(method, me, token)) == (200, user)
            next_one = first.ask(method, f"{again}/", token)
            assert (next_one.status_code, set(next_one.json)) == (200, {"access_token", "token_type", "expires_in"})
            assert next_one.headers["Cache-Control"] == "no-store"
            token = next_one.json["access_token"]
        assert told(first.ask("POST", out, token)) == (200, {"message": "Successfully logged out"})
        for path in (me, again, out):
            assert told(first.ask("POST", path, token)) == BLACKLISTED


def test_the_token_is_found_where_the_library_looks_for_it(laravel):
    token = laravel.token
    for sent in (
        {"headers": {"Authorization": f"bEARER {token}"}},
        {"headers": {"Authorization": "Basic eDp5"}, "query": f"?token={token}"},
        {"query": f"?a=1&token={token}"},
        {"headers": {"Authorization": "Bearer "}, "query": "?token=", "body": {"token": token}},
        {"token": token, "query": "?token=junk", "body": {"token": "junk"}},
    ):
        assert laravel.ask("POST", "user", **sent).status_code == 200, sent
    form = laravel.client.post("/laravel/api/auth/me", data={"token": token})
    assert form.status_code == 200
    assert laravel.ask("GET", "user", query=f"?token={token}").headers["Cache-Control"] == "no-store, private"
    refreshed = laravel.ask("GET", "refresh", query=f"?token={token}")
    assert (refreshed.status_code, refreshed.headers["Cache-Control"]) == (200, "no-store, private")
    twice = laravel.ask("GET", "user", query=f"?token={token}&token={token}")
    assert (twice.status_code, set(twice.json)) == (400, {"message"})
    # Nowhere else is a JWT taken from an address.
    token = refreshed.json["access_token"]
    assert laravel.client.get(f"/auth/me?token={token}").status_code == 401


def test_bad_tokens_are_refused_in_the_librarys_sentences(app, laravel, admin):
    office = add_client(admin, name="Office", confidential=True)
    of_nobody = office.token().json["access_token"]
    native = Script(app)
    answer = native.post("/auth/login", email=EMAIL, password=PASSWORD)
    native.keep(answer)
    head, _, signature = laravel.token.rpartition(".")
    for text, sentence in (
        (None, "Token not provided"),
        ("junk", "Wrong number of segments"),
        ("asvc_junk", "Wrong number of segments"),
        ("a.b.c", "Token Signature could not be verified."),
        (f"{head}.{signature[::-1]}", "Token Signature could not be verified."),
        (of_nobody, "Token Signature could not be verified."),
        (native.refresh_token, "Token Signature could not be verified."),
    ):
        for path in ("user", "auth/me", "signout", "auth/logout", "refresh", "auth/refresh"):
            answer = laravel.ask("POST", path, text)
            assert told(answer) == (401, {"message": sentence}), (path, text)
            assert answer.headers["WWW-Authenticate"] == "jwt-auth"
    assert laravel.ask("POST", "user", body={"token": 12}).status_code == 401
    assert laravel.ask("POST", "user", laravel.token).status_code == 200


def test_what_is_wrong_with_a_request_is_said_as_laravel_says_it(laravel):
    for path in ("signup", "signin", "auth/register", "auth/login"):
        assert told(laravel.ask("POST", path, body={})) == (422, MISSING)
        odd = laravel.ask("POST", path, body={"email": ["a"], "password": "a\0b"})
        assert odd.status_code == 422
        assert odd.json["errors"] == {
            "email": ["The email field must be a string."],
            "password": ["The password field format is invalid."],
        }
    for path in ("signup", "auth/register"):
        for body, field in (
            ({"email": EMAIL.upper()}, "email"),
            ({"email": "no address"}, "email"),
            ({"password": "short"}, "password"),
            ({"password_confirmation": "another one"}, "password"),
            ({"name": "x" * 257}, "name"),
        ):
            answer = laravel.ask("POST", path, body={"email": "new@example.com", "password": PASSWORD, **body})
            assert (answer.status_code, list(answer.json["errors"])) == (422, [field]), body
            assert answer.json["message"] == answer.json["errors"][field][0]
    taken = laravel.ask("POST", "signup", body={"email": EMAIL, "password": PASSWORD})
    assert taken.json["errors"] == {"email": ["The email has already been taken."]}
    for body in ({"email": EMAIL, "password": "wrong"}, {"email": "nobody@example.com", "password": PASSWORD}):
        for path in ("signin", "auth/login"):
            assert told(laravel.ask("POST", path, body=body)) == (401, {"error": "Unauthorized"})
    gone, wrong_way = laravel.ask("POST", "nowhere"), laravel.ask("GET", "auth/login")
    assert (gone.status_code, set(gone.json)) == (404, {"message"})
    assert (wrong_way.status_code, set(wrong_way.json)) == (405, {"message"})
    assert "POST" in wrong_way.headers["Allow"]
    for _ in range(10):
        answer = laravel.sign_in("wrong")
    assert told(answer) == (429, {"message": "Too Many Attempts."})
    assert int(answer.headers["Retry-After"]) > 0


def test_a_page_of_another_application_can_not_read_the_answers(laravel, admin):
    add_client(admin, name="Pages", corsOrigins=["https://pages.example.org"])
    from_there = {"Origin": "https://pages.example.org"}
    for path in ("auth/refresh", "user", "signout"):
        answer = laravel.ask("POST", path, laravel.token, headers=from_there)
        assert answer.status_code == 200
        assert "Access-Control-Allow-Origin" not in answer.headers, path
        laravel.keep(answer)


@pytest.mark.settings(REGISTRATION="closed")
def test_closed_registration_is_a_message(app):
    answer = Laravel(app).join()
    assert (answer.status_code, set(answer.json)) == (403, {"message"})


def test_a_disabled_user_and_a_foreign_tenant_get_nothing(laravel, admin, make_tenant):
    make_tenant(laravel.app, "elsewhere")
    paths = ("user", "auth/me", "refresh", "auth/refresh", "signout", "auth/logout")
    for tenant in ("elsewhere", "nowhere"):
        for path in paths:
            answer = laravel.ask("POST", path, laravel.token, headers={"X-Tenant-Id": tenant})
            assert (answer.status_code, set(answer.json)) == (403, {"message"}), (path, tenant)
    there = laravel.ask(
        "POST", "signin", body={"email": EMAIL, "password": PASSWORD}, headers={"X-Tenant-Id": "elsewhere"}
    )
    assert told(there) == (401, {"error": "Unauthorized"})
    # None of that did anything.
    mine = laravel.ask("GET", "user", laravel.token, headers={"X-Tenant-Id": "default"})
    assert mine.status_code == 200

    admin.ask("PATCH", f"/admin/users/{mine.json['id']}", {"active": False})
    for path in paths:
        assert told(laravel.ask("POST", path, laravel.token)) == BLACKLISTED
    assert told(laravel.sign_in()) == (401, {"error": "Unauthorized"})
