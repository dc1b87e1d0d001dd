"""What ends of minted links: whole links with their nodes, and external ids after their time
(``sql/link_removals.sql``)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from typing import Final

from grapevine.domain import ids
from grapevine.store.query_runner import Changes
from grapevine.store.repositories.links import LinkName, LinkRow
from grapevine.store.repositories.repository import Repository
from grapevine.store.repositories.retention import VisitKey

_FROM_THE_FIRST: Final = (-1, -1, -1)


class LinkRemovals:
    """The removal of minted links in one transaction, in which their nodes are locked (``Batch.held_visits``)."""

    def __init__(self, changes: Changes) -> None:
        self._run = changes.run
        self._run_many = changes.run_many

    async def links(self, nodes: Sequence[VisitKey]) -> list[LinkRow]:
        """Returns the links of some nodes."""
        return [LinkRow(*row) for row in await self._run("named_links", nodes)]

    async def delete(self, links: Sequence[LinkRow], names: Iterable[LinkName], at: int) -> None:
        """Deletes links with their names and clicks, and frees their words at ``at`` (UTC milliseconds)."""
        keys = sorted((link.site_id, link.visit_id, link.cell) for link in links)
        # Clicks are added while their links are locked: after this statement none comes any more.
        await self._run("delete_links", keys)
        await self._run(
            "delete_link_names",
            sorted((name.site_id, name.kind, name.name_key, name.cell, name.visit_id) for name in names),
        )
        for link in links:
            if link.word is not None:
                words = await self._run("words_of_link", site_id=link.site_id, visit_id=link.visit_id)
                await self._run("free_link_words", [(*word, at) for word in words])
        await self._run("delete_link_clicks", keys)

    async def end_nodes(self, nodes: Sequence[VisitKey], used: Set[VisitKey]) -> None:
        """Leaves of nodes their positions in the tree, and the days of their ids; of one below which nothing is,
        nothing. Below those ``used`` there is something."""
        unused = [node for node in nodes if node not in used]
        found = {(site, node, cell) for site, node, cell in await self._run("nodes_with_visits", unused)}
        await self._run("delete_visits", [node for node in unused if node not in found])
        rows = [(*node, ids.day_start(ids.day_of(node[1]))) for node in nodes if node in used or node in found]
        await self._run_many([("make_stubs", rows), ("forget_roots_of_cascades", rows)])

    async def note_last_returns(self, returns: Mapping[VisitKey, int]) -> None:
        """Notes on links, by the keys of their nodes, when a return came below them whose row is deleted; other keys
        are passed over. Of a time its day (UTC) is stored."""
        rows = [(*node, at - at % ids.DAY_MS) for node, at in sorted(returns.items())]
        await self._run("note_last_returns", rows)


class LinkExpiryRepository(Repository):
    """The external ids whose time is over."""

    async def old_external_ids(self, before: int, behind: LinkRow | None, limit: int) -> list[LinkRow]:
        """Returns links that were made before a time (UTC milliseconds) and have an external id that is not kept, the
        oldest first, those behind one of them."""
        created_at, site_id, visit_id = (
            _FROM_THE_FIRST if behind is None else (behind.created_at, behind.site_id, behind.visit_id)
        )
        rows = await self._read(
            "old_external_ids",
            before=before,
            created_at=created_at,
            site_id=site_id,
            visit_id=visit_id,
            limit=limit,
        )
        return [LinkRow(*row) for row in rows]

    async def last_uses(self, links: Iterable[LinkRow]) -> dict[tuple[int, int], int]:
        """Returns when links were used last, by a click, a scan or a return below them, by (site, visit); 0 for
        never."""
        keys = [(link.site_id, link.visit_id, link.cell) for link in links]
        return {(site, visit): max(times) for site, visit, *times in await self._read("last_uses_of_links", keys)}

    async def drop_external_ids(self, links: Iterable[LinkRow], names: Iterable[LinkName]) -> None:
        """Drops the external ids of links, and the ``names`` by which they are found."""
        async with self._transaction() as change:
            await change.run("drop_external_ids", sorted((link.site_id, link.visit_id, link.cell) for link in links))
            await change.run(
                "delete_link_names",
                sorted((name.site_id, name.kind, name.name_key, name.cell, name.visit_id) for name in names),
            )
