"""Reads HTML as a browser's tokenizer does, in one pass: the elements that checks look at, and nothing else.

``html.parser`` takes time that grows with the square of hostile input (ten seconds for 100,000 bytes of ``<!--`` in
Python 3.11), and pages are hostile. Here each character is passed a fixed number of times (decision 56). The rules are
those of the HTML Standard, 13.2.5: tags, attributes, comments, and elements whose content is text.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html import unescape
from typing import Final, NamedTuple

KEPT: Final = frozenset("a base iframe input link meta noscript script title".split())
"""Elements that some check looks at; links only those to a place within the page."""
RAW: Final = frozenset("iframe noembed noframes noscript script style textarea title xmp".split())
"""Elements whose content is text for a browser that runs scripts."""
MOST_ELEMENTS: Final = 5_000
MOST_ATTRIBUTES: Final = 100
"""Of one element; further ones are passed over."""
MOST_TEXTS: Final = 50
TEXT_SHOWN: Final = 2_000
_TELLING: Final = ("widget", "data-site", "grapevine")
"""A comment or a text without one of these words is not kept."""

_TAG_NAME: Final = re.compile(r"[a-zA-Z][^\t\n\f\r />]*")
_BETWEEN: Final = re.compile(r"[\t\n\f\r /]*")
_SPACE: Final = re.compile(r"[\t\n\f\r ]*")
_ATTRIBUTE: Final = re.compile(r"=?[^\t\n\f\r />=]*")
_UNQUOTED: Final = re.compile(r"[^\t\n\f\r >]*")
_COMMENT_END: Final = re.compile("--!?>")
_END: Final = {name: re.compile(rf"</{name}(?=[\t\n\f\r />])", re.IGNORECASE) for name in RAW}


class Element(NamedTuple):
    """One element: names in lower case, the first attribute of each name, and its text if its content is text.

    ``line`` counts from 1; ``is_inert`` says that it stands in a ``template``, ``is_closed`` that the end tag of its
    text is there.
    """

    name: str
    attributes: Mapping[str, str]
    text: str
    line: int
    is_inert: bool
    is_closed: bool = True

    def get(self, name: str) -> str:
        """Returns the value of an attribute without spaces around it; empty if it is not there."""
        return self.attributes.get(name, "").strip()


class Markup(NamedTuple):
    """What was read: elements in their order, and the comments and texts that may hold our line.

    ``is_whole`` is false where the page has more elements than are read.
    """

    elements: list[Element]
    comments: list[str]
    texts: list[str]
    is_whole: bool

    def named(self, *names: str) -> Iterator[Element]:
        """Yields the elements of these names that are not inert."""
        return (each for each in self.elements if each.name in names and not each.is_inert)


def read_markup(text: str) -> Markup:
    """Returns what a page's HTML holds. Any text is HTML."""
    return _Reader(text).read()


class _Reader:
    def __init__(self, text: str) -> None:
        self._text = text
        self._found = Markup([], [], [], is_whole=True)
        self._line, self._counted = 1, 0
        self._templates = 0

    def read(self) -> Markup:
        text, position, found = self._text, 0, self._found
        while len(found.elements) < MOST_ELEMENTS:
            start = text.find("<", position)
            self._keep(found.texts, position, start if start >= 0 else len(text))
            if start < 0:
                return found
            position = self._markup(start)
            if position < 0:
                return found
        return found._replace(is_whole=False)

    def _markup(self, start: int) -> int:
        """Reads what begins with a ``<``. Returns where to go on; -1 at the end of the text."""
        text = self._text
        after = text[start + 1 : start + 2]
        if after != "/" and (named := _TAG_NAME.match(text, start + 1)):
            return self._start_tag(start, named)
        if text.startswith("<!--", start):
            return self._comment(start)
        if after == "/" and (named := _TAG_NAME.match(text, start + 2)):
            if named[0].lower() == "template":
                self._templates = max(0, self._templates - 1)
            return self._attributes(named.end(), {})
        if after in ("!", "?", "/"):
            return text.find(">", start) + 1 or -1
        return start + 1

    def _comment(self, start: int) -> int:
        text = self._text
        if text.startswith((">", "->"), start + 4):
            return text.find(">", start) + 1
        found = _COMMENT_END.search(text, start + 4)
        end = found.start() if found else len(text)
        self._keep(self._found.comments, start + 4, end)
        return found.end() if found else -1

    def _start_tag(self, start: int, named: re.Match[str]) -> int:
        text = self._text
        name = named[0].lower()
        attributes: dict[str, str] = {}
        position = self._attributes(named.end(), attributes)
        if position < 0:  # a tag that does not end is no tag
            return -1
        if name == "template":
            self._templates += 1
        content, after, is_closed = "", position, True
        if name in RAW:
            end = _END[name].search(text, position)
            if end is None:
                content, after, is_closed = text[position:], -1, False
            else:
                content, after = text[position : end.start()], self._attributes(end.end(), {})
        if name in KEPT and (name != "a" or attributes.get("href", "").startswith("#")):
            self._line += text.count("\n", self._counted, start)
            self._counted = start
            element = Element(name, attributes, content, self._line, self._templates > 0, is_closed)
            self._found.elements.append(element)
        return after

    def _attributes(self, position: int, into: dict[str, str]) -> int:
        """Reads attributes up to the tag's end. Returns the place behind it; -1 if there is none."""
        text, size = self._text, len(self._text)
        while True:
            position = _BETWEEN.match(text, position).end()  # type: ignore[union-attr]
            if position >= size:
                return -1
            if text[position] == ">":
                return position + 1
            named = _ATTRIBUTE.match(text, position)
            name, position = named[0].lower(), named.end()  # type: ignore[index, union-attr]
            behind = _SPACE.match(text, position).end()  # type: ignore[union-attr]
            value = ""
            if text[behind : behind + 1] == "=":
                position = _SPACE.match(text, behind + 1).end()  # type: ignore[union-attr]
                quote = text[position : position + 1]
                if quote in ('"', "'") and quote:
                    end = text.find(quote, position + 1)
                    if end < 0:
                        return -1
                    value, position = text[position + 1 : end], end + 1
                else:
                    plain = _UNQUOTED.match(text, position)
                    value, position = plain[0], plain.end()  # type: ignore[index, union-attr]
            if name not in into and len(into) < MOST_ATTRIBUTES:
                into[name] = unescape(value) if "&" in value else value

    def _keep(self, where: list[str], start: int, end: int) -> None:
        if len(where) >= MOST_TEXTS:
            return
        for word in _TELLING:
            place = self._text.find(word, start, end)
            if place >= 0:
                first = max(start, place - TEXT_SHOWN)
                where.append(unescape(self._text[first : min(end, place + TEXT_SHOWN)]))
                return
