"""A store moved: refusals, rows, comparison, and the last transaction that makes the target a store of its own."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Literal, Protocol

import msgspec

from grapevine.errors import StoreError
from grapevine.store.copy.compare import Compared, Difference, compare
from grapevine.store.copy.endpoint import End
from grapevine.store.copy.progress import Begun, Place, Remembered, moved_on
from grapevine.store.copy.schema import LEASES, VERSIONS, Row, Table, moved_tables, newest
from grapevine.store.copy.validate import check

Phase = Literal["copy", "compare"]


class Watcher(Protocol):
    """Hears how a copy goes."""

    def phase(self, name: Phase, rows: int) -> None:
        """All tables are gone through, ``rows`` rows in all."""
        ...

    def table(self, name: str, rows: int) -> None:
        """A table of ``rows`` rows is next."""
        ...

    def advance(self, rows: int) -> None:
        """So many more rows are done, or were in an earlier run."""
        ...


class Moved(msgspec.Struct, frozen=True):
    """One table: how many rows it has, and how many of them this run copied."""

    table: str
    rows: int
    copied: int


class Summary(msgspec.Struct, frozen=True):
    """What a copy did. ``verified`` says that every row of both sides was compared and is the same; ``differing``
    counts the rows that are not, and ``differences`` tells the first of each table."""

    source: str
    target: str
    resumed: bool
    tables: list[Moved]
    rows: int
    copied: int
    copy_seconds: float
    compare_seconds: float
    verified: bool
    differing: int
    differences: list[Difference]


async def move(source: End, target: End, watcher: Watcher, now: int, *, restart: bool = False) -> Summary:
    """Copies what is not yet copied, compares everything, and ends the copy when it is all the same.

    ``now`` is UTC milliseconds, against which leases of running servers are held. ``restart`` deletes what an
    unfinished copy has left in the target. Raises StoreError for what is refused.
    """
    await _refuse_source(source, target, now)
    await target.claim()
    async with source.still():
        totals = {table.name: await _count(source, table) for table in moved_tables()}
        resumed = await _begin(source, target, now, restart)
        started = time.monotonic()
        watcher.phase("copy", sum(totals.values()))
        copied = {table.name: await _copy(source, target, table, totals, watcher) for table in moved_tables()}
        await target.settle(moved_tables())
        between = time.monotonic()
        watcher.phase("compare", sum(totals.values()))
        compared = await _compare(source, target, totals, watcher)
        same = not any(one.places for one in compared)
        if same:
            await _end(source, target)
    return Summary(
        source=source.address, target=target.address, resumed=resumed,
        tables=[Moved(name, total, copied[name]) for name, total in totals.items()],
        rows=sum(totals.values()), copied=sum(copied.values()),
        copy_seconds=round(between - started, 3), compare_seconds=round(time.monotonic() - between, 3),
        verified=same, differing=sum(one.places for one in compared),
        differences=[difference for one in compared for difference in one.differences],
    )  # fmt: skip


async def _refuse_source(source: End, target: End, now: int) -> None:
    if source.identity == target.identity:
        raise StoreError(f"{source.shown} and {target.shown} are the same database")
    version = await source.version()
    if version == 0:
        raise StoreError(f"there is nothing to copy in {source.shown}: it is no store")
    if version < newest():
        raise StoreError(
            f"{source.shown} has schema {version}, this Grapevine copies {newest()}; "
            "bring it up to date: set GRAPEVINE_DATABASE to it and run grapevine migrate"
        )
    if version > newest():
        raise StoreError(f"{source.shown} has schema {version}, this Grapevine knows {newest()}: run a newer one")
    if await Remembered(source).begun():
        raise StoreError(f"{source.shown} is itself an unfinished copy: finish that one first")
    await _refuse_servers(source, now)


async def _refuse_servers(end: End, now: int) -> None:
    """A running server prolongs its lease of a slot, which it gives back when it stops."""
    held = await end.ask(f"SELECT max(expires_at) FROM {LEASES} WHERE expires_at > $1", now)  # noqa: S608
    if held and held[0][0] is not None:
        seconds = (int(held[0][0]) - now) // 1_000 + 1
        raise StoreError(
            f"a server is at work on {end.shown}: stop it first (if it was killed, its lease falls in {seconds} s)"
        )


async def _begin(source: End, target: End, now: int, restart: bool) -> bool:
    """Makes the target ready; whether it holds a part of this copy already."""
    version = await target.version()
    if version == 0:
        await target.make()
    elif version != newest():
        raise StoreError(f"{target.shown} holds a store already, of schema {version}; name one that is not there yet")
    await _refuse_servers(target, now)
    remembered = Remembered(target)
    what = Begun(source.identity, source.shown, newest())
    begun = await remembered.begun()
    if begun is None:
        for table in moved_tables():
            if await target.ask(f'SELECT 1 FROM "{table.name}" LIMIT 1'):  # noqa: S608  # names of the schema
                raise StoreError(
                    f"{target.shown} holds data already ({table.name}); name a database that is empty or not there yet"
                )
    elif not restart:
        if begun.identity != what.identity:
            raise StoreError(
                f"{target.shown} holds an unfinished copy of {begun.shown}; to delete that and copy {source.shown} "
                "instead, run the same with --restart"
            )
        if begun.schema != what.schema:
            raise StoreError(
                f"{target.shown} holds an unfinished copy made with schema {begun.schema}; to begin anew, run the same "
                "with --restart"
            )
        return True
    async with target.transaction():
        await target.empty(moved_tables())
        await remembered.begin(what)
    return False


async def _count(end: End, table: Table) -> int:
    ((count,),) = await end.ask(f'SELECT count(*) FROM "{table.name}"')  # noqa: S608  # names of the schema
    return int(count)


async def _copy(source: End, target: End, table: Table, totals: dict[str, int], watcher: Watcher) -> int:
    """Copies the rest of a table; how many rows that was."""
    remembered = Remembered(target)
    place = (await remembered.places()).get(table.name, Place())
    before = place.rows
    watcher.table(table.name, totals[table.name])
    watcher.advance(before)
    if place.done:
        return 0
    async with _ahead(source.pages(table, place.after)) as pages:
        async for rows in pages:
            check(table, rows, nul=target.holds_nul)
            place = moved_on(place, table, rows)
            async with target.transaction():
                await target.insert(table, rows)
                await remembered.put(table, place)
            watcher.advance(len(rows))
    async with target.transaction():
        await remembered.put(table, msgspec.structs.replace(place, done=True))
    return place.rows - before


async def _compare(source: End, target: End, totals: dict[str, int], watcher: Watcher) -> list[Compared]:
    found = []
    async with target.still():
        for table in moved_tables():
            watcher.table(table.name, totals[table.name])
            async with _ahead(source.pages(table)) as ours, _ahead(target.pages(table)) as theirs:
                found.append(await compare(table, ours, theirs, watcher.advance))
    return found


async def _end(source: End, target: End) -> None:
    """Raises the versions beyond those of both sides, so that whoever reads the target reads everything anew."""
    theirs = await source.ask(f"SELECT name, version FROM {VERSIONS} WHERE name <> 'schema'")  # noqa: S608
    async with target.transaction():
        for name, version in theirs:
            await target.ask(
                f"INSERT INTO {VERSIONS} (name, version) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET version = "  # noqa: S608
                f"CASE WHEN {VERSIONS}.version > $3 THEN {VERSIONS}.version ELSE excluded.version END + 1",
                name, version + 1, version + 1,
            )  # fmt: skip
        await Remembered(target).end()


@asynccontextmanager
async def _ahead(pages: AsyncGenerator[list[Row], None]) -> AsyncIterator[AsyncIterator[list[Row]]]:
    """The same pages, each fetched while the one before is dealt with."""
    waiting: set[asyncio.Task[list[Row]]] = set()

    async def fetch() -> list[Row]:
        return await anext(pages, [])

    async def fetched() -> AsyncGenerator[list[Row], None]:
        task = asyncio.create_task(fetch())
        waiting.add(task)
        while rows := await task:
            waiting.discard(task)
            task = asyncio.create_task(fetch())
            waiting.add(task)
            yield rows
        waiting.discard(task)

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(aclosing(pages))
        stack.push_async_callback(_give_up, waiting)
        yield await stack.enter_async_context(aclosing(fetched()))


async def _give_up(tasks: set[asyncio.Task[list[Row]]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
