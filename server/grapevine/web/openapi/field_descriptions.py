"""The descriptions of a struct's fields: the strings below them in the source, as ``api_schemas`` has it."""

from __future__ import annotations

import ast
import inspect
import sys
from functools import cache

import msgspec


def field_descriptions(struct: type[msgspec.Struct]) -> dict[str, str]:
    """Returns the descriptions of a struct's own and inherited fields, by their names in JSON."""
    found: dict[str, str] = {}
    for each in reversed(struct.__mro__):
        found |= _of_module(each.__module__).get(each.__name__, {})
    return {field.encode_name: found[field.name] for field in msgspec.structs.fields(struct) if field.name in found}


@cache
def _of_module(module: str) -> dict[str, dict[str, str]]:
    """Returns class → field → the text of the string below it. Builtins have no source, and no description."""
    try:
        tree = ast.parse(inspect.getsource(sys.modules[module]))
    except (OSError, TypeError):
        return {}
    return {node.name: _below_fields(node) for node in tree.body if isinstance(node, ast.ClassDef)}


def _below_fields(node: ast.ClassDef) -> dict[str, str]:
    found = {}
    for field, below in zip(node.body, node.body[1:], strict=False):
        if isinstance(field, ast.AnnAssign) and isinstance(field.target, ast.Name) and isinstance(below, ast.Expr):
            text = below.value.value if isinstance(below.value, ast.Constant) else None
            if isinstance(text, str):
                found[field.target.id] = inspect.cleandoc(text).replace("\n", " ")
    return found
