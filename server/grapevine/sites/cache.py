"""In-memory cache of the sites and their tokens for the request path, at most a second old."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Final, Protocol

from grapevine.domain import ids
from grapevine.domain.enums import CONVERSION_REPORTERS
from grapevine.domain.periods import Clock
from grapevine.domain.tokens import Token, TokenError, Tokens, parse
from grapevine.domain.urls import Page, page_of
from grapevine.errors import StoreError
from grapevine.store.rows import SiteRow

log = logging.getLogger(__name__)

_FRESH_MS = 1_000
_LOOK_SECONDS = 0.5
_KEYS_AT_ONCE = 200
_PAGES_CACHED: Final = 8_192


class Site:
    """One site: its row, and its tokens.

    Conversions of reporters with a code below ``least_reporter`` have no value: with ``values=keys`` those of pages.
    """

    def __init__(self, row: SiteRow, keys: Sequence[bytes]) -> None:
        self.row = row
        self.site_id = row.site_id
        self.key = row.key
        self.origins = frozenset(row.origins)
        self.least_reporter = CONVERSION_REPORTERS["key" if row.counted_values == "keys" else "page"]
        self.kept_query = None if row.query == "*" else frozenset(row.query.split())
        self.keep = frozenset(row.keep.split())
        self.spread = ids.spread_of_site(row.site_id, row.cells)
        self.tokens = Tokens(keys, bytes.fromhex(row.salt))

    def page(self, url: str) -> Page:
        """Returns the page that ``url`` shows. Raises UrlError when it cannot be a page of this site."""
        return _page(self, url)

    def use_keys(self, keys: Sequence[bytes]) -> None:
        """Reads and mints its tokens with these keys from now on."""
        self.tokens = Tokens(keys, bytes.fromhex(self.row.salt))


@lru_cache(maxsize=_PAGES_CACHED)
def _page(site: Site, url: str) -> Page:
    # A site is hashed by its identity, which costs less than hashing what tells its pages apart.
    return page_of(site.site_id, url, site.origins, site.row.param, site.kept_query, site.keep)


class SiteSource(Protocol):
    """Where sites are kept (the store's ``SiteRepository``)."""

    async def version(self) -> int:
        """A number that rises with every change of sites."""
        ...

    async def sites_after(self, site_id: int) -> list[SiteRow]:
        """The next sites behind one, oldest first, with their origins; none behind the last."""
        ...


class _Sites:
    """The sites at one moment: by public key, by number, and those of which a token of a cell may be."""

    def __init__(self) -> None:
        self.by_key: dict[str, Site] = {}
        self.by_id: dict[int, Site] = {}
        self.everywhere: list[Site] = []
        self.by_cell: dict[int, list[Site]] = {}

    def add(self, site: Site) -> None:
        self.by_key[site.key] = site
        self.by_id[site.site_id] = site
        if site.spread >= ids.CELLS:
            self.everywhere.append(site)
            return
        for number in range(site.spread):
            self.by_cell.setdefault(ids.cell_of_site(site.site_id, site.spread, number), []).append(site)


class SiteCache:
    """All sites by public key and by number."""

    def __init__(self, source: SiteSource, keys: Sequence[bytes], clock: Clock) -> None:
        self._source = source
        self._keys = keys
        self._clock = clock
        self._version = -1
        self._checked_at = -_FRESH_MS
        self._sites = _Sites()
        self._looking = asyncio.Lock()

    def is_fresh(self, at: int) -> bool:
        """Whether the last refresh was less than a second before ``at``, so ``known`` and ``signer`` are current."""
        return self._version >= 0 and abs(at - self._checked_at) < _FRESH_MS

    @property
    def version(self) -> int:
        """Rises whenever a site has changed."""
        return self._version

    async def watch(self) -> None:
        """Refreshes twice a second, so that requests hardly ever have to."""
        away = False
        while True:
            await asyncio.sleep(_LOOK_SECONDS)
            try:
                await self._look()
                if away:
                    log.info("the sites can be read again")
                away = False
            except StoreError as error:
                if not away:
                    log.error("the sites cannot be read, and stay as they were: %s", error)
                away = True

    def known(self, key: str) -> Site | None:
        """The site with this public key, as of the last refresh."""
        return self._sites.by_key.get(key)

    def numbered(self, site_id: int) -> Site | None:
        """The site with this number, as of the last refresh."""
        return self._sites.by_id.get(site_id)

    async def by_key(self, key: str) -> Site | None:
        """The site with this public key, if there is one."""
        await self.refresh()
        return self.known(key)

    async def by_id(self, site_id: int) -> Site | None:
        """The site with this number, if there is one."""
        await self.refresh()
        return self.numbered(site_id)

    async def all(self) -> list[Site]:
        """Returns all sites, oldest first. Raises StoreError when they cannot be read."""
        await self.refresh()
        return list(self._sites.by_id.values())

    async def owner(self, text: str) -> tuple[Site, Token] | None:
        """Returns the site that signed the token ``text``, with its content; None when no site of this server did."""
        await self.refresh()
        return self.signer(text)

    def signer(self, text: str) -> tuple[Site, Token] | None:
        """As ``owner``, as of the last refresh.

        Only the sites are tried that begin cascades in the token's cell (docs/decisions/0032).
        """
        try:
            unverified = parse(text)
        except TokenError:
            return None
        cell = ids.cell_of(unverified.token.visit_id)
        for site in chain(self._sites.everywhere, self._sites.by_cell.get(cell, ())):
            if site.tokens.signed(unverified):
                return site, unverified.token
        return None

    async def use_keys(self, keys: Sequence[bytes]) -> None:
        """Makes all sites accept these keys, and sign with the last one; returns when they do."""
        self._keys = keys
        for number, site in enumerate(list(self._sites.by_id.values()), 1):
            site.use_keys(keys)
            if number % _KEYS_AT_ONCE == 0:
                await asyncio.sleep(0)  # as in ``_look``

    async def refresh(self) -> None:
        """Reads changes once a second; concurrent callers share one refresh.

        While the store cannot be read, the cached sites stay as they are, and requests do not wait for it.
        """
        if self.is_fresh(self._clock()):
            return
        async with self._looking:
            if self.is_fresh(self._clock()):
                return
            if self._version < 0:
                await self._look()
                return
            try:
                async with asyncio.timeout(_LOOK_SECONDS):
                    await self._look()
            except (StoreError, TimeoutError):  # ``watch`` says so in the log
                self._checked_at = self._clock()

    async def reload(self) -> None:
        """Reads what has changed up to now, for those who change sites and see to that it holds. Raises StoreError."""
        async with self._looking:
            await self._look()

    async def _look(self) -> None:
        self._checked_at = self._clock()
        version = await self._source.version()
        if version == self._version:
            return
        sites, known, keys, last = _Sites(), self._sites.by_id, self._keys, 0
        while rows := await self._source.sites_after(last):
            for row in rows:
                before = known.get(row.site_id)
                sites.add(before if before is not None and before.row == row else Site(row, keys))
            last = rows[-1].site_id
            await asyncio.sleep(0)  # thousands of sites must not hold up the requests of this process
        if keys is not self._keys:  # ``use_keys`` was called meanwhile
            for site in sites.by_id.values():
                site.use_keys(self._keys)
        self._sites = sites
        self._version = version
