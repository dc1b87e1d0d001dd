"""The dashboard's own files, under names that change with their content, so that browsers may keep them for ever."""

from __future__ import annotations

import hashlib
import re
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

FOLDER: Final = "/static"
_TYPES: Final = {"css": "text/css; charset=utf-8", "svg": "image/svg+xml"}


class Asset(NamedTuple):
    """A file as it is served."""

    content: bytes
    media_type: str


@cache
def _hashed() -> dict[str, tuple[str, Asset]]:
    """By plain name: the name with the hash in it, and the file."""
    found = {}
    for file in files(__package__).joinpath("static").iterdir():
        stem, _, kind = file.name.rpartition(".")
        if kind in _TYPES:
            content = _tight(file.read_bytes()) if kind == "css" else file.read_bytes()
            digest = hashlib.sha256(content).hexdigest()[:12]
            found[file.name] = (f"{stem}.{digest}.{kind}", Asset(content, _TYPES[kind]))
    return found


def _tight(css: bytes) -> bytes:
    """A style sheet without the white space that only its authors need."""
    return re.sub(rb"(?<=[:,]) |\s*([{};])\s*", rb"\1", css)


def url(name: str) -> str:
    """The path under which a file is served. Raises KeyError when there is no such file."""
    return f"{FOLDER}/{_hashed()[name][0]}"


def asset(name: str) -> Asset | None:
    """The file with this hashed name."""
    return dict(_hashed().values()).get(name)
