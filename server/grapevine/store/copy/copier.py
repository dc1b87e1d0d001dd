"""Copies a store: checks both databases, copies all rows, compares them, and marks the target as complete."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from typing import Literal, Protocol

import msgspec

from grapevine.config.settings import Settings, database_path
from grapevine.errors import StoreError
from grapevine.store.copy.compare import Difference, TableComparison, compare
from grapevine.store.copy.endpoint import CopyEndpoint
from grapevine.store.copy.schema import LEASES, PAGE_JOIN_STEP, VERSIONS, CopiedTable, Row, copied_tables
from grapevine.store.copy.sqlite import SQLiteEndpoint
from grapevine.store.copy.validate import check
from grapevine.store.factory import make_store
from grapevine.store.schema_version import UNFINISHED_COPY, newest_version

Phase = Literal["copy", "compare"]


class CopyProgress(Protocol):
    """Progress callbacks of a copy."""

    def phase(self, name: Phase, rows: int) -> None:
        """Called when a phase begins, which goes through ``rows`` rows of all tables."""
        ...

    def table(self, name: str, rows: int) -> None:
        """Called when a table of ``rows`` rows begins."""
        ...

    def advance(self, rows: int) -> None:
        """Called when so many more rows are done."""
        ...


class TableRows(msgspec.Struct, frozen=True):
    """How many rows of a table were copied."""

    table: str
    rows: int


class CopySummary(msgspec.Struct, frozen=True):
    """The result of a copy. ``verified``: every row of both sides is the same. ``differing`` counts the rows that
    are not, and ``differences`` are the first of each table."""

    source: str
    target: str
    tables: list[TableRows]
    rows: int
    copy_seconds: float
    compare_seconds: float
    verified: bool
    differing: int
    differences: list[Difference]


@asynccontextmanager
async def endpoint(url: str) -> AsyncIterator[CopyEndpoint]:
    """The database at ``url``, a value of the setting ``database``. Raises StoreError or SettingError."""
    settings = Settings(database=url)
    path = database_path(settings)
    if path is None:
        make_store(settings)  # raises SettingError when the driver is not installed
        from grapevine.store.copy.postgres import postgres_endpoint

        async with postgres_endpoint(url) as database:
            yield database
        return
    file = SQLiteEndpoint(path)
    try:
        yield file
    finally:
        file.close()


async def copy_store(source: CopyEndpoint, target: CopyEndpoint, progress: CopyProgress, now: int) -> CopySummary:
    """Copies every row of one moment of the source into the target, and compares both.

    The target is marked as an unfinished copy first. All rows and the removal of the mark are one transaction, so that
    an interrupted copy leaves the mark and no rows. ``now`` (UTC ms) tells which leases of servers are still held.
    Raises StoreError when source or target is refused.
    """
    await _check_source(source, target, now)
    tables = copied_tables()
    async with source.snapshot():
        totals = {table.name: await _count(source, table) for table in tables}
        rows = sum(totals.values())
        await _begin(target, now)
        async with target.transaction():
            await target.empty(tables)
            started = time.monotonic()
            progress.phase("copy", rows)
            for table in tables:
                progress.table(table.name, totals[table.name])
                await _copy(source, target, table, progress)
            await target.analyze(tables)
            copied = time.monotonic()
            progress.phase("compare", rows)
            compared = []
            for table in tables:
                progress.table(table.name, totals[table.name])
                compared.append(await _compare(source, target, table, progress))
            ended = time.monotonic()
            differing = sum(one.differing for one in compared)
            if not differing:
                await _finish(source, target)
    return CopySummary(
        source=source.address,
        target=target.address,
        tables=[TableRows(name, total) for name, total in totals.items()],
        rows=rows,
        copy_seconds=round(copied - started, 3),
        compare_seconds=round(ended - copied, 3),
        verified=not differing,
        differing=differing,
        differences=[difference for one in compared for difference in one.differences],
    )


async def _check_source(source: CopyEndpoint, target: CopyEndpoint, now: int) -> None:
    if source.identity == target.identity:
        raise StoreError(f"{source.name} and {target.name} are the same database")
    version, newest = await source.version(), newest_version()
    if version == 0:
        raise StoreError(f"there is nothing to copy in {source.name}: it is no store")
    if version == UNFINISHED_COPY:
        raise StoreError(f"{source.name} is itself an unfinished copy: finish that one first")
    if version < newest:
        raise StoreError(
            f"{source.name} has schema {version}, this Grapevine copies {newest}; "
            "bring it up to date: set GRAPEVINE_DATABASE to it and run grapevine migrate"
        )
    if version > newest:
        raise StoreError(f"{source.name} has schema {version}, this Grapevine knows {newest}: run a newer one")
    if not source.consistent:
        await _refuse_servers(source, now)


async def _refuse_servers(database: CopyEndpoint, now: int) -> None:
    """A running server renews its lease of a slot, and releases it when it stops."""
    ((expiry,),) = await database.query(f"SELECT max(expires_at) FROM {LEASES} WHERE expires_at > $1", now)  # noqa: S608
    if expiry is not None:
        raise StoreError(
            f"a server is at work on {database.name}: stop it first "
            f"(if it was killed, its lease falls in {(int(expiry) - now) // 1_000 + 1} s)"
        )


async def _begin(target: CopyEndpoint, now: int) -> None:
    """Marks the target as an unfinished copy, unless it is one. Refuses a database that holds anything else."""
    await target.lock()
    async with target.transaction():
        version = await target.version()
        if version == UNFINISHED_COPY:
            return
        if version == 0:
            await target.create_schema()
        elif version != newest_version():
            raise StoreError(
                f"{target.name} holds a store already, of schema {version}; name one that is not there yet"
            )
        await _refuse_servers(target, now)
        for table in copied_tables():
            if await target.query(f'SELECT 1 FROM "{table.name}" LIMIT 1'):  # noqa: S608  # names of the schema
                raise StoreError(
                    f"{target.name} holds data already ({table.name}); name a database that is empty or not there yet"
                )
        await target.set_version(UNFINISHED_COPY)


async def _count(database: CopyEndpoint, table: CopiedTable) -> int:
    ((count,),) = await database.query(f'SELECT count(*) FROM "{table.name}"')  # noqa: S608  # names of the schema
    return int(count)


async def _copy(source: CopyEndpoint, target: CopyEndpoint, table: CopiedTable, progress: CopyProgress) -> None:
    async with _prefetched(source.pages(table)) as pages:
        async for rows in pages:
            check(table, rows, nul=target.holds_nul)
            await target.insert(table, rows)
            progress.advance(len(rows))


async def _compare(
    source: CopyEndpoint, target: CopyEndpoint, table: CopiedTable, progress: CopyProgress
) -> TableComparison:
    async with _prefetched(source.pages(table)) as ours, _prefetched(target.pages(table)) as theirs:
        return await compare(table, ours, theirs, progress.advance)


async def _finish(source: CopyEndpoint, target: CopyEndpoint) -> None:
    """Removes the mark. Raises the other versions beyond both sides', so that servers read everything anew, but for the
    step of the job that joins pages, which goes on where it is."""
    versions = await source.query(f"SELECT name, version FROM {VERSIONS} WHERE name <> 'schema'")  # noqa: S608
    for name, version in versions:
        if name == PAGE_JOIN_STEP:
            await target.query(f"UPDATE {VERSIONS} SET version = $1 WHERE name = $2", version, name)  # noqa: S608
            continue
        await target.query(
            f"INSERT INTO {VERSIONS} (name, version) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET version = "  # noqa: S608
            f"CASE WHEN {VERSIONS}.version > $3 THEN {VERSIONS}.version ELSE excluded.version END + 1",
            *(name, version + 1, version + 1),
        )
    await target.set_version(newest_version())


@asynccontextmanager
async def _prefetched(pages: AsyncGenerator[list[Row], None]) -> AsyncIterator[AsyncIterator[list[Row]]]:
    """Yields the same pages; each is fetched while the one before it is being used."""
    pending: set[asyncio.Task[list[Row]]] = set()

    def fetch() -> asyncio.Task[list[Row]]:
        async def next_page() -> list[Row]:
            return await anext(pages, [])

        task = asyncio.create_task(next_page())
        pending.add(task)
        return task

    async def fetched() -> AsyncGenerator[list[Row], None]:
        task = fetch()
        while rows := await task:
            pending.discard(task)
            task = fetch()
            yield rows

    async with AsyncExitStack() as stack:
        await stack.enter_async_context(aclosing(pages))
        stack.push_async_callback(_cancel, pending)
        yield await stack.enter_async_context(aclosing(fetched()))


async def _cancel(tasks: set[asyncio.Task[list[Row]]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
