"""The pages of reported shares that exceed the bound of pages: a share keeps its own URL, so that its link leads there.

The URL stands in the share's row and in no list, since lists are what a flood of invented pages would spoil.
"""

from __future__ import annotations

from typing import Final

from grapevine.domain import ids
from grapevine.domain.enums import SHARE_REPORTERS
from grapevine.domain.events import ShareReport
from grapevine.store.rows import ShareKey
from grapevine.writer import shares
from grapevine.writer.name_bounds import MOST_SHARE_URLS, SHARE_URL, BoundKey
from grapevine.writer.state import BatchState

_BY_SESSION: Final = SHARE_REPORTERS["session"]


async def choose(state: BatchState) -> None:
    """Decides which shares keep a URL of their own; a report beyond these bounds names no page."""
    if not state.excess_pages:
        return
    reports = dict[ShareKey, ShareReport]()
    for _, event, key in shares.reports(state):
        before = state.shares.get(key)
        if not event.by_session or not state.is_excess(event.page, event.site_id):
            continue
        if before is None or before.reported_at is None or before.reported_by != _BY_SESSION:
            reports.setdefault(key, event)
    if not reports:
        return
    urls = await state.transaction.urls_of_shares(sorted({(key.site_id, key.visit_id, key.cell) for key in reports}))
    by_bound: dict[BoundKey, dict[ShareKey, int]] = {}
    for key, event in reports.items():
        of_visit = urls.setdefault((key.site_id, key.visit_id), set())
        if event.page.url not in of_visit and len(of_visit) >= MOST_SHARE_URLS:
            continue
        of_visit.add(event.page.url)
        day = ids.day_at(event.at)
        by_bound.setdefault(BoundKey(SHARE_URL, key.site_id, day), {})[key] = event.network
    for bound, wanted in by_bound.items():
        excess = await state.shared.bounds.exceeding(bound, wanted, _uncounted, state.new_keys.taken)
        state.share_urls.update((key, reports[key].page.url) for key in wanted if key not in excess)
    for key, event in reports.items():
        if key not in state.share_urls:
            state.deltas.add_bound_hit(event.site_id, SHARE_URL, event.at)


async def _uncounted() -> int:
    """A site has no bound of these, only a network has."""
    return 0
