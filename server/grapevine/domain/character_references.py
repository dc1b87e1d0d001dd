"""Character references of HTML (``&amp;``, ``&#38;``), read as browsers read them (HTML Standard, 13.2.5.72).

``html.unescape`` follows the rules for text alone, in which ``?a=1&copy=2`` holds a ©, and raises ValueError for a
number of more than 4,300 digits.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from html.entities import html5
from typing import Final, NamedTuple

_REFERENCE: Final = re.compile(r"&(?:#(?:[0-9]+|[xX][0-9a-fA-F]+)|[0-9A-Za-z]+);?")
_LONG_NUMBER: Final = re.compile(r"&#(?:[0-9]{20,}|[xX][0-9a-fA-F]{20,});?")
_MOST_DIGITS: Final = 7
"""Of a character's number; what has more is no character."""


class Reference(NamedTuple):
    """A reference in an attribute's value: from where to where it stands, and the characters that it means."""

    start: int
    end: int
    means: str


def references_in(value: str) -> Iterator[Reference]:
    """Yields the references in the value of an attribute, in their order."""
    if "&" not in value:
        return
    for found in _REFERENCE.finditer(value):
        text = found[0]
        if text[1] == "#":
            means = _character(text)
        elif text.endswith(";") or value[found.end() : found.end() + 1] != "=":
            means = html5.get(text[1:], "")
        else:
            means = ""
        if means:
            yield Reference(found.start(), found.end(), means)


def attribute_text(value: str) -> str:
    """Returns the value of an attribute with its references replaced by what they mean."""
    pieces, position = [], 0
    for found in references_in(value):
        pieces += [value[position : found.start], found.means]
        position = found.end
    return "".join((*pieces, value[position:])) if pieces else value


def plain_text(text: str) -> str:
    """Returns text of a page with its references replaced by what they mean."""
    return unescape(_LONG_NUMBER.sub(lambda found: _character(found[0]), text))


def _character(reference: str) -> str:
    """Returns what a numeric reference means."""
    is_hexadecimal = reference[2] in "xX"
    digits = reference[3 if is_hexadecimal else 2 :].rstrip(";").lstrip("0") or "0"
    if len(digits) > _MOST_DIGITS:
        return "\ufffd"
    return unescape(f"&#x{digits};" if is_hexadecimal else f"&#{digits};") or "\ufffd"
