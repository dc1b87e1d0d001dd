"""The elements of a page that checks look at, with the comments and texts that may hold our line, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from grapevine.domain.character_references import attribute_text, plain_text
from grapevine.domain.html_tokenizer import Comment, StartTag, Text, html_tokens

KEPT: Final = frozenset("a base iframe input link meta noscript script title".split())
"""Elements that some check looks at; links only those to a place within the page."""
MOST_ELEMENTS: Final = 5_000
MOST_TEXTS: Final = 50
TEXT_SHOWN: Final = 2_000
_TELLING: Final = ("widget", "data-site", "grapevine")
"""A comment or a text without one of these words is not kept."""


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
        found = self._found
        for token in html_tokens(self._text):
            if isinstance(token, Text):
                self._keep(found.texts, token.start, token.end)
            elif isinstance(token, Comment):
                self._keep(found.comments, token.start, token.end)
            elif isinstance(token, StartTag):
                self._element(token)
                if len(found.elements) == MOST_ELEMENTS:
                    return found._replace(is_whole=False)
            elif token.name == "template":
                self._templates = max(0, self._templates - 1)
        return found

    def _element(self, tag: StartTag) -> None:
        text = self._text
        if tag.name == "template":
            self._templates += 1
        if tag.name not in KEPT:
            return
        attributes = {name: attribute_text(text[each.start : each.end]) for name, each in tag.attributes.items()}
        if tag.name == "a" and not attributes.get("href", "").startswith("#"):
            return
        self._line += text.count("\n", self._counted, tag.start)
        self._counted = tag.start
        content = text[tag.end : tag.text_end]
        element = Element(tag.name, attributes, content, self._line, self._templates > 0, tag.is_closed)
        self._found.elements.append(element)

    def _keep(self, where: list[str], start: int, end: int) -> None:
        if len(where) >= MOST_TEXTS:
            return
        for word in _TELLING:
            place = self._text.find(word, start, end)
            if place >= 0:
                first = max(start, place - TEXT_SHOWN)
                where.append(plain_text(self._text[first : min(end, place + TEXT_SHOWN)]))
                return
