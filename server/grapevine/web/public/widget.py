"""``/widget.js`` and the hashed files that belong to it, or to another build of it."""

from __future__ import annotations

from typing import Annotated, Any, Final

import msgspec
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from grapevine.errors import Busy, NotFound
from grapevine.web.api.operation import Operation, ResponseSpec
from grapevine.web.public.widget_files import TYPES, file_response
from grapevine.web.state import app_state

_NOT_KEPT: Final = {"Cache-Control": "no-store", "Access-Control-Allow-Origin": "*"}
"""A file that is missing here may be at another process, or here in a second: no cache may remember that it is not."""


class WidgetPath(msgspec.Struct, frozen=True):
    """The path of a file of the widget."""

    rest: Annotated[str, msgspec.Meta(examples=[".js"])]
    """`.js`, or the rest of a hashed name."""


async def widget_file(request: Request) -> Response:
    """The script of the pages, and the files that belong to it.

    `/widget.js` is that of this build; hashed names may be of another build that pages still ask for.
    """
    state = app_state(request)
    asked = request.url.path.rpartition("/")[2]
    name = state.widget.hashed_name(asked)
    file = state.widget.find(name) or await state.kept_files.find(name)
    if file is None:
        raise HTTPException(404, f"there is no file {asked[:60]!r}", _NOT_KEPT)
    return file_response(name, file, request, is_hashed=name == asked)


OPERATIONS: Final = [
    Operation(
        method="GET",
        path="/widget{rest}",
        handler=widget_file,
        tag="collect",
        scope=None,
        is_cors=True,
        path_params=WidgetPath,
        request_headers=("Accept-Encoding", "If-None-Match"),
        responses={
            200: ResponseSpec(Any, "The file.", tuple(TYPES.values()), ("ETag", "Vary", "Content-Encoding")),
            304: ResponseSpec(text="Nothing has changed.", headers=("ETag", "Vary")),
        },
        problems=(NotFound, Busy),
    )
]
