"""``/widget.js`` and the hashed files that belong to it, or to another build of it."""

from __future__ import annotations

from typing import Final

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grapevine.web.public.widget_files import file_response
from grapevine.web.state import app_state

_NOT_KEPT: Final = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
"""A file that is missing here may be at another process, or here in a second: no cache may remember that it is not."""


async def widget_file(request: Request) -> Response:
    """``GET /widget{rest}``. Returns a file of this build or of one that is kept, or 404."""
    state = app_state(request)
    asked = request.url.path.rpartition("/")[2]
    name = state.widget.hashed_name(asked)
    file = state.widget.find(name) or await state.kept_files.find(name)
    if file is None:
        raise HTTPException(404, f"there is no file {asked[:60]!r}", _NOT_KEPT)
    return file_response(
        name,
        file,
        is_hashed=name == asked,
        accept_encoding=request.headers.get("accept-encoding", ""),
        if_none_match=request.headers.get("if-none-match", ""),
    )
