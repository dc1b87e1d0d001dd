"""Reads the rows that announcements name, and makes events of them.

Rows are read when they are sent, so that a visit that was erased or judged meanwhile is sent to nobody.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec

from grapevine.api_schemas.live import LiveConversion, LiveShare, LiveVia, LiveVisit
from grapevine.domain import channels, enums, ids, money
from grapevine.domain.periods import rfc3339
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.repositories.live import CONVERSION, SHARE, VISIT, LiveBatch, LiveEvent
from grapevine.store.rows import ConversionRow, ShareKey, ShareRow, VisitRow

Made = tuple[str, msgspec.Struct]
"""An event: its name and its data."""


class EventReader:
    """Makes the events of announcements."""

    def __init__(self, store: Store) -> None:
        self._live = store.live
        self._pages = store.quick.pages

    async def read(self, site: Site, batches: Sequence[LiveBatch]) -> list[list[Made | None]]:
        """Returns the events of each batch; None in place of one that nobody may see any more. Raises StoreError."""
        events = [event for batch in batches for event in batch.events]
        shares = await self._live.shares([_share_key(site.site_id, each) for each in events if each.kind == SHARE])
        conversions = await self._live.conversions(
            site.site_id, [(each.visit_id, each.more[0]) for each in events if each.kind == CONVERSION]
        )
        # Last: a visit that is erased in between has lost its facts before, or is found erased.
        visits = await self._live.visits(site.site_id, list(dict.fromkeys(each.visit_id for each in events)))
        people = {key: row for key, row in visits.items() if not row.is_erased and row.verdict is None}
        pages = {row.page_id for row in people.values()} | {
            share.page_id for share in shares.values() if share.page_id is not None
        }
        urls = await self._pages.urls(site.site_id, pages)
        return [[_made(site, each, people, shares, conversions, urls) for each in batch.events] for batch in batches]


def _made(
    site: Site,
    event: LiveEvent,
    visits: Mapping[int, VisitRow],
    shares: Mapping[ShareKey, ShareRow],
    conversions: Mapping[tuple[int, int], ConversionRow],
    urls: Mapping[int, str],
) -> Made | None:
    visit = visits.get(event.visit_id)
    if visit is None:
        return None
    if event.kind == VISIT:
        return _visit(site, visit, urls)
    if event.kind == SHARE:
        share = shares.get(_share_key(site.site_id, event))
        return None if share is None or share.first_at is None else ("share", _share(site, share, visit, urls))
    conversion = conversions.get((event.visit_id, event.more[0]))
    return None if conversion is None else ("conversion", _conversion(site, conversion, visit, urls))


def _share_key(site_id: int, event: LiveEvent) -> ShareKey:
    channel, n = event.more
    return ShareKey(site_id, event.visit_id, ids.cell_of(event.visit_id), channel, n)


def _visit(site: Site, row: VisitRow, urls: Mapping[int, str]) -> Made:
    opened, via = row.opened, None
    if opened is not None:
        via = LiveVia(
            token=site.tokens.mint_one(opened.visit_id, opened.channel, opened.n),
            visit=ids.visit_text(opened.visit_id),
            channel=channels.NAMES[opened.channel],
            n=opened.n,
        )
    data = LiveVisit(
        visit=ids.visit_text(row.visit_id),
        at=rfc3339(row.at),
        url=urls.get(row.page_id),
        source=enums.SOURCE_NAMES[row.source],
        device=enums.DEVICE_NAMES[row.device],
        app=row.app,
        depth=row.depth,
        root=ids.visit_text(row.root),
        parent=None if row.parent_id is None else ids.visit_text(row.parent_id),
        via=via,
        is_self=row.is_self,
    )
    return "visit" if via is None or row.is_self else "return", data


def _share(site: Site, row: ShareRow, sharer: VisitRow, urls: Mapping[int, str]) -> LiveShare:
    page_id = sharer.page_id if row.page_id is None else row.page_id
    return LiveShare(
        visit=ids.visit_text(row.visit_id),
        at=rfc3339(row.first_at or 0),
        url=row.url or urls.get(page_id),
        token=site.tokens.mint_one(row.visit_id, row.channel, row.n),
        channel=channels.NAMES[row.channel],
        n=row.n,
        depth=sharer.depth,
        source=enums.SOURCE_NAMES[sharer.source],
        device=enums.DEVICE_NAMES[sharer.device],
        reported=row.reported_at is not None,
        proven=row.proven_at is not None,
    )


def _conversion(site: Site, row: ConversionRow, visit: VisitRow, urls: Mapping[int, str]) -> LiveConversion:
    valued = row.value is not None and row.reported_by >= site.least_reporter
    return LiveConversion(
        visit=ids.visit_text(row.visit_id),
        at=rfc3339(row.at),
        url=urls.get(visit.page_id),
        goal=row.goal,
        id=row.external_id,
        value=money.decimal(row.value) if valued and row.value is not None else None,
        currency=row.currency if valued else None,
        by=row.said_by,
        source=enums.SOURCE_NAMES[visit.source],
        device=enums.DEVICE_NAMES[visit.device],
        channel=None if visit.channel is None else channels.NAMES[visit.channel],
        depth=visit.depth,
        conversion=ids.key_text(row.event_key),
        refund_of=row.refund_of,
    )
