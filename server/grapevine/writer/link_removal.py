"""Deletes minted links: what is said of them goes, what came through them stays, and their nodes become stubs.

Of a node below which there is nothing no stub is needed: else links that are made and deleted in turns would fill the
store. An arrival locks the node that it comes through, so none is missed.

One transaction deletes some links, each whole or not at all, with the locks that an erasure takes. A node was counted
nowhere; its shares, link previews and conversions were, and are taken back.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from grapevine.domain import ids
from grapevine.domain.enums import SOURCES
from grapevine.store.repositories.links import LinkRow
from grapevine.store.repositories.retention import (
    DeletedConversion,
    DeletedShare,
    DeletedUnfurl,
    VisitKey,
)
from grapevine.store.rows import PageRow, ShareRow, VisitRow
from grapevine.store.write_batch import Batch
from grapevine.writer.counts import CountDeltas
from grapevine.writer.link_names import names_of
from grapevine.writer.nonces import GUARD_CONVERSION, Nonces
from grapevine.writer.recorder import EventRecorder
from grapevine.writer.removal import add_share
from grapevine.writer.unused_pages import delete_unused_pages

LINK: Final = SOURCES["link"]


class LinkRemoval:
    """The deletion of some minted links of one site at ``now`` (UTC milliseconds)."""

    def __init__(self, batch: Batch, recorder: EventRecorder, now: int) -> None:
        self._batch = batch
        self._recorder = recorder
        self._now = now
        self._deltas = CountDeltas(recorder.slot)
        self.pages: list[PageRow] = []
        """The pages that were deleted since nothing names them any more."""

    async def run(self, site_id: int, visit_ids: Sequence[int]) -> list[int]:
        """Deletes those of these links that are there. Returns their ids."""
        held = await self._batch.held_visits([(site_id, visit_id, ids.cell_of(visit_id)) for visit_id in visit_ids])
        nodes = {key: row for key, row in held.items() if row.source == LINK}
        if not nodes:
            return []
        keys = [(row.site_id, row.visit_id, row.cell) for row in nodes.values()]
        shares = await self._take_facts(nodes, keys)
        await self._batch.erasures.delete_deliveries(site_id, [row.visit_id for row in nodes.values()])
        await self._batch.receipts.forget_sharers(keys)
        await self._batch.receipts.forget_visits(keys)
        used = {(share.site_id, share.visit_id, share.cell) for share in shares}
        await self._batch.link_removals.end_nodes(keys, used)
        await self._deltas.write(self._batch, [], {})
        pages = {row.page_id for row in nodes.values()}
        pages |= {share.page_id for share in shares if share.page_id is not None}
        self.pages += await delete_unused_pages(self._batch, self._recorder, site_id, pages, ids.day_at(self._now))
        await remove_links(self._batch, self._recorder.nonces, await self._batch.link_removals.links(keys), self._now)
        await self._batch.erasures.announce()
        return [row.visit_id for row in nodes.values()]

    async def _take_facts(
        self, nodes: Mapping[tuple[int, int], VisitRow], keys: Sequence[VisitKey]
    ) -> list[DeletedShare]:
        """Deletes what happened through the links, and takes it out of the counts. Returns their shares."""
        deletion = self._batch.deletion
        shares, conversions = await deletion.shares(keys), await deletion.conversions(keys)
        self._uncount(nodes, shares, await deletion.unfurls(keys), conversions)
        await deletion.delete_hanging(
            keys,
            sorted(
                (each.site_id, GUARD_CONVERSION, each.event_key, ids.hashed_cell(each.event_key), each.visit_id)
                for each in conversions
            ),
        )
        return shares

    def _uncount(
        self,
        nodes: Mapping[tuple[int, int], VisitRow],
        shares: Sequence[DeletedShare],
        unfurls: Sequence[DeletedUnfurl],
        conversions: Sequence[DeletedConversion],
    ) -> None:
        for share in shares:
            node = nodes[share.site_id, share.visit_id]
            add_share(self._deltas, node, _counted(share), -1)
        for unfurl in unfurls:
            self._deltas.add_unfurl(unfurl.site_id, unfurl.app, unfurl.at, by=-1)
        for conversion in conversions:
            if conversion.refunded_key is None:
                self._deltas.add_conversion(nodes[conversion.site_id, conversion.visit_id], conversion.at, by=-1)


async def remove_links(batch: Batch, nonces: Nonces, links: Sequence[LinkRow], now: int) -> None:
    """Deletes rows of links, whose nodes are locked, with their names and clicks, and frees their words."""
    if links:
        await batch.link_removals.delete(links, names_of(nonces, links), now)


def _counted(share: DeletedShare) -> ShareRow:
    """Returns of a share what counts."""
    return ShareRow(
        site_id=share.site_id,
        visit_id=share.visit_id,
        cell=share.cell,
        channel=share.channel,
        n=share.n,
        page_id=share.page_id,
        first_at=share.first_at,
        reported_at=share.reported_at,
        proven_at=share.proven_at,
        returns=0,
        self_returns=0,
    )
