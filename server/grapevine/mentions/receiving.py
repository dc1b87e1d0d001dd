"""Takes webmentions (W3C Recommendation, section 3.2): what is checked before a source is read, with one indexed read.

A webmention is stored before it is answered.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from typing import Final
from urllib.parse import urldefrag

from grapevine.domain.periods import Clock
from grapevine.domain.urls import UrlError, origin_of, spelled_url
from grapevine.egress.hosts import host_of
from grapevine.egress.policy import EgressPolicy, EgressRefused
from grapevine.errors import Busy, FieldError, WebmentionRefused
from grapevine.mentions.bounds import FULL_SECONDS, QUEUE
from grapevine.mentions.pages import KnownPage, known_page, shows_page
from grapevine.sites.cache import Site, SiteCache
from grapevine.store.base import Store
from grapevine.store.repositories.webmentions import WebmentionRow, webmention_id

RECEIVED: Final = ("accepted", "repeated", "target", "source", "site-full", "host-full", "server-full")
"""What becomes of webmentions that arrive: new, or known and to be read anew; refused for their target or their source;
one too many of a site, of a source's host, or of this server."""


class WebmentionReceiver:
    """Takes webmentions of the sites that want them. ``egress`` says which addresses a source may have;
    none is on ``own_origins``, those of this server."""

    def __init__(
        self, store: Store, sites: SiteCache, egress: EgressPolicy, clock: Clock, own_origins: Collection[str] = ()
    ) -> None:
        self._store = store
        self._sites = sites
        self._egress = egress
        self._clock = clock
        self._own_origins = own_origins
        self.received = Counter(dict.fromkeys(RECEIVED, 0))

    async def take(self, source: str, target: str) -> bool:
        """Stores a webmention. Returns whether it is new.

        Raises WebmentionRefused, which says whether its source or its target cannot be; Busy where too many wait, and
        StoreError.
        """
        try:
            site, page = await self._page(target)
        except WebmentionRefused:
            self.received["target"] += 1
            raise
        try:
            source = self._source(source, site, page)
        except WebmentionRefused:
            self.received["source"] += 1
            raise
        now = self._clock()
        row = WebmentionRow(
            webmention_id=webmention_id(site.site_id, source, page.url),
            site_id=site.site_id,
            source_url=source,
            source_host=host_of(source),
            target_url=page.url,
            received_at=now,
            next_at=now,
        )
        result = await self._store.webmentions.accept(row, QUEUE)
        self.received[result] += 1
        if result not in ("accepted", "repeated"):
            raise Busy("Too many webmentions wait already; send this one again later.", retry_after=FULL_SECONDS)
        return result == "accepted"

    async def _page(self, target: str) -> tuple[Site, KnownPage]:
        try:
            origin = origin_of(target)
        except UrlError as error:
            raise _refused("target", str(error)) from None
        sites = [site for site in await self._sites.all() if origin in site.origins]
        if not sites:
            raise _refused("target", f"is on {origin}, which is no site of this server")
        for site in sites:
            if site.row.webmention != "on":
                continue
            page = await known_page(self._store.quick, site, target)
            if page is not None:
                return site, page
        if all(site.row.webmention != "on" for site in sites):
            raise _refused("target", f"is on {origin}, which takes no webmentions here")
        raise _refused("target", "is no page that this server knows")

    def _source(self, source: str, site: Site, page: KnownPage) -> str:
        """Returns the address of the source as it is stored."""
        try:
            spelled = spelled_url(urldefrag(source)[0])
            origin = origin_of(spelled)
            self._egress.check(spelled)
        except (UrlError, EgressRefused, ValueError) as error:
            detail = "leads to no public address" if isinstance(error, EgressRefused) else str(error)
            raise _refused("source", detail) from None
        if shows_page(site, spelled, (page.page_id,)):
            raise _refused("source", "is the target itself")
        if origin in site.origins:
            raise _refused("source", f"is on {origin}, the site of the target: its own pages do not mention it")
        if origin in self._own_origins:
            raise _refused("source", f"is on {origin}, this server: its own pages mention nothing")
        return spelled


def _refused(field: str, detail: str) -> WebmentionRefused:
    return WebmentionRefused(f"The {field} {detail}.", errors=(FieldError(field, detail),))
