"""Whether the process lives, and whether its store can be written to: two questions, two answers."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from grapevine import __version__
from grapevine.web.state import app_state


async def healthz(_: Request) -> Response:
    """``GET /healthz``: the process answers."""
    return JSONResponse({"status": "ok", "version": __version__})


async def readyz(request: Request) -> Response:
    """``GET /readyz``: the store takes writes, and somebody is there to make them."""
    server = app_state(request)
    ready = server.writer.recorder.able and await server.store.writable()
    return JSONResponse({"status": "ready" if ready else "store-not-writable"}, 200 if ready else 503)
