"""What clients read about us before they ask: true, the same whoever asks, and where they look for it."""

import pytest

from authsvc.permissions import BUILT_IN
from tests.claims import claims_of
from tests.conftest import BASE_URL
from tests.flows.administering import change_application
from tests.flows.oauth import Client, basic, no, post

PATH = "/.well-known/oauth-authorization-server"


@pytest.fixture
def database_kind():
    """No database is asked."""
    return "sqlite"


def metadata(app, path=PATH, host=BASE_URL):
    return app.test_client().get(path, base_url=host)


def test_it_says_where_everything_is_and_what_it_takes(app):
    answer = metadata(app)
    assert answer.json == {
        "issuer": "https://auth.example.org",
        "token_endpoint": "https://auth.example.org/oauth/token",
        "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "introspection_endpoint": "https://auth.example.org/oauth/introspect",
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "Bearer"],
        "revocation_endpoint": "https://auth.example.org/oauth/revoke",
        "revocation_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post", "none"],
        "jwks_uri": "https://auth.example.org/.well-known/jwks.json",
        "grant_types_supported": ["client_credentials", "refresh_token"],
        "response_types_supported": [],
        "scopes_supported": sorted(BUILT_IN),
    }
    assert answer.mimetype == "application/json"
    assert answer.headers["Cache-Control"] == "public, max-age=300"


def test_no_host_header_changes_a_letter_of_it(app):
    same = metadata(app).get_data()
    for host in ("https://evil.example", "http://auth.example.org:8000", "http://[2001:db8::1]"):
        assert metadata(app, host=host).get_data() == same
    forwarded = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "http", "Forwarded": "host=evil.example"}
    assert app.test_client().get(PATH, headers=forwarded).get_data() == same


def test_what_it_says_is_what_clients_meet(app, admin, office, phone):
    told = metadata(app).json
    assert claims_of(office.access_token())["iss"] == told["issuer"]
    door = told["token_endpoint"].removeprefix(BASE_URL)
    for grant in told["grant_types_supported"]:
        answer = post(app, door, {"grant_type": grant}, office.header())
        assert answer.json.get("error") != "unsupported_grant_type"
    form = {"grant_type": "client_credentials", "token": "x"}
    ways = {
        "client_secret_basic": (basic(office.id, office.secret), {}),
        "client_secret_post": ({}, {"client_id": office.id, "client_secret": office.secret}),
        "none": ({}, {"client_id": phone.id}),
        "Bearer": ({"Authorization": f"Bearer {admin.access_token}"}, {}),
    }
    for what in ("token", "introspection", "revocation"):
        taken = told[f"{what}_endpoint_auth_methods_supported"]
        for way, (headers, more) in ways.items():
            answer = post(app, told[f"{what}_endpoint"].removeprefix(BASE_URL), {**form, **more}, headers)
            assert (answer.status_code != 401) == (way in taken), (what, way)
    assert app.test_client().get(told["jwks_uri"].removeprefix(BASE_URL)).json["keys"]
    grantable = [scope for scope in told["scopes_supported"] if not scope.startswith(("api-tokens:", "auth:"))]
    held = [scope for scope in grantable if scope in admin.me().json["data"]["permissions"]]
    assert held == grantable
    change_application(admin, office.application, scopes=grantable)
    assert Client(app, office.application).token(" ".join(grantable)).status_code == 200


def test_an_issuer_with_a_path_is_found_where_the_path_is_inserted(make_app):
    for path in ("/identity", "/a/b"):
        app = make_app(BASE_URL=f"https://www.example.org{path}")
        told = metadata(app).json
        assert (told["issuer"], told["token_endpoint"]) == (
            f"https://www.example.org{path}",
            f"https://www.example.org{path}/oauth/token",
        )
        assert metadata(app, f"{PATH}{path}").json == metadata(app, f"{PATH}{path}/").json == told
        for other in (f"{path}x", f"{path}/x", "/other", path.upper()):
            assert metadata(app, PATH + other).status_code == 404
    assert metadata(make_app(), f"{PATH}/identity").status_code == 404


def test_it_is_read_and_not_written(app):
    for method in ("POST", "PUT", "DELETE"):
        assert app.test_client().open(PATH, method=method).status_code == 405
    no(app.test_client().get("/oauth/authorize"), 404, "invalid_request")
