"""JSON from outside → a struct. Raises Malformed for unreadable JSON, Invalid for fields that do not fit."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Any, Final, TypeVar

import msgspec

from grapevine.errors import FieldError, Invalid, Malformed

_HALF_PAIR: Final = re.compile(r"[\ud800-\udfff]")
_PATH: Final = re.compile(r" - at `\$\.?(.*?)`$")
_NAMED: Final = re.compile(r"(?:missing required|unknown) field `(\w+)`")

Kind = TypeVar("Kind", bound=msgspec.Struct)


def decode(body: bytes, kind: type[Kind]) -> Kind:
    """A body as a struct of that kind.

    Raises Malformed for what is no JSON object, Invalid for a missing, unknown or wrong field and for text that no
    database can hold (NUL, half of a surrogate pair).
    """
    try:
        request: Kind = _decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        detail = str(error)
        where = _PATH.search(detail)
        if where is None and detail.startswith("Expected `object`"):
            raise Malformed(f"The body is no JSON object: {detail}.") from None
        named = _NAMED.search(detail)
        field = named[1] if named else (where[1] if where else "")
        raise Invalid.of(field, _PATH.sub("", detail)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if _has_half_pair(body):
            raise Invalid.of("", "holds half of a surrogate pair, which is no character") from None
        raise Malformed(f"The body is not JSON: {error}.") from None
    if b"\\u0000" in body and (errors := _unstorable(request)):  # the only way to write a NUL in JSON
        raise Invalid.of_all(errors)
    return request


@cache
def _decoder(kind: type[Kind]) -> msgspec.json.Decoder[Kind]:
    return msgspec.json.Decoder(kind)


def _has_half_pair(body: bytes) -> bool:
    try:
        text = json.dumps(json.loads(body.decode("utf-8", "surrogatepass")), ensure_ascii=False)
    except (ValueError, RecursionError):
        return False
    return bool(_HALF_PAIR.search(text))


def _unstorable(request: Any) -> list[FieldError]:
    return [
        FieldError(field, "holds a NUL character")
        for field in request.__struct_fields__
        for text in _texts(getattr(request, field))
        if "\0" in text
    ]


def _texts(value: object) -> list[str]:
    return [text for text in (value if isinstance(value, list | tuple) else [value]) if isinstance(text, str)]
