"""The Overview's card of spikes."""

from __future__ import annotations

from typing import Final

from grapevine.analytics.metrics import Filters
from grapevine.analytics.spikes import SpikeView, list_spikes
from grapevine.domain.periods import Period
from grapevine.sites.cache import Site
from grapevine.store.base import Store

MOST: Final = 100
TABLE_ROWS: Final = 3


async def raised(store: Store, site: Site, now: int, period: Period, filters: Filters) -> list[SpikeView]:
    """The spikes of ``period``, the newest first. They are of all of a page's returns, so a filter by channel, source
    or device leaves none."""
    if filters.channel or filters.source or filters.device:
        return []
    return await list_spikes(store, site, now, period, MOST, filters.page)
