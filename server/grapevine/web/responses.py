"""The JSON response of every call with an API key, and the link from a page of a list to the next one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

JSON: Final = "application/json"
NO_STORE: Final = {"Cache-Control": "no-store"}
"""No cache on the way may keep a response: it is for the sender of the key alone."""


def json_response(
    body: Any, status: int = 200, *, dropped: str | None = None, headers: Mapping[str, str] | None = None
) -> Response:
    """Returns ``body`` as JSON that no cache keeps; ``dropped`` names the reason why nothing was stored."""
    more = dict(headers or {}) if dropped is None else {**(headers or {}), "Grapevine-Dropped": dropped}
    return Response(msgspec.json.encode(body), status, NO_STORE | more, JSON)


def next_page(request: Request, cursor: str | None, **pinned: str) -> dict[str, str]:
    """Returns the header that leads from a bare list to its next page (RFC 8288); none after the last page.

    The link is relative to the request's own URL, of which a proxy may have changed every other part. ``pinned`` are
    parameters whose defaults depend on the time of the request.
    """
    if cursor is None:
        return {}
    params = {**pinned, **request.query_params, "cursor": cursor}
    return {"Link": f'<?{urlencode(params)}>; rel="next"'}
