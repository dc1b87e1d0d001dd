"""The dashboard's static files. Their names contain a hash of the content, so browsers may cache them for ever."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

FOLDER: Final = "/static"
_TYPES: Final = {
    "css": "text/css; charset=utf-8",
    "js": "text/javascript; charset=utf-8",
    "svg": "image/svg+xml",
}


class Asset(NamedTuple):
    """The content of a file and its media type."""

    content: bytes
    media_type: str


@cache
def _hashed() -> dict[str, tuple[str, Asset]]:
    """Returns by plain name: the name with the hash, and the file."""
    found = {}
    for file in files(__package__).joinpath("static").iterdir():
        stem, _, kind = file.name.rpartition(".")
        if kind in _TYPES:
            content = _tight(file.read_bytes()) if kind == "css" else file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:12]
            found[file.name] = (f"{stem}.{digest}.{kind}", Asset(content, _TYPES[kind]))
    return found


def _tight(css: bytes) -> bytes:
    """Returns a style sheet without needless white space."""
    return re.sub(rb"(?<=[:,]) |\s*([{};])\s*", rb"\1", css)


def url(name: str) -> str:
    """Returns the URL path of a file. Raises KeyError when there is no such file."""
    return f"{FOLDER}/{_hashed()[name][0]}"


def asset(name: str) -> Asset | None:
    """Returns the file with this hashed name; None when there is none."""
    return dict(_hashed().values()).get(name)
