"""Pages that become one: which are to be joined, and the tables in which they are named; one method a named query of
``sql/page_joins.sql``."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, NamedTuple

import msgspec

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.repositories.repository import Repository
from grapevine.store.rows import PageRow

PageKey = tuple[int, int]
"""A page as (site, page)."""

Row = tuple[Any, ...]

_BEFORE_ALL: Final = -(2**63)
_BEFORE_ALL_SMALL: Final = -(2**15)


class PagedTable(NamedTuple):
    """A table whose rows name a page: the columns of its key, with the first values that they can have, the index of
    the page in a row that ``TABLE_after`` returns, and the query that adds rows again, where the page is in the key."""

    name: str
    key: Mapping[str, int | str]
    page: int
    raised_by: str | None = None


_SITE: Final = {"site_id": _BEFORE_ALL}
_SHARE: Final = _SITE | {"visit_id": _BEFORE_ALL} | dict.fromkeys(("cell", "channel", "n"), _BEFORE_ALL_SMALL)
_PAGE: Final = {"page_id": _BEFORE_ALL, "cell": _BEFORE_ALL_SMALL}

SHARES: Final = PagedTable("shares", _SHARE, 5), PagedTable("kept_shares", _SHARE, 5)
"""Tables whose rows point to a page, or have an address of their own where they exceeded a bound."""

CASCADES: Final = PagedTable("cascades", _SITE | {"root_id": _BEFORE_ALL, "cell": _BEFORE_ALL_SMALL}, 3)

POINTING: Final = (*SHARES, CASCADES)
"""Tables whose rows point to a page."""

COUNTING: Final = (
    PagedTable("counts_page", _SITE | {"day": _BEFORE_ALL} | _PAGE, 2, "raise_counts_page"),
    PagedTable("counts_week", _SITE | {"week": _BEFORE_ALL} | _PAGE, 2, "raise_counts_week"),
    PagedTable(
        "counts_shared",
        _SITE | {"page_id": _BEFORE_ALL, "channel": _BEFORE_ALL_SMALL, "cell": _BEFORE_ALL_SMALL},
        1,
        "raise_counts_shared",
    ),
    PagedTable(
        "deleted_counts",
        _SITE
        | {"hour": _BEFORE_ALL, "source": _BEFORE_ALL_SMALL, "channel": _BEFORE_ALL_SMALL, "depth": -(2**31)}
        | {"page_id": _BEFORE_ALL, "device": _BEFORE_ALL_SMALL, "app": "", "cell": _BEFORE_ALL_SMALL},
        5,
        "add_deleted_counts",
    ),
)
"""Tables that count by page."""


class PageJoinRepository(Repository):
    """The pages that are to be joined, and the changes that join them.

    The changes are made in ``undurable`` transactions, so that no request waits for the disk: what a failure of the
    machine undoes is found again, since the step is noted after it.
    """

    def __init__(
        self,
        reader: Runner,
        transaction: Callable[[], AbstractAsyncContextManager[Runner]],
        undurable: Callable[[], AbstractAsyncContextManager[Runner]],
    ) -> None:
        super().__init__(reader, transaction)
        self._undurable = undurable

    async def step(self) -> int:
        """Returns the step that was noted last; 0 at first."""
        return int((await self._read("page_join_step"))[0][0])

    async def note_step(self, step: int) -> None:
        """Notes the step at which the job is, durably, and so everything before it."""
        async with self._transaction() as change:
            await change.run("set_page_join_step", step=step)

    async def pages(self, limit: int) -> AsyncIterator[list[PageRow]]:
        """Yields all pages of all sites, ``limit`` at a time."""
        last = (_BEFORE_ALL, _BEFORE_ALL, _BEFORE_ALL_SMALL)
        while rows := await self._read("pages_after", site_id=last[0], page_id=last[1], cell=last[2], limit=limit):
            yield [PageRow(*row) for row in rows]
            last = rows[-1][:3]

    async def add(self, joins: Iterable[tuple[int, int, int]], pages: Iterable[PageRow]) -> None:
        """Notes that pages are to be joined: (site, page, page that it becomes); stores the ``pages`` that they
        become, each given once."""
        async with self._undurable() as change:
            await _store(change, pages)
            await change.run("insert_page_joins", sorted(joins))

    async def joins(self, limit: int) -> AsyncIterator[dict[PageKey, int]]:
        """Yields the page that each page becomes, ``limit`` at a time."""
        last = (_BEFORE_ALL, _BEFORE_ALL)
        while rows := await self._read("page_joins_after", site_id=last[0], page_id=last[1], limit=limit):
            yield {(site, page): joined for site, page, joined in rows}
            last = rows[-1][:2]

    async def rows_to_join(self, table: PagedTable, limit: int) -> AsyncIterator[list[Row]]:
        """Yields the key and the page of rows whose page is to be joined, with the page that it becomes behind them,
        as found among ``limit`` rows of the table at a time; empty lists, too."""
        async for rows, joins in self._rows_after(table, limit):
            yield [(*row, joins[row[0], row[table.page]]) for row in rows if (row[0], row[table.page]) in joins]

    async def shares_to_join(
        self, table: PagedTable, limit: int, joined: Callable[[int, str], str]
    ) -> AsyncIterator[list[Row]]:
        """As ``rows_to_join``, of a table of ``SHARES``: the key, the page and the address of the row's own, with what
        these become behind them. ``joined`` returns what an address of a site becomes."""
        async for rows, joins in self._rows_after(table, limit):
            pairs = [
                (row, (joins.get((row[0], row[5]), row[5]), None if row[6] is None else joined(row[0], row[6])))
                for row in rows
            ]
            yield [(*row, *became) for row, became in pairs if row[5:] != became]

    async def _rows_after(self, table: PagedTable, limit: int) -> AsyncIterator[tuple[list[Row], dict[PageKey, int]]]:
        """Yields ``limit`` rows of a table at a time, and which of their pages become which."""
        last: Row = tuple(table.key.values())
        while rows := await self._read(f"{table.name}_after", **dict(zip(table.key, last, strict=True)), limit=limit):
            last = rows[-1][: len(table.key)]
            pages = {(row[0], row[table.page]) for row in rows if row[table.page] is not None}
            found = await self._read("page_joins_of", sorted(pages))
            yield rows, {(site, page): joined for site, page, joined in found}

    async def visits(self, site_id: int, pages: Iterable[int], limit: int) -> list[Row]:
        """Returns up to ``limit`` visits that began on ``pages``: (site, visit, cell, page)."""
        return await self._read("visits_of_pages", [(page,) for page in sorted(pages)], site_id=site_id, limit=limit)

    async def point_visits(self, rows: Sequence[Row]) -> None:
        """Gives visits another page: (site, visit, cell, page, page that it becomes)."""
        async with self._undurable() as change:
            await change.run("held_visits", [row[:3] for row in rows])  # in the order of all who lock visits
            await change.run("point_visits", rows)

    async def point(self, table: PagedTable, rows: Sequence[Row]) -> None:
        """Gives rows of one of ``POINTING`` another page: those that ``rows_to_join`` or ``shares_to_join`` yields."""
        async with self._undurable() as change:
            await change.run(f"point_{table.name}", rows)  # which were read in the order of their key

    async def move(self, table: PagedTable, rows: Sequence[Row]) -> None:
        """Adds rows of one of ``COUNTING`` to those of the pages that they become: those that ``rows_to_join``
        yields."""
        width = len(table.key)
        joined = {row[:width]: row[-1] for row in rows}
        sums: dict[Row, Counter[int]] = {}
        async with self._undurable() as change:
            for row in await change.run(f"take_{table.name}", sorted(joined)):
                key = row[:width]
                key = (*key[: table.page], joined[key], *key[table.page + 1 :])
                sums.setdefault(key, Counter()).update(dict(enumerate(row[width:])))
            await change.run(table.raised_by or "", [(*key, *sums[key].values()) for key in sorted(sums)])

    async def move_spikes(self) -> None:
        """Adds the spikes of all pages that are to be joined to those of the pages that they become."""
        async with self._undurable() as change:
            await change.run("join_spikes")
            await change.run("delete_joined_spikes")

    async def delete(self, joined: Iterable[PageKey], pages: Iterable[PageRow]) -> None:
        """Deletes pages that are joined, and their notes. Stores the ``pages`` that they became once more, as an
        erasure may have deleted one while nothing pointed to it."""
        keys = sorted(joined)
        async with self._undurable() as change:
            await _store(change, pages)
            await change.run("delete_joined_pages", _with_cells(keys))
            await change.run("delete_page_joins", keys)

    async def named(self, keys: Iterable[PageKey]) -> list[PageRow]:
        """Returns the pages among ``keys`` that are stored."""
        return [PageRow(*row) for row in await self._read("pages_of_keys", _with_cells(sorted(keys)))]


def _with_cells(keys: Iterable[PageKey]) -> list[Row]:
    return [(site, page, ids.hashed_cell(page)) for site, page in keys]


async def _store(change: Runner, pages: Iterable[PageRow]) -> None:
    rows = sorted(pages, key=lambda page: (page.site_id, page.page_id))
    await change.run("insert_joined_pages", [msgspec.structs.astuple(page) for page in rows])
