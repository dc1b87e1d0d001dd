"""An address that no route has: a page for a person's browser, a problem for everything else."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from grapevine.errors import NotFound
from grapevine.web.dashboard.page import dashboard_page
from grapevine.web.problems import on_http_exception


async def on_missing(request: Request, error: Exception) -> Response:
    """Exception handler for status 404."""
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        return await _missing_page(request)
    return await on_http_exception(request, error)


@dashboard_page
async def _missing_page(_request: Request) -> Response:
    raise NotFound("No page of this server has this address. Perhaps a link lost its end, or has a letter too many.")
