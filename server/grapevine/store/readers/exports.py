"""Whole tables for exports, by keyset pagination: one query a batch, so that no cursor stays open in between."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from datetime import date
from operator import attrgetter
from typing import Any, Final, Generic, NamedTuple, TypeVar

import msgspec

from grapevine.domain import ids
from grapevine.domain.periods import Period
from grapevine.store.answer_rows import AnswerRow
from grapevine.store.query_runner import Runner
from grapevine.store.readers.cascades import CascadeFacts
from grapevine.store.readers.scope import HIGHEST_ID, Scope
from grapevine.store.repositories.links import LinkRow
from grapevine.store.repositories.mentions import ExportMention
from grapevine.store.rows import ConversionRow, ExportVisit, ShareRow

MAX_BATCH: Final = 2_000
"""Rows that a query of ``exports.sql`` returns at most."""

_EVER: Final = 1 << 62
_BEFORE_ALL: Final = -1
_BEFORE_ALL_HASHES: Final = -(1 << 63)


class ExportRange(msgspec.Struct, frozen=True):
    """The rows of a site from ``start`` to before ``end`` (ms), and the range of visit ids in which they can lie."""

    site_id: int
    start: int = -_EVER
    end: int = _EVER
    from_id: int = 0
    to_id: int = HIGHEST_ID + 1

    @classmethod
    def of(cls, site_id: int, first: date | None, last: date | None) -> ExportRange:
        """The UTC days from ``first`` to ``last``, both included; without an end where one is None.

        Raises Invalid as ``Period`` does.
        """
        either = first or last
        if either is None:
            return cls(site_id)
        period = Period(first or either, last or either)
        days = Scope(site_id, period.start, period.end).params()
        ever = cls(site_id)
        return cls(
            site_id,
            ever.start if first is None else period.start,
            ever.end if last is None else period.end,
            ever.from_id if first is None else days["from_id"],
            ever.to_id if last is None else days["to_id"],
        )


class StoredUnfurl(NamedTuple):
    """A row of ``unfurls``: an app's robot fetched a share's link, at most once an hour."""

    visit_id: int
    cell: int
    channel: int
    n: int
    app: str
    hour: int
    at: int


class StoredPage(NamedTuple):
    """A page's address and title."""

    page_id: int
    url: str
    title: str | None


Row = TypeVar("Row")


class KeysetScan(NamedTuple, Generic[Row]):
    """How a table is read: its query, the class of its rows, the columns by which a batch continues after the last
    one, and the column that holds the time."""

    query: str
    row: type[Row]
    key: tuple[str, ...]
    at: str


VISITS: Final = KeysetScan("export_visits", ExportVisit, ("visit_id", "cell"), "at")
SHARES: Final = KeysetScan("export_shares", ShareRow, ("first_at", "visit_id", "cell", "channel", "n"), "first_at")
UNFURLS: Final = KeysetScan(
    "export_unfurls", StoredUnfurl, ("at", "visit_id", "cell", "channel", "n", "app", "hour"), "at"
)
CONVERSIONS: Final = KeysetScan(
    "export_conversions", ConversionRow, ("at", "visit_id", "cell", "goal", "event_key"), "at"
)
ANSWERS: Final = KeysetScan("export_answers", AnswerRow, ("at", "visit_id", "cell", "event_key"), "at")
LINKS: Final = KeysetScan("export_links", LinkRow, ("visit_id", "cell"), "created_at")
MENTIONS: Final = KeysetScan("export_mentions", ExportMention, ("at", "page_id", "cell", "mention_key"), "at")
CASCADES: Final = KeysetScan("export_cascades", CascadeFacts, ("root_id", "cell"), "started_at")


class ExportReader:
    """The queries of ``exports.sql``. Changes nothing."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def read_batches(
        self, scan: KeysetScan[Row], wanted: ExportRange, most: int = MAX_BATCH
    ) -> AsyncIterator[list[Row]]:
        """Yields the rows of ``wanted``, at most ``most`` (1…2,000) at a time, each once. Rows that are stored
        meanwhile may be among them."""
        bounds = msgspec.structs.asdict(wanted)
        position = _beginning(scan, wanted)
        when = attrgetter(scan.at)
        while True:
            found = await self._run(scan.query, **bounds, **position)
            rows = [scan.row(*row) for row in found[:most]]
            kept = [row for row in rows if wanted.start <= when(row) < wanted.end]
            if kept:
                yield kept
            if len(found) < MAX_BATCH and len(found) <= most:
                return
            position = {name: getattr(rows[-1], name) for name in scan.key}

    async def pages_by_id(self, site_id: int, pages: Iterable[int]) -> dict[int, StoredPage]:
        """Those of ``pages`` that are stored."""
        rows = [(page, ids.hashed_cell(page)) for page in dict.fromkeys(pages)]
        found = await self._run("export_pages", rows, site_id=site_id)
        return {row[0]: StoredPage(*row) for row in found}


def _beginning(scan: KeysetScan[Any], wanted: ExportRange) -> dict[str, Any]:
    """Returns the position before the first row. It is the only lower bound: of two, a database may seek by either."""
    before: dict[str, Any] = dict.fromkeys(scan.key, _BEFORE_ALL)
    before |= {name: "" for name in ("app", "goal") if name in before}
    before |= {name: _BEFORE_ALL_HASHES for name in ("page_id", "mention_key") if name in before}
    before |= {name: wanted.start for name in ("at", "first_at") if name in before}
    if scan.key[0] in ("visit_id", "root_id"):
        before[scan.key[0]] = wanted.from_id
    return before
