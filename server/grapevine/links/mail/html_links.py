"""Finds the links of an HTML mail, those for Outlook in conditional comments included."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from typing import Final, NamedTuple

from grapevine.domain.character_references import attribute_text
from grapevine.domain.html_tokenizer import RAW, Attribute, Comment, EndTag, HtmlToken, StartTag, html_tokens
from grapevine.links.mail.placeholders import COVER

IGNORE: Final = "data-grapevine-ignore"

_RAW: Final = RAW - {"noscript"}
"""Mail programs run no scripts, so they show what a ``noscript`` holds."""
_CONDITION: Final = re.compile(r"\s{0,9}\[if\b[^\]<>]{0,200}\]\s{0,9}>", re.IGNORECASE)
_VOID: Final = frozenset("area base br col embed hr img input link meta source track wbr".split())
_CLOSED_BY_ITSELF: Final = frozenset("a dd dt li option p".split())
"""Elements that end where another one of their name begins."""


class HtmlLink(NamedTuple):
    """A link of a mail: where its address stands, and whether the mail says that it is to be left alone."""

    address: Attribute
    is_ignored: bool


class HtmlLinks(NamedTuple):
    """The links of a mail in their order; ``base`` is where relative addresses start from, empty if nothing says so."""

    links: list[HtmlLink]
    base: str


def finding_links(html: str) -> Generator[None, None, HtmlLinks]:
    """Returns the links of a mail: ``a`` and ``area``, and shapes of VML, which are links in Outlook alone; yields now
    and then."""
    links, base = list[HtmlLink](), ""
    ignoring = _Ignoring()
    for token, is_conditional in _tokens(html):
        yield
        ignoring.pass_by(token)
        if not isinstance(token, StartTag):
            continue
        address, name = _attribute(token, "href"), token.name.rstrip(COVER)
        if address is None:
            continue
        if name in ("a", "area") or name.startswith("v:"):
            links.append(HtmlLink(address, ignoring.is_on or _attribute(token, IGNORE) is not None))
        elif name == "base" and not is_conditional:
            base = base or attribute_text(html[address.start : address.end]).strip()
    return HtmlLinks(links, base)


def _tokens(html: str) -> Iterator[tuple[HtmlToken, bool]]:
    """Yields what a mail holds, with what conditional comments hold in their places, and whether it stands in one."""
    for token in html_tokens(html, raw=_RAW):
        yield token, False
        if isinstance(token, Comment) and (condition := _CONDITION.match(html, token.start, token.end)):
            for each in html_tokens(html, condition.end(), token.end, _RAW):
                yield each, True


def _attribute(tag: StartTag, name: str) -> Attribute | None:
    """Returns an attribute, also where a placeholder stands right before its name or behind it."""
    found = tag.attributes.get(name)
    if found is None and any(COVER in each for each in tag.attributes):
        return next((value for each, value in tag.attributes.items() if each.strip(COVER) == name), None)
    return found


class _Ignoring:
    """Follows an element that is to be left alone, up to its end tag."""

    def __init__(self) -> None:
        self._name = ""
        self._depth = 0

    @property
    def is_on(self) -> bool:
        """Whether the tokens at hand are within such an element."""
        return self._depth > 0

    def pass_by(self, token: HtmlToken) -> None:
        """Takes note of a token."""
        if isinstance(token, StartTag) and token.name not in _VOID:
            if not self._depth and IGNORE in token.attributes:
                self._name, self._depth = token.name, 1
            elif self._depth and token.name == self._name:
                self._depth = int(IGNORE in token.attributes) if token.name in _CLOSED_BY_ITSELF else self._depth + 1
        elif isinstance(token, EndTag) and self._depth and token.name == self._name:
            self._depth -= 1
