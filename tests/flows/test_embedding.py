"""The service inside somebody else's Flask app: it answers below its prefix, and leaves everything else alone."""

import sqlite3
import threading

import pytest
from flask import Flask, g, jsonify, request
from flask_jwt_extended import JWTManager, create_access_token, get_jwt_identity, jwt_required
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import select
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from authsvc import init_app, principal, requires
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD, close, configured, on_postgresql

HOST = "https://auth.example.org"
OWN_SECRET = "the secret of the app around, and of nobody else"


class Broken(Exception):
    pass


class Restaurants:
    """An app of its own, with a database, a JWT library, hooks and error pages of its own."""

    def __init__(self, folder):
        class Table(DeclarativeBase):
            pass

        self.db = db = SQLAlchemy(model_class=Table)

        class Restaurant(db.Model):
            id: Mapped[int] = mapped_column(primary_key=True)
            owner: Mapped[str]

        self.table = Restaurant
        self.ran = []
        self.app = Flask("restaurants")
        self.app.config.update(SECRET_KEY=OWN_SECRET, JWT_SECRET_KEY=OWN_SECRET, JWT_HEADER_TYPE="Staff")
        self.app.config["SQLALCHEMY_DATABASE_URI"] = f"sqlite:///{folder / 'restaurants.db'}"
        db.init_app(self.app)
        JWTManager(self.app)
        with self.app.app_context():
            db.create_all()
        self.add_hooks(self.app)
        self.add_error_pages(self.app)
        self.add_pages(self.app)
        self.add_protected_routes(self.app)

    def close(self):
        with self.app.app_context():
            self.db.engine.dispose()

    def add_hooks(self, app):
        @app.before_request
        def before():
            g.hooked = True
            self.ran.append(request.path)

        @app.after_request
        def after(response):
            response.headers["X-Kitchen"] = "open"
            return response

    def add_error_pages(self, app):
        @app.errorhandler(Broken)
        def broken(_error):
            return "the soup is burnt", 418

        @app.errorhandler(Exception)
        def anything(error):
            return getattr(error, "get_response", lambda: ("the kitchen is on fire", 500))()

    def add_pages(self, app):
        app.add_url_rule("/menu", "menu", lambda: "<h1>Soup</h1>")
        app.add_url_rule("/healthz", "healthz", lambda: "the kitchen is well")

        @app.get("/burn")
        def burn():
            raise Broken

        @app.get("/staff")
        @jwt_required()
        def staff():
            return get_jwt_identity()

    def add_protected_routes(self, app):
        session = self.db.session

        @app.get("/restaurants")
        @requires("restaurants:read")
        def read():
            return jsonify([row.owner for row in session.scalars(select(self.table))])

        @app.post("/restaurants")
        @requires()
        def write():
            session.add(self.table(owner=principal.user_id))
            session.commit()
            return jsonify(owner=principal.user_id), 201

        @app.route("/me", methods=["GET", "POST"])
        @requires()
        def me():
            return jsonify(
                user_id=principal.user_id,
                tenant_id=principal.tenant_id,
                application_id=principal.application_id,
                via=principal.via,
                permissions=sorted(principal.permissions),
                roles=sorted(principal.roles),
                may_read=principal.may("restaurants:read"),
                hooked=g.hooked,
            )


@pytest.fixture
def embed(database, tmp_path):
    made = []

    def make(prefix="/identity", **overrides):
        host = Restaurants(tmp_path)
        service = init_app(host.app, configured(database, **overrides), prefix=prefix)
        made.append((host, service))
        return host

    yield make
    for host, service in made:
        close(service)
        host.close()


@pytest.fixture
def host(embed):
    return embed()


@pytest.fixture
def client(host):
    return host.app.test_client()


def sign_in(client, prefix="/identity", email=ADMIN_EMAIL, password=ADMIN_PASSWORD):
    body = {"email": email, "password": password}
    answer = client.post(f"{prefix}/auth/login", json=body, base_url=HOST)
    assert answer.status_code == 200, answer.json
    return {"Authorization": f"Bearer {answer.json['data']['accessToken']}"}


def sign_up(client, prefix="/identity"):
    body = {"email": "mix@example.com", "password": "a quiet harbour at dawn"}
    answer = client.post(f"{prefix}/auth/register", json=body, base_url=HOST)
    assert answer.status_code == 201, answer.json
    return answer.json["data"]["user"], {"Authorization": f"Bearer {answer.json['data']['accessToken']}"}


def test_the_routes_of_the_host_are_its_own(client):
    answer = client.get("/menu")
    assert (answer.status_code, answer.text, answer.mimetype) == (200, "<h1>Soup</h1>", "text/html")
    assert answer.headers["X-Kitchen"] == "open"
    assert "X-Request-Id" not in answer.headers
    assert client.get("/menu?any=parameter").status_code == 200
    assert client.get("/healthz").text == "the kitchen is well"


def test_the_error_pages_of_the_host_are_its_own(client):
    answer = client.get("/nowhere")
    assert (answer.status_code, answer.mimetype) == (404, "text/html")
    assert (client.get("/burn").status_code, client.get("/burn").text) == (418, "the soup is burnt")
    assert client.post("/menu").mimetype == "text/html"


def test_the_service_answers_below_its_prefix(client):
    answer = client.get("/identity/healthz")
    assert (answer.status_code, answer.json) == (200, {"status": "ok"})
    assert "X-Kitchen" not in answer.headers
    assert client.get("/identity/readyz").json == {"status": "ready"}
    assert client.get("/identity/auth/me/", headers=sign_in(client)).status_code == 200


def test_what_lies_below_the_prefix_is_the_services_even_where_there_is_nothing(client, host):
    answer = client.get("/identity/nowhere")
    assert (answer.status_code, answer.json["error"]["code"]) == (404, "not_found")
    assert host.ran == []
    assert client.get("/identity").mimetype == "text/html"
    assert client.get("/identityX/healthz").mimetype == "text/html"


def test_the_service_at_the_root_takes_its_own_paths_and_no_others(embed):
    host = embed(prefix="")
    client = host.app.test_client()
    assert client.get("/healthz").json == {"status": "ok"}
    assert client.get("/auth/login").json["error"]["code"] == "method_not_allowed"
    assert client.get("/me", headers=sign_in(client, "")).status_code == 200
    assert client.get("/menu").text == "<h1>Soup</h1>"
    for path in ("/nowhere", "/auth", "/auth/nowhere"):
        assert (client.get(path).status_code, client.get(path).mimetype) == (404, "text/html")


def test_metadata_is_found_before_the_path_of_an_issuer_that_has_one(embed):
    at_root = "/.well-known/oauth-authorization-server"
    client = embed(BASE_URL="https://www.example.org/identity").app.test_client()
    told = client.get(f"{at_root}/identity")
    assert told.json["issuer"] == "https://www.example.org/identity"
    assert client.get(f"/identity{at_root}").json == told.json
    for elsewhere in (at_root, f"{at_root}/other", f"{at_root}/identity/x", "/.well-known/jwks.json"):
        assert client.get(elsewhere).mimetype == "text/html", elsewhere


def test_a_prefix_may_end_with_a_slash(embed):
    client = embed(prefix="/identity/").app.test_client()
    assert client.get("/identity/healthz").json == {"status": "ok"}


def test_a_whole_sign_in_below_the_prefix(client):
    body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    first = client.post("/identity/auth/login", json=body, base_url=HOST).json["data"]
    second = client.post("/identity/jwt/refresh", json={"refreshToken": first["refreshToken"]}).json["data"]
    bearer = {"Authorization": f"Bearer {second['accessToken']}"}
    assert client.get("/me", headers=bearer).status_code == 200
    assert client.post("/identity/auth/logout", headers=bearer).json["data"] == {"revoked": 1}
    answer = client.get("/me", headers=bearer)
    assert (answer.status_code, answer.json["error"]["code"]) == (401, "token_revoked")


def test_who_holds_the_permission_gets_in(client):
    assert client.get("/restaurants", headers=sign_in(client)).json == []


def test_who_lacks_the_permission_is_told_which(client):
    _, bearer = sign_up(client)
    answer = client.get("/restaurants", headers=bearer)
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "permission_denied")
    assert "restaurants:read" in answer.json["message"]
    assert 'scope="restaurants:read"' in answer.headers["WWW-Authenticate"]


def test_who_is_not_signed_in_is_refused_in_our_shape_by_the_host(client):
    for headers, code in (({}, "credentials_missing"), ({"Authorization": "Bearer junk"}, "token_invalid")):
        answer = client.get("/me", headers=headers)
        assert answer.status_code == 401
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")
        assert set(answer.json) == {"success", "message", "data", "error"}
        assert (answer.json["success"], answer.json["error"]["code"]) == (False, code)
        assert answer.json["error"]["requestId"] == answer.headers["X-Request-Id"]
        assert answer.headers["X-Kitchen"] == "open"


def test_the_principal_is_filled(client):
    user, bearer = sign_up(client)
    told = client.get("/me", headers=bearer).json
    assert told.pop("tenant_id")
    assert told.pop("application_id")
    assert told == {
        "user_id": user["id"],
        "via": "access_token",
        "permissions": ["api-tokens:write", "auth:refresh"],
        "roles": ["member"],
        "may_read": False,
        "hooked": True,
    }


def test_the_tenant_header_selects_in_the_host_too(client):
    answer = client.get("/me", headers=sign_in(client) | {"X-Tenant-Id": "elsewhere"})
    assert (answer.status_code, answer.json["error"]["code"]) == (403, "tenant_mismatch")


def test_the_database_of_the_host_is_its_own(client, host):
    bearer = sign_in(client)
    assert client.post("/restaurants", headers=bearer).status_code == 201
    assert len(client.get("/restaurants", headers=bearer).json) == 1
    with host.app.app_context():
        assert set(host.db.metadata.tables) == {"restaurant"}
        assert "restaurants.db" in str(host.db.engine.url)


def test_the_jwt_settings_of_the_host_are_its_own(client, host):
    with host.app.app_context():
        own = create_access_token("cook")
    assert client.get("/staff", headers={"Authorization": f"Staff {own}"}).text == "cook"
    assert client.get("/me", headers={"Authorization": f"Bearer {own}"}).json["error"]["code"] == "token_invalid"
    theirs = sign_in(client)["Authorization"].replace("Bearer", "Staff")
    assert client.get("/staff", headers={"Authorization": theirs}).status_code != 200
    assert host.app.config["JWT_SECRET_KEY"] == OWN_SECRET
    assert host.app.config["SECRET_KEY"] == OWN_SECRET


def test_a_browser_of_the_hosts_pages_signs_in_with_cookies(embed):
    host = embed(TRANSPORT="cookie", ACCESS_TOKEN_IN_COOKIE=True)
    client = host.app.test_client()
    body = {"email": ADMIN_EMAIL, "password": ADMIN_PASSWORD}
    csrf = client.post("/identity/auth/login", json=body, base_url=HOST).json["data"]["csrfToken"]
    assert client.get("/me", base_url=HOST).status_code == 200
    assert client.post("/me", base_url=HOST).json["error"]["code"] == "csrf_failed"
    assert client.post("/me", base_url=HOST, headers={"X-CSRF-TOKEN": csrf}).status_code == 200
    for page in ({"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}):
        answer = client.post("/me", base_url=HOST, headers={"X-CSRF-TOKEN": csrf} | page)
        assert answer.json["error"]["code"] == "csrf_failed"
    assert client.post("/me", base_url=HOST, headers={"X-CSRF-TOKEN": csrf, "Origin": HOST}).status_code == 200


def test_when_the_services_database_fails_the_host_answers_come_back_later(client, database):
    bearer = sign_in(client)
    place = database.partition("///")[2]
    if place:
        with sqlite3.connect(place) as connection:
            connection.execute("ALTER TABLE refresh_tokens RENAME TO gone")
        connection.close()
    else:
        name = database.rpartition("/")[2]
        on_postgresql(f"DROP DATABASE {name} WITH (FORCE)")
        on_postgresql(f"CREATE DATABASE {name}")
    answer = client.get("/me", headers=bearer)
    assert (answer.status_code, answer.json["error"]["code"]) == (503, "unavailable")
    assert int(answer.headers["Retry-After"]) > 0


def test_a_failure_of_the_hosts_own_is_the_hosts_own(client, host):
    bearer = sign_in(client)
    with host.app.app_context():
        host.db.drop_all()
    answer = client.get("/restaurants", headers=bearer)
    assert (answer.status_code, answer.text) == (500, "the kitchen is on fire")


def test_two_hosts_in_one_process_share_nothing(embed, tmp_path):
    (tmp_path / "other").mkdir()
    first, second = embed(), embed(prefix="/auth-service")
    bearer = sign_in(first.app.test_client())
    assert second.app.test_client().get("/identity/healthz").mimetype == "text/html"
    assert second.app.test_client().get("/me", headers=bearer).status_code == 200  # one database, one SECRET_KEY


def test_many_threads_at_once_get_their_own_principals(client, host):
    _, member = sign_up(client)
    admin = sign_in(client)
    told = {}

    def ask(number):
        bearer, may = (admin, True) if number % 2 else (member, False)
        told[number] = host.app.test_client().get("/me", headers=bearer).json["may_read"] is may

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(told.values()) == {True}


def test_the_commands_are_a_group_of_the_hosts_own(host):
    runner = host.app.test_cli_runner()
    told = runner.invoke(args=["authsvc", "--help"]).output
    assert all(word in told for word in ("prepare", "keys", "db"))
    again = runner.invoke(args=["authsvc", "prepare"])
    assert (again.exit_code, again.output) == (0, "")
    told = runner.invoke(args=["authsvc", "keys", "list"])
    assert told.exit_code == 0
    assert "active" in told.output
    assert runner.invoke(args=["authsvc", "keys", "rotate"]).exit_code == 0
    for command in ("current", "upgrade"):
        assert runner.invoke(args=["authsvc", "db", command]).exit_code == 0


def test_a_new_installation_is_made_from_the_host(tmp_path):
    host = Restaurants(tmp_path)
    service = init_app(host.app, configured(f"sqlite:///{tmp_path / 'new' / 'authsvc.db'}", ADMIN_PASSWORD=""), "/id")
    told = host.app.test_cli_runner().invoke(args=["authsvc", "prepare"])
    assert told.exit_code == 0, told.output
    password = told.output.split("password: ")[1].split()[0]
    assert sign_in(host.app.test_client(), "/id", password=password)
    assert not (tmp_path / "restaurants.db").read_bytes().count(b"refresh_tokens")
    close(service)
    host.close()
