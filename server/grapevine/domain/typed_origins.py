"""Origins as people type them: what is meant is understood, and anything else is refused with what to type instead."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from grapevine.domain.urls import UrlError, origin_of

_AROUND: Final = "\"'<>`“”„‘’«».,;"
"""What stands around an address in a sentence."""

_SEPARATORS: Final = re.compile(r"[\s,;]+")
# "http:/a.example", "https//a.example", "https:a.example", "//a.example", "a.example", "http:\\a.example".
_LOOSE_SCHEME: Final = re.compile(r"(?:(?P<scheme>https?)(?::/*|/+))?/*(?P<rest>[^/].*)", re.IGNORECASE)
_DOUBLED_SCHEME: Final = re.compile(r"^https?:/*(?=https?:/)", re.IGNORECASE)
_OTHER_SCHEME: Final = re.compile(r"(?!https?:)[a-z][a-z0-9+.-]*:(?![0-9])", re.IGNORECASE)
_LOCAL: Final = re.compile(r"localhost(?::|/|$)|127\.|\[::1\]|\[?::1", re.IGNORECASE)
_LONGEST_SHOWN: Final = 200


def parse_origin(text: str) -> str:
    """Returns the origin that a user typed; quotes around it and a slash at its end are allowed.

    Raises UrlError, whose text continues a sentence about what was typed, and says what to type instead.
    """
    typed = _DOUBLED_SCHEME.sub("", text.strip().strip(_AROUND).strip())
    pieces = [piece for piece in _SEPARATORS.split(typed) if piece]
    if "*" in typed:
        raise UrlError(
            "cannot have a * in it: pages of any host that matches could then report as this site's. Name each origin "
            "by itself, such as https://example.com and https://www.example.com"
        )
    if len(pieces) > 1:
        such = f", such as {pieces[0]}" if "://" in pieces[0] else ""
        raise UrlError(f"has a space, comma or semicolon in it; name each origin by itself{such}")
    if not typed.lower().startswith(("http://", "https://")):
        raise UrlError(f"must begin with http:// or https://{_suggested(typed)}")
    try:
        origin = origin_of(typed)
    except UrlError as error:
        raise UrlError(f"{error}{_suggested(typed)}") from None
    parts = urlsplit(typed)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UrlError(f"is more than an origin; use {origin}")
    return origin


def _suggested(typed: str) -> str:
    """Returns ``; use ORIGIN`` where it is plain what was meant, else nothing."""
    found = _LOOSE_SCHEME.fullmatch(typed[:_LONGEST_SHOWN].replace("\\", "/"))
    if found is None or (found["scheme"] is None and _OTHER_SCHEME.match(typed)):
        return ""
    rest = found["rest"].partition("/")[0].rpartition("@")[2]
    usual = "http" if _LOCAL.match(rest) else "https"
    try:
        origin = origin_of(f"{found['scheme'] or usual}://{rest}")
    except UrlError:
        return ""
    host = urlsplit(origin).hostname or ""
    return f"; use {origin}" if "." in host or ":" in host or host == "localhost" else ""
