"""The OpenAPI description: valid and complete. tests/described.py holds every answer of the other tests to it."""

import re
from pathlib import Path

import jsonschema_rs
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from authsvc.blueprints.reference.document import describe, paths

HTTP = Path(__file__).resolve().parents[2] / "docs" / "http.md"
# Codes that docs/http.md names once for all routes.
SAID_ONCE = {
    "bad_request",
    "malformed_json",
    "method_not_allowed",
    "too_large",
    "unsupported_media_type",
    "validation_failed",
    "unavailable",
    "internal_error",
    "ambiguous_request",
    "credentials_missing",
    "token_invalid",
    "token_expired",
    "token_revoked",
    "tenant_mismatch",
    "address_not_allowed",
    "csrf_failed",
    "unknown_tenant",
    "permission_denied",
}


@pytest.fixture
def database_kind():
    """What is asked here has nothing to do with the database."""
    return "sqlite"


@pytest.fixture
def described(client):
    return client.get("/openapi.json").json


def operations(described):
    for method, path in paths(described):
        yield method, path, described["paths"][path][method.lower()]


def test_the_description_is_valid(described):
    OpenAPIV31SpecValidator(described).validate()


def test_it_is_the_same_wherever_it_is_asked_for_but_for_where_the_service_is(app, client):
    plain, mounted = client.get("/openapi.json").json, client.get("/openapi.json", base_url="http://localhost/id").json
    assert (plain.pop("servers"), mounted.pop("servers")) == ([{"url": "/"}], [{"url": "/id"}])
    assert plain == mounted == {**describe(app)}


def test_every_example_fits_its_schema(described):
    for code, example in described["components"]["examples"].items():
        judged({"$ref": "#/components/schemas/Refusal"}, described, example["value"])
        assert example["value"]["error"]["code"] == code
    for _, path, operation in operations(described):
        for message in (operation.get("requestBody", {}), *operation["responses"].values()):
            for media in message.get("content", {}).values():
                if "example" in media:
                    judged(media["schema"], described, media["example"])
                else:
                    assert "examples" in media or path.startswith("/oauth/") or "schema" in media


def judged(schema, described, example):
    jsonschema_rs.validate({**schema, "components": described["components"]}, example)


def test_whom_an_operation_serves_is_said_in_its_security(app, described):
    views = {
        (method, rule.rule): app.view_functions[rule.endpoint]
        for rule in app.url_map.iter_rules()
        for method in rule.methods
    }
    for method, path, operation in operations(described):
        view = views[method, path.replace("{", "<").replace("}", ">")] if "/fusionauth" not in path else None
        if view is None or not hasattr(view, "gives"):
            continue
        serves = view.serves
        permissions = {name for scheme in operation["security"] for names in scheme.values() for name in names}
        assert permissions == (set() if serves in ("public", "signed in") else {serves}), path
        assert (serves == "public") == ({} in operation["security"] or not operation["security"]), path


def test_each_code_of_an_operation_is_in_the_documentation_and_the_other_way_round(described):
    sections = re.split(r"^### ", HTTP.read_text(), flags=re.M)[1:]
    of_route = {}
    for section in sections:
        heading = re.match(r"`([A-Z|]+) (\S+)`", section)
        for method in heading[1].split("|"):
            of_route[method, heading[2].replace("<", "{").replace(">", "}")] = section
    known = described["components"]["examples"].keys()
    for method, path, operation in operations(described):
        if (method, path) not in of_route or path.startswith("/oauth/"):
            continue
        section = of_route[method, path]
        errors = section[section.find("\nErrors:") :] if "\nErrors:" in section else ""
        told = {code for code in re.findall(r"`([a-z_]+)`", errors) if code in known}
        in_description = set(codes(operation))
        assert told <= in_description, f"{method} {path}"
        assert in_description - SAID_ONCE <= set(re.findall(r"`([a-z_]+)`", section)), f"{method} {path}"


def codes(operation):
    for response in operation["responses"].values():
        for media in response.get("content", {}).values():
            yield from media.get("examples", {})


def test_without_the_setting_there_is_no_description(make_app):
    client = make_app(DOCS=False).test_client()
    assert [client.get(path).status_code for path in ("/openapi.json", "/docs", "/docs/start.js")] == [404, 404, 404]


def test_of_the_page_only_its_parts_are_served(client):
    policy = client.get("/docs").headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    for file, status in {"start.js": 200, "LICENSE": 404, "..%2f__init__.py": 404, "%2e%2e/__init__.py": 404}.items():
        assert client.get(f"/docs/{file}").status_code == status
