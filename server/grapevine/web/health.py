"""Liveness of the process and readiness of its store, as two routes."""

from __future__ import annotations

from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from grapevine import __version__
from grapevine.api_schemas.public import ProcessHealth, StoreReadiness
from grapevine.web.api.operation import Operation, ResponseSpec
from grapevine.web.responses import json_response
from grapevine.web.state import app_state


async def healthz(_: Request) -> Response:
    """Whether the process runs."""
    return json_response(ProcessHealth(status="ok", version=__version__))


async def readyz(request: Request) -> Response:
    """Whether the store takes writes.

    The response is at most a second old, and the store is asked by a write as large as a visit's.
    """
    if await app_state(request).readiness.check():
        return json_response(StoreReadiness(status="ready"))
    return json_response(StoreReadiness(status="store-not-writable"), 503)


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/healthz",
        handler=healthz,
        tag="health",
        scope=None,
        responses={200: ResponseSpec(ProcessHealth, "It runs.")},
    ),
    Operation(
        method="GET",
        path="/readyz",
        handler=readyz,
        tag="health",
        scope=None,
        responses={
            200: ResponseSpec(StoreReadiness, "It takes writes, or did so less than a second ago."),
            503: ResponseSpec(StoreReadiness, "It takes none at the moment."),
        },
    ),
]
