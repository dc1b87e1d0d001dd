"""The page that somebody names by its address."""

from __future__ import annotations

from grapevine.domain.canonical_urls import canonical_stored
from grapevine.domain.urls import UrlError, page_id
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads


async def named_page(reads: Reads, site: Site, url: str) -> int:
    """Returns the id of the page of ``site`` that ``url`` shows, in whatever spelling.

    A page that is stored under exactly this address comes first: it may be from before the site changed which
    parameters tell its pages apart.
    """
    stored = page_id(site.site_id, canonical_stored(url))
    try:
        shown = site.page(url).page_id
    except UrlError:
        return stored
    if shown == stored or await reads.pages.urls(site.site_id, [stored]):
        return stored
    return shown
