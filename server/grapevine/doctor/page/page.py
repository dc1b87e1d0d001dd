"""A page as it was fetched and read."""

from __future__ import annotations

import re
from functools import cached_property
from typing import Final
from urllib.parse import urldefrag, urljoin, urlsplit

from grapevine.doctor.page.fetch import Fetched
from grapevine.doctor.page.markup import Element, Markup, read_markup
from grapevine.domain.urls import MAX_LENGTH, UrlError, origin_of

# Python knows codecs that no page is written in, some of them slow; these are the web's usual ones.
_CHARSETS: Final = frozenset(
    "utf-8 utf-16 utf-16le utf-16be iso-8859-1 iso-8859-2 iso-8859-15 windows-1250 windows-1251 windows-1252 "
    "windows-1253 windows-1254 windows-1255 windows-1256 koi8-r shift_jis euc-jp gb2312 gbk gb18030 big5 "
    "euc-kr us-ascii".split()
)
_IN_HEADER: Final = re.compile(r"charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_IN_META: Final = re.compile(rb"<meta[^>]{0,200}?charset\s{0,9}=\s{0,9}[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_HEAD_BYTES: Final = 1_024


class CheckedPage:
    """A fetched page: ``url`` is where redirects led to."""

    def __init__(self, fetched: Fetched, markup: Markup) -> None:
        self.fetched = fetched
        self.markup = markup
        self.url = fetched.url
        self.origin = origin_of(fetched.url)

    @cached_property
    def base(self) -> str:
        """The URL that addresses in the page start from."""
        base = next((each.get("href") for each in self.markup.named("base") if each.get("href")), "")
        return self.absolute(base, self.url) or self.url

    def absolute(self, address: str, base: str | None = None) -> str | None:
        """Returns an address of the page as a whole http(s) URL without fragment; None if it is none."""
        if len(address) > MAX_LENGTH:
            return None
        try:
            url = urldefrag(urljoin(self.base if base is None else base, address.strip()))[0]
            origin_of(url)
        except (UrlError, ValueError):
            return None
        return url

    @property
    def scripts(self) -> list[Element]:
        """All scripts in their order."""
        return list(self.markup.named("script"))

    def meta(self, *names: str) -> str:
        """Returns the content of the first ``meta`` with one of these names or properties; empty if there is none."""
        for each in self.markup.named("meta"):
            if (each.get("property") or each.get("name")).lower() in names and each.get("content"):
                return each.get("content")
        return ""

    def equiv(self, name: str) -> list[str]:
        """Returns the contents of every ``<meta http-equiv=…>`` of this name."""
        return [each.get("content") for each in self.markup.named("meta") if each.get("http-equiv").lower() == name]

    @property
    def is_local(self) -> bool:
        """Whether the page itself is on the machine that checks it."""
        return is_local_host(urlsplit(self.url).hostname or "")


def read_page(fetched: Fetched) -> CheckedPage:
    """Returns the page; reads all of its HTML, which may take seconds."""
    return CheckedPage(fetched, read_markup(decoded(fetched)))


def decoded(fetched: Fetched) -> str:
    """Returns the body as text: by the charset of the header, else of the HTML, else as UTF-8."""
    named = _IN_HEADER.search(fetched.header("content-type"))
    charset = named[1].lower() if named else ""
    if not charset and (inside := _IN_META.search(fetched.body[:_HEAD_BYTES])):
        charset = inside[1].decode("ascii", "replace").lower()
    return fetched.body.decode(charset if charset in _CHARSETS else "utf-8", "replace")


def is_local_host(host: str) -> bool:
    """Returns whether a host names the own machine: what stands in the snippet before the server has an address."""
    return host == "localhost" or host.endswith(".localhost") or host.startswith("127.") or host in ("::1", "0.0.0.0")  # noqa: S104
