"""``LiveFeed``: opens streams within the bounds, and ends them when the key, the site or the server goes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Collection
from contextlib import AsyncExitStack, aclosing, asynccontextmanager

from grapevine.background.periodic import repeated
from grapevine.domain.periods import Clock
from grapevine.errors import Busy, RateLimited, StoreError
from grapevine.live.channel import Channel, Load
from grapevine.live.limits import (
    CHECK_SECONDS,
    HEARTBEAT_SECONDS,
    MOST_PER_KEY,
    MOST_STREAMS,
    RENEW_MS,
    RESERVED_PART,
    RESERVED_STREAMS,
    RETRY_MS,
)
from grapevine.live.pieces import KEY_REVOKED, SHUTTING_DOWN, UNAVAILABLE, Kinds, Reader, event_bytes, heartbeat
from grapevine.live.position import Position
from grapevine.live.watches import Watches
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.rows import KeyRow
from grapevine.telemetry.job_runs import JobRuns

_RETRY_SECONDS = 5


class LiveFeed:
    """All streams of this process. ``find_site`` returns a site by its number, as long as it is there."""

    def __init__(self, store: Store, watches: Watches, find_site: Callable[[int], Site | None], clock: Clock) -> None:
        self._store = store
        self._watches = watches
        self._find_site = find_site
        self._clock = clock
        self._channels: dict[int, Channel] = {}
        self._tasks: dict[int, asyncio.Task[None]] = {}
        self._per_key: Counter[str] = Counter()
        self._per_site: Counter[int] = Counter()
        self._opening = asyncio.Lock()
        self._catching_up = asyncio.Lock()
        self._is_closed = False
        self.refused: Counter[str] = Counter()
        """Refused streams by the name of the bound, since the process started."""

    @property
    def streams(self) -> int:
        """How many streams are open."""
        return self._per_key.total()

    @asynccontextmanager
    async def running(self, jobs: JobRuns) -> AsyncIterator[None]:
        """Renews watches and looks after keys while the block runs; ends all streams at its end."""
        check, renew = jobs.timed("live keys", self._check_keys), jobs.timed("live watches", self._renew)
        async with AsyncExitStack() as stack:
            await stack.enter_async_context(repeated("live keys", CHECK_SECONDS, check))
            await stack.enter_async_context(repeated("live watches", RENEW_MS / 1000, renew))
            try:
                yield
            finally:
                self.close()
                tasks = [*self._tasks.values()]
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

    def enter(self, key: KeyRow, site: Site) -> None:
        """Counts a stream. Raises RateLimited when its key or its site has too many, Busy when the process has."""
        if self._is_closed:
            raise Busy("The server stops; connect again in a moment.", retry_after=1)
        if self._per_key[key.key_id] >= MOST_PER_KEY:
            self.refused["live-streams-of-key"] += 1
            raise RateLimited(
                f"This API key has {MOST_PER_KEY} live streams open, the most there may be; close one of them.",
                retry_after=_RETRY_SECONDS,
            )
        if self.streams >= MOST_STREAMS:
            self.refused["live-streams"] += 1
            raise Busy(
                f"The server has {MOST_STREAMS} live streams open, the most there may be.", retry_after=_RETRY_SECONDS
            )
        reserved = MOST_STREAMS // RESERVED_PART
        if self.streams >= MOST_STREAMS - reserved and self._per_site[site.site_id] >= RESERVED_STREAMS:
            self.refused["live-streams-of-site"] += 1
            raise RateLimited(
                f"Nearly all live streams of the server are open, and the last {reserved} are for sites that have "
                f"fewer than {RESERVED_STREAMS}; this site has {self._per_site[site.site_id]}. Close some of them.",
                retry_after=_RETRY_SECONDS,
            )
        self._per_key[key.key_id] += 1
        self._per_site[site.site_id] += 1

    def leave(self, key: KeyRow, site: Site) -> None:
        """Takes a stream off that ``enter`` counted."""
        self._per_key -= Counter((key.key_id,))  # drops what is none any more
        self._per_site -= Counter((site.site_id,))

    async def prepare(self, site: Site) -> None:
        """Watches a site, before a stream of it begins. Raises StoreError."""
        await self._watches.watch(site.site_id)

    async def _open(self, site: Site) -> Channel:
        """Returns the channel of a site. Raises StoreError."""
        async with self._opening:
            channel = self._channels.get(site.site_id)
            if channel is None:
                channel = Channel(
                    self._store, site.site_id, self._find_site, self._clock, self._load, self._catching_up
                )
                await channel.begin(await self._watches.watch(site.site_id))
                self._channels[site.site_id] = channel
                self._tasks[site.site_id] = asyncio.create_task(channel.run(), name=f"grapevine-live-{site.site_id}")
            return channel

    async def stream(
        self, site: Site, key: KeyRow, kinds: Kinds | None, position: Position | None
    ) -> AsyncGenerator[bytes, None]:
        """Yields the bytes of one stream of a site that is prepared, until it ends."""
        reader, channel = Reader(key.key_id, kinds), None
        yield b"retry: %d\n\n" % RETRY_MS
        try:
            await self._watches.known_everywhere()
            channel = await self._open(site)
            first, goes_on = channel.start(reader, site, position)
            if self._is_closed:
                reader.end(SHUTTING_DOWN)
            yield first
            if goes_on and position is not None:
                async with aclosing(channel.missed(site, reader, position)) as pieces:
                    async for piece in pieces:
                        yield piece.of(kinds)
            async with aclosing(self._following(channel, site, reader)) as following:
                async for some in following:
                    yield some
        except StoreError:
            yield event_bytes("end", UNAVAILABLE)
        finally:
            if channel is not None:
                self._let_go(channel, reader)

    async def _following(self, channel: Channel, site: Site, reader: Reader) -> AsyncGenerator[bytes, None]:
        clock = asyncio.get_running_loop().time
        sent_at = clock()
        while True:
            piece, end = await reader.next()
            if end is not None:
                yield event_bytes("end", end)
                return
            if piece is not None:
                some = piece.of(reader.kinds)
                if not some and clock() - sent_at >= HEARTBEAT_SECONDS:  # only other kinds of events happen
                    some = heartbeat(piece.position)
                if some:
                    yield some
                    sent_at = clock()
            elif reader.position is not None:
                async with aclosing(channel.missed(site, reader, reader.position)) as pieces:
                    async for missed in pieces:
                        yield missed.of(reader.kinds)

    def announced(self, sites: Collection[int]) -> None:
        """Called when a batch was committed that announced something of these sites."""
        for site_id in sites:
            channel = self._channels.get(site_id)
            if channel is not None:
                channel.wake()

    def erased(self) -> None:
        """Called when a visit was erased: what waits for slow readers is read again before they get it."""
        for channel in self._channels.values():
            channel.erased()

    def close(self) -> None:
        """Ends all streams, and opens no other."""
        self._is_closed = True
        for channel in self._channels.values():
            for reader in channel.readers:
                reader.end(SHUTTING_DOWN)

    def _load(self) -> Load:
        return Load(len(self._channels), self.streams)

    def _let_go(self, channel: Channel, reader: Reader) -> None:
        channel.readers.discard(reader)
        site_id = channel.site_id
        if not channel.readers and self._channels.get(site_id) is channel:
            del self._channels[site_id]
            self._tasks.pop(site_id).cancel()

    async def _check_keys(self) -> None:
        """Ends the streams of keys that were revoked, or reach the site no more."""
        for key_id in list(self._per_key):
            key = await self._store.api_keys.key_by_id(key_id)
            for channel in self._channels.values():
                if key is None or not key.reaches(channel.site_id):
                    for reader in channel.readers:
                        if reader.key_id == key_id:
                            reader.end(KEY_REVOKED)

    async def _renew(self) -> None:
        for site_id in list(self._channels):
            await self._watches.watch(site_id)
