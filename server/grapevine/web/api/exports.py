"""``/v1/export``: a table as a streamed file. Scope ``read``."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from grapevine.errors import Invalid, NotFound
from grapevine.exports import FORMATS, TABLES, ExportRequest, make_encoder, stream
from grapevine.store.readers.exports import ExportRange
from grapevine.web.api.auth import authorized
from grapevine.web.api.query_params import PERIOD, QueryParams
from grapevine.web.responses import NO_STORE
from grapevine.web.state import app_state

_UNSAFE: Final = re.compile(r"[^0-9A-Za-z_-]+")


async def export(request: Request) -> Response:
    """``GET /v1/export/{table}``. Streams the rows of a period, or the whole table when no dates are given.

    The first piece is made before the response begins, so that an unavailable store is reported by status 503. When the
    store fails later, the response is cut off, which HTTP clients can tell from a complete one.
    """
    site = await authorized(request)
    table = request.path_params["table"]
    if table not in TABLES:
        raise NotFound(f"There is no such export; there are {', '.join(TABLES)}.")
    params = QueryParams(request, "format", "bom", *PERIOD)
    given_format = params.text("format")
    format_name = "ndjson" if given_format is None else given_format
    if params.text("bom") not in (None, "on", "off"):
        raise Invalid.of("bom", "must be on or off: whether a CSV file begins with a byte order mark")
    encode = make_encoder(format_name, TABLES[table].columns, bom=params.text("bom") != "off")
    first, last = params.date("from"), params.date("to")
    span = ExportRange.of(site.site_id, first, last)
    media_type, suffix = FORMATS[format_name]
    name = "-".join(str(part) for part in ("grapevine", _UNSAFE.sub("-", site.key), table, first, last) if part)
    headers = NO_STORE | {"Content-Disposition": f'attachment; filename="{name}.{suffix}"'}
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Type": media_type})
    pieces = stream(table, ExportRequest(app_state(request).store, site, span), encode)
    first_piece = await anext(pieces)
    return StreamingResponse(_chained(first_piece, pieces), headers=headers | {"Content-Type": media_type})


async def _chained(first: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in pieces:
        yield piece
