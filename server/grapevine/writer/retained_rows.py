"""What stays of visits that are deleted: links that lead to their pages, and counts for the comparison by ``doctor``.

A visit's own row counted before the horizon. What hangs on it may have counted after it: a share that was opened a year
later, a conversion that the shop reported the next day.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, TypeVar

from grapevine.domain import channels, ids
from grapevine.domain.enums import DEEPEST, NO_CHANNEL, SHARE_REPORTERS, SOURCES
from grapevine.store.repositories.retention import (
    UNDATED,
    DeletedConversion,
    DeletedCount,
    DeletedShare,
    DeletedUnfurl,
    KeptShare,
)
from grapevine.store.rows import VisitRow

Visits = Mapping[tuple[int, int], VisitRow]

PRINTED: Final = frozenset({channels.CODES["qr"], channels.CODES["print"]})
"""The channels whose links are on paper."""

_LINK: Final = SOURCES["link"]
_SLOT: Final = 0
_MEASURES: Final = ("views", "shares", "reported", "proven", "conversions", "unfurls")
_Key = tuple[int, int, int, int, int, int, int, str, int]
_Hanging = TypeVar("_Hanging", DeletedShare, DeletedConversion)


def kept_shares(shares: Iterable[DeletedShare], unfurls: Iterable[DeletedUnfurl]) -> list[KeptShare]:
    """Returns those of ``shares`` whose short link may be on paper or was used: made through ``qr`` or ``print``, or
    followed by somebody or by a preview robot.

    Shares whose sharer's browser named no page are left out: their links led to the home page before, too.
    """
    followed = {(unfurl.site_id, unfurl.visit_id, unfurl.channel, unfurl.n) for unfurl in unfurls}
    return [
        KeptShare(share.site_id, share.visit_id, share.cell, share.channel, share.n, share.page_id, share.url)
        for share in shares
        if share.page_id is not None
        and share.reported_by in (None, SHARE_REPORTERS["session"])
        and (
            share.channel in PRINTED
            or share.followed
            or (share.site_id, share.visit_id, share.channel, share.n) in followed
        )
    ]


class DeletedCounts:
    """Adds up what deleted rows counted at or after ``since`` (UTC milliseconds), and the totals without a date."""

    def __init__(self, visits: Visits, since: int) -> None:
        self._visits = visits
        self._since = since
        self._sums: dict[_Key, Counter[str]] = {}
        for row in visits.values():
            if row.verdict is None and row.source != _LINK and not row.is_erased:
                self._add(_undated(row.site_id), views=row.next_view - 1)

    def add_shares(self, shares: Iterable[DeletedShare]) -> None:
        """Adds shares as they counted: in the hour in which they were first seen."""
        for share, row in self._of_people(shares):
            if share.first_at is None:
                continue
            page_id = row.page_id if share.page_id is None else share.page_id
            self._add(_undated(row.site_id, share.channel, page_id), shares=1)
            if share.first_at >= self._since:
                self._add(
                    _dated(row, share.channel, share.first_at),
                    shares=1,
                    reported=int(share.reported_at is not None),
                    proven=int(share.proven_at is not None),
                )

    def add_conversions(self, conversions: Iterable[DeletedConversion]) -> None:
        """Adds conversions."""
        for conversion, row in self._of_people(conversions):
            if conversion.at >= self._since and conversion.refunded_key is None:
                channel = NO_CHANNEL if row.channel is None else row.channel
                self._add(_dated(row, channel, conversion.at), conversions=1)

    def add_unfurls(self, unfurls: Iterable[DeletedUnfurl]) -> None:
        """Adds unfurls, which count whoever made the share."""
        for unfurl in unfurls:
            if unfurl.at >= self._since:
                hour = unfurl.at // ids.HOUR_MS
                self._add((unfurl.site_id, hour, 0, NO_CHANNEL, 0, 0, 0, unfurl.app, _SLOT), unfurls=1)

    def rows(self) -> list[DeletedCount]:
        """Returns the sums."""
        return [DeletedCount(*key, *(sums[each] for each in _MEASURES)) for key, sums in sorted(self._sums.items())]

    def _of_people(self, rows: Iterable[_Hanging]) -> Iterator[tuple[_Hanging, VisitRow]]:
        for hanging in rows:
            visit = self._visits[hanging.site_id, hanging.visit_id]
            if visit.verdict is None:
                yield hanging, visit

    def _add(self, key: _Key, **measures: int) -> None:
        self._sums.setdefault(key, Counter()).update(measures)


def _dated(row: VisitRow, channel: int, at: int) -> _Key:
    depth, app = min(row.depth, DEEPEST), row.app or ""
    return (row.site_id, at // ids.HOUR_MS, row.source, channel, depth, row.page_id, row.device, app, _SLOT)


def _undated(site_id: int, channel: int = NO_CHANNEL, page_id: int = 0) -> _Key:
    return (site_id, UNDATED, 0, channel, 0, page_id, 0, "", _SLOT)
