"""Shares: first sights, first reports, first proofs, and how often they were opened.

What is stored of the shares is read first and written back at the end. Nothing else changes them in between: SQLite has
one writer, and on PostgreSQL the batch holds the locks of their cascades.

Everybody who was sent a link holds its token. So a report with the token alone says that the share happened and nothing
else: it names no page but the one that its visit began on. A report with the session of the visit replaces it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Final, NamedTuple

from grapevine.domain.enums import SHARE_REPORTERS
from grapevine.domain.events import ShareReport, Stored, VisitNotFound
from grapevine.store.rows import ShareKey, ShareRow, VisitRow
from grapevine.writer.state import BatchState, share_key

_BY_TOKEN: Final = SHARE_REPORTERS["token"]
_BY_SESSION: Final = SHARE_REPORTERS["session"]
_UNKNOWN: Final = VisitNotFound()
_REPEAT: Final = Stored(duplicate=True)


def touched(state: BatchState, visits: Iterable[VisitRow]) -> list[ShareKey]:
    """Returns the shares that ``visits`` open and that the batch reports, in the order in which all batches lock."""
    opened = {key for row in visits if row.verdict is None and (key := row.opened)}
    return sorted(opened.union(key for _, _, key in reports(state)), key=ShareKey.plain)


def change(state: BatchState) -> None:
    """Decides the changes of shares, counts them, and sets the outcomes of reports."""
    updates, indexes = ShareUpdates(), dict[ShareKey, int]()
    updates.open((*state.visits, *state.given_back))
    for index, event in state.of(ShareReport):
        if (event.site_id, event.token.visit_id) not in state.stored:
            state.outcomes[index] = _UNKNOWN
            continue
        key = share_key(event.site_id, event.token)
        state.outcomes[index] = _REPEAT
        if updates.report(key, _report(state, event, key)):
            indexes[key] = index
    for made in updates.changes(state.shares):
        _count(state, made)
        if made.reported or made.corrected:
            state.outcomes[indexes[made.key]] = Stored()
        state.share_rows.append(made.row)


def reports(state: BatchState) -> Iterator[tuple[int, ShareReport, ShareKey]]:
    """Reports of shares of stored visits."""
    for index, event in state.of(ShareReport):
        if (event.site_id, event.token.visit_id) in state.stored:
            yield index, event, share_key(event.site_id, event.token)


def _report(state: BatchState, event: ShareReport, key: ShareKey) -> Report:
    """Returns a report with the page that it names. One beyond the bound of pages has its own URL, or is not named."""
    if not event.by_session:
        first_page = state.stored[event.site_id, event.token.visit_id].page_id
        named = event.page.page_id if event.page.page_id == first_page else None
        return Report(at=event.at, by=_BY_TOKEN, page_id=named)
    if not state.is_excess(event.page, event.site_id):
        return Report(at=event.at, by=_BY_SESSION, page_id=event.page.page_id)
    url = state.share_urls.get(key)
    other = None if url is None else state.page_id(event.site_id, event.page)
    return Report(at=event.at, by=_BY_SESSION, page_id=other, url=url)


def _count(state: BatchState, change: ShareChange) -> None:
    row, sharer = change.row, state.stored[change.key.site_id, change.key.visit_id]
    for measure in change.measures:
        state.deltas.add_share(sharer, row.channel, row.first_at or 0, measure, page_id=row.page_id)
    if row.page_id is not None and not change.seen:
        state.deltas.move_share(sharer, row.channel, row.page_id, change.page_before)
    if change.seen and sharer.makes_shares:
        state.deltas.cascade(sharer).shares += 1


class Report(NamedTuple):
    """A report of a share: its time, the code of who sent it, and the page that it names. ``page_id`` is None where it
    names none, ``url`` is given where the page is in no list of pages."""

    at: int
    by: int
    page_id: int | None
    url: str | None = None

    def replaces(self, stored_by: int | None) -> bool:
        """Whether it replaces a stored report that ``stored_by`` (None: somebody before that was kept) sent."""
        return self.by == _BY_SESSION and stored_by != _BY_SESSION


class ShareChange(NamedTuple):
    """The change of one share: ``row`` holds the additions to it, the flags what happened for the first time.

    ``corrected``: the visit's own session now reports what a token alone had reported, with the page ``page_before``.
    """

    key: ShareKey
    row: ShareRow
    seen: bool
    reported: bool
    corrected: bool
    proven: bool
    page_before: int | None

    @property
    def measures(self) -> Iterable[str]:
        """The measures that count, all of them in the hour of the first sight."""
        firsts = (("shares", self.seen), ("reported", self.reported), ("proven", self.proven))
        return (measure for measure, happened in firsts if happened)

    @property
    def worth_writing(self) -> bool:
        """Whether this batch changed the share, so that its row has to be stored."""
        return (
            self.seen or self.reported or self.corrected or self.proven or self.row.returns + self.row.self_returns > 0
        )


class ShareUpdates:
    """The reports and openings of shares in one batch, gathered before anything is decided."""

    def __init__(self) -> None:
        self._reports: dict[ShareKey, Report] = {}
        self._proofs: dict[ShareKey, int] = {}
        self._opened: dict[ShareKey, tuple[int, int]] = {}

    def report(self, key: ShareKey, report: Report) -> bool:
        """Adds the report of a share. Returns False when an earlier report of the batch goes before it."""
        earlier = self._reports.get(key)
        if earlier is not None and earlier.by >= report.by:
            return False
        self._reports[key] = report
        return True

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
        keys = [key for key, report in self._reports.items() if self._may_change(key, report, stored.get(key))]
        keys += [key for key in self._opened if key not in self._reports]
        found = [self._change(key, stored.get(key)) for key in sorted(keys, key=ShareKey.plain)]
        return [change for change in found if change.worth_writing]

    def _may_change(self, key: ShareKey, report: Report, before: ShareRow | None) -> bool:
        """Returns False for a report that repeats what is stored: most reports do, and need no row to be seen so."""
        return (
            before is None
            or before.first_at is None
            or before.reported_at is None
            or report.replaces(before.reported_by)
            or key in self._opened
        )

    def _change(self, key: ShareKey, before: ShareRow | None) -> ShareChange:
        report = self._reports.get(key)
        reported_at = None if report is None else report.at
        proven_at = self._proofs.get(key)
        first_at = min((at for at in (reported_at, proven_at) if at is not None), default=None)
        if before is not None and before.first_at is not None:
            first_at = before.first_at
        seen = first_at is not None and (before is None or before.first_at is None)
        reported = reported_at is not None and (before is None or before.reported_at is None)
        corrected = not reported and report is not None and before is not None and report.replaces(before.reported_by)
        said = report if reported or corrected else None
        proven = proven_at is not None and (before is None or before.proven_at is None)
        returns, self_returns = self._opened.get(key, (0, 0))
        row = ShareRow(
            site_id=key.site_id,
            visit_id=key.visit_id,
            cell=key.cell,
            channel=key.channel,
            n=key.n,
            page_id=None if said is None else said.page_id,
            url=None if said is None else said.url,
            first_at=first_at,
            reported_at=reported_at if reported else None,
            proven_at=proven_at if proven else None,
            returns=returns,
            self_returns=self_returns,
            reported_by=None if said is None else said.by,
        )
        return ShareChange(
            key=key,
            row=row,
            seen=seen,
            reported=reported,
            corrected=corrected,
            proven=proven,
            page_before=None if before is None else before.page_id,
        )
