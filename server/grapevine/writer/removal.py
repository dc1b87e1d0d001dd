"""Takes visits out of everything that counts, in one transaction: counts, returns and proofs of shares, cascades."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import Final

from grapevine.store.repositories.verdicts import CascadeKey
from grapevine.store.rows import ShareKey, ShareRow, VisitRow
from grapevine.store.write_batch import Batch
from grapevine.writer.bursts import VisitorDay
from grapevine.writer.counts import CountDeltas
from grapevine.writer.nonces import GUARD_VISITOR
from grapevine.writer.recorder import EventRecorder

_ONE_VIEW: Final = 2
_SEEN: Final = (("shares", "first_at"), ("reported", "reported_at"), ("proven", "proven_at"))


class Removal:
    """The removal of some visits. Afterwards every count is as if they had never come; their rows stay, marked.

    A receipt names none of them: nothing happened in them, so that they led to no conversion.
    """

    def __init__(self, batch: Batch, recorder: EventRecorder) -> None:
        self._batch = batch
        self._recorder = recorder
        self._deltas = CountDeltas(recorder.slot)
        self._stored: dict[tuple[int, int], VisitRow] = {}

    async def hold(self, visits: Sequence[VisitRow]) -> list[VisitRow]:
        """Locks ``visits``, their sharers and cascades. Returns those that still show nothing but one page view."""
        keys = [(row.site_id, row.visit_id, row.cell) for row in visits]
        sharers = [(key.site_id, key.visit_id, key.cell) for row in visits if (key := row.opened)]
        self._stored = await self._batch.held_visits(dict.fromkeys([*keys, *sharers]))
        held = [self._stored[site_id, visit_id] for site_id, visit_id, _ in keys if (site_id, visit_id) in self._stored]
        active = await self._batch.verdicts.with_activity(held)
        return [row for row in held if _is_silent(row) and row.visit_id not in active]

    async def forget_visitor(self, visitor: VisitorDay) -> bool:
        """Removes the guard that counts a visitor once a day. Returns whether the visitor was counted."""
        key = visitor.visitor << 16 | visitor.day
        self._batch.when_committed(partial(self._recorder.forget, visitor))
        return await self._batch.verdicts.forget_guard(visitor.site_id, GUARD_VISITOR, key, visitor.cell)

    async def take_out(self, visits: Sequence[VisitRow], verdict: int, firsts: Collection[int], flag: int = 0) -> None:
        """Stores the verdict on ``visits``, which ``hold`` returned, and takes back what they counted; those with ids
        in ``firsts`` counted their visitor. ``flag`` is ``OPENED_ONCE`` where a sign of life may take it back."""
        opened = {row.visit_id: key for row in visits if (key := row.opened)}
        for row in visits:
            self._deltas.uncount(row, first_of_day=row.visit_id in firsts)
        await self._batch.verdicts.set(visits, verdict, flag)
        sharers = {key: found for key in opened.values() if (found := self._stored.get((key.site_id, key.visit_id)))}
        gone = await self._shares(sharers)
        await self._cascades(visits, gone)
        await self._deltas.write(self._batch, [], {})

    async def _shares(self, sharers: Mapping[ShareKey, VisitRow]) -> dict[CascadeKey, int]:
        """Writes shares as they are without the visits taken out. Returns how many of each cascade are gone."""
        before = await self._batch.shares(list(sharers))
        left = await self._batch.verdicts.returns_of_shares((key, sharer.hangs_on) for key, sharer in sharers.items())
        after: dict[ShareKey, ShareRow] = {}
        gone: dict[CascadeKey, int] = {}
        for key, share in before.items():
            returns, proven_at = left.get(key, (0, None))
            after[key] = now = without_returns(share, proven_at, returns, share.self_returns)
            sharer = sharers[key]
            add_share(self._deltas, sharer, share, -1)
            add_share(self._deltas, sharer, now, 1)
            if now.first_at is None and share.first_at is not None and sharer.makes_shares:
                cascade = CascadeKey(sharer.site_id, sharer.root, sharer.cell)
                gone[cascade] = gone.get(cascade, 0) + 1
        await self._batch.verdicts.set_shares(
            (key, row.first_at, row.proven_at, row.returns, row.self_returns) for key, row in after.items()
        )
        return gone

    async def _cascades(self, visits: Iterable[VisitRow], gone: Mapping[CascadeKey, int]) -> None:
        fewer: dict[CascadeKey, int] = {}
        for row in visits:
            cascade = CascadeKey(row.site_id, row.root, row.cell)
            fewer[cascade] = fewer.get(cascade, 0) + 1
        left = await self._batch.verdicts.returns_of_cascades(sorted(fewer))
        for cascade, number in sorted(fewer.items()):
            await self._batch.verdicts.shrink(cascade, number, gone.get(cascade, 0), left.get(cascade))


def _is_silent(row: VisitRow) -> bool:
    """Whether a row shows nothing but one page, opened through a link."""
    return row.verdict is None and row.next_view == _ONE_VIEW and not row.is_aside and not row.is_erased


def add_share(deltas: CountDeltas, sharer: VisitRow, share: ShareRow, by: int) -> None:
    """Counts a whole share, made in the visit ``sharer``; ``by`` is -1 to take it back."""
    if share.first_at is None:
        return
    for measure, column in _SEEN:
        if getattr(share, column) is not None:
            deltas.add_share(sharer, share.channel, share.first_at, measure, by, share.page_id)


def without_returns(share: ShareRow, proven_at: int | None, returns: int, self_returns: int) -> ShareRow:
    """Returns a share that lost some of its returns, and with its last one its proof."""
    times = [at for at in (share.reported_at, proven_at) if at is not None]
    return ShareRow(
        site_id=share.site_id,
        visit_id=share.visit_id,
        cell=share.cell,
        channel=share.channel,
        n=share.n,
        page_id=share.page_id,
        url=share.url,
        first_at=min(times, default=None),
        reported_at=share.reported_at,
        proven_at=proven_at,
        returns=returns,
        self_returns=self_returns,
        reported_by=share.reported_by,
    )
