"""The files of the widget: hashed names are cached for ever, the plain ``widget.js`` for an hour.

Those of this server's build are in memory. Those of other builds, which pages ask for that have an earlier script, or
a later one while an upgrade is under way, come from ``kept_files``.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterable
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from grapevine.store.repositories.widget_files import KeptFile
from grapevine.web.responses import is_known

TYPES: Final = {".js": "text/javascript; charset=utf-8", ".json": "application/json"}
_FOREVER: Final = "public, max-age=31536000, immutable"
_AN_HOUR: Final = "public, max-age=3600"
_MANIFEST: Final = "manifest.json"


class Script(NamedTuple):
    """A built script: its hashed file name and its Subresource Integrity value (W3C SRI)."""

    file: str
    integrity: str


class WidgetFile(NamedTuple):
    """A file in each form that a browser may accept."""

    body: bytes
    brotli: bytes
    gzip: bytes


class WidgetFiles:
    """The files that build.py made. They are kept in memory because they are small and every page load needs one."""

    def __init__(self) -> None:
        built = _read_folder("widget")
        manifest = msgspec.json.decode(built.pop(_MANIFEST))
        self.built = _by_name(built)
        """The files of this build by their hashed names."""
        self._files = _by_name(_read_folder("earlier")) | self.built
        self.scripts = {
            f"{name}.js": Script(entry["file"], entry["integrity"]) for name, entry in manifest["scripts"].items()
        }

    def hashed_name(self, name: str) -> str:
        """Returns the name of the newest file where ``name`` is a plain one such as ``widget.js``, else ``name``."""
        script = self.scripts.get(name)
        return script.file if script else name

    def find(self, name: str) -> WidgetFile | None:
        """Returns the file of a hashed name, or None when it is none of this build, nor of those in the package."""
        return self._files.get(name)

    def to_keep(self) -> list[KeptFile]:
        """Returns the files that pages may ask for after the next upgrade."""
        return [KeptFile(name, file.body.decode(), file.brotli) for name, file in self.built.items()]


def kept(file: KeptFile) -> WidgetFile:
    """Returns a file that was kept, compressed anew where that needs nothing but the standard library."""
    body = file.body.encode()
    return WidgetFile(body, file.brotli, gzip.compress(body, mtime=0))


def file_response(name: str, file: WidgetFile, request: Request, *, is_hashed: bool) -> Response:
    """Returns a file in the best accepted encoding, or 304 when the client has it. ``name`` is its hashed one;
    ``is_hashed`` says whether the client asked for that."""
    headers = {
        "Cache-Control": _FOREVER if is_hashed else _AN_HOUR,
        "ETag": f'"{name}"',
        "Vary": "Accept-Encoding",
        "Access-Control-Allow-Origin": "*",
        "Cross-Origin-Resource-Policy": "cross-origin",
        "X-Content-Type-Options": "nosniff",
    }
    if is_known(request, headers["ETag"]):
        return Response(status_code=304, headers=headers)
    media_type = TYPES[name[name.rfind(".") :]]
    accept_encoding = request.headers.get("accept-encoding", "")
    for encoding, body in (("br", file.brotli), ("gzip", file.gzip)):
        if encoding in accept_encoding:
            return Response(body, headers=headers | {"Content-Encoding": encoding}, media_type=media_type)
    return Response(file.body, headers=headers, media_type=media_type)


def _read_folder(name: str) -> dict[str, bytes]:
    folder = files("grapevine").joinpath("built", name)
    if not folder.is_dir():  # a wheel has no empty folder
        return {}
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")}


def _by_name(built: dict[str, bytes]) -> dict[str, WidgetFile]:
    return {name: WidgetFile(built[name], built[f"{name}.br"], built[f"{name}.gz"]) for name in _plain(built)}


def _plain(names: Iterable[str]) -> list[str]:
    return sorted(name for name in names if name.endswith(tuple(TYPES)))
