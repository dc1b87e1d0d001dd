"""Hashes of visitors and networks: tell those of one day apart without identifying them.

A visitor's is a keyed hash of site, network, user agent and language, a network's of site and network, both under a
salt that is new every UTC day and destroyed after 48 hours. Until then yesterday's salt still answers one question: is
this the network and browser that shared the link?
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import Final, Protocol

from grapevine.domain.events import ClickSight
from grapevine.domain.networks import WIDE_SHIFT, network_of, wide_network_of
from grapevine.errors import Interrupted

_NETWORKS_CACHED: Final = 8_192
_PAUSES: Final = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6)
"""Seconds between retries; together about the patience of the writer."""


class SaltSource(Protocol):
    """Where salts are kept, so that all processes share them (the store's ``SaltRepository``)."""

    async def salt(self, kind: str, day: int, fresh: str) -> str:
        """The salt of a kind and day; ``fresh`` becomes it when there is none."""
        ...


class VisitorSalts:
    """The salts of a day and of the one before."""

    def __init__(
        self,
        source: SaltSource,
        random_hex: Callable[[int], str] = secrets.token_hex,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._source = source
        self._random_hex = random_hex
        self._pause = pause
        self._salts: dict[int, bytes] = {}

    def at_hand(self, day: int) -> bool:
        """Whether the salts of that day number and of the day before are in memory."""
        return day in self._salts and day - 1 in self._salts

    def of_day(self, day: int) -> bytes:
        """The salt of a day number. Raises KeyError unless it is at hand."""
        return self._salts[day]

    async def fetch(self, day: int) -> None:
        """Reads the salts of that day and of the day before, and makes those that do not exist yet.

        Retries while the store is interrupted, for about three seconds; then raises StoreError.
        """
        if self.at_hand(day):
            return
        fetched = {needed: bytes.fromhex(await self._fetch_one(needed)) for needed in (day - 1, day)}
        self._salts = {kept: salt for kept, salt in self._salts.items() if abs(kept - day) <= 1} | fetched

    async def _fetch_one(self, day: int) -> str:
        fresh = self._random_hex(32)
        for seconds in _PAUSES:
            try:
                return await self._source.salt("visitor", day, fresh)
            except Interrupted:
                await self._pause(seconds)
        return await self._source.salt("visitor", day, fresh)


def visitor_hash(salt: bytes, site_id: int, network: str, user_agent: str, language: str) -> int:
    """48 signed bits that are the same for one network, agent and language during one day."""
    message = "\0".join((str(site_id), network, user_agent, language)).encode("utf-8", "surrogatepass")
    return int.from_bytes(hashlib.blake2b(message, digest_size=6, key=salt).digest(), "big", signed=True)


@lru_cache(maxsize=_NETWORKS_CACHED)
def network_hash(salt: bytes, site_id: int, address: str) -> int:
    """48 bits that are the same for one network during one day; the upper 24 are the same for one wide network.

    So what comes from a wide network (``network >> WIDE_SHIFT``) is found without a second column.
    """
    wide, narrow = wide_network_of(address), network_of(address)
    return _digest(salt, f"{site_id}\0wide\0{wide}") << WIDE_SHIFT | _digest(salt, f"{site_id}\0network\0{narrow}")


def click_sight(salt: bytes, site_id: int, parameter: str, value: str, visitor: int) -> ClickSight:
    """Two times 64 signed bits: of a click id, and of it and the visitor, both under the salt of a day."""
    message = "\0".join(("click", str(site_id), parameter, value)).encode("utf-8", "surrogatepass")
    key = hashlib.blake2b(message, digest_size=8, key=salt).digest()
    holder = hashlib.blake2b(key + visitor.to_bytes(6, "big", signed=True), digest_size=8, key=salt).digest()
    return ClickSight(int.from_bytes(key, "big", signed=True), int.from_bytes(holder, "big", signed=True))


def _digest(salt: bytes, message: str) -> int:
    digest = hashlib.blake2b(message.encode("utf-8", "surrogatepass"), digest_size=WIDE_SHIFT // 8, key=salt).digest()
    return int.from_bytes(digest, "big")
