"""Our schemas as JSON Schema, by apispec."""

from collections.abc import Mapping
from typing import Any

from apispec.ext.marshmallow import MarshmallowPlugin, resolver
from apispec.ext.marshmallow.openapi import OpenAPIConverter
from marshmallow import Schema, fields

from authsvc.blueprints.answers import SOMETIMES
from authsvc.blueprints.bodies import Body, Moment, Uuid
from authsvc.blueprints.queries import Query
from authsvc.blueprints.token_admin import Ids, NotInAddresses

ID = {"type": "string", "format": "uuid"}


class Converter(OpenAPIConverter):
    """What apispec can't know: in an answer everything is there, unless its field says otherwise."""

    def schema2jsonschema(self, schema: Schema) -> dict[str, Any]:
        shape: dict[str, Any] = super().schema2jsonschema(schema)  # type: ignore[no-untyped-call]
        if isinstance(schema, Body | Query):
            return {**shape, "additionalProperties": False}
        if not schema.__class__.__name__.endswith("Form"):
            shape.pop("additionalProperties", None)  # more may come, and clients are to read on
            always = [name for name, field in schema.fields.items() if not field.metadata.get(SOMETIMES)]
            shape["required"] = [schema.fields[name].data_key or name for name in always]
        return shape

    def query_parameters(self, schema: Query) -> list[dict[str, Any]]:
        found = self.schema2parameters(schema, location="query")
        refused = {field.data_key for field in schema.fields.values() if isinstance(field, NotInAddresses)}
        return [one for one in found if one["name"] not in refused]


class Plugin(MarshmallowPlugin):
    Converter = Converter


def plugin() -> Plugin:
    return Plugin(schema_name_resolver=_name)


def teach(converter: OpenAPIConverter) -> None:
    """What our own kinds of field look like."""
    converter.add_attribute_function(_of_our_own)  # type: ignore[no-untyped-call]


def _of_our_own(_: OpenAPIConverter, field: fields.Field[Any], **__: Any) -> Mapping[str, Any]:
    if isinstance(field, Uuid):
        return {"format": "uuid"}
    if isinstance(field, Moment):
        kind: Any = ["string", "null"] if field.allow_none else "string"
        return {"type": kind, "format": "date-time"}
    if isinstance(field, Ids):
        return {"description": "One id, or several: a list in a body, with commas between them in a query."}
    return {}


def _name(schema: Any) -> str:
    """UserOut is User to whoever reads the description."""
    name: str = resolver(schema)
    return name.removesuffix("Out") if name != "Out" else name
