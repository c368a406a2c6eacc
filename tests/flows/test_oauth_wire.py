"""What goes over the wire: forms in, JSON out, errors in the words of RFC 6749, and nothing kept by anybody."""

import pytest

from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.drivers import HOST
from tests.flows.oauth import FORM, add_client, basic, no, post, yes

DOORS = ("/oauth/token", "/oauth/introspect", "/oauth/revoke")
# In every error of a caller's own making, wherever the caller put it.
CANARY = "canary-9f31"


@pytest.fixture
def database_kind():
    """The shape of a request and of an answer has nothing to do with the database."""
    return "sqlite"


def test_every_grant_but_two_is_refused_by_its_own_name(app, office, phone):
    usual = {"username": ADMIN_EMAIL, "password": ADMIN_PASSWORD, "code": "x", "scope": "tokens:read"}
    others = ["password", "implicit", "token", "authorization_code", "urn:ietf:params:oauth:grant-type:jwt-bearer"]
    for client in (office, phone):
        for grant in (*others, "Client_Credentials", "client_credentials ", "é", "\0"):
            no(client.ask("/oauth/token", grant_type=grant, **usual), 400, "unsupported_grant_type")
        no(client.ask("/oauth/token", **usual), 400, "invalid_request")
        no(client.ask("/oauth/token", **usual, grant_type=""), 400, "invalid_request")
        no(client.ask("/oauth/token", **usual, **{"grant_type[]": "client_credentials"}), 400, "invalid_request")


def test_a_parameter_that_stands_twice_is_refused_whatever_it_is(app, office):
    twice = [
        [("grant_type", "client_credentials"), ("grant_type", "client_credentials")],
        [("grant_type", "client_credentials"), ("grant_type", "password")],
        [("grant_type", "client_credentials"), ("scope", "tokens:read"), ("scope", "")],
        [("grant_type", "client_credentials"), ("token", "x"), ("token", "y")],
        [("grant_type", "client_credentials"), ("token", "x"), ("surprise", "1"), ("surprise", "1")],
        [("grant_type", "client_credentials"), ("token", "x"), ("client_id", office.id), ("client_id", office.id)],
    ]
    for door in DOORS:
        for form in twice:
            no(post(app, door, form, office.header()), 400, "invalid_request")


def test_a_parameter_without_a_value_is_absent_and_one_that_nobody_knows_is_ignored(app, office):
    answer = yes(office.token("tokens:read", surprise=CANARY, resource="https://api.example.org", client_id=""))
    assert answer["scope"] == "tokens:read"
    assert yes(office.introspect("x", surprise=CANARY)) == {"active": False}
    assert office.revoke("x", surprise=CANARY).status_code == 200
    assert yes(post(app, "/oauth/token", "grant_type=client_credentials&scope&&surprise", office.header()))


def test_the_body_is_a_form_and_nothing_else(app, office):
    form = "grant_type=client_credentials&token=x"
    for content_type in (FORM, f"{FORM}; charset=UTF-8", FORM.upper()):
        assert post(app, "/oauth/token", form, office.header(), content_type).status_code == 200
    json = '{"grant_type": "client_credentials", "token": "x"}'
    wrong = [(form, "text/plain"), (form, None), (json, "application/json"), (json, FORM), (b"\xff=\xff", FORM)]
    wrong += [("grant_type=%ff&token=%ff", FORM), ("grant_type=%ed%a0%80&token=x", FORM), ("", FORM)]
    wrong += [(form, "multipart/form-data; boundary=x"), (form, f"{FORM}, {FORM}")]
    for door in DOORS:
        for body, content_type in wrong:
            no(post(app, door, body, office.header(), content_type), 400, "invalid_request")
        no(post(app, door, form, {**office.header(), "Content-Encoding": "gzip"}), 400, "invalid_request")
        no(post(app, door, f"{form}&x={'x' * 70_000}", office.header()), 413, "invalid_request")


def test_an_error_is_one_of_the_list_in_plain_letters_and_repeats_nothing(app, admin, office, phone):
    odd = f"{CANARY} \u201cé\u201d"
    answers = [
        (office.ask("/oauth/token", grant_type=odd), 400, "unsupported_grant_type"),
        (office.ask("/oauth/token", **{odd: odd}), 400, "invalid_request"),
        (office.token(odd), 400, "invalid_scope"),
        (office.refresh(odd, scope="x:y"), 400, "invalid_grant"),
        (phone.token(), 400, "unauthorized_client"),
        (post(app, "/oauth/token", {}, basic(odd, odd)), 401, "invalid_client"),
        (post(app, f"/oauth/token?{CANARY}={CANARY}", {}, office.header()), 400, "invalid_request"),
        (post(app, "/oauth/introspect", {"token": "x"}, {"Authorization": f"Bearer {CANARY}"}), 401, "invalid_token"),
        (post(app, f"/oauth/{CANARY}", {}), 404, "invalid_request"),
        (app.test_client().get(f"/oauth/token?{CANARY}"), 405, "invalid_request"),
        (office.refresh("x", {"Idempotency-Key": CANARY * 40}), 400, "invalid_grant"),
        (office.ask("/oauth/token", {"X-Tenant-Id": CANARY}), 401, "invalid_client"),
    ]
    for answer, status, error in answers:
        no(answer, status, error)
        assert CANARY not in answer.text
        assert CANARY not in str(answer.headers)


def test_what_we_break_ourselves_is_told_in_the_same_form(app, office, monkeypatch):
    from authsvc.services import clients

    def broken(*_, **__):
        raise ZeroDivisionError("canary-9f31")

    monkeypatch.setattr(clients, "recognised", broken)
    for door in DOORS:
        answer = no(post(app, door, {"token": "x"}, office.header()), 500, "server_error")
        assert CANARY not in answer.text


@pytest.mark.settings(ALLOWED_HOSTS=("auth.example.org",))
def test_what_is_refused_before_the_door_is_told_in_the_same_form(app):
    answer = app.test_client().post("/oauth/token", data={"token": "x"}, base_url="https://evil.example")
    no(answer, 400, "invalid_request")


def test_every_answer_has_its_request_id(app, office):
    for headers in (office.header(), {}):
        answer = post(app, "/oauth/token", {"grant_type": "client_credentials"}, {**headers, "X-Request-Id": "mine-1"})
        assert answer.headers["X-Request-Id"] == "mine-1"


def test_a_page_may_read_the_answer_if_its_client_lists_its_origin(app, admin):
    pages = add_client(admin, name="Pages", corsOrigins=["https://pages.example.org"])
    other = add_client(admin, name="Other")
    from_page = {"Origin": "https://pages.example.org"}
    for client, allowed in ((pages, "https://pages.example.org"), (other, None)):
        answer = client.refresh("x", from_page)
        assert answer.headers.get("Access-Control-Allow-Origin") == allowed
    preflight = app.test_client().options(
        "/oauth/token", headers={**from_page, "Access-Control-Request-Method": "POST"}, base_url=HOST
    )
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://pages.example.org"
