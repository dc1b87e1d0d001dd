"""Tags the links of an HTML mail that lead to the site, and changes no other character of it."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterable
from html.entities import html5
from typing import Final, NamedTuple

import msgspec

from grapevine.domain.token_urls import insertion, token_in
from grapevine.domain.urls import MAX_LENGTH
from grapevine.links.mail.html_links import HtmlLink, finding_links
from grapevine.links.mail.own_addresses import OwnAddresses, Whose, WrittenUrl, written_url
from grapevine.links.mail.placeholders import COVER, covering
from grapevine.links.mail.schemas import SkippedLinks

MOST_LINKS: Final = 200
"""Own links of one mail."""

_LONGEST_WRITTEN: Final = 8 * MAX_LENGTH
"""Characters of an attribute that may spell a URL of the longest kind."""
_NOT_UNQUOTED: Final = re.compile(r"[\t\n\f\r >\"'`]")


class TooManyLinks(ValueError):
    """A mail with more own links than one may have."""


class UrlRule(msgspec.Struct, frozen=True, kw_only=True):
    """A site's own URLs: on which origins they are, and where a token goes in them (``domain.token_urls``)."""

    origins: frozenset[str]
    param: str
    place: str
    joint: str


class ReadMail(NamedTuple):
    """A mail that was read: ``pieces`` is its text, cut where the token of its link goes.

    ``page`` is the page of its first own link, None where there is none to tag.
    """

    pieces: tuple[str, ...]
    page: str | None
    skipped: SkippedLinks

    @property
    def links(self) -> int:
        """How many links take a token."""
        return len(self.pieces) - 1

    def tagged(self, token: str) -> str:
        """Returns the mail with a token, or what a mail program replaces by one, in each of its own links."""
        return token.join(self.pieces)


def read_mail(html: str, rule: UrlRule, field: str = "") -> ReadMail:
    """Reads a mail. ``field`` is the merge field that will be written in place of tokens, if any.

    Raises TooManyLinks.
    """
    steps = reading_mail(html, rule, field)
    while True:
        try:
            next(steps)
        except StopIteration as end:
            found: ReadMail = end.value
            return found


def reading_mail(html: str, rule: UrlRule, field: str = "") -> Generator[None, None, ReadMail]:
    """Reads a mail as ``read_mail`` does, in steps of some milliseconds at most, between which it yields."""
    return _Reader(html, rule, field).read()


class _Reader:
    def __init__(self, html: str, rule: UrlRule, field: str) -> None:
        self._html = html
        self._covered = ""
        self._rule = rule
        self._field = field
        fields = {field or COVER, COVER}
        self._has_field = [f"{mark}{rule.param}{joint}{each}" for mark in "?&#;" for joint in "=-" for each in fields]
        self._skipped = SkippedLinks()

    def read(self) -> Generator[None, None, ReadMail]:
        self._covered = yield from covering(self._html)
        links, base = yield from finding_links(self._covered)
        own = OwnAddresses(self._rule.origins, base)
        insertions, addresses = dict[int, str](), list[str]()
        for link in links:
            yield
            found = self._url(link, own)
            if found is None:
                continue
            if len(insertions) + self._skipped.tagged >= MOST_LINKS:
                raise TooManyLinks(f"has more than {MOST_LINKS} links to this site")
            position, before = self._insertion(link, found)
            insertions[position] = before
            addresses.append(found.url)
        return ReadMail(tuple(_cut(self._html, insertions)), _page(own, addresses), self._skipped)

    def _url(self, link: HtmlLink, own: OwnAddresses) -> WrittenUrl | None:
        """Returns the URL of a link that takes a token; counts why, where it takes none."""
        skipped = self._skipped
        start, end, quote = link.address
        if end - start > _LONGEST_WRITTEN:
            skipped.unusable += 1
            return None
        value = self._covered[start:end]
        match own.whose(value):
            case Whose.ELSEWHERE:
                skipped.elsewhere += 1
            case Whose.TEMPLATE:
                skipped.template += 1
            case Whose.OWN if link.is_ignored:
                skipped.ignored += 1
            case Whose.OWN:
                spelled = written_url(value)
                if self._has_token(spelled.url, self._html[start:end]):
                    skipped.tagged += 1
                elif len(spelled.url) > MAX_LENGTH or (not quote and _NOT_UNQUOTED.search(self._field)):
                    skipped.unusable += 1
                else:
                    return spelled
        return None

    def _has_token(self, url: str, written: str) -> bool:
        if token_in(url, self._rule.param) is not None:
            return True
        return any(each in text for each in self._has_field for text in (url, written))

    def _insertion(self, link: HtmlLink, spelled: WrittenUrl) -> tuple[int, str]:
        """Returns where in the mail the token of a link goes, and what is written in front of it."""
        rule, start = self._rule, link.address.start
        position, before = insertion(spelled.url, rule.param, rule.place, rule.joint)
        at = start + spelled.written_at(position)
        if before[0] == "&":
            before = f"{self._ampersand(spelled, position, start)}{before[1:]}"
        elif self._html.endswith("&" if before[0] == "#" else "&#", start, at):  # which would begin a reference
            before = f"&#{ord(before[0])};{before[1:]}"
        return at, before

    def _ampersand(self, spelled: WrittenUrl, position: int, start: int) -> str:
        """Returns ``&`` as the URL itself writes it, if it does and if that is safe here."""
        last = spelled.url.rfind("&", 0, position)
        if last >= 0:
            begin, end = spelled.starts[last], spelled.written_at(last + 1)
            written = self._html[start + begin : start + end]
            if written.endswith(";") or (written == "&" and not _begins_reference(self._rule.param)):
                return written
        return "&amp;"


def _begins_reference(param: str) -> bool:
    """Returns whether careless readers could take ``&`` with a parameter for a reference: ``&copy=``."""
    return any(param.startswith(name) for name in html5 if not name.endswith(";"))


def _cut(html: str, insertions: dict[int, str]) -> Iterable[str]:
    done = 0
    for position, before in insertions.items():
        yield f"{html[done:position]}{before}"
        done = position
    yield html[done:]


def _page(own: OwnAddresses, addresses: list[str]) -> str | None:
    """Returns the page of the first own link whose page is known; else the home page of the first one's site."""
    if not addresses:
        return None
    return next(filter(None, map(own.page, addresses)), None) or own.home(addresses[0])
