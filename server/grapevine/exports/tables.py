"""The tables that can be exported, each with its columns and how its lines are made from rows.

Of an erased visit an export has its position in the tree and nothing else; other tables leave out its rows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final, TypeVar

from grapevine.analytics.cascade_shapes import CascadeShape, compute_shapes
from grapevine.analytics.links import names_at_roots
from grapevine.domain import channels, enums, ids
from grapevine.domain.visit_evidence import decided_by, evidence_names
from grapevine.exports.columns import Line, columns
from grapevine.exports.links import LINK_COLUMNS, LINKS, link_columns
from grapevine.exports.mentions import MENTIONS
from grapevine.exports.request import ExportRequest, ExportTable, Lines, sliced
from grapevine.store.answer_rows import AnswerRow
from grapevine.store.readers.cascades import CascadeFacts
from grapevine.store.readers.exports import (
    ANSWERS,
    CASCADES,
    CONVERSIONS,
    SHARES,
    UNFURLS,
    VISITS,
    KeysetScan,
    StoredPage,
    StoredUnfurl,
)
from grapevine.store.rows import SAME_NETWORK, CascadeVisit, ConversionRow, ExportVisit, ShareRow

_NO_EVIDENCE: Final[Line] = (None, None)
_LARGE: Final = 10_000
_MOST_SHAPED: Final = 20_000
_Row = TypeVar("_Row", ShareRow, StoredUnfurl, ConversionRow, AnswerRow)


async def _visits(request: ExportRequest) -> Lines:
    exports, site_id = request.store.exports, request.site.site_id
    async for rows in exports.read_batches(VISITS, request.range, request.batch_size):
        pages = await exports.pages_by_id(site_id, (row.page_id for row in rows))
        for some in sliced(rows):
            yield [_visit(row, pages) for row in some]


def _visit(row: ExportVisit, pages: dict[int, StoredPage]) -> Line:
    sharer = row.sharer_id
    visit, parent = ids.visit_text(row.visit_id), _text(row.parent_id)
    root = visit if row.root_id is None else ids.visit_text(row.root_id)
    channel = None if row.channel is None else channels.NAMES[row.channel]
    sharing = None if sharer is None or channel is None else parent if sharer == row.parent_id else _text(sharer)
    arrived = (channel, row.n, sharing, parent, root, row.depth)
    own, verdict = row.is_self, row.verdict_name
    if row.is_erased:
        return (
            visit,
            None,
            None,
            None,
            None,
            None,
            None,
            None,
            *arrived,
            own,
            None,
            None,
            verdict,
            True,
            None,
            *_NO_EVIDENCE,
        )
    page = pages.get(row.page_id)
    return (
        visit,
        row.at,
        page and page.url,
        page and page.title,
        enums.SOURCE_NAMES[row.source],
        enums.DEVICE_NAMES[row.device],
        row.app,
        row.views,
        *arrived,
        own,
        bool(row.flags & SAME_NETWORK),
        None if row.reason is None else enums.TOKEN_REASON_NAMES[row.reason],
        verdict,
        False,
        row.seen_by,
        *(_NO_EVIDENCE if row.evidence is None else (decided_by(row.evidence), " ".join(evidence_names(row.evidence)))),
    )


async def _shares(request: ExportRequest) -> Lines:
    async for rows, visits in _with_visits(request, SHARES):
        links = await names_at_roots(request.store.reads, request.site, visits)
        shared = {row: _shared_page(row, visits.get(row.visit_id)) for row in rows}
        pages = await request.store.exports.pages_by_id(
            request.site.site_id, (page for page in shared.values() if page is not None)
        )
        networks = await _networks(request, rows, visits)
        for some in sliced(rows):
            yield [
                (
                    *_share(request, row, visits.get(row.visit_id), pages.get(shared[row] or 0), networks),
                    *link_columns(links.get(row.visit_id)),
                )
                for row in some
            ]


async def _networks(
    request: ExportRequest, rows: Sequence[ShareRow], visits: Mapping[int, CascadeVisit]
) -> dict[tuple[int, int, int], int]:
    opened = [row for row in rows if row.returns]
    return await request.store.reads.shares.networks(
        request.site.site_id,
        [
            (row.visit_id, row.channel, row.n, visit.hangs_on if (visit := visits.get(row.visit_id)) else row.visit_id)
            for row in opened
        ],
    )


def _shared_page(row: ShareRow, visit: CascadeVisit | None) -> int | None:
    return row.page_id if row.page_id is not None or visit is None else visit.page_id


def _share(
    request: ExportRequest,
    row: ShareRow,
    visit: CascadeVisit | None,
    page: StoredPage | None,
    networks: Mapping[tuple[int, int, int], int],
) -> Line:
    return (
        ids.visit_text(row.visit_id),
        channels.NAMES[row.channel],
        row.n,
        request.site.tokens.mint_one(row.visit_id, row.channel, row.n),
        row.first_at,
        row.url or (page and page.url),
        None if row.url else page and page.title,
        row.reported_at is not None,
        row.reported_at,
        row.proven_at is not None,
        row.proven_at,
        row.returns,
        row.self_returns,
        _verdict(visit),
        networks.get((row.visit_id, row.channel, row.n), 0),
        enums.share_reporter(row.reported_at, row.reported_by),
    )


async def _conversions(request: ExportRequest) -> Lines:
    async for rows, visits in _with_visits(request, CONVERSIONS):
        links = await names_at_roots(request.store.reads, request.site, visits)
        for some in sliced(rows):
            yield [
                (
                    *_conversion(row, visits.get(row.visit_id)),
                    *link_columns(links.get(row.visit_id)),
                    ids.key_text(row.event_key),
                    row.refund_of,
                )
                for row in some
            ]


def _unfurl(row: StoredUnfurl, visit: CascadeVisit | None) -> Line:
    verdict = _verdict(visit)
    return (ids.visit_text(row.visit_id), channels.NAMES[row.channel], row.n, row.app, row.at, verdict)


def _conversion(row: ConversionRow, visit: CascadeVisit | None) -> Line:
    return (
        ids.visit_text(row.visit_id),
        row.at,
        row.goal,
        row.external_id,
        row.value,
        row.currency,
        _verdict(visit),
        row.said_by,
    )


def _answer(row: AnswerRow, visit: CascadeVisit | None) -> Line:
    verdict = _verdict(visit)
    return (
        _text(row.visit_id or None), row.at, row.text, row.contact, verdict, row.answer_id, row.meaning, row.class_by,
        row.channel_name, row.said_by,
    )  # fmt: skip


async def _cascades(request: ExportRequest) -> Lines:
    exports, site_id = request.store.exports, request.site.site_id
    async for rows in exports.read_batches(CASCADES, request.range, request.batch_size):
        visits = await request.store.reads.cascades.visits_by_id(site_id, (row.root_id for row in rows))
        pages = await exports.pages_by_id(site_id, (row.page_id for row in rows))
        for some in sliced(rows):
            shapes = await _shapes(request, some)
            yield [_cascade(row, visits.get(row.root_id), pages, shapes[row.root_id]) for row in some]


def _cascade(
    row: CascadeFacts, root: CascadeVisit | None, pages: dict[int, StoredPage], current: CascadeShape | None
) -> Line:
    page = None if root is not None and root.is_erased else pages.get(row.page_id)
    return (
        ids.visit_text(row.root_id),
        page and page.url,
        row.started_at,
        row.last_at,
        row.size,
        row.max_depth,
        current and current.breadth,
        current and current.virality,
        row.shares,
        row.conversions,
        current and current.networks,
    )


async def _shapes(request: ExportRequest, rows: Sequence[CascadeFacts]) -> dict[int, CascadeShape | None]:
    """The shapes of cascades: as stored where they are up to date or the cascade is very large, else computed, from
    at most 20,000 visits at a time, and not kept."""
    known = {
        row.root_id: None if row.breadth is None else CascadeShape(row.breadth, row.virality, row.networks or 0)
        for row in rows
    }
    stale = [row for row in rows if row.shape_size != row.size and row.size <= _LARGE]
    while stale:
        some: list[int] = []
        visits = 0
        while stale and (not some or visits + stale[-1].size <= _MOST_SHAPED):
            visits += stale[-1].size
            some.append(stale.pop().root_id)
        known |= await compute_shapes(request.store.reads, request.site.site_id, some)
    return known


async def _with_visits(
    request: ExportRequest, scan: KeysetScan[_Row]
) -> AsyncIterator[tuple[list[_Row], dict[int, CascadeVisit]]]:
    """Yields rows with the visits they belong to; rows of erased visits are left out."""
    exports = request.store.exports
    async for rows in exports.read_batches(scan, request.range, request.batch_size):
        visits = await request.store.reads.cascades.visits_by_id(request.site.site_id, (row.visit_id for row in rows))
        erased = {visit.visit_id for visit in visits.values() if visit.is_erased}
        kept = [row for row in rows if row.visit_id not in erased]
        if kept:
            yield kept, visits


def _text(visit_id: int | None) -> str | None:
    return None if visit_id is None else ids.visit_text(visit_id)


def _verdict(visit: CascadeVisit | None) -> str | None:
    return None if visit is None else visit.verdict_name


def _with_verdicts(
    scan: KeysetScan[_Row], line: Callable[[_Row, CascadeVisit | None], Line]
) -> Callable[[ExportRequest], Lines]:
    """Returns the reader of a table whose lines need nothing but the row and its visit."""

    async def lines(request: ExportRequest) -> Lines:
        async for rows, visits in _with_visits(request, scan):
            for some in sliced(rows):
                yield [line(row, visits.get(row.visit_id)) for row in some]

    return lines


TABLES: Final = {
    "visits": ExportTable(
        columns(
            visit="text", at="time", url="text", title="text", source="text", device="text", app="text", views="whole",
            channel="text", n="whole", sharer="text", parent="text", root="text", depth="whole", self_="yes",
            same_network="yes", reason="text", verdict="text", erased="yes", seen_by="text",
            decided_by="text", evidence="text",
        ),
        _visits,
    ),
    "shares": ExportTable(
        columns(
            visit="text", channel="text", n="whole", token="text", at="time", url="text", title="text",  # noqa: S106
            reported="yes", reported_at="time", proven="yes", proven_at="time", returns="whole", self_returns="whole",
            verdict="text", networks="whole", reported_by="text", **LINK_COLUMNS,
        ),
        _shares,
    ),
    "unfurls": ExportTable(
        columns(visit="text", channel="text", n="whole", app="text", at="time", verdict="text"),
        _with_verdicts(UNFURLS, _unfurl),
    ),
    "conversions": ExportTable(
        columns(
            visit="text", at="time", goal="text", id="text", value="money", currency="text", verdict="text",
            by="text", **LINK_COLUMNS, conversion="text", refund_of="text",
        ),
        _conversions,
    ),
    "answers": ExportTable(
        columns(
            visit="text", at="time", text="text", contact="text", verdict="text", id="text", class_="text",
            class_by="text", channel="text", by="text",
        ),
        _with_verdicts(ANSWERS, _answer),
    ),
    "cascades": ExportTable(
        columns(
            root="text", url="text", started_at="time", last_at="time", size="whole", max_depth="whole",
            breadth="whole", structural_virality="number", shares="whole", conversions="whole", networks="whole",
        ),
        _cascades,
    ),
    "links": LINKS,
    "mentions": MENTIONS,
}  # fmt: skip
"""By their names in the contract."""
