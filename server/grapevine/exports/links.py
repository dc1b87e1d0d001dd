"""Minted links in exports: their own table, and the columns that name the link from which a row of another one grew."""

from __future__ import annotations

from typing import Final

from grapevine.analytics.links import LinkNames, LinkTotals, link_names, link_totals
from grapevine.domain import channels, ids
from grapevine.exports.columns import Kind, Line, columns
from grapevine.exports.request import ExportRequest, ExportTable, Lines, sliced
from grapevine.store.readers.exports import LINKS as SCAN
from grapevine.store.repositories.links import LinkRow

LINK_COLUMNS: Final[dict[str, Kind]] = {"link": "text", "label": "text", "external_id": "text", "campaign": "text"}
"""The link at the root of a row's cascade: its token and its names."""

_NO_LINK: Final[Line] = (None,) * len(LINK_COLUMNS)


def link_columns(names: LinkNames | None) -> Line:
    """Returns the values of ``LINK_COLUMNS``."""
    return _NO_LINK if names is None else (names.token, names.label, names.external_id, names.campaign)


async def _links(request: ExportRequest) -> Lines:
    async for rows in request.store.exports.read_batches(SCAN, request.range, request.batch_size):
        totals = await link_totals(request.store.reads, request.site, [row.visit_id for row in rows])
        for some in sliced(rows):
            yield [_link(request, row, totals[row.visit_id]) for row in some]


def _link(request: ExportRequest, row: LinkRow, brought: LinkTotals) -> Line:
    return (
        *link_columns(link_names(request.site, row)),
        ids.visit_text(row.visit_id),
        row.created_at,
        row.url,
        channels.NAMES[row.channel],
        row.word,
        row.places or None,
        row.expires_at,
        bool(row.keep),
        brought.clicks,
        brought.scans,
        brought.returns,
        brought.visits,
        brought.max_depth,
        brought.conversions,
    )


LINKS: Final = ExportTable(
    columns(
        **LINK_COLUMNS, visit="text", at="time", page="text", channel="text", word="text", places="text",
        expires_at="time", keep="yes", clicks="whole", scans="whole", returns="whole", visits="whole",
        max_depth="whole", conversions="whole",
    ),
    _links,
)  # fmt: skip
