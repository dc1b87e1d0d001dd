"""What minted links brought, and from which link something grew."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.readers.scope import visit_keys, visit_params
from grapevine.store.repositories.links import LinkRow


class LinkClicks(NamedTuple):
    """How often one token of a link was followed, and when last (ms)."""

    visit_id: int
    channel: int
    n: int
    clicks: int
    clicked_at: int


class LinkReturns(NamedTuple):
    """The returns through one token of a link."""

    visit_id: int
    channel: int
    n: int
    returns: int
    self_returns: int


class LinkReader:
    """Reads the numbers of minted links (``link_numbers.sql``)."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def clicks(self, site_id: int, links: Sequence[int]) -> list[LinkClicks]:
        """Returns the clicks of links, by token; leaves out tokens that nobody followed."""
        rows = await self._run("clicks_of_links", visit_keys(links), site_id=site_id)
        return [LinkClicks(*row) for row in rows]

    async def returns(self, site_id: int, links: Sequence[int]) -> list[LinkReturns]:
        """Returns the returns through links, by token; leaves out tokens that are no share."""
        rows = await self._run("returns_of_links", visit_keys(links), site_id=site_id)
        return [LinkReturns(*row) for row in rows]

    async def last_return(self, site_id: int, tokens: Iterable[tuple[int, int, int]], at: int) -> int | None:
        """Returns the last visit that came through one of ``tokens`` (link, channel, n) at or before ``at``,
        self-returns left out."""
        keys = [(link, ids.cell_of(link), channel, n) for link, channel, n in sorted(set(tokens))]
        rows = await self._run("last_return_of_links", keys, site_id=site_id, at=at) if keys else []
        return rows[0][0] if rows else None

    async def generations(self, site_id: int, links: Sequence[int]) -> list[tuple[int, int, int]]:
        """Returns the visits below links as (link, depth, visits)."""
        rows = await self._run("generations_of_links", visit_keys(links), site_id=site_id)
        return [(link, depth, visits) for link, depth, visits in rows]

    async def conversions(self, site_id: int, links: Sequence[int]) -> dict[int, int]:
        """Returns the number of conversions of links and the visits below them."""
        found: dict[int, int] = {}
        for query in ("conversions_of_links", "conversions_below_links"):
            for link, conversions in await self._run(query, visit_keys(links), site_id=site_id):
                found[link] = found.get(link, 0) + conversions
        return found

    async def networks(self, site_id: int, link: int) -> int:
        """Returns from how many networks a link was opened, each counted once a day."""
        ((networks,),) = await self._run("networks_of_link", **visit_params(site_id, link))
        return int(networks)

    async def unfurls(self, site_id: int, link: int) -> dict[str, int]:
        """Returns how many preview robots fetched a link, by app."""
        return dict(await self._run("unfurls_of_link", **visit_params(site_id, link)))

    async def at_roots(self, site_id: int, visits: Iterable[int]) -> dict[int, LinkRow]:
        """Returns the links from which those of ``visits`` grew that grew from one, a link's own node included."""
        rows = await self._run("links_at_roots", visit_keys(visits), site_id=site_id)
        return {visit: LinkRow(*link) for visit, *link in rows}
