"""The collection is whole, what its source makes, and free of secrets."""

import json
import re

import pytest

from authsvc.blueprints.reference.document import describe, is_for_people, paths
from clients.postman.source.files import COLLECTION, PLACE, TRANSPORTS, environment_file, files
from clients.postman.source.recording import renewed, without_secrets

DOCUMENTATION = PLACE.parents[1] / "docs" / "postman.md"
BY_ITSELF = {"HEAD", "OPTIONS"}
# What *Errors worth seeing* asks for in vain.
NOWHERE = {("GET", "/nowhere"), ("DELETE", "/auth/me")}


@pytest.fixture
def database_kind():
    """What is asked here has nothing to do with the database."""
    return "sqlite"


@pytest.fixture(scope="module")
def items():
    return list(requests_in(json.loads((PLACE / COLLECTION).read_text())["item"]))


def requests_in(items):
    for item in items:
        yield from requests_in(item["item"]) if "item" in item else [item]


def script(item, listen):
    return "\n".join(line for event in item["event"] if event["listen"] == listen for line in event["script"]["exec"])


def test_the_files_are_what_their_source_makes():
    for name, content in files().items():
        assert (PLACE / name).read_text() == content, f"{name} is not what its source makes: make postman-collection"


def test_it_asks_every_route_that_there_is_and_that_is_described(app, items):
    adapter = app.url_map.bind("")

    def rule_of(method, path):
        return adapter.match(re.sub(r"{{\w+}}", "x", path), method, return_rule=True)[0].rule

    asked = {(one["request"]["method"], "/" + "/".join(one["request"]["url"]["path"])) for one in items}
    asked = {(method, rule_of(method, path)) for method, path in asked - NOWHERE}
    served = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if not is_for_people(app.view_functions[rule.endpoint]) and rule.endpoint != "static"
        for method in rule.methods - BY_ITSELF
    }
    described = {(method, path.replace("{", "<").replace("}", ">")) for method, path in paths(describe(app))}
    assert asked == served == described


def test_every_request_is_explained_and_judged_by_more_than_its_status(items):
    for item in items:
        assert item["request"]["description"], item["name"]
        judged = script(item, "test").count("pm.test(")
        assert judged >= 2, item["name"]
    names = [item["name"] for item in items]
    assert sorted(set(names)) == sorted(names)


def test_folders_are_explained():
    def explained(items):
        return all(item["description"] and explained(item["item"]) for item in items if "item" in item)

    assert explained(json.loads((PLACE / COLLECTION).read_text())["item"])


def test_no_request_sends_what_nothing_before_it_has_set(items):
    environment = json.loads((PLACE / environment_file("body")).read_text())
    known = {value["key"] for value in environment["values"]} | {"$guid", "refreshAttempt"}
    for item in items:
        known |= set(re.findall(r'environment\.set\("(\w+)"', script(item, "prerequest")))
        if "fresh" in script(item, "prerequest"):
            known |= {"run", "email", "username", "password"}
        used = set(re.findall(r"{{([$\w]+)}}", json.dumps(item["request"])))
        assert used <= known, (item["name"], used - known)
        known |= set(re.findall(r'environment\.set\("(\w+)"', script(item, "test")))


def test_both_environments_have_the_same_variables_and_no_secret_is_filled_in():
    environments = [json.loads((PLACE / environment_file(transport)).read_text()) for transport in TRANSPORTS]
    keys = [[value["key"] for value in environment["values"]] for environment in environments]
    assert keys[0] == keys[1]
    for environment in environments:
        assert {value["value"] for value in environment["values"] if value["type"] == "secret"} == {""}


def test_every_main_request_has_a_saved_answer_and_no_saved_answer_has_a_secret(items):
    text = (PLACE / COLLECTION).read_text()
    assert without_secrets(text) == text
    saved = {item["name"]: [answer["code"] for answer in item["response"]] for item in items}
    assert saved["Sign up"] == [201, 409, 422]
    assert saved["Me"][0] == 200
    assert 401 in saved["Me"]
    assert saved["Refresh"] == [200, 401]


def test_the_documentation_names_every_file_to_import_and_no_other():
    named = re.findall(r"[\w-]+\.postman_\w+\.json", DOCUMENTATION.read_text())
    assert set(named) == {COLLECTION, *map(environment_file, TRANSPORTS)} == {one.name for one in PLACE.glob("*.json")}


def test_a_saved_answer_stays_where_only_its_values_are_new():
    def answer(status, body):
        return {"status": status, "headers": {}, "body": json.dumps(body)}

    old, alike = answer(200, {"id": "a", "at": [1]}), answer(200, {"id": "b", "at": [2]})
    others = [answer(201, {"id": "a", "at": [1]}), answer(200, {"id": None, "at": [1]}), answer(200, {"id": "a"})]
    assert renewed({"Me": old}, {"Me": alike}) == {"Me": old}
    for other in others:
        assert renewed({"Me": old}, {"Me": other}) == {"Me": other}
    assert renewed({"Gone": old}, {"New": alike}) == {"New": alike}
