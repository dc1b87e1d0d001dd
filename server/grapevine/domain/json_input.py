"""JSON from outside → a struct. Raises Malformed for unreadable JSON, Invalid for fields that do not fit."""

from __future__ import annotations

import json
import re
from functools import cache
from typing import Final, TypeVar

import msgspec

from grapevine.domain.wrong_fields import KINDS, first_wrong, wrong_fields
from grapevine.errors import FieldError, Invalid, Malformed

_HALF_PAIR: Final = re.compile(r"[\ud800-\udfff]")
_REPLACEMENT: Final = "\ufffd"
_TITLE: Final = "title"
"""The field in which characters that no database can hold are replaced: a title never costs a report."""
_NO_OBJECT: Final = re.compile(r"Expected `object`, got `(\w+)`")

Kind = TypeVar("Kind", bound=msgspec.Struct)


def decode(body: bytes, kind: type[Kind]) -> Kind:
    """A body as a struct of that kind.

    Raises Malformed for what is no JSON object, Invalid for missing, unknown and wrong fields and for text that no
    database can hold (NUL, half of a surrogate pair), except in a title, where such characters are replaced.
    """
    try:
        request: Kind = _decoder(kind).decode(body)
    except msgspec.ValidationError as error:
        if found := _NO_OBJECT.fullmatch(str(error)):
            raise Malformed(f"The body is no JSON object, but {KINDS.get(found[1], found[1])}.") from None
        raise Invalid.of_all(_wrong_fields(body, kind) or [first_wrong(error)]) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        if (mended := _with_mended_title(body)) is None:
            raise Malformed(f"The body is not JSON: {error}.") from None
        return decode(mended, kind)
    return _without_nul(request) if b"\\u0000" in body else request  # the only way to write a NUL in JSON


def _wrong_fields(body: bytes, kind: type[Kind]) -> list[FieldError]:
    """Returns every wrong field; none where the rest of the body cannot be read."""
    try:
        return wrong_fields(msgspec.json.decode(body), kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []


@cache
def _decoder(kind: type[Kind]) -> msgspec.json.Decoder[Kind]:
    return msgspec.json.Decoder(kind)


def _with_mended_title(body: bytes) -> bytes | None:
    """Returns the body with each half of a surrogate pair in its title replaced; None if it holds no such half.

    Raises Invalid if one stands in another field.
    """
    try:
        fields = json.loads(body.decode("utf-8", "surrogatepass"))
        if not _HALF_PAIR.search(json.dumps(fields, ensure_ascii=False)):
            return None
        if isinstance(fields, dict) and isinstance(title := fields.get(_TITLE), str):
            fields[_TITLE] = _HALF_PAIR.sub(_REPLACEMENT, title)
        return json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise Invalid.of("", "holds half of a surrogate pair, which is no character") from None
    except (ValueError, RecursionError):
        return None


def _without_nul(request: Kind) -> Kind:
    """Returns the request with each NUL in its title replaced. Raises Invalid if one stands in another field."""
    title = getattr(request, _TITLE, None)
    if isinstance(title, str):
        request = msgspec.structs.replace(request, title=title.replace("\0", _REPLACEMENT))
    errors = [
        FieldError(field, "holds a NUL character")
        for field in request.__struct_fields__
        for text in _texts(getattr(request, field))
        if "\0" in text
    ]
    if errors:
        raise Invalid.of_all(errors)
    return request


def _texts(value: object) -> list[str]:
    return [text for text in (value if isinstance(value, list | tuple) else [value]) if isinstance(text, str)]
