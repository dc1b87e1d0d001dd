"""Reads a source: whether it links to the target, its title and its author (Webmention, section 3.2.2).

HTML is read by its tags: a link in a comment, a script, a template, or an element that is ``hidden`` is none. In JSON a
value has to be the target, in plain text a word. All of it is the text of a stranger, and is passed once.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Mapping
from itertools import islice
from typing import Final, NamedTuple
from urllib.parse import urljoin

import msgspec

from grapevine.domain.character_references import attribute_text, plain_text
from grapevine.domain.html_tokenizer import EndTag, StartTag, Text, html_tokens
from grapevine.domain.urls import MAX_LENGTH
from grapevine.egress.bounded_fetch import FetchedText
from grapevine.mentions.source_text import source_text
from grapevine.mentions.web_encodings import is_web_encoding

IsTarget = Callable[[str], bool]
"""Says whether an absolute address shows the target."""

HTML_TYPES: Final = ("text/html", "application/xhtml+xml")
MOST_LINKS: Final = 5_000
"""Links of a page that are compared with the target."""
MOST_TAGS: Final = 50_000
"""Tags of a page that are looked at; what follows them is not read."""
MOST_VALUES: Final = 100_000
"""Values of a JSON text that are looked at."""
MOST_DEPTH: Final = 2_000
"""Elements that are open at once; what is nested more deeply counts as part of the last of these."""

_ADDRESSES: Final = {
    "a": "href", "area": "href", "img": "src", "video": "src", "audio": "src", "source": "src", "iframe": "src",
    "blockquote": "cite", "q": "cite",
}  # fmt: skip
"""Elements that refer to a page for its readers, and the attribute that does."""
_VOID: Final = frozenset("area base br col embed hr img input link meta param source track wbr".split())
_ENDED_BY_ITSELF: Final = frozenset("dd dt li option p td th tr".split())
"""Elements that end where the next one of the same name begins."""
_CHARSET: Final = re.compile(
    rb"""<meta[^>]{0,200}?charset\s{0,10}=\s{0,10}["']?\s{0,10}([0-9A-Za-z_:.-]{1,40})""", re.IGNORECASE
)
_WORD: Final = re.compile(r"https?://[^\s<>\"')\]}]+", re.IGNORECASE)
_READ_TEXT: Final = 2_000


class SourceFacts(NamedTuple):
    """What a source says: whether it links to the target, and of itself; plain text."""

    links: bool
    title: str | None = None
    author: str | None = None


def read_source(answer: FetchedText, is_target: IsTarget) -> SourceFacts | None:
    """Returns what an answer says; None for a type that is none of HTML, JSON and plain text."""
    kind = answer.media_type or HTML_TYPES[0]
    if kind in HTML_TYPES:
        return _Page(decoded(answer), answer.url, is_target).read()
    if kind == "application/json" or (kind.startswith("application/") and kind.endswith("+json")):
        return SourceFacts(_json_links(answer.body, is_target))
    if kind in ("text/plain", "text/markdown"):
        words = islice((found[0] for found in _WORD.finditer(decoded(answer))), MOST_LINKS)
        return SourceFacts(any(is_target(word) or is_target(word.rstrip(".,;:!?")) for word in words))
    return None


def decoded(answer: FetchedText) -> str:
    """Returns the text of an answer, in the encoding that its header or its first bytes name, else in UTF-8."""
    name = answer.header("content-type").lower().partition("charset=")[2].partition(";")[0].strip().strip("\"'")
    if not name and (found := _CHARSET.search(answer.body, 0, 1_024)):
        name = found[1].decode("ascii").lower()
    try:
        return answer.body.decode(name if is_web_encoding(name) else "utf-8", "replace")
    except LookupError:
        return answer.body.decode("utf-8", "replace")


def _json_links(body: bytes, is_target: IsTarget) -> bool:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return False
    waiting, seen, links = [found], 0, 0
    while waiting and seen < MOST_VALUES and links < MOST_LINKS:
        each = waiting.pop()
        seen += 1
        if isinstance(each, str):
            if each[:8].lower().startswith(("http://", "https://")):
                links += 1
                if is_target(each):
                    return True
        elif isinstance(each, Mapping):
            waiting.extend(each.values())
        elif isinstance(each, list):
            waiting.extend(each)
    return False


class _Element(NamedTuple):
    """An element that is open: whether nothing in it is shown, and whether its text names the author."""

    name: str
    is_hidden: bool
    names_author: bool


class _Page:
    """A page of a stranger, read once from its beginning to its end."""

    def __init__(self, text: str, url: str, is_target: IsTarget) -> None:
        self._text = text
        self._base = url
        self._has_base = False
        self._is_target = is_target
        self._open: list[_Element] = []
        self._names: Counter[str] = Counter()
        self._links = 0
        self._linked = False
        self._found: dict[str, str] = {}
        self._in_author = False
        self._has_learnt = False

    def read(self) -> SourceFacts:
        """Returns what the page says."""
        tags = 0
        for token in html_tokens(self._text):
            if isinstance(token, StartTag | EndTag):
                tags += 1
                if tags > MOST_TAGS or (self._has_learnt and self._is_known):
                    break
                self._has_learnt = False
            if isinstance(token, StartTag):
                self._begin(token)
            elif isinstance(token, EndTag):
                self._end(token.name)
            elif isinstance(token, Text) and self._in_author and not self._is_hidden:
                so_far = self._found["author"]
                if len(so_far) < _READ_TEXT:
                    self._found["author"] = so_far + self._plain(token.start, token.end)
        return SourceFacts(self._linked, self._first("title", "og:title"), self._first("author", "meta"))

    @property
    def _is_known(self) -> bool:
        """Whether nothing that follows could change what the page says."""
        return self._linked and not self._in_author and all(self._first(name) for name in ("title", "author"))

    @property
    def _is_hidden(self) -> bool:
        return bool(self._open) and self._open[-1].is_hidden

    def _first(self, *names: str) -> str | None:
        return next((text for name in names if (text := source_text(self._found.get(name)))), None)

    def _plain(self, start: int, end: int) -> str:
        return plain_text(self._text[start : min(end, start + _READ_TEXT)])

    def _begin(self, tag: StartTag) -> None:
        name, values = tag.name, _Attributes(self._text, tag)
        if name in _ENDED_BY_ITSELF and self._open and self._open[-1].name == name:
            self._end(name)
        hidden = self._is_hidden or name == "template" or values.has("hidden")
        if not hidden:
            self._read_element(tag, values)
        if tag.text_end > tag.end or not tag.is_closed:  # its content is text, and ends with it
            return
        if name not in _VOID and len(self._open) < MOST_DEPTH:
            names_author = not hidden and "author" not in self._found and "p-author" in values.get("class").split()
            if names_author:
                self._found["author"] = ""
                self._in_author = True
            self._open.append(_Element(name, hidden, names_author))
            self._names[name] += 1

    def _end(self, name: str) -> None:
        if not self._names[name]:
            return
        while self._open:
            ended = self._open.pop()
            self._names[ended.name] -= 1
            if ended.names_author:
                self._in_author = False
                self._has_learnt = True
            if ended.name == name:
                return

    def _read_element(self, tag: StartTag, values: _Attributes) -> None:
        name = tag.name
        if name == "base" and not self._has_base and values.has("href"):
            self._has_base = True
            self._base = _joined(self._base, values.get("href")) or self._base
        elif name == "title" and not self._names["svg"]:
            self._has_learnt = "title" not in self._found
            self._found.setdefault("title", self._plain(tag.end, tag.text_end))
        elif name == "meta":
            key = (values.get("name") or values.get("property")).strip().lower()
            if key in ("author", "og:title"):
                self._found.setdefault("meta" if key == "author" else key, values.get("content"))
        attribute = _ADDRESSES.get(name)
        if attribute and not self._linked and self._links < MOST_LINKS and values.has(attribute):
            self._links += 1
            address = _joined(self._base, values.get(attribute))
            self._linked = self._has_learnt = address is not None and self._is_target(address)


class _Attributes:
    """The attributes of a tag, decoded when they are asked for."""

    def __init__(self, text: str, tag: StartTag) -> None:
        self._text = text
        self._attributes = tag.attributes

    def has(self, name: str) -> bool:
        """Returns whether the tag has an attribute."""
        return name in self._attributes

    def get(self, name: str) -> str:
        """Returns the value of an attribute, as much of it as matters; empty where it is not there."""
        found = self._attributes.get(name)
        if found is None:
            return ""
        return attribute_text(self._text[found.start : min(found.end, found.start + 4 * MAX_LENGTH)])


def _joined(base: str, address: str) -> str | None:
    try:
        return urljoin(base, address.strip())
    except ValueError:
        return None
