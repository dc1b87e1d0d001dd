"""The schemas of the tools' arguments, as short as they can be: assistants read them before the first question."""

from __future__ import annotations

from typing import Any, Final

import msgspec

from grapevine.web.openapi.field_descriptions import field_descriptions

_NULL: Final = {"type": "null"}


def argument_schema(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    """Returns the JSON Schema of a struct of arguments; its root is an object, as the protocol asks for.

    An argument that need not be given is described as if it were: to leave it out is the same as null.
    """
    _, components = msgspec.json.schema_components([arguments])
    schema: dict[str, Any] = components[arguments.__name__]
    del schema["title"]
    descriptions = field_descriptions(arguments)
    schema["properties"] = {
        name: _given(field) | {"description": descriptions[name]} for name, field in schema["properties"].items()
    }
    return schema


def _given(field: dict[str, Any]) -> dict[str, Any]:
    kinds = [kind for kind in field.get("anyOf", ()) if kind != _NULL]
    if len(kinds) == 1 and field.get("default", ...) is None:
        given: dict[str, Any] = kinds[0]
        return {name: value for name, value in field.items() if name not in ("anyOf", "default")} | given
    return field
