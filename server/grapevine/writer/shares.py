"""What a batch does to shares: first sights, first reports, first proofs, and how often they were opened.

What is stored of the shares is read first and written back at the end. Nobody else changes them meanwhile: SQLite has
one writer, and elsewhere the batch holds their cascades.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from grapevine.domain.events import ShareReport
from grapevine.store.rows import ShareKey, ShareRow, VisitRow


class ShareChange(NamedTuple):
    """What becomes of one share: ``row`` with what is to be added to it, and what happened for the first time."""

    key: ShareKey
    row: ShareRow
    seen: bool
    reported: bool
    proven: bool

    @property
    def measures(self) -> Iterable[str]:
        """What counts, all of it in the hour of the first sight."""
        named = (("shares", self.seen), ("reported", self.reported), ("proven", self.proven))
        return (measure for measure, happened in named if happened)

    @property
    def worth_writing(self) -> bool:
        """Whether anything is new."""
        return self.seen or self.reported or self.proven or self.row.returns + self.row.self_returns > 0


class Sharing:
    """What one batch says of shares, gathered before anything is decided."""

    def __init__(self) -> None:
        self._reports: dict[ShareKey, tuple[int, int]] = {}
        self._proofs: dict[ShareKey, int] = {}
        self._opened: dict[ShareKey, tuple[int, int]] = {}

    def report(self, key: ShareKey, event: ShareReport, page_id: int) -> bool:
        """Somebody's widget says that this page was shared; False when another report of the batch said so before."""
        return self._reports.setdefault(key, found := (event.at, page_id)) is found

    def landed(self, visits: Iterable[VisitRow]) -> None:
        """New visits, of which those that came through a share open it."""
        for row in visits:
            key = row.opened
            if key is None or row.verdict is not None:
                continue
            returns, self_returns = self._opened.get(key, (0, 0))
            self._opened[key] = (returns + (not row.is_self), self_returns + row.is_self)
            if not row.is_self:
                self._proofs[key] = min(row.at, self._proofs.get(key, row.at))

    @property
    def keys(self) -> list[ShareKey]:
        """The shares that are spoken of, in the order in which all batches write them."""
        return sorted({*self._reports, *self._opened}, key=ShareKey.plain)

    def changes(self, stored: Mapping[ShareKey, ShareRow]) -> list[ShareChange]:
        """What becomes of the shares, given what is stored of them; those that stay as they are left out."""
        found = [self._change(key, stored.get(key)) for key in self.keys]
        return [change for change in found if change.worth_writing]

    def _change(self, key: ShareKey, before: ShareRow | None) -> ShareChange:
        reported_at, page_id = self._reports.get(key, (None, None))
        proven_at = self._proofs.get(key)
        first_at = min((at for at in (reported_at, proven_at) if at is not None), default=None)
        if before is not None and before.first_at is not None:
            first_at = before.first_at
        seen = first_at is not None and (before is None or before.first_at is None)
        reported = reported_at is not None and (before is None or before.reported_at is None)
        proven = proven_at is not None and (before is None or before.proven_at is None)
        row = ShareRow(
            *key.plain(), page_id if reported else None, first_at, reported_at if reported else None,
            proven_at if proven else None, *self._opened.get(key, (0, 0)),
        )  # fmt: skip
        return ShareChange(key, row, seen, reported, proven)
