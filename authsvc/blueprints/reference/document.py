"""The OpenAPI description of the service as it runs: its routes, the schemas that they use, and nothing by hand."""

import re
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from apispec import APISpec
from flask import Flask
from werkzeug.routing import Rule

from authsvc.blueprints import verify
from authsvc.blueprints.reference import examples, operations, refusals, shapes
from authsvc.blueprints.refresh import LONGEST_ATTEMPT
from authsvc.credentials import transports
from authsvc.credentials.transports import CSRF_HEADER

DIALECTS = "authsvc.dialects."
CONSOLE = "authsvc.console."
BY_ITSELF = {"HEAD", "OPTIONS"}
WITH_BODY = {"POST", "PUT", "PATCH", "DELETE"}
ABOUT = """\
People and programs sign in; they get short access tokens and rotating refresh tokens, in an HttpOnly cookie or in the
body. Sign in at `POST /auth/login`, then send `Authorization: Bearer <access token>`. Scripts send an API token there.

Every answer has one envelope; `error.code` tells programs what was wrong. Send an `Idempotency-Key` with each refresh.
"""
# By blueprint, in the order of the page.
TAGS = {
    "auth": ("auth", "Signing in, and who one is"),
    "refresh": ("refresh", "Carrying a sign-in on"),
    "token_admin": ("sign-ins", "Sign-ins, looked up and ended"),
    "api_tokens": ("api-tokens", "Tokens for scripts"),
    "verify": ("verify", "For proxies: may this request pass?"),
    "oauth": ("oauth", "OAuth 2"),
    "admin_users": ("users", "Users"),
    "admin_roles": ("roles", "What users may do"),
    "admin_applications": ("applications", "What people sign in to"),
    "admin_tenants": ("tenants", "For operators: the walls"),
    "admin_keys": ("keys", "For operators: what signs"),
    "admin_events": ("events", "The audit trail"),
    "well_known": ("well-known", "For programs: keys and addresses"),
    "health": ("health", "For whoever runs it"),
    "metrics": ("metrics", "For whoever watches it"),
    "reference": ("description", "This description"),
}


def describe(app: Flask) -> dict[str, Any]:
    plugin = shapes.plugin()
    spec = APISpec("authsvc", _version(), "3.1.0", plugins=[plugin], info={"description": ABOUT})
    converter = plugin.converter
    assert isinstance(converter, shapes.Converter)  # noqa: S101  (it is the plugin's own)
    shapes.teach(converter)
    _add_components(spec, app)
    for name, schema in refusals.SCHEMAS.items():
        spec.components.schema(name, schema)
    for rule in sorted(app.url_map.iter_rules(), key=lambda rule: rule.rule):
        view = app.view_functions[rule.endpoint]
        if is_for_people(view) or not (hasattr(view, "gives") or _is_foreign(view)):
            continue
        path, described = _path(rule), {}
        for method in sorted((rule.methods or set()) - BY_ITSELF):
            described[method.lower()] = _operation(rule, view, method, converter)
        spec.path(path, operations=described, parameters=operations.path_parameters(path))
    for name, text in _tags(app):
        spec.tag({"name": name, "description": text})
    return _with_answers(spec.to_dict())


def _operation(rule: Rule, view: Any, method: str, converter: shapes.Converter) -> dict[str, Any]:
    name = _name(rule, method)
    blueprint = rule.endpoint.split(".")[0]
    if _is_foreign(view):
        return operations.foreign(view, name, blueprint.split(":")[0], with_body=method in WITH_BODY)
    return operations.native(view, converter, name, TAGS[blueprint][0])


def is_for_people(view: Any) -> bool:
    return hasattr(view, "for_people") or view.__module__.startswith(CONSOLE)


def _is_foreign(view: Any) -> bool:
    return bool(view.__module__.startswith(DIALECTS))


def _name(rule: Rule, method: str) -> str:
    """A dialect's view may be asked at several paths, and any view by several methods."""
    several = len((rule.methods or set()) - BY_ITSELF) > 1
    words = f"{rule.rule}_{method}" if ":" in rule.endpoint else rule.endpoint + (f"_{method}" if several else "")
    return re.sub(r"\W+", "_", words.lower()).strip("_")


def _path(rule: Rule) -> str:
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule)


def _with_answers(described: dict[str, Any]) -> dict[str, Any]:
    """Each yes with an example of it."""
    schemas = described["components"]["schemas"]
    for method, path in paths(described):
        for status, response in described["paths"][path][method.lower()]["responses"].items():
            for media in response.get("content", {}).values():
                if status.startswith("2"):
                    media["example"] = examples.of(media["schema"], schemas)
    return described


def _tags(app: Flask) -> Iterator[tuple[str, str]]:
    yield from (tag for blueprint, tag in TAGS.items() if blueprint in app.blueprints)
    dialects = {name.partition(":")[0] for name in app.blueprints if ":" in name}
    yield from ((name, "Another system's wire: docs/dialects.md") for name in sorted(dialects))


def _add_components(spec: APISpec, app: Flask) -> None:
    with app.app_context():
        cookie = transports.refresh_cookie()
    for code, example in refusals.examples().items():
        spec.components.example(code, {"value": example})
    for name, scheme in {
        "accessToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT", "description": "From signing in."},
        "apiToken": {"type": "http", "scheme": "bearer", "description": "A script's: `asvc_…`."},
        "apiTokenInHeader": {"type": "apiKey", "in": "header", "name": "X-Api-Key", "description": "The same."},
        "refreshCookie": {"type": "apiKey", "in": "cookie", "name": cookie, "description": "In cookie transport."},
        "csrfValue": {"type": "apiKey", "in": "header", "name": CSRF_HEADER, "description": "Beside the cookie."},
        "clientSecret": {"type": "http", "scheme": "basic", "description": "A client's id and secret."},
    }.items():
        spec.components.security_scheme(name, scheme)
    for name, text, shape in (
        (operations.TENANT, "A tenant's id or slug. It selects and never authorizes.", {}),
        (
            "Idempotency-Key",
            "Repeat it where no answer came: the same refresh gives the same answer.",
            {"maxLength": LONGEST_ATTEMPT},
        ),
    ):
        schema = {"type": "string", **shape}
        spec.components.parameter(name, "header", {"name": name, "description": text, "schema": schema})
    for name, text in {
        "X-Request-Id": "The request's, as the log has it.",
        "WWW-Authenticate": "What is lacking.",
        "Retry-After": "After so many seconds.",
        "Set-Cookie": "In cookie transport: the refresh token, and the csrf value beside it.",
        **dict.fromkeys(verify.IDENTITY, "Of whom the credential is; empty where there is none."),
    }.items():
        spec.components.header(name, {"description": text, "schema": {"type": "string"}})


def _version() -> str:
    try:
        return version("authsvc")
    except PackageNotFoundError:
        return "0.1.0"  # run from a clone, not installed


def paths(described: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for path, operations_of in described["paths"].items():
        yield from ((method.upper(), path) for method in operations_of if method != "parameters")
