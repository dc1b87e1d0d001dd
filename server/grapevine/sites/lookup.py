"""Finds a site by what somebody types for it: its key, its name, one of its origins or hosts."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final
from unicodedata import normalize
from urllib.parse import urlsplit

from grapevine.domain.did_you_mean import closest
from grapevine.domain.typed_origins import parse_origin
from grapevine.domain.urls import UrlError
from grapevine.errors import Forbidden, UnknownSite
from grapevine.sites.api_keys import KEY_PREFIX
from grapevine.store.rows import SiteRow

SITE_KEY_LENGTH: Final = 16
_LONGEST_SHOWN: Final = 100
_MOST_SHOWN: Final = 10


def site_named(sites: Sequence[SiteRow], text: str) -> SiteRow:
    """Returns the only site that ``text`` names.

    A key names its site whatever others are called. Else ``text`` is a name, in whatever case and spacing, an origin or
    a host, and all of them count: a site is never chosen among several. Raises UnknownSite, whose text lists the
    candidates or says what may have been meant.
    """
    typed = text.strip()
    for site in sites:
        if site.key == typed:
            return site
    if typed.startswith(KEY_PREFIX):
        raise Forbidden(
            "that is the secret of an API key; a site is named by its public key or its name, see `grapevine site list`"
        )
    found = [site for site in sites if _is_called(site, typed)]
    if len(found) == 1:
        return found[0]
    shown = f"{typed[:_LONGEST_SHOWN]!r}"
    if found:
        listed = ", ".join(described(site) for site in found[:_MOST_SHOWN])
        more = f" and {len(found) - _MOST_SHOWN} more" if len(found) > _MOST_SHOWN else ""
        raise UnknownSite(f"{shown} may be any of {len(found)} sites, so name it by its key: {listed}{more}")
    if not sites:
        raise UnknownSite(f"no site is called {shown}: there is none yet; see `grapevine site add --help`")
    names = {name: site for site in sites for name in (site.name, site.key, *_hosts(site))}
    meant = closest(typed, names)
    hint = "" if meant is None else f"; did you mean {described(names[meant])}?"
    raise UnknownSite(
        f"no site of this server has the key or name {shown}{hint or ';'} `grapevine site list` shows all of them"
    )


def is_key_shaped(text: str) -> bool:
    """Returns whether a text looks like the key of a site, perhaps of another server."""
    return len(text) == SITE_KEY_LENGTH and text.isascii() and text.isalnum()


def described(site: SiteRow) -> str:
    """Returns a site's key with its name and origins, to tell it from others."""
    origins = " ".join(site.origins[:3]) + (" …" if len(site.origins) > 3 else "")
    return f"{site.key} ({site.name}, {origins})"


def called_alike(sites: Iterable[SiteRow], site: SiteRow) -> list[SiteRow]:
    """Returns the other sites that have the same name."""
    return [other for other in sites if other.key != site.key and _folded(other.name) == _folded(site.name)]


def _is_called(site: SiteRow, typed: str) -> bool:
    if _folded(site.name) == _folded(typed):
        return True
    try:
        if "://" in typed:
            return parse_origin(typed) in site.origins
        return urlsplit(parse_origin(f"https://{typed}")).netloc in _hosts(site)
    except UrlError:
        return False


def _hosts(site: SiteRow) -> set[str]:
    """The hosts of a site's origins, each with its port where it has one, and without."""
    places = [urlsplit(origin) for origin in site.origins]
    return {place.netloc for place in places} | {place.hostname or "" for place in places}


def _folded(name: str) -> str:
    return " ".join(normalize("NFKC", name).casefold().split())
