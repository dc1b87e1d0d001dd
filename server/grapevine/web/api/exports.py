"""``/v1/export``: a table as a streamed file. Scope ``read``."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import date
from typing import Annotated, Final, Literal

import msgspec
from starlette.responses import Response, StreamingResponse

from grapevine.api_schemas.queries import PeriodQuery
from grapevine.errors import NotFound
from grapevine.exports import FORMATS, TABLES, ExportRequest, make_encoder, stream
from grapevine.store.readers.exports import ExportRange
from grapevine.web.api.call import SiteCall
from grapevine.web.api.operation import Operation, ResponseSpec
from grapevine.web.responses import NO_STORE, head_of_stream

_UNSAFE: Final = re.compile(r"[^0-9A-Za-z_-]+")


class ExportQuery(PeriodQuery, frozen=True, kw_only=True):
    """The parameters of ``GET /v1/export/{table}``. Without a day, the export has no end on that side."""

    first: Annotated[date | None, msgspec.Meta(examples=["2026-11-01"])] = None
    """The first day, in UTC; without it, the export begins with the oldest row."""
    last: Annotated[date | None, msgspec.Meta(examples=["2026-11-30"])] = None
    """The last day, in UTC, which is included; without it, the export ends with the newest row."""
    format: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*FORMATS]})] = "ndjson"
    """The form of the file. Parquet needs the extra `parquet` where the server runs."""
    bom: Literal["on", "off"] = "on"
    """Whether a CSV file begins with a byte order mark, by which spreadsheets know that it is UTF-8."""


class ExportPath(msgspec.Struct, frozen=True):
    """The path of an export."""

    table: Annotated[str, msgspec.Meta(extra_json_schema={"enum": [*TABLES]})]
    """The table."""


async def export_table(call: SiteCall, path: ExportPath, query: ExportQuery) -> Response:
    """A whole table as a file, streamed.

    Without `from` and `to` it has every row. When the store fails while the file is sent, the response is cut off,
    which HTTP clients can tell from a complete one.
    """
    # The first piece is made before the response begins, so that an unavailable store is reported by status 503.
    table, first, last = path.table, query.first, query.last
    if table not in TABLES:
        raise NotFound(f"There is no such export; there are {', '.join(TABLES)}.")
    encode = make_encoder(query.format, TABLES[table].columns, bom=query.bom == "on")
    span = ExportRange.of(call.site.site_id, first, last)
    media_type, suffix = FORMATS[query.format]
    name = "-".join(str(part) for part in ("grapevine", _UNSAFE.sub("-", call.site.key), table, first, last) if part)
    headers = NO_STORE | {"Content-Disposition": f'attachment; filename="{name}.{suffix}"', "Content-Type": media_type}
    if call.request.method == "HEAD":
        return head_of_stream(headers)
    pieces = stream(table, ExportRequest(call.state.store, call.site, span), encode)
    return StreamingResponse(_chained(await anext(pieces), pieces), headers=headers)


async def _chained(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/v1/export/{table}",
        handler=export_table,
        tag="exports",
        scope="read",
        path_params=ExportPath,
        query=ExportQuery,
        responses={
            200: ResponseSpec(
                str,
                "The file.",
                media_types=tuple(each.media_type for each in FORMATS.values()),
                headers=("Content-Disposition",),
            )
        },
        problems=(NotFound,),
    )
]
