"""The schemas of the tools' arguments, with the descriptions that stand below the fields in the source."""

from __future__ import annotations

from typing import Any

import msgspec


def argument_schema(arguments: type[msgspec.Struct]) -> dict[str, Any]:
    """Returns the JSON Schema of a struct of arguments; its root is an object, as the protocol asks for."""
    _, components = msgspec.json.schema_components([arguments])
    schema: dict[str, Any] = components[arguments.__name__]
    del schema["title"]
    return schema
