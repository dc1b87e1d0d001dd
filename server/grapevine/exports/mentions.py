"""Mentions in exports."""

from __future__ import annotations

from typing import Final

from grapevine.exports.columns import Line, columns
from grapevine.exports.request import ExportRequest, ExportTable, Lines, sliced
from grapevine.store.readers.exports import MENTIONS as SCAN
from grapevine.store.readers.exports import StoredPage
from grapevine.store.repositories.mentions import KIND_NAMES, ExportMention


async def _mentions(request: ExportRequest) -> Lines:
    exports, site_id = request.store.exports, request.site.site_id
    async for rows in exports.read_batches(SCAN, request.range, request.batch_size):
        pages = await exports.pages_by_id(site_id, (row.page_id for row in rows))
        for some in sliced(rows):
            yield [_mention(row, pages.get(row.page_id)) for row in some]


def _mention(row: ExportMention, page: StoredPage | None) -> Line:
    return (
        row.source_url,
        row.at,
        page and page.url,
        KIND_NAMES[row.kind],
        row.feed_id,
        row.title,
        row.author,
        row.published_at,
        row.gone_at,
    )


MENTIONS: Final = ExportTable(
    columns(
        source="text", at="time", page="text", kind="text", feed="text", title="text", author="text",
        published_at="time", gone_at="time",
    ),
    _mentions,
)  # fmt: skip
