"""What is wrong with the fields of an object from outside, each by itself, in words that go behind the field's name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, Final

import msgspec
from msgspec import inspect

from grapevine.errors import FieldError

MOST_NAMED: Final = 20
"""Fields that a refusal names: a body may hold thousands that are unknown."""

KINDS: Final[Mapping[str, str]] = {
    "str": "text",
    "int": "a whole number",
    "float": "a number",
    "decimal": "a decimal number such as 49.00",
    "bool": "true or false",
    "array": "a list",
    "object": "an object",
    "date": "a date such as 2026-11-21",
    "null": "null",
}
"""msgspec's names of types, in plain English."""

_PATH: Final = re.compile(r" - at `\$\.?(.*?)`$")
_BOUNDS: Final[Mapping[str, str]] = {"<=": "at most", ">=": "at least"}
_UNITS: Final[Mapping[str, str]] = {"str": "characters", "array": "entries", "object": "fields"}


def _kinds(names: str) -> str:
    *others, last = (KINDS.get(name, name) for name in names.split(" | "))
    return f"{', '.join(others)} or {last}" if others else last


_SENTENCES: Final[Sequence[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]]] = (
    (re.compile(r"Expected `(.+)`, got `(.+)`"), lambda of: f"must be {_kinds(of[1])}, not {_kinds(of[2])}"),
    (re.compile(r"Expected `\w+` of length >= 1"), lambda _: "must not be empty"),
    (
        re.compile(r"Expected `(\w+)` of length ([<>]=) (\d+)"),
        lambda of: f"must have {_BOUNDS[of[2]]} {int(of[3]):,} {_UNITS[of[1]]}",
    ),
    (re.compile(r"Expected `\w+` ([<>]=) (\S+)"), lambda of: f"must be {_BOUNDS[of[1]]} {of[2]}"),
    (re.compile(r"Expected `str` matching regex '(.+)'"), lambda of: f"must be of the form {of[1]}"),
    (re.compile(r"Invalid RFC3339 encoded date"), lambda _: f"must be {KINDS['date']}"),
    (re.compile(r"Invalid decimal string"), lambda _: f"must be {KINDS['decimal']}"),
    (re.compile(r"Invalid enum value .*", re.DOTALL), lambda _: "is none of the values that it may have"),
    (re.compile(r"Object missing required field `(.+)`"), lambda of: f"needs the field `{of[1]}`"),
    (re.compile(r"Object contains unknown field `(.+)`", re.DOTALL), lambda of: f"has the unknown field `{of[1]}`"),
)
"""What msgspec says (its ``_core.c``), and what that is for somebody who does not know Python."""


def first_wrong(error: msgspec.ValidationError) -> FieldError:
    """Returns the field that msgspec stopped at; its name is empty for the whole object."""
    text = str(error)
    where = _PATH.search(text)
    text = _PATH.sub("", text)
    for pattern, sentence in _SENTENCES:
        if found := pattern.fullmatch(text):
            text = sentence(found)
            break
    return FieldError(where[1] if where else "", text)


def wrong_fields(given: Mapping[str, Any], kind: type[msgspec.Struct]) -> list[FieldError]:
    """Returns what is wrong with each field of an object that is no ``kind``; of unknown ones, not all where there are
    many. It is empty where each field by itself may be as it is."""
    fields = _fields(kind)
    wrong: list[FieldError] = []
    if kind.__struct_config__.forbid_unknown_fields:
        names = ", ".join(fields)
        wrong += [FieldError(name, f"is unknown here; there are {names}") for name in given if name not in fields]
    for name, (field, values) in fields.items():
        if name not in given:
            if field.required:
                wrong.append(FieldError(name, "is needed"))
        elif values and isinstance(given[name], str) and given[name] not in values:
            wrong.append(FieldError(name, f"must be one of {', '.join(values)}"))
        else:
            try:
                msgspec.convert(given[name], field.type)
            except msgspec.ValidationError as error:
                inside, detail = first_wrong(error)
                dot = "." if inside and not inside.startswith("[") else ""
                wrong.append(FieldError(name + dot + inside, detail))
    return wrong[:MOST_NAMED]


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, tuple[msgspec.structs.FieldInfo, tuple[str, ...]]]:
    """Returns each field by its name outside, with the values that it may have where that is a closed set."""
    fields = msgspec.structs.fields(kind)
    return {each.encode_name: (each, closed_set(inspect.type_info(each.type))) for each in fields}


def closed_set(kind: inspect.Type) -> tuple[str, ...]:
    """Returns the texts of a closed set; empty for a type that is none."""
    match kind:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            return tuple((extra or {}).get("enum", ())) or closed_set(inner)
        case inspect.UnionType(types=types):
            return next((found for each in types if (found := closed_set(each))), ())
        case inspect.LiteralType(values=values):
            return tuple(each for each in values if isinstance(each, str))
    return ()
