"""The feed of one site in this process: one reader of the store for all streams of the site."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import suppress
from typing import Final, NamedTuple

from grapevine.api_schemas.live import LiveGap, LiveStart
from grapevine.config.logging import Seldom
from grapevine.domain.periods import Clock, rfc3339
from grapevine.errors import StoreError
from grapevine.live.events import EventReader
from grapevine.live.limits import (
    CATCH_UP_SECONDS,
    DELIVERIES_PER_SECOND,
    HEARTBEAT_SECONDS,
    LATE_MS,
    PAGE_EVENTS,
    POLL_SECONDS,
    READS_PER_SECOND,
    SHORTEST_PAUSE,
    WINDOW_MS,
    WRITES_PER_SECOND,
)
from grapevine.live.pieces import SITE_DELETED, Piece, Reader, event_bytes, heartbeat
from grapevine.live.position import Position
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.repositories.live import KEPT_MS, LiveBatch

log = logging.getLogger(__name__)
log.addFilter(Seldom())

_ROWS: Final = 25
"""Announcements of a lane that are read at once."""

_TOO_OLD: Final = "What happened since your last event is not kept any more; an export has it."
_TOO_MUCH: Final = "More happened than this feed sends at once; an export has it."


class Load(NamedTuple):
    """How many sites are watched in this process, and by how many readers."""

    channels: int
    readers: int


class LivePage(NamedTuple):
    """Some events in the order in which they are sent, the position behind them, and whether there are more."""

    piece: Piece
    ends: dict[int, int]
    is_last: bool
    events: int
    oldest: int


class Channel:
    """Reads what is announced of a site, and hands it to its readers.

    It knows the numbers of the last announcements that were read, by lane: what readers get from now on is behind
    them. ``load`` says how much this process sends altogether; readers that come back take turns with ``catching_up``.
    """

    def __init__(
        self,
        store: Store,
        site_id: int,
        find_site: Callable[[int], Site | None],
        clock: Clock,
        load: Callable[[], Load],
        catching_up: asyncio.Lock,
    ) -> None:
        self.site_id = site_id
        self.readers: set[Reader] = set()
        self._live = store.live
        self._is_shared = store.shared
        self._events = EventReader(store)
        self._find_site = find_site
        self._catching_up = catching_up
        self._clock = clock
        self._load = load
        self._ends: dict[int, int] = {}
        self._erasures = 0
        self._woken = asyncio.Event()
        self._watched_since = 0

    async def begin(self, watched_since: int) -> None:
        """Begins behind what is announced already, of a site that is watched without a break since then (UTC ms).
        Raises StoreError."""
        self._watched_since = watched_since
        self._ends = _begun(await self._live.ends(self.site_id))

    def wake(self) -> None:
        """Reads as soon as may be: something was announced."""
        self._woken.set()

    def erased(self) -> None:
        """Drops what waits for slow readers, since a visit in it may have been erased."""
        self._erasures += 1
        for reader in self.readers:
            reader.fall_behind()

    async def run(self) -> None:
        """Reads and sends, at once where little happens, until it is cancelled."""
        loop = asyncio.get_running_loop()
        sent_at = loop.time()
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(POLL_SECONDS):
                    await self._woken.wait()
            site = self._find_site(self.site_id)
            if site is None:
                for reader in self.readers:
                    reader.end(SITE_DELETED)
                return
            events = 0
            if self._woken.is_set() or self._is_shared:  # else no other process writes
                self._woken.clear()
                events = await self._try(site)
            if events:
                sent_at = loop.time()
            elif loop.time() - sent_at >= HEARTBEAT_SECONDS:
                sent_at = loop.time()
                self._hand_out(self._heartbeat())
            await asyncio.sleep(self._pause(events))

    async def _try(self, site: Site) -> int:
        """As ``_send_new``, whatever goes wrong: a feed that stops would look like a site without visitors."""
        try:
            return await self._send_new(site)
        except StoreError as error:
            log.warning("the live feed waits for the store: %s", error)
        except Exception:
            log.exception("the live feed could not read what was announced, and leaves it out")
            with suppress(StoreError):
                await self._skip("too-much", self._clock())
                return 0
        await asyncio.sleep(POLL_SECONDS)
        self._woken.set()
        return 0

    async def _skip(self, reason: str, since: int) -> None:
        """Goes on behind everything that is announced by now. Raises StoreError."""
        self._ends |= _begun(await self._live.ends(self.site_id))
        here = Position.of(self._clock(), self._ends)
        self._hand_out(Piece([], here, self._gap(here, since, reason)))

    async def _page(
        self,
        site: Site,
        ends: Mapping[int, int],
        until: Mapping[int, int] | None,
        started: tuple[int, int] | None,
        sent: int,
    ) -> LivePage:
        """Returns the next events behind ``ends``, up to the announcements ``until``; without the first ``sent`` of the
        announcement ``started``. Raises StoreError."""
        at = self._clock()
        newest = await self._live.ends(self.site_id)
        batches, is_last = await self._batches(ends, newest if until is None else until)
        oldest = at - KEPT_MS  # what is older is deleted, and would make ids long
        now = {lane: number for lane, number in ends.items() if lane in newest and number > oldest}
        made = await self._events.read(site, batches)
        written: list[tuple[str, bytes]] = []
        for batch, events in zip(batches, made, strict=True):
            now[batch.lane] = batch.number
            first = sent if (batch.lane, batch.number) == started else 0
            for index, event in enumerate(events[first:], first + 1):
                if event is not None:
                    name, data = event
                    part = 0 if index == len(events) else index
                    written.append((name, event_bytes(name, data, Position.of(at, now, batch.lane, part))))
        return LivePage(
            piece=Piece(written, Position.of(at, now)),
            ends=now,
            is_last=is_last,
            events=sum(len(batch.events) for batch in batches),
            oldest=batches[0].number if batches else at,
        )

    async def missed(self, site: Site, reader: Reader, position: Position) -> AsyncGenerator[Piece, None]:
        """Yields what a reader missed since ``position``; behind that it goes on with what is handed out.

        All readers that come back take turns, since each page reads the store. Yields nothing more once the stream is
        ended, however slowly its client takes the pages: its key may be revoked. Raises StoreError.
        """
        begin, started, sent = position.numbers(), position.started, position.sent
        ends = begin
        is_last = False
        while not is_last:
            reader.hold()
            async with self._catching_up:
                if reader.has_ended:
                    return
                await asyncio.sleep(CATCH_UP_SECONDS if ends is not begin else 0)
                reader.take()  # what is handed out from now on is behind `until`
                until = dict(self._ends)
                page = await self._page(site, ends, until, started, sent)
                if not page.is_last:
                    reader.hold()
            if reader.has_ended:
                return
            ends, is_last, reader.position = page.ends, page.is_last, page.piece.position
            yield page.piece

    def start(self, reader: Reader, site: Site, position: Position | None) -> tuple[bytes, bool]:
        """Lets a reader in. Returns the first events of its stream, and whether it goes on behind ``position``."""
        now = self._clock()
        here = Position.of(now, self._ends)
        self.readers.add(reader)
        if self._find_site(self.site_id) is None:  # ``run`` may have ended the others, and stopped
            reader.end(SITE_DELETED)
        goes_on = position is not None and position.at >= max(self._watched_since, now - WINDOW_MS)
        began = LiveStart(at=rfc3339(now), site=site.key, resumed=goes_on)
        if position is not None and goes_on:
            return event_bytes("start", began), True
        reader.position = here
        first = event_bytes("start", began, here)
        return first if position is None else first + self._gap(here, position.at, "too-old"), False

    async def _send_new(self, site: Site) -> int:
        """Hands out what is new. Returns how many events that were."""
        erasures = self._erasures
        page = await self._page(site, self._ends, None, None, 0)
        if erasures != self._erasures:
            self._woken.set()
            return 0
        if not page.is_last and page.oldest < self._clock() - LATE_MS:
            await self._skip("too-much", page.oldest)
            return page.events
        self._ends = page.ends
        if page.events:
            self._hand_out(page.piece)
        if not page.is_last:
            self._woken.set()
        return page.events

    async def _batches(self, ends: Mapping[int, int], until: Mapping[int, int]) -> tuple[list[LiveBatch], bool]:
        """Returns the next announcements in the order of their numbers, and whether these are all. Raises
        StoreError."""
        found: list[LiveBatch] = []
        are_all, oldest = True, self._clock() - KEPT_MS
        for lane, last in until.items():
            after = ends.get(lane, oldest)
            if after < last:
                some = await self._live.batches_after(self.site_id, lane, after, _ROWS)
                found += [each for each in some if each.number <= last]
                are_all = are_all and (not some or some[-1].number >= last)
        found.sort(key=lambda each: (each.number, each.lane))
        events = 0
        for position, batch in enumerate(found):
            events += len(batch.events)
            if events > PAGE_EVENTS and position:
                return found[:position], False
        return found, are_all

    def _hand_out(self, piece: Piece) -> None:
        for reader in self.readers:
            reader.add(piece)

    def _heartbeat(self) -> Piece:
        here = Position.of(self._clock(), self._ends)
        return Piece([], here, heartbeat(here))

    def _gap(self, here: Position, since: int, reason: str) -> bytes:
        gap = LiveGap(
            since=rfc3339(since),
            at=rfc3339(here.at),
            reason="too-old" if reason == "too-old" else "too-much",
            detail=_TOO_OLD if reason == "too-old" else _TOO_MUCH,
        )
        return event_bytes("gap", gap, here)

    def _pause(self, events: int) -> float:
        """Returns how long to wait before the next read, so that the process stays within its bounds."""
        channels, readers = self._load()
        return max(
            SHORTEST_PAUSE,
            readers / WRITES_PER_SECOND if events else 0.0,
            events * channels / READS_PER_SECOND,
            events * readers / DELIVERIES_PER_SECOND,
        )


def _begun(ends: Mapping[int, int]) -> dict[int, int]:
    """Returns the lanes in which something was announced."""
    return {lane: number for lane, number in ends.items() if number}
