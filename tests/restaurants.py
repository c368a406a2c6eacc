"""Somebody else's Flask app, guarded by ours: it remembers all that its hooks get to see of a request."""

from flask import Flask, g, jsonify, redirect, request

from authsvc import principal, requires
from authsvc.credentials.guard import BY_SIGN_IN


def restaurants():
    """Before a verifier, or authsvc itself, was put in."""
    app = Flask("restaurants")
    app.seen = []
    add_guarded_routes(app)
    add_open_routes(app)

    @app.before_request
    def before():
        app.seen.append(all_of_the_request())

    @app.after_request
    def after(response):
        app.seen.append(all_of_the_request())
        response.headers["X-Kitchen"] = "open"
        return response

    @app.errorhandler(404)
    def missing(_error):
        return f"no {request.url} here", 404

    return app


def all_of_the_request():
    return repr((request.url, request.args, request.referrer, dict(request.headers), request.environ))


def add_guarded_routes(app):
    @app.get("/restaurants")
    @requires("restaurants:read")
    def read():
        return jsonify(who=principal.user_id, via=principal.via, asked=request.full_path, query=request.args)

    @app.post("/restaurants")
    @requires("restaurants:write")
    def write():
        return jsonify(who=principal.user_id), 201

    @app.get("/me")
    @requires(via=BY_SIGN_IN)
    def me():
        return jsonify(who=principal.user_id, tenant=g.tenant_id, refresh_token=principal.refresh_token_id)


def add_open_routes(app):
    app.add_url_rule("/open", "open", lambda: jsonify(asked=request.full_path))
    app.add_url_rule("/slashed/", "slashed", lambda: "slashed")
    app.add_url_rule("/moved", "moved", lambda: redirect(request.url))

    @app.get("/broken")
    def broken():
        raise RuntimeError(request.url)


def refused(answer, status, code):
    """An error in the one shape, whoever says it."""
    assert (answer.status_code, answer.mimetype) == (status, "application/json"), answer.text
    assert set(answer.json) == {"success", "message", "data", "error"}
    assert (answer.json["success"], answer.json["data"], answer.json["error"]["code"]) == (False, None, code)
    assert answer.json["error"]["requestId"] == answer.headers["X-Request-Id"]
    challenged = status == 401 or code == "permission_denied"
    assert answer.headers.get("WWW-Authenticate", "").startswith('Bearer realm="authsvc"') is challenged
    return True


def asked_with_a_token_in_the_address(app, token):
    """Ask every kind of page so; see that none of them, nor a hook or an answer, has the token. Answers the answers."""
    client = app.test_client()
    elsewhere = {"Referer": f"http://localhost/restaurants?token={token}", "X-Original-URI": f"/?token={token}"}
    answers = {}
    for path, status in {
        "/restaurants": 200,
        "/open": 200,
        "/slashed": 308,
        "/moved": 302,
        "/broken": 500,
        "/nowhere": 404,
        "/restaurants/": 404,
    }.items():
        for query in (f"a=1&token={token}&b=2", f"%74oken={token}", f"token={token}"):
            answer = answers[path, query[0]] = client.get(f"{path}?{query}", headers=elsewhere)
            assert answer.status_code == status, path
            assert token[5:17] not in answer.text + str(answer.headers)
            assert answer.headers["Cache-Control"] == "no-store, private"
            assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert app.seen
    assert token[5:17] not in "".join(app.seen)
    assert answers["/slashed", "a"].location.endswith("/slashed/?a=1&b=2")
    assert answers["/restaurants", "a"].json["query"] == {"a": "1", "b": "2"}
    assert answers["/restaurants", "t"].json["via"] == "api_token"
    return answers
