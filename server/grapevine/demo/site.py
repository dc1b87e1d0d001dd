"""Serves the folder of the demo site as one ASGI application, with the snippet pointing at the demo's server."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from html import escape
from importlib.resources import files
from pathlib import Path
from typing import Any, Final

Send = Callable[[dict[str, Any]], Awaitable[None]]

_TYPES: Final = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
    ".png": "image/png",
    ".ico": "image/x-icon",
    ".txt": "text/plain; charset=utf-8",
}


def demo_folder() -> Path:
    """The folder demo_site: inside an installed package, else beside ``server`` in the project."""
    package = Path(str(files("grapevine")))
    installed = package / "demo_site"
    return installed if installed.is_dir() else package.parents[1] / "demo_site"


class DemoSite:
    """Static pages; ``__NAME__`` in one becomes the value of ``NAME``. Below ``/app/`` the single-page app answers."""

    def __init__(self, folder: Path, values: Mapping[str, str]) -> None:
        self._folder = folder
        self._values = values

    async def __call__(
        self, scope: dict[str, Any], receive: Callable[[], Awaitable[dict[str, Any]]], send: Send
    ) -> None:
        if scope["type"] == "lifespan":
            await _live(receive, send)
        elif scope["type"] == "http":
            await self._answer(scope["method"], scope["path"], send)

    async def _answer(self, method: str, path: str, send: Send) -> None:
        if method not in ("GET", "HEAD"):
            await _respond(send, 405, _TYPES[".txt"], b"This site is only read.", allow="GET, HEAD")
            return
        pages = self._files()
        if f"{path}/index.html" in pages:
            await _respond(send, 308, _TYPES[".txt"], b"", location=f"{path}/")
            return
        status, file = _find(pages, path)
        body = file.read_bytes()
        if file.suffix == ".html":
            body = self._filled(body.decode()).encode()
        kind = _TYPES.get(file.suffix, "application/octet-stream")
        await _respond(send, status, kind, body, without_body=method == "HEAD")

    def _files(self) -> dict[str, Path]:
        """Every file by its path in URLs, as the folder is now; nothing else is ever opened."""
        return {f"/{file.relative_to(self._folder).as_posix()}": file for file in self._folder.rglob("*")
                if file.is_file()}  # fmt: skip

    def _filled(self, text: str) -> str:
        for name, value in self._values.items():
            text = text.replace(f"__{name}__", escape(value))
        return text


def _find(pages: Mapping[str, Path], path: str) -> tuple[int, Path]:
    """The status and the file for a path."""
    found = pages.get(f"{path}index.html" if path.endswith("/") else path)
    if found is not None:
        return 200, found
    if path.startswith("/app/") and not Path(path).suffix:
        return 200, pages["/app/index.html"]
    return 404, pages["/404.html"]


async def _live(receive: Callable[[], Awaitable[dict[str, Any]]], send: Send) -> None:
    while True:
        message = await receive()
        await send({"type": f"{message['type']}.complete"})
        if message["type"] == "lifespan.shutdown":
            return


async def _respond(
    send: Send, status: int, kind: str, body: bytes, *, without_body: bool = False, **headers: str
) -> None:
    lines = {"content-type": kind, "content-length": str(len(body)), "cache-control": "no-cache"} | headers
    await send(
        {
            "type": "http.response.start",
            "status": status,
            "headers": [(name.encode(), value.encode("latin-1")) for name, value in lines.items()],
        }
    )
    await send({"type": "http.response.body", "body": b"" if without_body else body})
