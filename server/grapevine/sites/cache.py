"""In-memory cache of the sites and their tokens for the request path, at most a second old."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Protocol

from grapevine.domain.periods import Clock
from grapevine.domain.tokens import Token, TokenError, Tokens
from grapevine.errors import StoreError
from grapevine.store.rows import SiteRow

log = logging.getLogger(__name__)

_FRESH_MS = 1_000
_LOOK_SECONDS = 0.5


class Site:
    """One site: its row, and its tokens."""

    def __init__(self, row: SiteRow, keys: Sequence[bytes]) -> None:
        self.row = row
        self.site_id = row.site_id
        self.key = row.key
        self.origins = frozenset(row.origins)
        self.tokens = Tokens(keys, bytes.fromhex(row.salt))
        self.kept_query = None if row.query == "*" else frozenset(row.query.split())


class SiteSource(Protocol):
    """Where sites are kept (the store's ``SiteRepository``)."""

    async def version(self) -> int:
        """A number that rises with every change of sites."""
        ...

    async def sites(self) -> list[SiteRow]:
        """All sites with their origins."""
        ...


class SiteCache:
    """All sites by public key and by number."""

    def __init__(self, source: SiteSource, keys: Sequence[bytes], clock: Clock) -> None:
        self._source = source
        self._keys = keys
        self._clock = clock
        self._version = -1
        self._checked_at = -_FRESH_MS
        self._by_key: dict[str, Site] = {}
        self._by_id: dict[int, Site] = {}
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
        return self._by_key.get(key)

    async def by_key(self, key: str) -> Site | None:
        """The site with this public key, if there is one."""
        await self.refresh()
        return self.known(key)

    async def by_id(self, site_id: int) -> Site | None:
        """The site with this number, if there is one."""
        await self.refresh()
        return self._by_id.get(site_id)

    async def all(self) -> list[Site]:
        """Returns all sites, oldest first. Raises StoreError when they cannot be read."""
        await self.refresh()
        return list(self._by_id.values())

    async def owner(self, text: str) -> tuple[Site, Token] | None:
        """Returns the site that signed the token ``text``, with its content; None when no site of this server did."""
        await self.refresh()
        return self.signer(text)

    def signer(self, text: str) -> tuple[Site, Token] | None:
        """As ``owner``, as of the last refresh."""
        for site in self._by_id.values():
            try:
                return site, site.tokens.read(text)
            except TokenError:
                continue
        return None

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

    async def _look(self) -> None:
        self._checked_at = self._clock()
        version = await self._source.version()
        if version == self._version:
            return
        sites = [Site(row, self._keys) for row in await self._source.sites()]
        self._by_key = {site.key: site for site in sites}
        self._by_id = {site.site_id: site for site in sites}
        self._version = version
