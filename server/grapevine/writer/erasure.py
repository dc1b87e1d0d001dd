"""Erases visits: what a visit was and did goes, its position in the tree stays (docs/erasure.md).

One transaction erases one visit, with the locks that a batch takes: its cascade, its sharer, itself. So a batch finds
it either whole or erased. Afterwards every number is as if it had never come, and what grew below it counts as before.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from functools import partial
from typing import Final

from grapevine.domain import ids
from grapevine.errors import Interrupted
from grapevine.store.repositories.erasures import VisitFacts
from grapevine.store.repositories.verdicts import CascadeKey
from grapevine.store.rows import PageRow, ShareKey, VisitRow
from grapevine.store.write_batch import Batch
from grapevine.writer.bursts import VisitorDay
from grapevine.writer.counts import CountDeltas
from grapevine.writer.nonces import GUARD_CONVERSION, GUARD_VISITOR
from grapevine.writer.recorder import EventRecorder
from grapevine.writer.removal import add_share, without_returns
from grapevine.writer.unused_pages import delete_unused_pages

_ONE_VIEW: Final = 2


class Erased(StrEnum):
    """What an erasure found: a visit, the stub of one that was erased before, or nothing."""

    NOW = "now"
    BEFORE = "before"
    UNKNOWN = "unknown"


class Erasure:
    """The erasure of one visit, ``found`` before it was locked.

    ``first_visits`` are the first two of its visitor on that day that count, itself included where it is one. They are
    read before the transaction, since all visits of a day have to be looked through for them. ``now`` is the time in
    UTC milliseconds.
    """

    def __init__(
        self, batch: Batch, recorder: EventRecorder, found: VisitRow, first_visits: Iterable[VisitRow], now: int
    ) -> None:
        self._batch = batch
        self._recorder = recorder
        self._found = found
        self._others = sorted((row for row in first_visits if row.visit_id != found.visit_id), key=_by_time)
        self._now = now
        self._deltas = CountDeltas(recorder.slot)
        self.visitor: VisitorDay | None = None
        """The visitor that is no longer counted on that day."""
        self.pages: list[PageRow] = []
        """The pages that were deleted since nothing names them any more."""

    async def run(self) -> Erased:
        """Erases the visit. Raises Interrupted when what was read before is not so any more."""
        found, opened = self._found, self._found.opened
        sharers = [] if opened is None else [(opened.site_id, opened.visit_id, opened.cell)]
        held = await self._batch.held_visits([(found.site_id, found.visit_id, found.cell), *sharers])
        row = held.get((found.site_id, found.visit_id))
        if row is None or row.is_erased:
            return Erased.UNKNOWN if row is None else Erased.BEFORE
        facts = await self._take_facts(row)
        await self._batch.erasures.make_stub(row)
        if row.verdict is None:
            await self._uncount(row, facts)
            sharer = None if opened is None else held.get((opened.site_id, opened.visit_id))
            if opened is not None and sharer is not None and not sharer.is_erased:
                await self._take_off_share(row, opened, sharer)
        await self._take_off_cascade(row)
        await self._deltas.write(self._batch, [], {})
        pages = {row.page_id, *(share.page_id for share in facts.shares if share.page_id is not None)}
        self.pages += await delete_unused_pages(self._batch, self._recorder, row.site_id, pages, ids.day_at(self._now))
        await self._batch.erasures.announce()
        return Erased.NOW

    async def _take_facts(self, row: VisitRow) -> VisitFacts:
        """Deletes what happened in the visit, and takes it out of the counts."""
        facts = await self._batch.erasures.take_facts(row)
        await self._batch.erasures.forget_visits_of_guards(
            row, GUARD_CONVERSION, (each.event_key for each in facts.conversions)
        )
        await self._batch.erasures.delete_deliveries(row.site_id, [row.visit_id])
        await self._batch.receipts.revoke_naming([(row.site_id, row.visit_id, row.cell)], self._now, "erasure")
        for share in facts.shares:
            add_share(self._deltas, row, share, -1)
            if share.first_at is not None and row.makes_shares:
                self._deltas.cascade(row).shares -= 1
        for app, at in facts.unfurls:
            self._deltas.add_unfurl(row.site_id, app, at, by=-1)
        for each in facts.conversions:
            if each.refunded_key is None:
                self._deltas.add_conversion(row, each.at, by=-1)
        return facts

    async def _uncount(self, row: VisitRow, facts: VisitFacts) -> None:
        """Takes the visit itself out of the counts, each view in its hour."""
        self._deltas.uncount(row, first_of_day=False)
        self._deltas.add_view(row, row.at, by=_ONE_VIEW - row.next_view)
        for hour, views in facts.later_views:
            self._deltas.add_view(row, row.at, by=views)
            self._deltas.add_view(row, hour * ids.HOUR_MS, by=-views)
        if row.visitor is not None:
            await self._uncount_visitor(row, VisitorDay(row.site_id, ids.day_at(row.at), row.visitor))

    async def _uncount_visitor(self, row: VisitRow, visitor: VisitorDay) -> None:
        """A visitor counts once a day, with the first visit that counts: from now on with the next one, if any."""
        first = self._others[0] if self._others else None
        if first is not None:
            stored = await self._batch.visits([(first.site_id, first.visit_id, first.cell)])
            now = stored.get((first.site_id, first.visit_id))
            if now is None or now.is_erased or now.verdict is not None:
                raise Interrupted("another visit of the visitor was erased or judged in the same moment; once more")
        if first is None or _by_time(row) < _by_time(first):
            self._deltas.add_visitor(row, -1)
        if first is None:
            self.visitor = visitor
            self._batch.when_committed(partial(self._recorder.forget, visitor))
            key = visitor.visitor << 16 | visitor.day
            await self._batch.verdicts.forget_guard(visitor.site_id, GUARD_VISITOR, key, visitor.cell)
            await self._batch.verdicts.judged(*visitor)
        elif _by_time(row) < _by_time(first):
            self._deltas.add_visitor(first, 1)

    async def _take_off_share(self, row: VisitRow, key: ShareKey, sharer: VisitRow) -> None:
        """Takes the visit off the share that it came through, which may lose its proof."""
        share = (await self._batch.shares([key])).get(key)
        if share is None:
            return
        if row.is_self:
            left, proven_at, self_returns = share.returns, share.proven_at, share.self_returns - 1
        else:
            left, proven_at, self_returns = share.returns - 1, share.proven_at, share.self_returns
            if left == 0 or (proven_at is not None and row.at <= proven_at):
                returns = await self._batch.verdicts.returns_of_shares([(key, sharer.hangs_on)])
                left, proven_at = returns.get(key, (0, None))
        now = without_returns(share, proven_at, left, self_returns)
        add_share(self._deltas, sharer, share, -1)
        add_share(self._deltas, sharer, now, 1)
        if now.first_at is None and share.first_at is not None and sharer.makes_shares:
            self._deltas.cascade(sharer).shares -= 1
        await self._batch.verdicts.set_shares([(key, now.first_at, now.proven_at, now.returns, now.self_returns)])

    async def _take_off_cascade(self, row: VisitRow) -> None:
        """Takes the visit off the summary of its cascade, which goes when no return is left."""
        key = CascadeKey(row.site_id, row.root, row.cell)
        is_root = row.parent_id is None
        if is_root:
            await self._batch.erasures.forget_root(key)
        if row.verdict is not None or row.is_aside:
            return
        left = await self._batch.erasures.summary(key)
        if left is None:
            return
        if not is_root and (row.depth >= left.max_depth or row.at >= left.last_at):
            left = (await self._batch.verdicts.returns_of_cascades([key])).get(key)
        await self._batch.verdicts.shrink(key, 1, 0, left)


def _by_time(row: VisitRow) -> tuple[int, int]:
    return row.at, row.visit_id
