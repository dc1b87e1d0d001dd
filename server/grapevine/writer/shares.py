"""Shares: first sights, first reports, first proofs, and how often they were opened.

What is stored of the shares is read first and written back at the end. Nothing else changes them in between: SQLite has
one writer, and on PostgreSQL the batch holds the locks of their cascades.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from grapevine.domain.events import ShareReport, Stored, VisitNotFound
from grapevine.store.rows import ShareKey, ShareRow, VisitRow
from grapevine.writer.state import BatchState, share_key


def touched(state: BatchState, visits: Iterable[VisitRow]) -> list[ShareKey]:
    """Returns the shares that ``visits`` open and that the batch reports, in the order in which all batches lock."""
    opened = {key for row in visits if row.verdict is None and (key := row.opened)}
    return sorted(opened.union(key for _, _, key in reports(state)), key=ShareKey.plain)


def change(state: BatchState) -> None:
    """Decides the changes of shares, counts them, and sets the outcomes of reports."""
    updates, indexes = ShareUpdates(), dict[ShareKey, int]()
    updates.open(state.visits)
    for index, _ in state.of(ShareReport):
        state.outcomes[index] = VisitNotFound()
    for index, event, key in reports(state):
        state.outcomes[index] = Stored(duplicate=True)
        if updates.report(key, event.at, _named_page(state, event, key)):
            indexes[key] = index
    for made in updates.changes(state.shares):
        _count(state, made)
        if made.reported:
            state.outcomes[indexes[made.key]] = Stored()
        state.share_rows.append(made.row)


def reports(state: BatchState) -> Iterator[tuple[int, ShareReport, ShareKey]]:
    """Reports of shares of stored visits."""
    for index, event in state.of(ShareReport):
        if (event.site_id, event.token.visit_id) in state.stored:
            yield index, event, share_key(event.site_id, event.token)


def _named_page(state: BatchState, event: ShareReport, key: ShareKey) -> SharedPage:
    """Returns the page that a report names. One beyond the bound of pages has its own URL, or is not named at all."""
    if not state.is_excess(event.page, event.site_id):
        return SharedPage(event.page.page_id, None)
    url = state.share_urls.get(key)
    return SharedPage(None, None) if url is None else SharedPage(state.page_id(event.site_id, event.page), url)


def _count(state: BatchState, change: ShareChange) -> None:
    row, sharer = change.row, state.stored[change.key.site_id, change.key.visit_id]
    for measure in change.measures:
        state.deltas.add_share(sharer, row.channel, row.first_at or 0, measure, page_id=row.page_id)
    if row.page_id is not None and not change.seen:
        state.deltas.move_share(sharer, row.channel, row.page_id)
    if change.seen and sharer.verdict is None:
        state.deltas.cascade(sharer).shares += 1


class SharedPage(NamedTuple):
    """The page of a share: ``page_id`` None where its report names none, ``url`` where it is in no list of pages."""

    page_id: int | None
    url: str | None


class ShareChange(NamedTuple):
    """The change of one share: ``row`` holds the additions to it, the flags what happened for the first time."""

    key: ShareKey
    row: ShareRow
    seen: bool
    reported: bool
    proven: bool

    @property
    def measures(self) -> Iterable[str]:
        """The measures that count, all of them in the hour of the first sight."""
        firsts = (("shares", self.seen), ("reported", self.reported), ("proven", self.proven))
        return (measure for measure, happened in firsts if happened)

    @property
    def worth_writing(self) -> bool:
        """Whether this batch changed the share, so that its row has to be stored."""
        return self.seen or self.reported or self.proven or self.row.returns + self.row.self_returns > 0


class ShareUpdates:
    """The reports and openings of shares in one batch, gathered before anything is decided."""

    def __init__(self) -> None:
        self._reports: dict[ShareKey, tuple[int, SharedPage]] = {}
        self._proofs: dict[ShareKey, int] = {}
        self._opened: dict[ShareKey, tuple[int, int]] = {}

    def report(self, key: ShareKey, at: int, page: SharedPage) -> bool:
        """Adds the report that a page was shared. False when an earlier report of the batch said so."""
        return self._reports.setdefault(key, found := (at, page)) is found

    def open(self, visits: Iterable[VisitRow]) -> None:
        """Adds new visits, of which those that came through a share open it."""
        for row in visits:
            key = row.opened
            if key is None or row.verdict is not None:
                continue
            returns, self_returns = self._opened.get(key, (0, 0))
            self._opened[key] = (returns + (not row.is_self), self_returns + row.is_self)
            if not row.is_self:
                self._proofs[key] = min(row.at, self._proofs.get(key, row.at))

    def changes(self, stored: Mapping[ShareKey, ShareRow]) -> list[ShareChange]:
        """Returns the changes of shares that are stored as ``stored``, in the order in which all batches write them."""
        keys = sorted({*self._reports, *self._opened}, key=ShareKey.plain)
        found = [self._change(key, stored.get(key)) for key in keys]
        return [change for change in found if change.worth_writing]

    def _change(self, key: ShareKey, before: ShareRow | None) -> ShareChange:
        reported_at, page = self._reports.get(key, (None, SharedPage(None, None)))
        proven_at = self._proofs.get(key)
        first_at = min((at for at in (reported_at, proven_at) if at is not None), default=None)
        if before is not None and before.first_at is not None:
            first_at = before.first_at
        seen = first_at is not None and (before is None or before.first_at is None)
        reported = reported_at is not None and (before is None or before.reported_at is None)
        proven = proven_at is not None and (before is None or before.proven_at is None)
        returns, self_returns = self._opened.get(key, (0, 0))
        row = ShareRow(
            site_id=key.site_id,
            visit_id=key.visit_id,
            cell=key.cell,
            channel=key.channel,
            n=key.n,
            page_id=page.page_id if reported else None,
            url=page.url if reported else None,
            first_at=first_at,
            reported_at=reported_at if reported else None,
            proven_at=proven_at if proven else None,
            returns=returns,
            self_returns=self_returns,
        )
        return ShareChange(key=key, row=row, seen=seen, reported=reported, proven=proven)
