"""Secrets in URLs: parameters named like one, e-mail addresses, JSON Web Tokens. Stored URLs are without them.

The patterns come from ``widget/secret_parameters.json``; the widget tests URLs with the same ones
(``widget/src/shortLinks/showsSecret.js``), since a short link to such a page would lead somewhere else.
"""

from __future__ import annotations

import json
import re
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple
from urllib.parse import unquote

LEFT_OUT: Final = "*"
"""Takes the place of a path segment that holds a secret."""

_NAMES_CACHED: Final = 1_024
_DECODED: Final = 3
"""How often a URL may be encoded: a redirect's target is a URL within a URL, often through two hops."""

_WORD_END: Final = re.compile(r"[a-z](?=[A-Z])|[A-Z](?=[A-Z][a-z])")
"""The last letter of a word within a name in camel case: ``resetToken``, ``APIKey``."""


class _Patterns(NamedTuple):
    name: re.Pattern[str]
    value: re.Pattern[str]


def shows_secret(text: str) -> bool:
    """Returns whether a parameter, a query or a path holds a secret, also in a URL that is a parameter's value.

    Bytes are decoded as Latin-1, as the widget does: the patterns look at ASCII alone.
    """
    name, value = _patterns()
    for _ in range(_DECODED):
        text = unquote(text, "latin-1")
        if name.search(_WORD_END.sub(r"\g<0>_", text)) or value.search(text):
            return True
        if "%" not in text:
            break
    return False


def parameter_shows_secret(piece: str) -> bool:
    """As ``shows_secret``, of one ``name=value``. A value of letters and digits shows nothing, and names repeat."""
    name, _, value = piece.partition("=")
    return _name_shows_secret(name) if value.isalnum() else shows_secret(piece)


@lru_cache(maxsize=_NAMES_CACHED)
def _name_shows_secret(name: str) -> bool:
    return shows_secret(f"{name}=")


def path_without_secrets(path: str) -> str:
    """Returns a path without its matrix parameters (``;jsessionid=…``) and segments that hold a secret."""
    text = unquote(path, "latin-1") if "%" in path else path
    # Without any of these there is no secret. Every visit has a path and few paths have one: five searches cost 0.1 µs.
    if not ("@" in text or ";" in text or "=" in text or "%" in text or "eyJ" in text):
        return path
    return "/".join(_segment_without_secrets(segment) for segment in path.split("/"))


def _segment_without_secrets(segment: str) -> str:
    first, *parameters = segment.split(";")
    kept = [LEFT_OUT if shows_secret(first) else first, *(piece for piece in parameters if not shows_secret(piece))]
    return ";".join(kept)


@cache
def _patterns() -> _Patterns:
    table = json.loads(files("grapevine").joinpath("built", "data", "secret_patterns.json").read_text("utf-8"))
    return _Patterns(
        name=re.compile(table["SECRET_NAME"], re.ASCII | re.IGNORECASE),
        value=re.compile(table["SECRET_VALUE"], re.ASCII),
    )
