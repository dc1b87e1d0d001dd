"""Pay-outs: one period is read at a time in a process, since a large one takes seconds, while a few calls wait."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final, NamedTuple

from starlette.requests import Request

from grapevine.errors import CutOff
from grapevine.referrals.answers import Payouts
from grapevine.referrals.payouts import PayoutReading, Question, page_of, read_payouts
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.web.turns import Turns

MOST_AT_ONCE: Final = 4
"""Read or waiting, of all sites."""
RETRY_SECONDS: Final = 5
KEPT_MS: Final = 60_000
"""How long the pages of a list are cut from the reading of the first one."""
MOST_KEPT: Final = 10_000
"""Referrers of a reading that is kept."""


class _Reading(NamedTuple):
    number: int
    name: str
    at: int
    reading: PayoutReading


class PayoutReadings:
    """The pay-outs that are read in this process."""

    def __init__(self, store: Store, clock: Callable[[], int]) -> None:
        self._store = store
        self._clock = clock
        self._turns = Turns(
            MOST_AT_ONCE,
            "Other pay-outs are being computed right now. Try again in a moment.",
            retry_after=RETRY_SECONDS,
        )
        self._begun = 0
        self._last: _Reading | None = None

    @property
    def refused(self) -> int:
        """How many calls found no room, since the process started."""
        return self._turns.refused

    async def page(self, request: Request, site: Site, asked: Question, limit: int, cursor: str | None) -> Payouts:
        """Returns a page of what a programme owes its referrers.

        Raises Invalid for a period that is too large, or a cursor of another question; Busy where too many wait; CutOff
        when the client has left.
        """
        begun, name, after = self._begun, asked.name(site), asked.after(site, cursor)

        async def pause() -> None:
            await asyncio.sleep(0)
            if await request.is_disconnected():
                raise CutOff("The connection ended before the pay-outs were computed.")

        async with self._turns.taken():
            kept = self._kept(name, begun, cursor)
            if kept is None:
                self._begun += 1
                number, at = self._begun, self._clock()
                self._last = None
                kept = await read_payouts(self._store.reads, site, asked, pause)
                if len(kept.whole.referrers) <= MOST_KEPT:
                    self._last = _Reading(number, name, at, kept)
            return await page_of(self._store.reads, site, asked, kept, limit, after, pause)

    def _kept(self, name: str, begun: int, cursor: str | None) -> PayoutReading | None:
        """Returns the last reading where it has the same question, and began after this call, or is what the call goes
        on with."""
        last = self._last
        if last is None or last.name != name:
            return None
        goes_on = cursor is not None and self._clock() - last.at <= KEPT_MS
        return last.reading if last.number > begun or goes_on else None
