"""``GET /widget.js`` and the hashed files beside it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from grapevine.web.state import app_state


async def widget_file(request: Request) -> Response:
    """One of the built files."""
    headers = request.headers
    return app_state(request).widget.answer(
        request.url.path.rpartition("/")[2], headers.get("accept-encoding", ""), headers.get("if-none-match", "")
    )
