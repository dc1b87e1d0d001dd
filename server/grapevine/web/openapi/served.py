"""``/openapi.json`` and ``/docs``: the description of this server's API. It is made once and kept in memory."""

from __future__ import annotations

import asyncio
import hashlib
from functools import lru_cache
from typing import Any, Final, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from grapevine.config.settings import Settings
from grapevine.errors import RateLimited
from grapevine.web import operations
from grapevine.web.api.operation import HTML, Operation, ResponseSpec
from grapevine.web.dashboard.security import HEADERS
from grapevine.web.openapi.docs_page import drawn
from grapevine.web.openapi.document import describe
from grapevine.web.public_address import public_address
from grapevine.web.rate_limits import limited
from grapevine.web.responses import JSON, is_known
from grapevine.web.state import app_state

_HEADERS: Final = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-cache"}


EXAMPLE_SERVER: Final = "https://share.example.com"
"""The server of the page's curl lines where this one does not know its own address."""


class Description(NamedTuple):
    """The document, its JSON, and the entity tag of that."""

    document: dict[str, Any]
    json: bytes
    etag: str


async def get_openapi(request: Request) -> Response:
    """This description, as OpenAPI 3.1."""
    found = await description_of(app_state(request).settings)
    headers = _HEADERS | {"ETag": found.etag}
    if is_known(request, found.etag):
        return Response(None, 304, headers)
    return Response(found.json, 200, headers, JSON)


async def read_docs(request: Request) -> Response:
    """This description, as a page for people."""
    settings = app_state(request).settings
    found = await description_of(settings)
    server = public_address(request, settings) or EXAMPLE_SERVER
    return HTMLResponse(await asyncio.to_thread(drawn, found.json, server), headers=HEADERS)


async def description_of(settings: Settings) -> Description:
    """Returns the description of a server with these settings. The first time it takes the better part of a second."""
    return await asyncio.to_thread(make_description, settings.base_url or "/", settings.prefix)


@lru_cache(maxsize=4)
def make_description(server: str, prefix: str) -> Description:
    """Returns the description of a server with this URL, whose pages call it below ``prefix``."""
    document = describe(described(prefix), server)
    text = msgspec.json.encode(document)
    return Description(document=document, json=text, etag=f'"{hashlib.sha256(text).hexdigest()[:16]}"')


def described(prefix: str = "") -> list[Operation]:
    """Returns every operation of a server whose pages call it below ``prefix``."""
    return [*operations.placed(prefix), *OPERATIONS]


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/openapi.json",
        handler=limited(get_openapi),
        tag="description",
        scope=None,
        is_cors=True,
        request_headers=("If-None-Match",),
        responses={
            200: ResponseSpec(dict[str, Any], "The description.", headers=("ETag",)),
            304: ResponseSpec(text="Nothing has changed.", headers=("ETag",)),
        },
        problems=(RateLimited,),
    ),
    Operation(
        method="GET",
        path="/docs",
        handler=limited(read_docs),
        tag="description",
        scope=None,
        responses={
            200: ResponseSpec(str, "The page.", HTML),
        },
        problems=(RateLimited,),
    ),
]
