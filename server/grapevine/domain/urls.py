"""URLs of a site's pages: which belong to the site, which are the same page, and where a token goes."""

from __future__ import annotations

import hashlib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple
from urllib.parse import quote, unquote_plus, urlsplit

import idna

from grapevine.domain.enums import OTHER_NAME
from grapevine.domain.printable import UNPRINTABLE
from grapevine.domain.url_secrets import parameter_shows_secret, path_without_secrets

MAX_LENGTH: Final = 2048
OTHER_PAGE: Final = OTHER_NAME
"""The page under which visits are counted once a site has exceeded its daily bound of new pages."""

# What a browser never spells: it percent-encodes these everywhere, and writes a backslash only behind the path. Others,
# such as | and ^, it leaves as they are in paths or queries, and they are never a reason to refuse a visit.
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f<>\"]|[\ud800-\udfff]|^[^?#]*\\")
_UNSAFE_IN_HOST: Final = re.compile(r"[`{}|^]")
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}
_ALWAYS_TRACKING: Final = ("utm_", "mtm_", "pk_", "hsa_", "_hs", "ga_")


class UrlError(ValueError):
    """A URL that cannot be used; the text says why."""


class Page(NamedTuple):
    """One page of a site: ``url`` is origin, path and the kept query parameters, as it is stored."""

    page_id: int
    url: str
    is_home: bool


def origin_of(url: str) -> str:
    """``scheme://host[:port]`` of an http(s) URL, in lower case, without a default port. Raises UrlError."""
    if len(url) > MAX_LENGTH:
        raise UrlError(f"is {len(url)} characters long; at most {MAX_LENGTH} are taken")
    if _UNSAFE.search(url):
        raise UrlError("holds a character that no URL may hold")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise UrlError(f"is no URL: {error}") from None
    if parts.scheme not in _DEFAULT_PORTS:
        raise UrlError("must begin with http:// or https://")
    if not parts.hostname:
        raise UrlError("names no host")
    if _UNSAFE_IN_HOST.search(parts.netloc):
        raise UrlError("holds a character that no host may hold")
    if "@" in parts.netloc:
        raise UrlError("must not carry a user name or password")
    host = parts.hostname
    if not host.isascii():
        try:
            host = idna.encode(host, uts46=True).decode()
        except idna.IDNAError as error:
            raise UrlError(f"names a host that cannot be: {error}") from None
    if ":" in host:
        host = f"[{host}]"
    shown = "" if port is None or port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def parse_origin(text: str) -> str:
    """Returns the origin that a user typed; a trailing slash is allowed. Raises UrlError for more than an origin."""
    origin = origin_of(text)
    parts = urlsplit(text)
    if parts.path not in ("", "/") or parts.query or parts.fragment:
        raise UrlError(f"is more than an origin; use {origin}")
    return origin


def page_of(site_id: int, url: str, origins: frozenset[str], param: str, kept: frozenset[str] | None) -> Page:
    """The page of a site that ``url`` shows.

    ``param`` is the site's token parameter; ``kept`` are the query parameters that tell pages apart, None for all but
    known tracking names and secrets. A secret in the path is left out in any case. Raises UrlError when the URL cannot
    be a page of the site.
    """
    origin = origin_of(url)
    if origin not in origins:
        raise UrlError(f"is on {origin}, which is not an origin of this site")
    parts = urlsplit(url)
    path = path_without_secrets(parts.path) or "/"
    query = "&".join(piece for piece in parts.query.split("&") if _keeps(piece, param, kept))
    page = _readable(f"{origin}{path}?{query}" if query else f"{origin}{path}")
    return Page(page_id(site_id, page), page, path == "/" and not query)


def page_id(site_id: int, url: str) -> int:
    """The number of a page: a signed 48-bit hash of the site and the page's URL."""
    digest = hashlib.blake2b(url.encode(), digest_size=6, key=site_id.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big", signed=True)


def query_names(url: str) -> frozenset[str]:
    """The names of the query parameters of a URL, in lower case."""
    if "?" not in url:
        return frozenset()
    return frozenset(unquote_plus(piece.partition("=")[0]).lower() for piece in urlsplit(url).query.split("&") if piece)


def tagged(url: str, token: str, param: str, place: str) -> str:
    """``url`` with a share token in it.

    ``place`` is ``fragment``, ``query`` or ``auto``: the fragment when the URL has none, else a query parameter before
    it, so that anchors, hash routes and text fragments keep working.
    """
    base, hash_mark, fragment = url.partition("#")
    if place == "query" or (place == "auto" and fragment):
        joint = "&" if "?" in base else "?"
        return f"{base}{joint}{param}={token}{hash_mark}{fragment}"
    return f"{base}#{fragment}&{param}={token}" if fragment else f"{base}#{param}={token}"


def _readable(url: str) -> str:
    """Returns a URL with control and bidirectional characters percent-encoded, as browsers spell them."""
    return url if url.isprintable() else UNPRINTABLE.sub(lambda found: quote(found[0]), url)


def _keeps(piece: str, param: str, kept: frozenset[str] | None) -> bool:
    if not piece:
        return False
    name = unquote_plus(piece.partition("=")[0])
    if name == param:
        return False
    if kept is not None:
        return name in kept
    lowered = name.lower()
    if lowered in _tracking_names() or lowered.startswith(_ALWAYS_TRACKING):
        return False
    return not parameter_shows_secret(piece)


@cache
def _tracking_names() -> frozenset[str]:
    table = json.loads(files("grapevine").joinpath("built", "data", "tracking.json").read_text("utf-8"))
    return frozenset(name.lower() for name in table["parameters"])
