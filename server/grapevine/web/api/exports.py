"""``GET /v1/export/{table}``: a table as a file, streamed."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from typing import Final

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from grapevine.errors import NotFound
from grapevine.exports import FORMATS, TABLES, ExportRequest, encoder, stream
from grapevine.store.readers.exports import ExportRange
from grapevine.web.api.auth import authorized
from grapevine.web.api.query_params import PERIOD, Parameters
from grapevine.web.state import app_state

_UNSAFE: Final = re.compile(r"[^0-9A-Za-z_-]+")


async def export(request: Request) -> Response:
    """The whole table where no dates are given. The first piece is made before the answer begins, so that a store that
    is away is answered as ever; if it goes away later the answer breaks off, which HTTP tells from its end."""
    site = await authorized(request)
    table = request.path_params["table"]
    if table not in TABLES:
        raise NotFound(f"There is no such export; there are {', '.join(TABLES)}.")
    given = Parameters(request, "format", *PERIOD)
    asked_for = given.text("format")
    format_name = "ndjson" if asked_for is None else asked_for
    made_by = encoder(format_name, TABLES[table].columns)
    first, last = given.day("from"), given.day("to")
    span = ExportRange.of(site.site_id, first, last)
    media_type, suffix = FORMATS[format_name]
    name = "-".join(str(part) for part in ("grapevine", _UNSAFE.sub("-", site.key), table, first, last) if part)
    headers = {"Cache-Control": "no-store", "Content-Disposition": f'attachment; filename="{name}.{suffix}"'}
    if request.method == "HEAD":
        return Response(headers=headers | {"Content-Type": media_type})
    pieces = stream(table, ExportRequest(app_state(request).store, site, span), made_by)
    beginning = await anext(pieces)
    return StreamingResponse(_all(beginning, pieces), headers=headers | {"Content-Type": media_type})


async def _all(beginning: bytes, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield beginning
    async for piece in pieces:
        yield piece
