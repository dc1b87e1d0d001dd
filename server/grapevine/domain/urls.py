"""URLs of a site's pages: which belong to the site, and which are the same page."""

from __future__ import annotations

import hashlib
import re
from typing import Final, NamedTuple
from urllib.parse import quote, unquote_plus, urlsplit

from grapevine.domain.canonical_urls import (
    canonical_host,
    canonical_path,
    canonical_query,
    canonical_stored,
    without_dot_segments,
)
from grapevine.domain.enums import OTHER_NAME
from grapevine.domain.token_urls import without_tokens
from grapevine.domain.tracking_parameters import is_tracking
from grapevine.domain.url_secrets import parameter_shows_secret, path_without_secrets

MAX_LENGTH: Final = 2048
OTHER_PAGE: Final = OTHER_NAME
"""The page under which visits are counted once a site has exceeded its daily bound of new pages."""

# What a browser never spells in front of a fragment: it escapes these, and writes a backslash only behind the path.
# Others, such as | and ^, it leaves as they are in paths or queries, and they are never a reason to refuse a visit.
_UNSAFE: Final = re.compile(r"[\x00-\x20\x7f<>\"]|[\ud800-\udfff]|^[^?#]*\\")
# Browsers before 2018 left the others as they are in fragments.
_UNSAFE_IN_FRAGMENT: Final = re.compile(r"[\x00\ud800-\udfff]")
_UNSAFE_IN_HOST: Final = re.compile(r"[`{}|^]")
_SAFE_IN_FRAGMENT: Final = "%!$&'()*+,;=:@/?-._~#[]\\^{|}"
"""All ASCII but what browsers escape there: blanks, control characters, quotes, angle brackets, backquotes."""
_DEFAULT_PORTS: Final = {"http": 80, "https": 443}


class UrlError(ValueError):
    """A URL that cannot be used; the text says why."""


class Page(NamedTuple):
    """One page of a site: ``url`` is origin, path and the kept query parameters, as it is stored."""

    page_id: int
    url: str
    is_home: bool


def origin_of(url: str) -> str:
    """``scheme://host[:port]`` of an http(s) URL, in lower case, without a default port. Raises UrlError."""
    _refuse_unsafe(url)
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
    try:
        host = canonical_host(parts.hostname)
    except ValueError as error:
        raise UrlError(str(error)) from None
    shown = "" if port is None or port == _DEFAULT_PORTS[parts.scheme] else f":{port}"
    return f"{parts.scheme}://{host}{shown}"


def page_of(
    site_id: int,
    url: str,
    origins: frozenset[str],
    param: str,
    kept: frozenset[str] | None,
    keep: frozenset[str] = frozenset(),
) -> Page:
    """The page of a site that ``url`` shows: the same one for all spellings of an address.

    ``param`` is the site's token parameter; ``kept`` are the query parameters that tell pages apart, None for all but
    known tracking names and secrets. Those in ``keep`` are kept whatever they look like. A secret in the path is left
    out in any case. Raises UrlError when the URL cannot be a page of the site.
    """
    origin, path, query = _split(url, origins)
    whole = canonical_path(path)
    path = path_without_secrets(without_tokens(whole, param))
    if path is not whole:  # "..;jsessionid=1" is no dot segment before
        path = without_dot_segments(path)
    pieces = without_tokens(canonical_query(query), param).split("&")
    query = "&".join(piece for piece in pieces if _keeps(piece, param, kept, keep))
    page = f"{origin}{path}?{query}" if query else f"{origin}{path}"
    # Letters of other alphabets are six or nine characters each where a browser spells them, and that is what counts.
    if len(page) > MAX_LENGTH and not url.isascii():
        raise UrlError(f"is {len(page)} characters long as browsers spell it; at most {MAX_LENGTH} are taken")
    return Page(page_id(site_id, page), page, path == "/" and not query)


def spelled_url(url: str) -> str:
    """Returns an http(s) URL as a browser spells it, in ASCII, with its fragment. Raises UrlError."""
    base, mark, fragment = url.partition("#")
    origin, path, query = _split(base, frozenset((origin_of(url),)))
    spelled = origin + canonical_path(path)
    if query:
        spelled += f"?{canonical_query(query)}"
    if fragment:
        spelled += mark + quote(fragment, safe=_SAFE_IN_FRAGMENT)
    if len(spelled) > MAX_LENGTH:
        raise UrlError(f"is {len(spelled)} characters long as browsers spell it; at most {MAX_LENGTH} are taken")
    return spelled


def joined_url(url: str, keep: frozenset[str] | None) -> str:
    """Returns the address that a page has now that is stored as ``url``: in its canonical spelling and without
    parameters that only track, but for those in ``keep``; with all parameters where that is None.

    What the rule for new visits leaves out besides stays, as it might have selected content when it was stored.
    """
    base, mark, query = canonical_stored(url).partition("?")
    if keep is not None:
        query = "&".join(piece for piece in query.split("&") if (name := _name(piece)) in keep or not is_tracking(name))
    return f"{base}{mark}{query}" if query else base


def page_id(site_id: int, url: str) -> int:
    """The number of a page: a signed 48-bit hash of the site and the page's URL."""
    digest = hashlib.blake2b(url.encode(), digest_size=6, key=site_id.to_bytes(8, "big")).digest()
    return int.from_bytes(digest, "big", signed=True)


def query_names(url: str) -> frozenset[str]:
    """The names of the query parameters of a URL, in lower case."""
    if "?" not in url:
        return frozenset()
    return frozenset(_name(piece).lower() for piece in urlsplit(url).query.split("&") if piece)


def _split(url: str, origins: frozenset[str]) -> tuple[str, str, str]:
    """Returns the origin, path and query of a URL that is on one of ``origins``. Raises UrlError for others."""
    for origin in origins:  # as browsers spell them, nearly always
        if url.startswith(origin) and url[len(origin) : len(origin) + 1] in ("", "/", "?", "#"):
            _refuse_unsafe(url)
            path, _, query = url[len(origin) :].partition("#")[0].partition("?")
            return origin, path, query
    origin = origin_of(url)
    if origin not in origins:
        raise UrlError(f"is on {origin}, which is not an origin of this site")
    parts = urlsplit(url)
    return origin, parts.path, parts.query


def _refuse_unsafe(url: str) -> None:
    if len(url) > MAX_LENGTH:
        raise UrlError(f"is {len(url)} characters long; at most {MAX_LENGTH} are taken")
    if _UNSAFE.search(url) is None:
        return
    base, _, fragment = url.partition("#")
    if _UNSAFE.search(base) is not None or _UNSAFE_IN_FRAGMENT.search(fragment) is not None:
        raise UrlError("holds a character that no URL may hold")


def _name(piece: str) -> str:
    """The decoded name of a parameter, without the rest of an ``&`` that was escaped for HTML once too often."""
    name = unquote_plus(piece.partition("=")[0])
    while name[:4].lower() == "amp;":
        name = name[4:]
    return name


def _keeps(piece: str, param: str, kept: frozenset[str] | None, keep: frozenset[str]) -> bool:
    if not piece:
        return False
    name = _name(piece)
    if name == param:
        return False
    if name in keep:
        return True
    if kept is not None:
        return name in kept
    return not is_tracking(name) and not parameter_shows_secret(piece)
