"""ASGI application of the demo site: static files, with the snippet in its pages pointing at the demo's server."""

from __future__ import annotations

import os
from collections.abc import Mapping
from html import escape
from pathlib import Path, PurePath
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Mount
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

_APP: Final = "app/"
_HEADERS: Final = {"cache-control": "no-cache"}


def demo_site(folder: Path, values: Mapping[str, str]) -> Starlette:
    """Returns the application. ``__NAME__`` in a page becomes the value of ``NAME``, read at each request."""

    def not_found(_request: Request, _error: Exception) -> Response:
        return HTMLResponse(fill(folder / "404.html", values), 404, _HEADERS)

    return Starlette(routes=[Mount("/", _DemoFiles(folder, values))], exception_handlers={404: not_found})


def fill(page: Path, values: Mapping[str, str]) -> str:
    """Returns the text of a page with its placeholders filled in."""
    text = page.read_text("utf-8")
    for name, value in values.items():
        text = text.replace(f"__{name}__", escape(value))
    return text


class _DemoFiles(StaticFiles):
    def __init__(self, folder: Path, values: Mapping[str, str]) -> None:
        super().__init__(directory=folder, html=True)
        self._values = values

    async def get_response(self, path: str, scope: Scope) -> Response:
        """Returns the file. Paths below ``/app/`` that name no file get the page of the single-page app."""
        response = await super().get_response(path, scope)
        if response.status_code == 404:
            if not path.startswith(_APP) or PurePath(path).suffix:
                raise HTTPException(404)
            return await super().get_response(f"{_APP}index.html", scope)
        if response.status_code == 307:  # Starlette's redirect to the folder: temporary, with the origin
            return RedirectResponse(f"/{path}/", 308)
        return response

    def file_response(
        self, full_path: str | os.PathLike[str], stat_result: os.stat_result, scope: Scope, status_code: int = 200
    ) -> Response:
        suffix = Path(full_path).suffix
        if suffix == ".html":
            return HTMLResponse(fill(Path(full_path), self._values), status_code, _HEADERS)
        response = super().file_response(full_path, stat_result, scope, status_code)
        response.headers.update(_HEADERS)
        if suffix == ".js" and response.status_code == 200:  # Python 3.11 says application/javascript
            response.headers["content-type"] = "text/javascript; charset=utf-8"
        return response
