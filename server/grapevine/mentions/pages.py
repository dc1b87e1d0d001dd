"""Which of a site's stored pages an address of a stranger shows.

Strangers write addresses that lead to a page by a redirect of its site: with or without ``www.``, with or without the
slash at the end. Where no page is stored under the address itself, it shows the page that is stored under such a one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import NamedTuple
from urllib.parse import urlsplit

from grapevine.domain.canonical_urls import canonical_stored
from grapevine.domain.urls import Page, UrlError, origin_of, page_id, page_of
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads


class KnownPage(NamedTuple):
    """A stored page: its id, and the address under which it is stored."""

    page_id: int
    url: str


async def known_pages(reads: Reads, site: Site, urls: Iterable[str]) -> dict[str, KnownPage]:
    """Returns which page of ``site`` each of ``urls`` shows, in whatever spelling; those that show none are left out.

    A page that is stored under exactly this address comes first, as in ``analytics.pages``. Nothing is stored.
    """
    candidates = {url: tuple(_candidates(site, url)) for url in dict.fromkeys(urls)}
    wanted = {page for pages in candidates.values() for page in pages}
    stored = await reads.pages.urls(site.site_id, sorted(wanted)) if wanted else {}
    return _chosen(candidates, stored)


async def known_page(reads: Reads, site: Site, url: str) -> KnownPage | None:
    """Returns the page of ``site`` that ``url`` shows; None where no page is stored that it could be."""
    return (await known_pages(reads, site, (url,))).get(url)


async def ids_of_page(reads: Reads, site: Site, page: KnownPage) -> frozenset[int]:
    """Returns the ids of all addresses that show a stored page: its own, and those under which no page is stored."""
    others = await known_pages(reads, site, _variants(site, page.url))
    return frozenset((page.page_id, *(page_id(site.site_id, url) for url, shown in others.items() if shown == page)))


def shows_page(site: Site, url: str, ids: Collection[int]) -> bool:
    """Returns whether ``url`` shows a page of ``site`` with one of these ids, in whatever spelling."""
    shown = _shown(site, url)
    return shown is not None and (shown.page_id in ids or page_id(site.site_id, canonical_stored(url)) in ids)


def _shown(site: Site, url: str) -> Page | None:
    """Returns the page of an address; None where it is not of the site.

    The addresses of strangers stay out of the memory of pages that ``Site.page`` keeps.
    """
    try:
        return page_of(site.site_id, url, site.origins, site.row.param, site.kept_query, site.keep)
    except UrlError:
        return None


def _candidates(site: Site, url: str) -> Iterator[int]:
    """Yields the ids that the page of an address may have: none where it is not of the site."""
    shown = _shown(site, url)
    if shown is not None:
        yield page_id(site.site_id, canonical_stored(url))
        yield shown.page_id
        for variant in _variants(site, shown.url):
            yield page_id(site.site_id, variant)


def _variants(site: Site, url: str) -> Iterator[str]:
    """Yields the other addresses from or to which sites redirect the page at ``url``, as pages are spelled."""
    own = origin_of(url)
    rest = url.removeprefix(own)
    path, mark, query = rest.partition("?")
    slashed = path.removesuffix("/") if path.endswith("/") else f"{path}/"
    for origin in (own, *_twins(own, site.origins)):
        if origin != own:
            yield origin + rest
        if slashed:
            yield f"{origin}{slashed}{mark}{query}"


@lru_cache(maxsize=256)
def _twins(own: str, origins: frozenset[str]) -> tuple[str, ...]:
    """Returns those of ``origins`` that one redirects to the other: http or https, with ``www.`` or without."""
    return tuple(sorted(each for each in origins if each != own and _bare(each) == _bare(own)))


def _bare(origin: str) -> tuple[str, int | None]:
    parts = urlsplit(origin)
    return (parts.hostname or "").removeprefix("www."), parts.port


def _chosen(candidates: Mapping[str, tuple[int, ...]], stored: Mapping[int, str]) -> dict[str, KnownPage]:
    found: dict[str, KnownPage] = {}
    for url, pages in candidates.items():
        for page in pages:
            if page in stored:
                found[url] = KnownPage(page, stored[page])
                break
    return found
