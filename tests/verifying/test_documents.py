"""The examples of docs/verifying.md work as they are printed."""

import re

from werkzeug.test import Client

from tests.flows.api_tokens import by, make_api_token
from tests.house.test_docs import page, python_in
from tests.restaurants import refused


def test_the_examples_work(service, owner):
    token = make_api_token(owner, "restaurants:read", allowInQuery=True)["token"]
    nothing = make_api_token(owner)["token"]
    flask, bottle = python_in("verifying.md")
    for example, called in ((flask, "app"), (bottle, "application")):
        names = {"__name__": "restaurants"}
        exec(re.sub(r"https://auth\.example\.org", service.url, example), names)  # noqa: S102
        client = Client(names[called])
        for headers in (by(token), owner.bearer(), {"X-Api-Key": token}):
            assert client.get("/restaurants", headers=headers).json == {"for": owner.account.id}
        assert client.get(f"/restaurants?token={token}").json == {"for": owner.account.id}
        assert refused(client.get("/restaurants"), 401, "credentials_missing")
        assert refused(client.get("/restaurants", headers=by(nothing)), 403, "permission_denied")
        (names.get("verifier") or names["app"].extensions["authsvc.verifier"]).close()


def test_what_is_printed_of_the_question_is_what_is_said(service, owner):
    printed = dict(re.findall(r"^(X-Auth-[\w-]+): ?(.*)$", page("verifying.md"), re.MULTILINE))
    token = make_api_token(owner, "restaurants:read")["token"]
    answer = Client(service.app).get("/auth/verify", headers=by(token))
    said = {name: value for name, value in answer.headers.items() if name.startswith("X-Auth-")}
    assert set(said) == set(printed)
    assert said["X-Auth-User-Id"] == owner.account.id
    constant = ("X-Auth-Application-Id", "X-Auth-Scopes", "X-Auth-Via")
    assert {name: said[name] for name in constant} == {name: printed[name] for name in constant}
