"""Which sites somebody watches, in any process: each writer announces what it stores of these, and nothing else.

A watch is a row that outlives its last reader by some minutes, so that a reader that comes back is given what it
missed. Processes learn of a new one within a second. While nobody watches, all that is done is one more row in a query
that every process sends once a second anyway."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final, NamedTuple

from grapevine.domain.periods import Clock
from grapevine.live.limits import AWARE_SECONDS, RENEW_MS, WATCH_MS
from grapevine.store.repositories.live import KEPT_MS, LiveRepository
from grapevine.writer.announcer import Announcer

_AWARE_PAUSE: Final = 0.1
_FRESH_MS: Final = RENEW_MS // 2
"""A watch that was renewed so lately is not renewed for one more reader."""


class _Watch(NamedTuple):
    """A watch of this process: since when without a break, and when it was renewed (UTC ms)."""

    started_at: int
    renewed_at: int


class Watches:
    """The watches of all processes, and those of this one, ``process``. ``is_shared`` says that there may be others."""

    def __init__(
        self,
        repository: LiveRepository,
        announcer: Announcer,
        clock: Clock,
        process: str,
        *,
        is_shared: bool,
    ) -> None:
        self._repository = repository
        self._announcer = announcer
        self._clock = clock
        self._process = process
        self._is_shared = is_shared
        self._known: frozenset[int] = frozenset()
        self._own: dict[int, _Watch] = {}
        self._version = 0
        self._renew_at = 0
        self._turn = asyncio.Lock()

    async def look(self, versions: Mapping[str, int]) -> None:
        """Learns which sites are watched, if one is or was. Raises StoreError; then what was known goes on."""
        version = versions.get("live", 0)
        if version != self._version or self._known:
            async with self._turn:
                await self._read(version)

    async def watch(self, site_id: int) -> int:
        """Watches a site. Returns since when it is watched without a break (UTC ms). Raises StoreError."""
        now, own = self._clock(), self._own.get(site_id)
        if own is not None and site_id in self._known and now - own.renewed_at < _FRESH_MS:
            return own.started_at
        started_at = await self._repository.watch(site_id, now, now + WATCH_MS)
        self._own[site_id] = _Watch(started_at, now)
        await self.look(await self._repository.versions())
        return started_at

    async def known_everywhere(self) -> None:
        """Waits until each process that stores events knows what is watched, or is taken for dead."""
        if not self._is_shared:
            return
        version = self._version
        deadline = asyncio.get_running_loop().time() + AWARE_SECONDS
        while await self._repository.processes_behind(version, self._clock()):
            if asyncio.get_running_loop().time() >= deadline:
                return
            await asyncio.sleep(_AWARE_PAUSE)

    async def _read(self, version: int) -> None:
        now = self._clock()
        known = frozenset(await self._repository.watches(now))
        # Before the row that says so: what is stored from then on is announced.
        self._announcer.watched = known
        if known and (version != self._version or now >= self._renew_at):
            lanes = self._announcer.lanes
            await self._repository.put_lanes(lanes, self._process, version, now + 2 * WATCH_MS)
            await self._repository.forget_lanes(lanes, dict.fromkeys(known | self._known, now - KEPT_MS))
            self._renew_at = now + RENEW_MS
        self._known, self._version = known, version
        self._own = {site_id: own for site_id, own in self._own.items() if site_id in known}
