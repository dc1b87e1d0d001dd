"""Reads the address of a link as a browser does, and says whether it is one of the site's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from enum import Enum
from typing import Final, NamedTuple
from urllib.parse import quote, urljoin

from grapevine.domain.character_references import attribute_text, references_in
from grapevine.domain.urls import UrlError, origin_of, spelled_url
from grapevine.links.mail.placeholders import COVER, is_torn

# WHATWG URL Standard, 4.4: spaces and control characters around an address are none of it, nor are line ends within.
_AROUND: Final = "".join(map(chr, range(0x21)))
_WITHIN: Final = "\t\n\r"
_NOT_WITHIN: Final = str.maketrans("", "", _WITHIN)
_WITH_HOST: Final = re.compile(r"(?:(https?):[/\\]*|[/\\]{2,})([^/\\?#]*)", re.IGNORECASE)
_WITH_SCHEME: Final = re.compile(r"[a-z][a-z0-9+.-]*:", re.IGNORECASE)
_TO_ESCAPE: Final = re.compile(r"[\x00-\x20\x7f<>\"\ud800-\udfff]")
_MOST_HOSTS: Final = 1_000
"""Of a mail that are looked at closely; of further ones only those are own that are spelled as the site's origins."""


class Whose(Enum):
    """What an address is to the site."""

    OWN = "own"
    ELSEWHERE = "elsewhere"
    TEMPLATE = "template"
    """A mail program writes its scheme or its host, so whose it is shows only then."""


class WrittenUrl(NamedTuple):
    """A URL as browsers read it from an attribute: where each of its characters is written there, and where it ends."""

    url: str
    starts: list[int]
    end: int

    def written_at(self, position: int) -> int:
        """Returns where in the attribute the character at a position of the URL begins."""
        return self.starts[position] if position < len(self.starts) else self.end


class OwnAddresses:
    """Tells the addresses of a site. ``base`` is where relative addresses of the mail start from, or empty."""

    def __init__(self, origins: Iterable[str], base: str) -> None:
        self._origins = frozenset(origins)
        self._known: dict[str, bool] = {}
        found = _WITH_HOST.match(base)
        self._base = base if found and found[1] and self._is_own(found[1], found[2]) else ""
        self._scheme = found[1] if found and found[1] else ""

    def whose(self, value: str) -> Whose:
        """Returns whose address an attribute holds, in which placeholders are covered."""
        url = attribute_text(value).translate(_NOT_WITHIN).strip(_AROUND)
        found = _WITH_HOST.match(url)
        if is_torn(value) or url.startswith(COVER) or (found and COVER in found[2]):
            return Whose.TEMPLATE
        if found:
            is_own = any(self._is_own(each, found[2]) for each in self._schemes(found[1]))
        else:
            is_own = bool(self._base and url and url[0] != "#" and not _WITH_SCHEME.match(url))
        return Whose.OWN if is_own else Whose.ELSEWHERE

    def page(self, url: str) -> str | None:
        """Returns the page of an own address that can be named now; None where a placeholder writes its path.

        Parameters that a placeholder writes are left out.
        """
        path, _, query = url.partition("#")[0].partition("?")
        if COVER in path:
            return None
        query = "&".join(piece for piece in query.split("&") if COVER not in piece)
        page = self._absolute(f"{path}?{query}" if query else path)
        try:
            spelled_url(page)
        except UrlError:
            return None
        return page

    def home(self, url: str) -> str:
        """Returns the home page of the site that an own address is of."""
        found = _WITH_HOST.match(url)
        return self._absolute(f"{found[0]}/" if found else "/")

    def _absolute(self, url: str) -> str:
        path, mark, query = url.partition("?")
        path = path.replace("\\", "/")
        if found := _WITH_HOST.match(path):
            scheme = next(each for each in self._schemes(found[1]) if self._is_own(each, found[2]))
            url = f"{scheme}://{found[2]}{path[found.end() :]}{mark}{query}"
        else:
            url = urljoin(self._base, path + mark + query)
        return _TO_ESCAPE.sub(lambda each: quote(each[0], errors="surrogateescape"), url)

    def _schemes(self, named: str | None) -> tuple[str, ...]:
        if named or self._scheme:
            return ((named or self._scheme).lower(),)
        return ("https", "http")

    def _is_own(self, scheme: str, host: str) -> bool:
        origin = f"{scheme}://{host}".lower()
        known = origin in self._origins or self._known.get(origin)
        if known is None and len(self._known) < _MOST_HOSTS:
            try:
                known = origin_of(origin) in self._origins
            except UrlError:
                known = False
            self._known[origin] = known
        return bool(known)


def written_url(value: str) -> WrittenUrl:
    """Returns the URL that the value of an attribute spells."""
    written = [each for each in _characters(value) if each[0] not in _WITHIN]
    text = "".join(each[0] for each in written)
    first, last = len(text) - len(text.lstrip(_AROUND)), len(text.rstrip(_AROUND))
    kept = written[first:last]
    return WrittenUrl(text[first:last], [start for _, start, _ in kept], kept[-1][2] if kept else 0)


def _characters(value: str) -> Iterator[tuple[str, int, int]]:
    """Yields each character that the value of an attribute means, with where it is written: from and to."""
    position = 0
    for reference in references_in(value):
        yield from ((value[at], at, at + 1) for at in range(position, reference.start))
        yield from ((each, reference.start, reference.end) for each in reference.means)
        position = reference.end
    yield from ((value[at], at, at + 1) for at in range(position, len(value)))
