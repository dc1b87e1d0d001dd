"""Reads RSS (0.9 to 2.0) and Atom (0.3, 1.0) with Python's own expat, in one pass, within bounds.

Feeds are hostile: what lies in them may be written by anybody. A document that declares anything of its own (entities,
attributes with default values) is refused, since expansion costs more than the document is long; nothing is fetched.
Reading ends at ``MOST_ENTRIES``. What is not well-formed ends it as well; entries before that place are kept.
"""

from __future__ import annotations

import codecs
import re
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from html.entities import html5
from typing import Any, Final, NamedTuple
from urllib.parse import urljoin
from xml.parsers import expat

from grapevine.domain import ids
from grapevine.errors import GrapevineError
from grapevine.mentions.web_encodings import is_web_encoding

MOST_ENTRIES: Final = 200
"""Entries of one reading; feeds name the newest first."""
MOST_DEPTH: Final = 100
MOST_LINKS: Final = 1_000
"""Addresses in one entry that are looked at."""

_RSS: Final = (
    "",
    "http://purl.org/rss/1.0/",
    "http://my.netscape.com/rdf/simple/0.9/",
    "http://backend.userland.com/rss2",
)
_ATOM: Final = ("http://www.w3.org/2005/Atom", "http://purl.org/atom/ns#")
_DC: Final = "http://purl.org/dc/elements/1.1/"
_CONTENT: Final = "http://purl.org/rss/1.0/modules/content/"
_XML_BASE: Final = "http://www.w3.org/XML/1998/namespace base"
_ENTRIES: Final = frozenset(f"{space} item".strip() for space in _RSS) | {f"{space} entry" for space in _ATOM}
_RDF: Final = "http://www.w3.org/1999/02/22-rdf-syntax-ns# RDF"
_ROOTS: Final = frozenset(("rss", _RDF, *(f"{each} feed" for each in _ATOM)))
_RELATIONS: Final = ("alternate", "related", "via", "replies")


def _fields() -> dict[str, str]:
    found = {f"{_DC} creator": "author", f"{_DC} date": "published", f"{_CONTENT} encoded": "html"}
    rss = {
        "title": "title", "link": "link", "guid": "guid", "comments": "link", "author": "author",
        "pubDate": "published", "description": "html",
    }  # fmt: skip
    atom = {
        "title": "title", "link": "atom-link", "author": "author", "published": "published", "issued": "published",
        "updated": "updated", "modified": "updated", "summary": "html", "content": "html",
    }  # fmt: skip
    for space in _RSS:
        found |= {f"{space} {name}".strip(): field for name, field in rss.items()}
    for space in _ATOM:
        found |= {f"{space} {name}": field for name, field in atom.items()}
    return found


_FIELDS: Final = _fields()
_MOST_ADDRESS: Final = 8_192
_MOST_KEPT: Final = 4_000_000
"""Characters of all addresses that are kept of one feed: a base makes long ones of short ones."""
_MOST_CHARACTERS: Final = {
    "title": 4_000, "author": 1_000, "published": 100, "updated": 100, "link": _MOST_ADDRESS, "guid": _MOST_ADDRESS,
}  # fmt: skip
_MOST_HTML: Final = 1 << 20

_READ_BY_EXPAT: Final = frozenset(("utf-8", "utf-16", "iso8859-1", "ascii"))
_DECLARED: Final = re.compile(rb"""^\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([A-Za-z0-9._-]{1,40})["']""")
_CHARSET: Final = re.compile(r"""charset\s*=\s*["']?([A-Za-z0-9._-]{1,40})""", re.IGNORECASE)
_LONGEST_DATE: Final = 64
_IN_BRACKETS: Final = re.compile(r"^[^\s()]+@[^\s()]+\s*\(([^()]+)\)$")


class Entry(NamedTuple):
    """One entry: its ``links``, absolute, the one to itself first; ``title`` and ``author`` as they stand there, with
    references and markup; ``published_at`` in UTC milliseconds; ``addresses`` and ``html`` of its content."""

    links: tuple[str, ...]
    title: str
    author: str
    published_at: int | None
    addresses: tuple[str, ...]
    html: str


class FeedText(NamedTuple):
    """The entries, in their order. ``fault`` says why reading ended early; None where it did not."""

    entries: list[Entry]
    fault: str | None


class FeedUnreadable(GrapevineError):
    """Not a feed; the text says why."""


def read_feed(body: bytes, url: str, content_type: str = "") -> FeedText:
    """Returns the entries of a feed that came from ``url``. Raises FeedUnreadable."""
    data, encoding = _decoded(body, content_type)
    reading = _Reading(url)
    parser = reading.parser(encoding)
    fault: str | None = None
    try:
        parser.Parse(data, True)
    except _EnoughRead:
        pass
    except _Refused as error:
        fault = str(error)
    except expat.ExpatError as error:
        fault = f"is no well-formed XML in line {error.lineno}: {expat.ErrorString(error.code)}"
    except (LookupError, UnicodeError, ValueError):
        fault = "is in an encoding that cannot be read"
    if not reading.is_feed:
        raise FeedUnreadable(fault or "is neither RSS nor Atom")
    return FeedText(reading.entries, fault)


def date_at(text: str) -> int | None:
    """Returns the UTC milliseconds of a date as feeds spell it (RFC 822 or RFC 3339); None where it is none."""
    text = text.strip()
    if not text or len(text) > _LONGEST_DATE:
        return None
    for read in (datetime.fromisoformat, parsedate_to_datetime):
        try:
            found = read(text)
            at = round((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp() * 1000)
        except (ValueError, TypeError, IndexError, OverflowError):
            continue
        return at if at > 0 and ids.nameable(at) == at else None
    return None


class _EnoughRead(Exception):
    pass


class _Refused(Exception):
    pass


class _Reading:
    """What expat calls."""

    def __init__(self, url: str) -> None:
        self.entries: list[Entry] = []
        self.is_feed = False
        self._bases = [url]
        self._base_depths = [0]
        self._depth = 0
        self._entry_depth = 0
        self._field = ""
        self._field_depth = 0
        self._size = 0
        self._kept = 0
        self._text: list[str] = []
        self._new_entry()

    def parser(self, encoding: str | None) -> expat.XMLParserType:
        """Returns a parser that calls this."""
        parser = expat.ParserCreate(encoding, " ")
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._characters
        parser.StartDoctypeDeclHandler = self._doctype
        # Entities of HTML that no document declares, such as &nbsp;, are then passed over instead of an error.
        parser.UseForeignDTD(True)
        parser.ExternalEntityRefHandler = lambda *_: 1
        parser.SkippedEntityHandler = self._skipped
        return parser

    def _doctype(self, _name: str, _system: str | None, _public: str | None, has_declarations: int) -> None:
        if has_declarations:
            raise _Refused("declares entities or attributes of its own, which are not read")

    def _skipped(self, name: str, is_parameter: bool) -> None:
        if not is_parameter:
            self._characters(html5.get(f"{name};", ""))

    def _start(self, name: str, attributes: dict[str, Any]) -> None:
        self._depth += 1
        if self._depth > MOST_DEPTH:
            raise _Refused(f"has more than {MOST_DEPTH} elements inside one another")
        if self._depth == 1:
            self.is_feed = name in _ROOTS
            if not self.is_feed:
                raise _Refused("is neither RSS nor Atom")
        base = attributes.get(_XML_BASE)
        if base is not None:
            self._bases.append(_joined(self._bases[-1], base) or self._bases[-1])
            self._base_depths.append(self._depth)
        if not self._entry_depth:
            if name in _ENTRIES:
                self._entry_depth = self._depth
                self._new_entry()
        elif self._depth == self._entry_depth + 1:
            self._start_field(_FIELDS.get(name, ""), attributes)
        elif self._field == "html" and "href" in attributes and len(self._addresses) < MOST_LINKS:
            self._add(self._addresses, attributes["href"])

    def _start_field(self, field: str, attributes: dict[str, Any]) -> None:
        if field == "atom-link":
            relation = attributes.get("rel", "alternate")
            if relation in _RELATIONS:
                self._add(self._links[relation != "alternate"], attributes.get("href", ""))
            field = ""
        elif field == "guid" and attributes.get("isPermaLink", "true") != "true":
            field = ""
        self._field, self._field_depth, self._text, self._size = field, self._depth, [], 0

    def _characters(self, text: str) -> None:
        if self._field and self._size < _MOST_CHARACTERS.get(self._field, _MOST_HTML):
            self._size += len(text)
            self._text.append(text)

    def _end(self, _name: str) -> None:
        if self._field and self._depth == self._field_depth:
            self._end_field("".join(self._text)[: _MOST_CHARACTERS.get(self._field, _MOST_HTML)])
            self._field = ""
        if self._depth == self._entry_depth:
            self._entry_depth = 0
            self._end_entry()
        if self._depth == self._base_depths[-1]:
            self._bases.pop()
            self._base_depths.pop()
        self._depth -= 1

    def _end_field(self, text: str) -> None:
        field = self._field
        if field == "html":
            self._html.append(text)
        elif field in ("link", "guid"):
            self._add(self._links[field == "guid"], text)
        elif not self._single.get(field):
            self._single[field] = text.strip()

    def _end_entry(self) -> None:
        single = self._single
        named = _IN_BRACKETS.match(single.get("author", ""))
        self.entries.append(
            Entry(
                links=tuple(dict.fromkeys(self._links[0] + self._links[1])),
                title=single.get("title", ""),
                author=named[1] if named else single.get("author", ""),
                published_at=date_at(single.get("published") or single.get("updated", "")),
                addresses=tuple(dict.fromkeys(self._addresses)),
                html="\n".join(self._html),
            )
        )
        if len(self.entries) == MOST_ENTRIES:
            raise _EnoughRead

    def _new_entry(self) -> None:
        self._links: tuple[list[str], list[str]] = ([], [])
        self._single: dict[str, str] = {}
        self._addresses: list[str] = []
        self._html: list[str] = []

    def _add(self, into: list[str], address: str) -> None:
        if len(into) >= MOST_LINKS or self._kept >= _MOST_KEPT:
            return
        found = _joined(self._bases[-1], address.strip())
        if found is not None:
            self._kept += len(found)
            into.append(found)


def _joined(base: str, address: str) -> str | None:
    if not address or len(address) > _MOST_ADDRESS:
        return None
    try:
        found = urljoin(base, address)
    except ValueError:
        return None
    return found if len(found) <= _MOST_ADDRESS else None


def _decoded(body: bytes, content_type: str) -> tuple[bytes, str | None]:
    """Returns a body that expat can read, and its encoding; None where the body says it.

    A mark of the byte order says it first, then the header, then the document (RFC 7303, section 3). Blanks before the
    document, which plug-ins of blogs leave there, are taken away.
    """
    if body.startswith(codecs.BOM_UTF8):
        return body.removeprefix(codecs.BOM_UTF8).lstrip(), "utf-8"
    if body.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return body, None
    body = body.lstrip()
    if body.startswith(codecs.BOM_UTF8):
        return body.removeprefix(codecs.BOM_UTF8), "utf-8"
    named = _CHARSET.search(content_type[:200])
    declared = _DECLARED.match(body[:300])
    name = named[1] if named else declared[1].decode() if declared else "utf-8"
    try:
        if not is_web_encoding(name):
            raise FeedUnreadable(f"is in the encoding {name!r}, which is none of the web's")
        codec = codecs.lookup(name).name
        if codec in _READ_BY_EXPAT:
            return body, codec if named else None
        return body.decode(codec, "replace").encode(), "utf-8"
    except (LookupError, UnicodeError, ValueError):
        return body, None
