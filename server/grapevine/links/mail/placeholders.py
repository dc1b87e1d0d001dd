"""Placeholders of mail programs (``{{ x }}``, ``*|X|*``, ``<%= x %>``), hidden while a mail is read.

A placeholder may hold anything: quotes and ``>``, which would end a tag, or ``?`` and ``#``, which would be marks of a
URL. So each is covered by as many characters that mean nothing to HTML or to URLs.
"""

from __future__ import annotations

import re
from collections.abc import Generator
from typing import Final

COVER: Final = "\ud800"
"""Stands for each character of a placeholder. It is half of a character, so no decoded text holds it."""
MOST_CHARACTERS: Final = 300
"""Of one placeholder."""

_CLOSING: Final = {
    "{{": "}}", "{%": "%}", "<%": "%>", "[[": "]]", "*|": "|*", "%%": "%%", "##": "##", "${": "}", "#{": "}",
}  # fmt: skip
"""Handlebars, Liquid and most mail services; Liquid; ERB and EJS; Mailjet; Mailchimp; Salesforce; Emarsys; JavaScript;
Ruby. Others, such as ``%recipient.x%`` and ``{x}``, hold nothing that HTML or URLs could take for a mark."""
_OPENING: Final = re.compile(r"\{[{%]|<%|\[\[|\*\||%%|##|[$#]\{(?![{%])")
_STATEMENTS: Final = frozenset(("{%", "<%"))
"""Those that may hold comparisons, and so ``<`` and ``>``."""
_NOT_WITHIN: Final = re.compile(r"[<>\r\n]")
_UNCLOSED: Final = re.compile(r"\{\{|\{%|<%")


def covering(text: str) -> Generator[None, None, str]:
    """Returns a text of the same length in which placeholders are covered; yields now and then."""
    pieces: list[str] = []
    ends: dict[str, int] = {}  # of each kind the next closing mark, so that none is looked for twice
    done, position, size = 0, 0, len(text)
    while found := _OPENING.search(text, position):
        yield
        start, mark = found.start(), found[0]
        closing = _CLOSING[mark]
        end = ends.get(mark, 0)
        if end < start + 2:
            end = ends[mark] = text.find(closing, start + 2) % (size + 1)  # where there is none: the text's end
        if end == size or not start + 2 < end <= start + MOST_CHARACTERS or _is_markup(text, start, end, mark):
            position = start + 1
            continue
        position = end + len(closing)
        pieces += (text[done:start], COVER * (position - start))
        done = position
    pieces.append(text[done:])
    return "".join(pieces)


def _is_markup(text: str, start: int, end: int, mark: str) -> bool:
    return mark not in _STATEMENTS and _NOT_WITHIN.search(text, start, end) is not None


def is_torn(value: str) -> bool:
    """Returns whether a covered text holds the beginning of a placeholder that does not end in it."""
    return _UNCLOSED.search(value) is not None
