"""Reads the query parameters of a call into the struct that describes them."""

from __future__ import annotations

import re
from datetime import date
from functools import cache
from typing import Any, Final, TypeVar

import msgspec
from msgspec import inspect
from starlette.datastructures import QueryParams

from grapevine.errors import FieldError, Invalid

Query = TypeVar("Query", bound=msgspec.Struct)

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,9}", re.ASCII)


def read_query(given: QueryParams, kind: type[Query], also: tuple[str, ...] = ()) -> Query:
    """Returns the parameters of a request as ``kind``; ``also`` are parameters that somebody else reads.

    Raises Invalid that names every parameter that is not known, repeated or missing, or cannot be read.
    """
    known = (*also, *(each.encode_name for each in _fields(kind)))
    names = [name for name, _ in given.multi_items()]
    wrong = {name: "must come once" for name in names if names.count(name) > 1}
    if unknown := dict.fromkeys((name for name in names if name not in known), "is no parameter of this call"):
        takes = f"takes {', '.join(known)}, each at most once" if known else "takes no parameters"
        return _read(given, kind, wrong | unknown, f" This call {takes}.")
    return _read(given, kind, wrong)


def read_known(given: QueryParams, kind: type[Query]) -> Query:
    """Returns the parameters of a request as ``kind``, and ignores all others; of a repeated one the last counts.

    Raises Invalid that names every parameter that is missing or cannot be read.
    """
    return _read(given, kind, {})


def _read(given: QueryParams, kind: type[Query], wrong: dict[str, str], advice: str = "") -> Query:
    """Returns ``kind`` unless a parameter is ``wrong``, or is found to be; ``advice`` is added to the refusal."""
    values: dict[str, Any] = {}
    for each in _fields(kind):
        text = given.get(each.encode_name)
        if each.encode_name in wrong:
            continue
        if text is not None:
            try:
                values[each.name] = _value(text, each.type)
            except ValueError as error:
                wrong[each.encode_name] = str(error)
        elif each.required:
            wrong[each.encode_name] = "is needed"
    if wrong:
        refusal = Invalid.of_all([FieldError(name, detail) for name, detail in wrong.items()])
        raise Invalid(refusal.detail + advice, errors=refusal.errors)
    return kind(**values)


@cache
def _fields(kind: type[msgspec.Struct]) -> tuple[inspect.Field, ...]:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)  # noqa: S101  # for the type checker
    return found.fields


def _value(text: str, kind: inspect.Type) -> Any:
    """Returns the value that ``text`` stands for. Raises ValueError, whose text goes behind the parameter's name."""
    match kind:
        case inspect.Metadata(type=inner, extra_json_schema=extra):
            names = (extra or {}).get("enum")
            return _one_of(text, names) if names else _value(text, inner)
        case inspect.UnionType(types=types):
            return _value(text, next(each for each in types if not isinstance(each, inspect.NoneType)))
        case inspect.LiteralType(values=names):
            return _one_of(text, names)
        case inspect.IntType(ge=least, le=most):
            return _number(text, least, most)
        case inspect.DateType():
            return _date(text)
        case inspect.StrType(min_length=least):
            if least and not text:
                raise ValueError("must not be empty")
            return text
    raise TypeError(f"no parameter can be a {kind}")


def _one_of(text: str, names: Any) -> str:
    if text not in names:
        raise ValueError(f"must be one of {', '.join(names)}")
    return text


def _number(text: str, least: int | None, most: int | None) -> int:
    """Returns a whole number of at most nine digits."""
    if not _NUMBER.fullmatch(text):
        raise ValueError("must be a whole number")
    number = int(text)
    if (least is not None and number < least) or (most is not None and number > most):
        raise ValueError(f"must be a number from {least} to {most}")
    return number


def _date(text: str) -> date:
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise ValueError("must be a date such as 2026-11-21")
