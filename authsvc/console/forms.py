"""Forms: shown, sent, shown again with what was wrong. And the page that asks before something is destroyed."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Response, request
from marshmallow import fields

from authsvc.blueprints.bodies import Body, Flag, loaded
from authsvc.console.pages import done, shown
from authsvc.credentials.console_cookie import CSRF_FIELD
from authsvc.errors import CredentialsInvalid, Refusal, Unauthenticated, ValidationFailed

T = TypeVar("T")

INTERNAL = 500
LONGEST_NUMBER = 12
WORDS = {"true": True, "false": False}


class Ticked(Flag):
    """A checkbox: there if it is ticked, and otherwise not there at all."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(load_default=False, **kwargs)

    def _deserialize(self, value: Any, attr: Any, data: Any, **kwargs: Any) -> bool:
        return bool(value == "on")


class Form:
    """One form and how far it has come. `values` stand in it; `problem` is why it was not taken."""

    def __init__(self, schema_class: type[Body], **values: Any) -> None:
        self.schema = schema_class()
        self.values = values
        self.problem: Refusal | None = None

    @property
    def status(self) -> int:
        return self.problem.status if self.problem else 200

    def wrong(self, name: str) -> str:
        """What was wrong with a field."""
        found = (self.problem.fields or {}).get(name) if self.problem else None
        return " ".join(found or [])

    @property
    def general(self) -> str:
        """What was wrong, if no field that is there tells it."""
        if self.problem is None:
            return ""
        known = {field.data_key for field in self.schema.fields.values()}
        return "" if known & (self.problem.fields or {}).keys() else self.problem.text

    def sent(self, act: Callable[[dict[str, Any]], T]) -> T | None:
        """Do it, if the form was sent; None if it is to be shown, for the first time or again."""
        if request.method != "POST":
            return None
        self.values = self._given()
        filled = {name: value for name, value in self.values.items() if value not in ("", [])}
        try:
            return act(loaded(self.schema, filled))
        except Refusal as problem:
            self.problem = _worth_showing(problem)
            return None

    def _given(self) -> dict[str, Any]:
        """As the JSON API would be given it: what no form can say otherwise than in text is read from that."""
        by_name = {field.data_key: field for field in self.schema.fields.values() if field.data_key}
        given: dict[str, Any] = {name: [] for name, field in by_name.items() if isinstance(field, fields.List)}
        for name, texts in request.form.lists():
            if name != CSRF_FIELD:
                given[name] = _read(by_name.get(name), texts)
        return given


def _read(field: fields.Field[Any] | None, texts: list[str]) -> Any:
    """Several values are boxes that were ticked, or lines; a number is in digits; yes and no are words."""
    if isinstance(field, fields.List):
        return [line.strip() for text in texts for line in text.splitlines() if line.strip()]
    text = texts[-1]
    if isinstance(field, fields.Integer) and text.isascii() and text.isdigit() and len(text) <= LONGEST_NUMBER:
        return int(text)
    if isinstance(field, fields.Boolean) and not isinstance(field, Ticked):
        return WORDS.get(text, text)
    return text


def confirmed(
    act: Callable[[], str],
    *,
    title: str,
    consequence: str,
    verb: str,
    back: str,
    then: str = "",
    typed: str = "",
    **path: Any,
) -> Response:
    """Say what will be destroyed and ask; on yes, do it. `act` answers what there is to say afterwards.

    `back` is the page that was left, `then` the one that comes afterwards if that one will be gone. `typed` is what has
    to be typed first, where a click is too easily made.
    """
    problem = None
    if request.method == "POST":
        try:
            _refuse_unless_typed(typed)
            return done(act(), then or back, **({} if then else path))
        except Refusal as refused:
            problem = _worth_showing(refused)
    status = problem.status if problem else 200
    asked = {"title": title, "consequence": consequence, "verb": verb, "back": f"console.{back}", "path": path}
    return shown("confirm.html", status, problem=problem, typed=typed, **asked)


def _refuse_unless_typed(text: str) -> None:
    if text and request.form.get("typed", "").strip() != text:
        raise ValidationFailed(fields={"typed": [f"Nothing was done. Type “{text}” below, if you mean it."]})


def _worth_showing(problem: Refusal) -> Refusal:
    """What whoever filled in the form can do something about; anything else is raised again."""
    is_theirs = problem.status < INTERNAL and not isinstance(problem, Unauthenticated)
    if not is_theirs and not isinstance(problem, CredentialsInvalid):
        raise problem
    return problem
