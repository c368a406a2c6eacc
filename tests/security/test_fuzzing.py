"""Every operation that the service describes, asked what its description allows and what it forbids.

Schemathesis makes the requests: first the edges of every parameter and field, then strings, numbers and objects by
chance. `make test` asks the same of every operation each time; `make fuzz` asks more by chance, other things each time.
"""

import itertools
import os
import re
from functools import cache

import hypothesis
import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import FailureGroup
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    allow_header_conformance,
    content_type_conformance,
    negative_data_rejection,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)
from sqlalchemy import select

from authsvc.models import ApiToken, Application, Event, RefreshToken, Role, Tenant, User
from authsvc.models.engine import reading, transaction
from tests.conftest import ADMIN_EMAIL, ADMIN_PASSWORD
from tests.dialects.fusionauth import SCOPES
from tests.drivers import Account, Script
from tests.planting import planted

BY_CHANCE = hypothesis.settings(
    max_examples=int(os.environ.get("FUZZ", "4")),
    derandomize="FUZZ" not in os.environ,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)
CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
# What a path is about, and so whose id stands in it.
KINDS = {
    "api-token|api-key": ApiToken,
    "application": Application,
    "event": Event,
    "role": Role,
    "user": User,
    "refresh|session": RefreshToken,
}


class Nobody:
    """Asks without a credential, and keeps what was wrong with the answers."""

    def __init__(self, app):
        self.app = app
        described = app.test_client().get("/openapi.json").json
        # Credentials are given here: among those that Schemathesis makes, a right one would be one too many.
        self.guarded = {name for name, operation in operations_of(described) if is_guarded(operation.pop("security"))}
        self.schema = schemathesis.openapi.from_dict(described)
        self.schema.app = app
        self.wrong = []
        self.served = set()

    def operations(self):
        return [found.ok() for found in self.schema.get_all_operations()]

    def ask_edges(self, operation):
        generation = self.schema.config.generation_for(operation=operation, phase="coverage")
        modes = list(GenerationMode)
        for case in self.schema.iter_coverage_cases(operation, generation_modes=modes, generation_config=generation):
            self.ask(case)

    def ask_by_chance(self, operation):
        right, wrong = (operation.as_strategy(generation_mode=mode) for mode in GenerationMode)

        @BY_CHANCE
        @given(right | wrong)
        def ask(case):
            self.ask(case)

        ask()

    def ask(self, case):
        answer = self.answer_to(case)
        try:
            case.validate_response(answer, checks=self.checks(case.operation.path, foreign=is_foreign(case.operation)))
            self.judge(case, answer)
        except (FailureGroup, AssertionError) as wrong:
            self.wrong.append(f"{case.operation.label}: {wrong}")

    def answer_to(self, case):
        return case.call()

    def judge(self, case, answer):
        """What is guarded answers nobody."""
        guarded = case.operation.definition.raw["operationId"] in self.guarded and case.method != "OPTIONS"
        assert answer.status_code >= 400 or not guarded

    @cache  # noqa: B019  (of one test)
    def checks(self, path, foreign):
        """What is described of a dialect's bodies forbids nothing: its shapes are that system's."""
        found = list(CHECKS)
        if not foreign:
            found.append(negative_data_rejection)
        if not self.is_met_twice(path):
            found += [unsupported_method, allow_header_conformance]
        return found

    def is_met_twice(self, path):
        """/keys/rotate is /keys/{kid} too, for who asks by another method."""
        others = (re.sub(r"{\w+}", "[^/]+", other) for other in self.schema.raw_schema["paths"] if other != path)
        return any(re.fullmatch(other, path) for other in others)


class Operator(Nobody):
    """Asks with every permission, and every other time about what there is."""

    def __init__(self, app):
        super().__init__(app)
        self.device = Script(app)
        self.turn = itertools.count()
        self.sign_in()
        self.api_key = self.device.ask("POST", "/api-tokens", {"name": "Fuzz", "scopes": SCOPES}).json["data"]["token"]
        with app.app_context(), reading() as session:
            self.tenant_id = session.scalars(select(Tenant.id).where(Tenant.slug == "default")).one()

    def sign_in(self):
        self.device.sign_in(Account(ADMIN_EMAIL, ADMIN_PASSWORD))

    def ask_edges(self, operation):
        self.plant()
        super().ask_edges(operation)

    def ask_by_chance(self, operation):
        self.plant()
        super().ask_by_chance(operation)

    def plant(self):
        """Rows that were not killed yet."""
        with self.app.app_context():
            self.rows = planted(self.tenant_id, f"row-{next(self.turn)}")
            with transaction(within=self.tenant_id) as session:
                session.get(ApiToken, self.rows[ApiToken].id).allowed_ips = frozenset()

    def answer_to(self, case):
        if next(self.turn) % 2 and case.meta.generation.mode is GenerationMode.POSITIVE:
            self.make_meet_something(case)
        answer = case.call(headers=self.credential(case.operation))
        if answer.status_code != 401 or self.device.me().status_code == 200:
            return answer
        self.sign_in()  # an earlier request ended it
        return case.call(headers=self.credential(case.operation))

    def make_meet_something(self, case):
        case.headers.pop("X-Tenant-Id", None)
        kind = next((model for words, model in KINDS.items() if re.search(words, case.operation.path)), None)
        if kind and "id" in case.path_parameters:
            case.path_parameters["id"] = self.rows[kind].id
        there = {"userId": self.rows[User].id, "applicationId": self.rows[Application].id}
        for said in (case.query, case.body):
            if isinstance(said, dict):
                said.update({name: there[name] for name in said.keys() & there.keys()})

    def credential(self, operation):
        if operation.path.startswith("/fusionauth"):
            return {"Authorization": self.api_key}
        return self.device.bearer()

    def judge(self, case, answer):
        if answer.status_code < 300:
            self.served.add(case.operation.label)


def operations_of(described):
    for path in described["paths"].values():
        yield from ((path[method]["operationId"], path[method]) for method in path if method != "parameters")


def is_guarded(security):
    return bool(security) and {} not in security


def is_foreign(operation):
    return "default" in operation.definition.raw["responses"]


@pytest.fixture
def settings():
    return {"RATE_LIMITS": False}


@pytest.mark.parametrize("database_kind", ["sqlite"])
@pytest.mark.parametrize("asker", [Nobody, Operator])
def test_every_operation_answers_the_edges_of_its_parameters_as_it_is_described(app, asker):
    asking = asker(app)
    operations = asking.operations()
    for operation in operations:
        asking.ask_edges(operation)
    assert asking.wrong == []
    assert asker is Nobody or len(asking.served) > len(operations) * 3 / 4, "Most of them are to get past the door."


@pytest.mark.parametrize("database_kind", ["postgresql"])
def test_a_database_chokes_on_no_string_or_number(app):
    asking = Operator(app)
    for operation in asking.operations():
        if operation.body or operation.query:
            asking.ask_by_chance(operation)
    assert asking.wrong == []
