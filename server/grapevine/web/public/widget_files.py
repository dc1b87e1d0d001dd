"""The files of the built widget in memory: hashed names are cached for ever, the plain ``widget.js`` for an hour."""

from __future__ import annotations

from importlib.resources import files
from typing import Final, NamedTuple

import msgspec
from starlette.exceptions import HTTPException
from starlette.responses import Response

_TYPES: Final = {".js": "text/javascript; charset=utf-8", ".json": "application/json", ".svg": "image/svg+xml"}
_FOREVER: Final = "public, max-age=31536000, immutable"
_AN_HOUR: Final = "public, max-age=3600"
_ENCODINGS: Final = (("br", ".br"), ("gzip", ".gz"))


class Script(NamedTuple):
    """A built script: its hashed file name and its Subresource Integrity value (W3C SRI)."""

    file: str
    integrity: str


def _read_folder(name: str) -> dict[str, bytes]:
    folder = files("grapevine").joinpath("built", name)
    if not folder.is_dir():  # a wheel has no empty folder
        return {}
    return {file.name: file.read_bytes() for file in folder.iterdir() if not file.name.startswith(".")}


class WidgetFiles:
    """All files that build.py made. They are kept in memory because they are small and every page load needs one."""

    def __init__(self) -> None:
        current = _read_folder("widget")
        manifest = msgspec.json.decode(current["manifest.json"])
        self.names = sorted(current)
        """The names of all files of this build, hashed and precompressed ones too."""
        self._files = _read_folder("earlier") | current
        self.scripts = {
            f"{name}.js": Script(entry["file"], entry["integrity"]) for name, entry in manifest["scripts"].items()
        }

    def response(self, name: str, accept_encoding: str, if_none_match: str) -> Response:
        """Returns a file in the best accepted encoding, or 304 when the client has it.

        Raises HTTPException with status 404 when there is no such file.
        """
        script = self.scripts.get(name)
        stored = script.file if script else name
        suffix = stored[stored.rfind(".") :]
        if stored not in self._files or suffix not in _TYPES:
            raise HTTPException(404, f"there is no file {name[:60]!r}")
        etag = f'"{stored}"'
        headers = {
            "Cache-Control": _AN_HOUR if script else _FOREVER,
            "ETag": etag,
            "Vary": "Accept-Encoding",
            "Access-Control-Allow-Origin": "*",
            "Cross-Origin-Resource-Policy": "cross-origin",
            "X-Content-Type-Options": "nosniff",
        }
        if if_none_match == etag:
            return Response(status_code=304, headers=headers)
        for encoding, ending in _ENCODINGS:
            if encoding in accept_encoding and stored + ending in self._files:
                headers["Content-Encoding"] = encoding
                return Response(self._files[stored + ending], headers=headers, media_type=_TYPES[suffix])
        return Response(self._files[stored], headers=headers, media_type=_TYPES[suffix])
