"""Reads HTML as a browser's tokenizer does, in one pass, with the position of everything it finds.

``html.parser`` takes time that grows with the square of hostile input (ten seconds for 100,000 bytes of ``<!--`` in
Python 3.11), and pages and mails are hostile. Here each character is passed a fixed number of times (decisions 56 and
74). The rules are those of the HTML Standard, 13.2.5: tags, attributes, comments, and elements whose content is text.
"""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator, Mapping
from typing import Final, NamedTuple

RAW: Final = frozenset("iframe noembed noframes noscript script style textarea title xmp".split())
"""Elements whose content is text for a browser that runs scripts."""
MOST_ATTRIBUTES: Final = 100
"""Of one element; further ones are passed over."""
_PAUSE_EVERY: Final = 1_000
"""Attributes, or marks that begin nothing, after which a reader can pause."""

_TAG_NAME: Final = re.compile(r"[a-zA-Z][^\t\n\f\r />]*")
_BETWEEN: Final = re.compile(r"[\t\n\f\r /]*")
_SPACE: Final = re.compile(r"[\t\n\f\r ]*")
_ATTRIBUTE: Final = re.compile(r"=?[^\t\n\f\r />=]*")
_UNQUOTED: Final = re.compile(r"[^\t\n\f\r >]*")
_COMMENT_END: Final = re.compile("--!?>")
_END: Final = {name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE) for name in RAW}


class Attribute(NamedTuple):
    """Where the value of an attribute stands, without its quotes; ``quote`` is empty where there are none."""

    start: int
    end: int
    quote: str


class StartTag(NamedTuple):
    """The tag from ``start`` to ``end``: its name in lower case, and the first attribute of each name.

    The content of an element that holds text ends at ``text_end``, and ``is_closed`` says that an end tag is there;
    for other elements ``text_end`` is ``end``.
    """

    name: str
    start: int
    end: int
    attributes: Mapping[str, Attribute]
    text_end: int
    is_closed: bool


class EndTag(NamedTuple):
    """An end tag; the name is in lower case."""

    name: str
    start: int
    end: int


class Comment(NamedTuple):
    """The text of a comment, from ``start`` to ``end``, without its marks."""

    start: int
    end: int


class Text(NamedTuple):
    """Text between tags, from ``start`` to ``end``.

    It is empty now and then, where the next token is far: a place to pause.
    """

    start: int
    end: int


HtmlToken = StartTag | EndTag | Comment | Text


def html_tokens(text: str, start: int = 0, end: int | None = None, raw: frozenset[str] = RAW) -> Iterator[HtmlToken]:
    """Yields what a text holds from ``start`` to ``end``. Any text is HTML.

    ``raw`` are the elements of ``RAW`` whose content is text here.
    """
    return _Tokenizer(text, len(text) if end is None else end, raw).read(start)


_Reading = Generator[HtmlToken, None, int]
"""Yields what is read, and returns where to go on."""


class _Tokenizer:
    def __init__(self, text: str, end: int, raw: frozenset[str]) -> None:
        self._text = text
        self._end = end
        self._raw = raw

    def read(self, position: int) -> Iterator[HtmlToken]:
        text, size, number = self._text, self._end, 0
        while position >= 0:
            number += 1
            if number % _PAUSE_EVERY == 0:
                yield Text(position, position)
            start = text.find("<", position, size)
            behind = start if start >= 0 else size
            if behind > position:
                yield Text(position, behind)
            if start < 0:
                return
            position = yield from self._markup(start)

    def _markup(self, start: int) -> _Reading:
        """Reads what begins with a ``<``. Returns where to go on; -1 at the end of the text."""
        text, size = self._text, self._end
        after = text[start + 1 : min(start + 2, size)]
        if after != "/" and (named := _TAG_NAME.match(text, start + 1, size)):
            return (yield from self._start_tag(start, named))
        if text.startswith("<!--", start, size):
            return (yield from self._comment(start))
        if after == "/" and (named := _TAG_NAME.match(text, start + 2, size)):
            end = yield from self._attributes(named.end(), {})
            yield EndTag(named[0].lower(), start, end if end >= 0 else size)
            return end
        if after and after in "!?/":
            return text.find(">", start, size) + 1 or -1
        return start + 1

    def _comment(self, start: int) -> _Reading:
        text, size = self._text, self._end
        if text.startswith((">", "->"), start + 4, size):
            return text.find(">", start, size) + 1
        found = _COMMENT_END.search(text, start + 4, size)
        yield Comment(start + 4, found.start() if found else size)
        return found.end() if found else -1

    def _start_tag(self, start: int, named: re.Match[str]) -> _Reading:
        name = named[0].lower()
        attributes: dict[str, Attribute] = {}
        end = yield from self._attributes(named.end(), attributes)
        if end < 0:  # a tag that does not end is no tag
            return -1
        if name not in self._raw:
            yield StartTag(name, start, end, attributes, end, is_closed=True)
            return end
        closing = _END[name].search(self._text, end, self._end)
        text_end = closing.start() if closing else self._end
        yield StartTag(name, start, end, attributes, text_end, is_closed=closing is not None)
        return (yield from self._attributes(closing.end(), {})) if closing else -1

    def _attributes(self, position: int, into: dict[str, Attribute]) -> _Reading:
        """Reads attributes up to the tag's end. Returns the place behind it; -1 if there is none."""
        text, size, number = self._text, self._end, 0
        while True:
            number += 1
            if number % _PAUSE_EVERY == 0:
                yield Text(position, position)
            position = _BETWEEN.match(text, position, size).end()  # type: ignore[union-attr]
            if position >= size:
                return -1
            if text[position] == ">":
                return position + 1
            named = _ATTRIBUTE.match(text, position, size)
            name, position = named[0].lower(), named.end()  # type: ignore[index, union-attr]
            behind = _SPACE.match(text, position, size).end()  # type: ignore[union-attr]
            quote, value, after = "", position, position
            if behind < size and text[behind] == "=":
                value = _SPACE.match(text, behind + 1, size).end()  # type: ignore[union-attr]
                if value < size and text[value] in "\"'":
                    quote, value = text[value], value + 1
                    after = text.find(quote, value, size)
                    if after < 0:
                        return -1
                    position = after + 1
                else:
                    position = after = _UNQUOTED.match(text, value, size).end()  # type: ignore[union-attr]
            if name not in into and len(into) < MOST_ATTRIBUTES:
                into[name] = Attribute(value, after, quote)
