"""Cursors: where a page of a list begins. Clients pass them back as they are, and nothing else.

A cursor is the position of the last row that was answered, in the order of the list, so that rows that come meanwhile
neither move nor repeat others. It names the question that it answers, and is refused with another. It is not signed: a
position that somebody makes up leads to rows that the same key may read anyway.
"""

from __future__ import annotations

import hashlib
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Annotated, Any, Final, TypeVar

import msgspec

from grapevine.errors import Invalid

MOST_CHARACTERS: Final = 4_096
"""Of a cursor: a position holds a page's URL at most."""

Number = Annotated[int, msgspec.Meta(ge=-(1 << 63), le=(1 << 63) - 1)]
"""A number of a position that a store compares: 64 bits."""

_Position = TypeVar("_Position", bound=tuple[Any, ...])


def question(*parts: Any) -> str:
    """Returns a short name of a question, which all of its pages have in common."""
    return hashlib.blake2s(msgspec.json.encode(parts), digest_size=9).hexdigest()


def written(asked: str, position: tuple[Any, ...]) -> str:
    """Returns the cursor of the rows behind ``position``, in the list that answers ``asked``."""
    return urlsafe_b64encode(msgspec.json.encode((asked, *position))).decode().rstrip("=")


def read(text: str, asked: str, kind: type[_Position]) -> _Position:
    """Returns the position, a NamedTuple, that a cursor holds. Raises Invalid where it was not made for ``asked``."""
    try:
        if len(text) <= MOST_CHARACTERS:
            found = msgspec.json.decode(
                urlsafe_b64decode(text + "=" * (-len(text) % 4)), type=list[int | float | str | None]
            )
            if found and found[0] == asked:
                position: _Position = msgspec.convert(found[1:], type=kind)
                return position
    except ValueError:
        pass
    raise refusal()


def refusal() -> Invalid:
    """The refusal of a cursor."""
    return Invalid.of("cursor", "must be one that was handed out for this question; ask without it to begin anew")


def check_limit(limit: int, most: int) -> None:
    """Raises Invalid where a page would have no row, or more than ``most``."""
    if not 1 <= limit <= most:
        raise Invalid.of("limit", f"must be a number from 1 to {most}")
