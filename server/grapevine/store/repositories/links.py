"""Minted links: their rows, how they are found, and how the writer's transaction changes them (``links.sql``)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final

import msgspec

from grapevine.domain import ids
from grapevine.domain.tokens import LAST_N
from grapevine.store.query_runner import Changes, Runner
from grapevine.store.readers.scope import visit_params
from grapevine.store.repositories.repository import Repository

BEFORE_ALL: Final = 1 << 62
"""Larger than every visit id: where a list of links begins."""


class LinkRow(msgspec.Struct, frozen=True, array_like=True):
    """A minted link; the schema says what each column means."""

    site_id: int
    visit_id: int
    cell: int
    channel: int
    url: str
    label: str | None
    external_id: str | None
    campaign: str | None
    word: str | None
    places: str
    keep: int
    created_at: int
    expires_at: int | None

    @property
    def place_names(self) -> tuple[str, ...]:
        """The names of its places: the first has ``n`` 1 in its tokens."""
        return tuple(self.places.split()[:LAST_N])


class LinkName(msgspec.Struct, frozen=True, array_like=True):
    """A name by which a link is found, as its keyed hash; ``kind`` is a code of ``writer.link_names``."""

    site_id: int
    kind: int
    name_key: int
    cell: int
    visit_id: int


class LinkRepository(Repository):
    """Finds minted links: one at once, many with ``lists``, a runner that others do not wait for."""

    def __init__(
        self, reader: Runner, transaction: Callable[[], AbstractAsyncContextManager[Runner]], lists: Runner
    ) -> None:
        super().__init__(reader, transaction)
        self._list = lists.run

    async def link(self, site_id: int, visit_id: int) -> LinkRow | None:
        """Returns a link; None where the site has none with that id."""
        rows = await self._read("link", **visit_params(site_id, visit_id))
        return LinkRow(*rows[0]) if rows else None

    async def of_site(self, site_id: int, limit: int, before: int = BEFORE_ALL) -> list[LinkRow]:
        """Returns up to ``limit`` links of a site with ids below ``before``, downwards."""
        rows = await self._list("links_of_site", site_id=site_id, limit=limit, before=before)
        return [LinkRow(*row) for row in rows]

    async def ids_named(
        self, site_id: int, kind: int, name_key: int, limit: int, before: int = BEFORE_ALL
    ) -> list[int]:
        """Returns up to ``limit`` ids below ``before`` of the links of a name, downwards."""
        rows = await self._list(
            "ids_of_links_named",
            cell=ids.hashed_cell(name_key),
            site_id=site_id,
            kind=kind,
            name_key=name_key,
            limit=limit,
            before=before,
        )
        return [visit_id for (visit_id,) in rows]

    async def links(self, site_id: int, visit_ids: Iterable[int]) -> dict[int, LinkRow]:
        """Returns those of these links that are stored, by id."""
        keys = [(site_id, visit_id, ids.cell_of(visit_id)) for visit_id in visit_ids]
        return {row[1]: LinkRow(*row) for row in await self._list("named_links", keys)}

    async def number_of_day(self, site_id: int, day: int) -> int:
        """Returns how many links the site made on a day (number)."""
        ((number,),) = await self._list(
            "links_of_day", site_id=site_id, first=ids.pack(day, 0, 0), end=ids.pack(day + 1, 0, 0)
        )
        return int(number)


class LinkBatches:
    """Changes the link tables in the writer's transaction, behind visits and pages, in one order: links, names, words
    (``LinkWords``)."""

    def __init__(self, changes: Changes) -> None:
        self._run = changes.run

    async def insert(self, links: Sequence[LinkRow], names: Sequence[LinkName]) -> None:
        """Adds links with their names."""
        await self._run("insert_links", _plain(links))
        await self._run("insert_link_names", sorted(_plain(names)))


def _plain(structs: Sequence[msgspec.Struct]) -> list[Any]:
    return [msgspec.structs.astuple(struct) for struct in structs]
