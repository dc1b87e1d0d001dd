"""``/widget.js`` and the hashed files that belong to it."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response

from grapevine.web.state import app_state


async def widget_file(request: Request) -> Response:
    """``GET /widget{rest}``. Returns one of the built files, or 404."""
    headers = request.headers
    return app_state(request).widget.response(
        request.url.path.rpartition("/")[2], headers.get("accept-encoding", ""), headers.get("if-none-match", "")
    )
