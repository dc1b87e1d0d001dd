"""The spikes that were raised in a period: pages whose returns rose far above their own rate."""

from __future__ import annotations

import msgspec

from grapevine.analytics.models.spike_detection import CALM_MS
from grapevine.analytics.pages import named_page
from grapevine.domain.periods import Period, rfc3339
from grapevine.sites.cache import Site
from grapevine.store.base import Store


class SpikeView(msgspec.Struct, frozen=True):
    """A page whose returns rose far above their own rate."""

    page: str
    """The URL of the page; empty when it is not known any more."""
    at: str
    """When the spike was raised."""
    last_at: str
    """When it was last seen."""
    over: bool
    """Whether a day has passed without it."""
    returns: int
    """Returns in the 60 minutes before it was raised."""
    expected: float
    """How many were expected in them."""
    peak: int
    """Returns in the 60 minutes with the most of them."""


async def list_spikes(
    store: Store, site: Site, now: int, period: Period, limit: int, page: str | None = None
) -> list[SpikeView]:
    """The newest ``limit`` spikes of ``period``, the newest first; with ``page`` those among them that are that page's.
    ``now`` in UTC milliseconds."""
    rows = await store.spikes.raised(site.site_id, period.start, period.end, limit)
    if page is not None:
        wanted = await named_page(store.reads, site, page)
        rows = [row for row in rows if row.page_id == wanted]
    known = await store.reads.pages.urls(site.site_id, [row.page_id for row in rows])
    return [
        SpikeView(
            page=known.get(row.page_id, ""),
            at=rfc3339(row.started_at),
            last_at=rfc3339(row.last_at),
            over=now - row.last_at >= CALM_MS,
            returns=row.returns,
            expected=round(row.expected, 2),
            peak=row.peak,
        )
        for row in rows
    ]
