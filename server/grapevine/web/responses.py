"""The JSON response of every call with an API key, its entity tag, and the link from a page of a list to the next."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlencode

import msgspec
from starlette.requests import Request
from starlette.responses import Response

JSON: Final = "application/json"
NO_STORE: Final = {"Cache-Control": "no-store"}
"""No cache on the way may keep a response: it is for the sender of the key alone."""


REVALIDATED: Final = ((b"cache-control", b"private, no-cache"), (b"vary", b"Authorization"))
"""Who has the key may keep a response, and asks each time whether it is still right; no cache of others keeps it."""


def entity_tag(content: bytes) -> str:
    """Returns the strong entity tag of a response's body (RFC 9110, 8.8.3)."""
    return f'"{hashlib.sha256(content).hexdigest()[:32]}"'


def is_known(request: Request, tag: str) -> bool:
    """Returns whether the client has the response with this entity tag: ``If-None-Match`` (RFC 9110, 13.1.2)."""
    given = (each.strip() for each in ",".join(request.headers.getlist("if-none-match")).split(","))
    return any(each == "*" or each.removeprefix("W/") == tag for each in given)


def revalidated(request: Request, response: Response) -> Response:
    """Returns a response to GET or HEAD with its entity tag, or 304 where the client has it already.

    What is no JSON of status 200, such as a stream, stays as it is.
    """
    if request.method not in ("GET", "HEAD") or response.status_code != HTTPStatus.OK or response.media_type != JSON:
        return response
    tag = entity_tag(bytes(response.body))
    # In the list itself, which `response.headers` would go through for each of them.
    names = {b"cache-control", b"vary", b"etag"}
    response.raw_headers[:] = [
        *(each for each in response.raw_headers if each[0] not in names),
        *REVALIDATED,
        (b"etag", tag.encode("latin-1")),
    ]
    if not is_known(request, tag):
        return response
    kept = {name: value for name, value in response.headers.items() if name not in ("content-length", "content-type")}
    return Response(None, HTTPStatus.NOT_MODIFIED, kept)


def head_of_stream(headers: Mapping[str, str]) -> Response:
    """Returns the response to HEAD where GET streams: its length is not known, so it has none (RFC 9110, 8.6)."""
    response = Response(headers=headers)
    del response.headers["Content-Length"]
    return response


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
