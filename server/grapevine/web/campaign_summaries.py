"""Summaries of campaigns: one is read at a time in a process, since a large one takes seconds, while a few wait."""

from __future__ import annotations

import asyncio
from typing import Final, NamedTuple

from starlette.requests import Request

from grapevine.analytics.links import CampaignSummary, campaign_summary
from grapevine.domain.printable import name_text
from grapevine.errors import CutOff
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.web.turns import Turns
from grapevine.writer.link_names import CAMPAIGN, name_key
from grapevine.writer.nonces import Nonces

MOST_AT_ONCE: Final = 4
"""Read or waiting, of all sites. The largest campaign takes some ten seconds of the threads that read the database."""
RETRY_SECONDS: Final = 5


class _Reading(NamedTuple):
    number: int
    site_id: int
    campaign: str
    summary: CampaignSummary


class CampaignSummaries:
    """The summaries that are read in this process."""

    def __init__(self, store: Store, nonces: Nonces) -> None:
        self._store = store
        self._nonces = nonces
        self._turns = Turns(
            MOST_AT_ONCE,
            "Other campaigns are being added up right now. Try again in a moment.",
            retry_after=RETRY_SECONDS,
        )
        self._begun = 0
        self._last: _Reading | None = None

    @property
    def refused(self) -> int:
        """How many summaries found no room, since the process started."""
        return self._turns.refused

    async def read(self, request: Request, site: Site, campaign: str) -> CampaignSummary:
        """Returns what the links of a campaign brought.

        Raises Invalid for a campaign that is too large; Busy where too many wait; CutOff when the client has left.
        """
        begun, campaign = self._begun, name_text(campaign)
        async with self._turns.taken():
            last = self._last
            # Callers that waited share a reading that began after they asked, so none misses what came before.
            if last and last.number > begun and (last.site_id, last.campaign) == (site.site_id, campaign):
                return last.summary
            self._begun += 1
            number = self._begun
            key = name_key(self._nonces, site.site_id, CAMPAIGN, campaign)

            async def pause() -> None:
                await asyncio.sleep(0)
                if await request.is_disconnected():
                    raise CutOff("The connection ended before the campaign was added up.")

            summary = await campaign_summary(self._store, site, campaign, CAMPAIGN, key, pause)
            self._last = _Reading(number, site.site_id, campaign, summary)
            return summary
