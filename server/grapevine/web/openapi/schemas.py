"""The JSON schemas of the API: msgspec makes them of the structs; descriptions of the fields are added here."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final

import msgspec
from msgspec import inspect

from grapevine.web.openapi.field_descriptions import field_descriptions

Schema = dict[str, Any]
_REF: Final = "#/components/schemas/{name}"


class Schemas:
    """The schemas of all ``types``, which are structs and lists of them."""

    def __init__(self, types: Sequence[Any]) -> None:
        structs = _structs(types)
        listed = list(dict.fromkeys([*types, *structs]))
        schemas, self.components = msgspec.json.schema_components(listed, ref_template=_REF)
        self._of: dict[Any, Schema] = dict(zip(listed, schemas, strict=True))
        for struct in structs:
            self._describe(struct)

    def of(self, kind: Any) -> Schema:
        """Returns the schema of one of the types: a reference to a component, or a list of one."""
        return self._of[kind]

    def fields(self, struct: type[msgspec.Struct]) -> dict[str, Schema]:
        """Returns the schema of each field, by its name in JSON."""
        found: dict[str, Schema] = self.components[struct.__name__].get("properties", {})
        return found

    def only(self, kinds: Iterable[Any]) -> dict[str, Schema]:
        """Returns the components that schemas of ``kinds`` refer to."""
        names = {struct.__name__ for struct in _structs(kinds)}
        return {name: schema for name, schema in sorted(self.components.items()) if name in names}

    def _describe(self, struct: type[msgspec.Struct]) -> None:
        schema = self.components[struct.__name__]
        if "description" in schema:
            schema["description"] = schema["description"].replace("``", "`")
        for described in schema.get("properties", {}).values():
            _admit_numbers(described)
        for name, text in field_descriptions(struct).items():
            schema["properties"][name]["description"] = text
        for field in _info(struct).fields:
            if items := _alternatives(field):
                schema["properties"][field.encode_name]["items"] = {
                    "anyOf": [{"$ref": _REF.format(name=each.__name__)} for each in items]
                }


def _structs(kinds: Iterable[Any]) -> list[type[msgspec.Struct]]:
    """Returns every struct that values of ``kinds`` may hold, each once."""
    found: dict[type[msgspec.Struct], None] = {}

    def walk(node: Any) -> None:
        if isinstance(node, inspect.StructType):
            if node.cls in found:
                return
            found[node.cls] = None
            for field in node.fields:
                walk(field.type)
                for each in _alternatives(field):
                    walk(_info(each))
        elif isinstance(node, inspect.UnionType):
            for kind in node.types:
                walk(kind)
        else:
            for name in ("type", "item_type", "value_type"):
                if (inner := getattr(node, name, None)) is not None:
                    walk(inner)

    for each in inspect.multi_type_info(kinds):
        walk(each)
    return list(found)


def _admit_numbers(schema: Schema) -> None:
    """A decimal may be written as a number, too, which msgspec reads digit by digit but does not say."""
    for each in (schema, *schema.get("anyOf", ())):
        if each.get("format") == "decimal":
            each["type"] = ["string", "number"]


def _alternatives(field: inspect.Field) -> tuple[type[msgspec.Struct], ...]:
    """Returns the structs that are the items of a list of raw JSON (``Meta(extra={"items": …})``)."""
    return (field.type.extra or {}).get("items", ()) if isinstance(field.type, inspect.Metadata) else ()


def _info(struct: type[msgspec.Struct]) -> inspect.StructType:
    found = inspect.type_info(struct)
    assert isinstance(found, inspect.StructType)  # noqa: S101  # for the type checker
    return found
