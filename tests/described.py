"""Every answer of the service, held against its own description, while tests ask for something else."""

import json

import jsonschema_rs
from flask import current_app, request

from authsvc.blueprints.reference.document import describe

of_routes = {}
# The first two are there sometimes; the last one is put on every answer, after this has looked at it.
NOT_HERE = {"Set-Cookie", "WWW-Authenticate", "X-Request-Id"}


class Description:
    """The description of an app, ready to judge answers."""

    def __init__(self, app):
        whole = describe(app)
        for schema in whole["components"]["schemas"].values():
            # Stricter than for clients: what an answer has must be described.
            if "required" in schema and "additionalProperties" not in schema and "properties" in schema:
                schema["additionalProperties"] = False
        self.paths = whole["paths"]
        self.components = whole["components"]
        self.validators = {}

    def judge(self, answer):
        view = self.view()
        if view is None:
            return
        path = request.url_rule.rule.replace("<", "{").replace(">", "}")
        operation = self.paths[path][{"HEAD": "get"}.get(request.method, request.method.lower())]
        status = str(answer.status_code)
        what = f"{request.method} {path} answered {status}: {answer.get_data(as_text=True)[:600]}"
        assert status in operation["responses"], f"This status is not described. {what}"
        described = operation["responses"][status]
        missing = described.get("headers", {}).keys() - answer.headers.keys() - NOT_HERE
        assert not missing, f"{missing} is described. {what}"
        if request.method == "HEAD":
            return
        if "content" not in described:
            assert not answer.data, what
            return
        assert answer.mimetype in described["content"], f"It is no {answer.mimetype} that is described. {what}"
        if not answer.is_json:
            return
        validator = self.validator(path, request.method, status, described)
        problem = next(validator.iter_errors(json.loads(answer.data)), None)
        assert problem is None, f"{problem.message} {what}"

    def view(self):
        if request.url_rule is None or request.method == "OPTIONS":
            return None
        view = current_app.view_functions[request.url_rule.endpoint]
        return view if hasattr(view, "gives") else None

    def validator(self, path, method, status, described):
        key = (path, method, status)
        if key not in self.validators:
            (media,) = described["content"].values()
            schema = {**media["schema"], "components": self.components}
            self.validators[key] = jsonschema_rs.Draft202012Validator(schema, validate_formats=False)
        return self.validators[key]


def hold(app):
    """From now on every answer of this app is looked at; answers what was found wrong, as it comes."""
    wrong = []

    def look_at(answer):
        try:
            described(app).judge(answer)
        except AssertionError as found:
            wrong.append(str(found))
        return answer

    # What a blueprint adds to its answers is there by then: the app's own come last, the first of them at the end.
    app.after_request_funcs.setdefault(None, []).insert(0, look_at)
    return wrong


def described(app):
    key = tuple(sorted((rule.rule, rule.endpoint) for rule in app.url_map.iter_rules()))
    if key not in of_routes:
        of_routes[key] = Description(app)
    return of_routes[key]
