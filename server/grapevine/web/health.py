"""Liveness of the process and readiness of its store, as two routes."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from grapevine import __version__
from grapevine.web.responses import json_response
from grapevine.web.state import app_state


async def healthz(_: Request) -> Response:
    """``GET /healthz``. Returns 200 as long as the process serves requests."""
    return json_response({"status": "ok", "version": __version__})


async def readyz(request: Request) -> Response:
    """``GET /readyz``. Returns 200 when the store takes writes, or did so less than a second ago, else 503."""
    ready = await app_state(request).readiness.check()
    return json_response({"status": "ready" if ready else "store-not-writable"}, 200 if ready else 503)
