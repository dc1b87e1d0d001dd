"""Which addresses an entry of a feed names, and which of them is the entry's own. Pure: no store, no network.

An entry is matched by addresses alone. One that only says a page's title is no mention: titles are not unique.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urldefrag, urlsplit

from grapevine.domain.character_references import attribute_text, plain_text
from grapevine.domain.html_tokenizer import EndTag, StartTag, Text, html_tokens
from grapevine.domain.urls import MAX_LENGTH, UrlError, origin_of, spelled_url
from grapevine.mentions.feeds.reader import MOST_LINKS, Entry
from grapevine.mentions.source_text import source_text

MOST_PAGES: Final = 20
"""Pages of a site that one entry can mention; what names more is a list."""

_URL_IN_TEXT: Final = re.compile(r"https?://[^\s<>\"'\\^`{|}]{1,2048}", re.IGNORECASE)
_BEHIND: Final = ".,;:!?)]}*_…"
_GOOGLE: Final = re.compile(r"www\.google\.[a-z]{2,3}(\.[a-z]{2})?")
_REDIRECTS: Final = {"www.bing.com": ("/news/apiclick.aspx", ("url",)), "out.reddit.com": ("", ("url",))}
_GOOGLE_RULE: Final = ("/url", ("url", "q"))
_NOT_SHOWN: Final = frozenset(("script", "style", "template", "noscript"))


class Named(NamedTuple):
    """What an entry says: ``source``, its own address, spelled as browsers do; title and author as they are stored;
    ``urls``, those of the site that it names."""

    source: str
    title: str | None
    author: str | None
    published_at: int | None
    urls: tuple[str, ...]


def named_by(entry: Entry, origins: frozenset[str]) -> Named | None:
    """Returns what an entry says of a site with these origins; None where it names none of its addresses, or has no
    address of its own elsewhere."""
    source, own = None, dict[str, None]()
    for link in entry.links:
        link = unwrapped(link)
        if _is_on(link, origins):
            own[link] = None
        elif source is None:
            source = _spelled(link)
    if source is None:
        return None
    for address in (*entry.addresses, *_addresses_in(entry.html)):
        if len(own) >= MOST_PAGES:
            break
        address = unwrapped(address)
        if _is_on(address, origins):
            own[address] = None
    if not own:
        return None
    return Named(
        source=source,
        title=source_text(text_of(entry.title)),
        author=source_text(text_of(entry.author)),
        published_at=entry.published_at,
        urls=tuple(own)[:MOST_PAGES],
    )


def unwrapped(url: str) -> str:
    """Returns where an address of a known redirect leads to, as its own query says; any other as it is. Nothing is
    asked."""
    try:
        parts = urlsplit(url)
        host = parts.hostname or ""
        path, names = _GOOGLE_RULE if _GOOGLE.fullmatch(host) else _REDIRECTS.get(host, ("", ()))
        if not names or not parts.query or (path and parts.path != path):
            return url
        query = parse_qs(parts.query, max_num_fields=50)
    except ValueError:
        return url
    for name in names:
        for value in query.get(name, ()):
            if value.startswith(("http://", "https://")) and len(value) <= MAX_LENGTH:
                return value
    return url


def text_of(html: str) -> str:
    """Returns the text of a title or a name that may hold markup and references, as both are found in feeds."""
    if "<" not in html:
        return plain_text(html)
    html, shown, hidden = html[:MAX_LENGTH], list[str](), ""
    for token in html_tokens(html, raw=frozenset()):
        if isinstance(token, Text) and not hidden:
            shown.append(html[token.start : token.end])
        elif isinstance(token, StartTag) and token.name in _NOT_SHOWN:
            hidden = hidden or token.name
        elif isinstance(token, EndTag) and token.name == hidden:
            hidden = ""
    return plain_text("".join(shown))


def _addresses_in(html: str) -> Iterator[str]:
    """The addresses in HTML or plain text: of links, and those that stand in the text."""
    left = MOST_LINKS
    for token in html_tokens(html):
        if left <= 0:
            return
        if isinstance(token, StartTag) and (href := token.attributes.get("href")):
            left -= 1
            yield attribute_text(html[href.start : href.end]).strip()
        elif isinstance(token, Text):
            text = html[token.start : token.end]
            if "://" not in text:
                continue
            for found in _URL_IN_TEXT.finditer(plain_text(text)):
                left -= 1
                yield found[0].rstrip(_BEHIND)
                if left <= 0:
                    return


def _is_on(url: str, origins: frozenset[str]) -> bool:
    try:
        return origin_of(urldefrag(url)[0]) in origins
    except (UrlError, ValueError):
        return False


def _spelled(url: str) -> str | None:
    try:
        return spelled_url(url)
    except (UrlError, ValueError):
        return None
