"""The spikes that were raised in a period: pages whose returns rose far above their own rate."""

from __future__ import annotations

from typing import Final, NamedTuple

import msgspec

from grapevine.analytics.models.spike_detection import CALM_MS
from grapevine.analytics.pages import named_page
from grapevine.domain import cursors
from grapevine.domain.periods import Period, rfc3339
from grapevine.sites.cache import Site
from grapevine.store.base import Store

MOST_SPIKES: Final = 1_000


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


class ListedSpikes(NamedTuple):
    """Some spikes; ``next`` is the cursor of older ones, None after the oldest."""

    spikes: list[SpikeView]
    next: str | None


class _Position(NamedTuple):
    """Behind which spike a page begins."""

    started_at: cursors.Number
    page_id: cursors.Number


async def list_spikes(
    store: Store,
    site: Site,
    now: int,
    period: Period,
    limit: int = 100,
    page: str | None = None,
    cursor: str | None = None,
) -> ListedSpikes:
    """The spikes of ``period``, the newest first, ``limit`` (1…1000) at a time; with ``page`` those of that page alone.
    ``now`` in UTC milliseconds. Raises Invalid for a limit outside its bounds, or a cursor of another list."""
    cursors.check_limit(limit, MOST_SPIKES)
    asked = cursors.question("spikes", site.key, page)
    behind = {} if cursor is None else _behind(cursors.read(cursor, asked, _Position))
    wanted = None if page is None else await named_page(store.reads, site, page)
    found = await store.spikes.raised(site.site_id, period.start, period.end, limit + 1, wanted, **behind)
    rows = found[:limit]
    known = await store.reads.pages.urls(site.site_id, [row.page_id for row in rows])
    spikes = [
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
    more = len(found) > limit
    return ListedSpikes(
        spikes, cursors.written(asked, _Position(rows[-1].started_at, rows[-1].page_id)) if more else None
    )


def _behind(position: _Position) -> dict[str, int]:
    return {"before": position.started_at, "after_page": position.page_id}
