"""Every route says whom it serves, as this table has it, and stands in docs/http.md."""

import re
from pathlib import Path

import pytest

from authsvc.blueprints.reference.document import describe, is_for_people, paths
from authsvc.credentials.guard import is_open_to, public, requires
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD

DIALECTS = Path(__file__).resolve().parents[2] / "docs" / "dialects.md"
HTTP = DIALECTS.with_name("http.md")
CONSOLE = DIALECTS.with_name("console.md")

# Method, path, whom it serves: everybody (public), whoever is signed in, or the holder of a permission.
TABLE = """
GET     /.well-known/jwks.json  public
GET     /.well-known/oauth-authorization-server public
GET     /admin/applications     applications:read
POST    /admin/applications     applications:write
DELETE  /admin/applications/<id> applications:write
GET     /admin/applications/<id> applications:read
PATCH   /admin/applications/<id> applications:write
POST    /admin/applications/<id>/secret applications:write
GET     /admin/roles            roles:write
POST    /admin/roles            roles:write
DELETE  /admin/roles/<id>       roles:write
GET     /admin/roles/<id>       roles:write
PATCH   /admin/roles/<id>       roles:write
GET     /admin/tenants          tenants:write
POST    /admin/tenants          tenants:write
DELETE  /admin/tenants/<id>     tenants:write
GET     /admin/tenants/<id>     tenants:write
PATCH   /admin/tenants/<id>     tenants:write
GET     /admin/users            users:read
POST    /admin/users            users:write
DELETE  /admin/users/<id>       users:write
GET     /admin/users/<id>       users:read
PATCH   /admin/users/<id>       users:write
GET     /admin/events           events:read
GET     /admin/events/<id>      events:read
GET     /admin/keys             keys:rotate
GET     /admin/keys/<kid>       keys:rotate
POST    /admin/keys/<kid>/retire keys:rotate
POST    /admin/keys/<kid>/revoke keys:rotate
POST    /admin/keys/rotate      keys:rotate
POST    /auth/login             public
POST    /auth/logout            public
GET     /api-tokens             signed in
POST    /api-tokens             signed in
DELETE  /api-tokens/<id>        signed in
GET     /api-tokens/<id>        signed in
PATCH   /api-tokens/<id>        signed in
POST    /api-tokens/<id>/rotate signed in
GET     /auth/me                signed in
PATCH   /auth/me                signed in
POST    /auth/password          signed in
POST    /auth/register          public
DELETE  /auth/verify            signed in
GET     /auth/verify            signed in
PATCH   /auth/verify            signed in
POST    /auth/verify            signed in
PUT     /auth/verify            signed in
GET     /docs                   public
GET     /docs/<file>            public
GET     /healthz                public
DELETE  /jwt/refresh            signed in
GET     /jwt/refresh            signed in
POST    /jwt/refresh            public
DELETE  /jwt/refresh/<id>       signed in
GET     /jwt/refresh/<id>       signed in
POST    /jwt/refresh/<id>       signed in
POST    /oauth/introspect       public
POST    /oauth/revoke           public
POST    /oauth/token            public
GET     /metrics                public
GET     /openapi.json           public
GET     /readyz                 public
"""
BY_ITSELF = {"HEAD", "OPTIONS"}
# What OAuth clients are told instead: their errors have a form of their own.
OAUTH = {(405, "method_not_allowed"): (405, "invalid_request"), (422, "validation_failed"): (400, "invalid_request")}


@pytest.fixture
def database_kind():
    """What is asked here has nothing to do with the database."""
    return "sqlite"


def routes(app):
    """Method, path and view of everything that the app serves in its own shape; dialects and pages have theirs."""
    for rule in app.url_map.iter_rules():
        if not app.view_functions[rule.endpoint].__module__.startswith(("authsvc.dialects.", "authsvc.console.")):
            for method in sorted(rule.methods - BY_ITSELF):
                yield method, rule.rule, app.view_functions[rule.endpoint]


def in_table():
    return {(method, path): who for method, path, who in (line.split(None, 2) for line in TABLE.split("\n") if line)}


def in_docs():
    """Method, path and text of every section: ### `POST /auth/login` or, for several methods, ### `GET|POST /path`."""
    for section in re.split(r"^### ", HTTP.read_text(), flags=re.M)[1:]:
        heading = re.match(r"`([A-Z|]+) (\S+)`", section)
        if heading:
            yield from ((method, heading[2], section) for method in heading[1].split("|"))


def verdict(answer):
    error = answer.json["error"]
    return (answer.status_code, error if isinstance(error, str) else error["code"])


def told(path, status, code):
    return OAUTH[status, code] if path.startswith("/oauth/") else (status, code)


def sample(path):
    """The path with something in the place of each of its variables."""
    return re.sub(r"<[^>]+>", "0190a5b0-0000-7000-8000-000000000000", path.replace("<file>", "start.js"))


def test_the_table_is_the_service(app):
    assert {(method, path): is_open_to(view) for method, path, view in routes(app)} == in_table()


def test_every_route_of_a_dialect_is_documented(app):
    served = {
        (method, re.sub(r"^/appsmith", "/baserow", rule.rule.rstrip("/")))
        for rule in app.url_map.iter_rules()
        if app.view_functions[rule.endpoint].__module__.startswith("authsvc.dialects.")
        for method in rule.methods - BY_ITSELF
    }
    headings = re.findall(r"^### `([A-Z|]+) (\S+?)/?`", DIALECTS.read_text(), re.M)
    assert {(method, path) for methods, path in headings for method in methods.split("|")} == served


def test_every_route_for_programs_is_described(app):
    in_description = {(method, path.replace("{", "<").replace("}", ">")) for method, path in paths(describe(app))}
    for_programs = {
        (method, re.sub(r"<\w+:", "<", rule.rule))
        for rule in app.url_map.iter_rules()
        if not is_for_people(app.view_functions[rule.endpoint])
        for method in rule.methods - BY_ITSELF
    }
    assert in_description == for_programs


def test_every_page_of_the_console_is_documented_with_whom_it_serves(app):
    words = {"public": "everybody", "signed in": "signed in"}
    served = {
        (method, rule.rule.rstrip("/")): words.get(is_open_to(view), f"`{is_open_to(view)}`")
        for rule in app.url_map.iter_rules()
        if (view := app.view_functions[rule.endpoint]).__module__.startswith("authsvc.console.")
        for method in rule.methods - BY_ITSELF
    }
    rows = re.findall(r"^\| (`[A-Z]+`(?:, `[A-Z]+`)*) \| `(\S+)` \| (.*) \|$", CONSOLE.read_text(), re.M)
    assert {(method, path): who for methods, path, who in rows for method in re.findall("[A-Z]+", methods)} == served


def test_every_route_says_whom_it_serves(app):
    assert [path for _, path, view in routes(app) if not is_open_to(view)] == []


def test_what_is_documented_is_what_exists(app):
    assert {(method, path) for method, path, _ in in_docs()} == {(method, path) for method, path, _ in routes(app)}


def test_the_documentation_names_whom_each_route_serves():
    words = {"public": "Everybody.", "signed in": "Whoever is signed in."}
    table = in_table()
    for method, path, section in in_docs():
        who = table[method, path]
        assert words.get(who, f"`{who}`") in section, f"{method} {path}"


@pytest.mark.settings(METRICS_READERS=("127.0.0.1",))
def test_every_path_works_with_and_without_a_trailing_slash(app, client):
    for method, path, _ in routes(app):
        plain, slashed = (client.open(sample(path) + end, method=method) for end in ("", "/"))
        assert plain.status_code == slashed.status_code, f"{method} {path}"
        assert slashed.status_code not in (301, 302, 307, 308, 404, 405), f"{method} {path}"


def test_who_is_not_signed_in_is_told_so_wherever_that_is_needed(app, client):
    for method, path, view in routes(app):
        if is_open_to(view) != "public":
            answer = client.open(sample(path), method=method)
            assert (answer.status_code, answer.json["error"]["code"]) == (401, "credentials_missing"), path


def test_options_runs_no_handler(app, client):
    ran = []
    for endpoint, view in list(app.view_functions.items()):

        def watched(*_, __endpoint=endpoint, **__):
            ran.append(__endpoint)
            return ""

        watched.serves = is_open_to(view)
        app.view_functions[endpoint] = watched
    for method, path, _ in list(routes(app)):
        answer = client.options(sample(path))
        assert answer.status_code == 200
        assert method in answer.headers["Allow"]
        assert answer.get_data() == b""
    assert ran == []


def test_a_method_that_a_path_does_not_take_is_refused_with_those_it_takes(app, client):
    for path in {path for _, path, _ in routes(app)}:
        # Another rule may match it too: /admin/keys/rotate looks like a key's own path.
        taken = set(app.url_map.bind("").allowed_methods(sample(path))) - BY_ITSELF
        assert taken >= {method for method, other, _ in routes(app) if other == path}
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - taken:
            answer = client.open(sample(path), method=method)
            assert verdict(answer) == told(path, 405, "method_not_allowed"), path
            assert taken <= set(answer.headers["Allow"].split(", "))


def test_a_view_that_does_not_say_whom_it_serves_is_never_run(app, client):
    ran = []
    app.add_url_rule("/forgotten", "forgotten", lambda: ran.append(1) or "served", methods=["GET", "POST"])
    for method in ("GET", "HEAD", "POST"):
        answer = client.open("/forgotten", method=method)
        assert answer.status_code == 403
    assert client.get("/forgotten").json["error"]["code"] == "permission_denied"
    assert ran == []


def test_a_view_that_says_so_is_run(app, client):
    app.add_url_rule("/for-all", "for-all", public(lambda: "for all"))
    app.add_url_rule("/for-some", "for-some", requires("restaurants:read")(lambda: "for some"))
    assert client.get("/for-all").text == "for all"
    assert client.get("/for-some").status_code == 401


def test_a_parameter_that_a_route_does_not_know_is_refused_by_name(app, client):
    somebody = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    token = client.post("/auth/login", json=somebody).json["data"]["accessToken"]
    for method, path, _ in routes(app):
        bearer = {"Authorization": f"Bearer {token}"}
        answer = client.open(f"{sample(path)}?surprise=1", method=method, headers=bearer)
        assert verdict(answer) == told(path, 422, "validation_failed"), path
        if not path.startswith("/oauth/"):
            assert list(answer.json["error"]["fields"]) == ["surprise"]
