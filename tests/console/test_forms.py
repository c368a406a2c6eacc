"""Forms are text; what the schemas of the JSON API take is not. And a form comes back as it was filled in."""

import pytest
from flask import g, render_template_string
from marshmallow import fields

from authsvc import clock
from authsvc.blueprints.bodies import Body, Flag, Number, Text, Texts
from authsvc.console.forms import Form, Ticked
from authsvc.errors import Conflict, TokenRevoked, Unavailable
from tests.drivers import HOST

FIELDS = """{% import "console/macros.html" as m with context %}{{ m.problem(form) }}
{{ m.field(form, "name", "Name") }}
{{ m.pick(form, "transport", "Transport", [("", "-"), ("body", "B"), ("cookie", "C")]) }}
{{ m.lines(form, "corsOrigins", "Origins") }}{{ m.tick(form, "sure", "Sure") }}{{ m.once("<secret>") }}"""


class Sheet(Body):
    name = Text(required=True)
    transport = fields.String()
    lifetime = Number(1, 60)
    rotate = Flag()
    cors_origins = Texts(most=3)
    sure = Ticked()


@pytest.fixture
def fill_in(app):
    def fill(act, **sent):
        with app.test_request_context("/console/x", method="POST", data=sent, base_url=HOST):
            g.now = clock.utcnow()
            form = Form(Sheet, name="before")
            return form.sent(act), form, render_template_string(FIELDS, form=form)

    return fill


def test_what_was_filled_in_is_what_the_json_api_would_be_given(fill_in):
    for sent, taken in (
        ({"name": "A"}, {"name": "A", "cors_origins": None, "sure": False}),
        ({"name": "A", "lifetime": "5", "transport": ""}, {"name": "A", "lifetime": 5, "sure": False}),
        ({"name": "A", "rotate": "false", "sure": "on"}, {"name": "A", "rotate": False, "sure": True}),
        (
            {"name": "A", "corsOrigins": "https://a.example.com\r\n\r\n https://b.example.com "},
            {"name": "A", "cors_origins": ["https://a.example.com", "https://b.example.com"], "sure": False},
        ),
    ):
        given, form, _ = fill_in(lambda given: given, csrf="not a field", **sent)
        assert given == {name: value for name, value in taken.items() if value is not None}, sent
        assert form.status == 200


def test_what_is_wrong_is_told_at_its_field_and_all_else_stays(fill_in):
    sent = {"name": "", "lifetime": "61", "transport": "cookie", "corsOrigins": "https://a.example.com", "sure": "on"}
    done, form, text = fill_in(lambda given: given, **sent)
    assert (done, form.status) == (None, 422)
    assert form.wrong("name")
    assert form.wrong("lifetime")
    assert '<option value="cookie" selected>' in text
    assert "https://a.example.com</textarea>" in text
    assert 'name="sure" checked' in text
    assert 'aria-invalid="true"' in text
    assert "&lt;secret&gt;" in text


def test_a_no_of_the_service_is_shown_and_what_no_form_can_help_is_raised(fill_in):
    def refuse(error):
        def act(given):
            raise error

        return act

    done, form, text = fill_in(refuse(Conflict("Not as things are.")), name="A")
    assert (done, form.status, "Not as things are." in text) == (None, 409, True)
    for error in (TokenRevoked(), Unavailable()):
        with pytest.raises(type(error)):
            fill_in(refuse(error), name="A")
