"""A copy that is cancelled, killed or loses its connection leaves no row, and the next one starts over."""

from __future__ import annotations

import asyncio
import random
import subprocess
import sys
import time
from typing import Final

import pytest

from grapevine.doctor import examine
from grapevine.errors import Interrupted, StoreError
from grapevine.store.factory import schema_version
from grapevine.store.schema_version import UNFINISHED_COPY
from tests.store.copy.copies import WORLDS, RecordedProgress, copied, everything, opens, pair, refused
from tests.store.databases import Database, Databases, PostgresDatabase
from tests.support.postgres import Postgres

pytestmark = [pytest.mark.anyio, pytest.mark.usefixtures("small_pages")]


async def is_unfinished(database: Database) -> None:
    """Checks that the target holds no row and refuses everything but another copy."""
    assert not any((await everything(database)).values())
    assert await schema_version(database.settings) == UNFINISHED_COPY
    with pytest.raises(StoreError, match="is an unfinished copy: run the same grapevine copy again, which starts over"):
        await database.store().open()
    checks = [one async for one in examine(database.settings)]
    assert [one.fix for one in checks if one.check == "schema" and not one.ok] == [
        "Run the same grapevine copy again, which starts over; start no server before."
    ]


@pytest.mark.parametrize("after", [700, *(pytest.param(after, marks=pytest.mark.slow) for after in (30, 3_000))])
async def test_a_copy_that_is_cancelled(ways: tuple[Databases, Databases], after: int) -> None:
    async with pair(ways, *WORLDS) as (source, target), ways[0].holding() as other:
        addresses = source.settings.database, target.settings.database
        reached = asyncio.Event()
        watched = RecordedProgress(lambda rows: reached.set() if rows > after else None)
        task = asyncio.create_task(copied(*addresses, watched))
        await reached.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        await is_unfinished(target)
        assert "is itself an unfinished copy" in await refused(addresses[1], other.settings.database)
        assert (await copied(*addresses)).verified
        assert await everything(target) == await everything(source)
        await opens(target)


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.parametrize("after", [1_000, *(pytest.param(after, marks=pytest.mark.slow) for after in (0, 3_500))])
async def test_a_connection_that_is_lost(
    packaged_databases: Databases, postgres_server: Postgres, which: int, after: int
) -> None:
    async with pair((packaged_databases, packaged_databases), *WORLDS) as (source, target):
        addresses = source.settings.database, target.settings.database
        lost = (source, target)[which]
        assert isinstance(lost, PostgresDatabase)

        def cut(rows: int) -> None:
            if rows > after:
                postgres_server.sql(
                    f"SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity WHERE datname = '{lost.name}'"
                )

        with pytest.raises(Interrupted):
            await copied(*addresses, RecordedProgress(cut))
        await is_unfinished(target)
        assert (await copied(*addresses)).verified
        assert await everything(target) == await everything(source)


SMALL_PAGES: Final = """
import sys, grapevine.store.copy.postgres as database, grapevine.store.copy.sqlite as file
from grapevine.cli import main
database.PAGE = file.PAGE = 20
sys.exit(main(["copy", "--from", sys.argv[1], "--to", sys.argv[2]]))
"""


@pytest.mark.process
async def test_a_copy_that_is_killed(ways: tuple[Databases, Databases], postgres_server: Postgres) -> None:
    chance = random.Random(1)  # noqa: S311
    async with pair(ways, *WORLDS) as (source, target):
        before = await everything(source)
        command = [sys.executable, "-c", SMALL_PAGES, source.settings.database, target.settings.database]
        for _ in range(2):
            await asyncio.to_thread(_killed, command, chance)
            if isinstance(target, PostgresDatabase):  # the server rolls back when it notices
                others = f"FROM pg_stat_activity WHERE datname = '{target.name}'"
                postgres_server.sql(f"SELECT pg_terminate_backend(pid, 5000) {others}")
            if await schema_version(target.settings) == UNFINISHED_COPY:
                await is_unfinished(target)
            elif any((await everything(target)).values()):
                break  # it was killed after the last commit; else it was killed before the first
        else:
            assert (await copied(source.settings.database, target.settings.database)).verified
        assert await everything(target) == before == await everything(source)
        await opens(target)


def _killed(command: list[str], chance: random.Random) -> None:
    """Runs the command and kills it somewhere inside of a table, each of which it names on a line."""
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:  # noqa: S603
        assert process.stderr
        for _ in range(chance.randint(1, 14)):
            process.stderr.readline()
        time.sleep(chance.random() / 20)
        process.kill()


async def test_an_unfinished_copy_of_another_source(away: tuple[Databases, Databases]) -> None:
    async with pair(away, *WORLDS) as (source, target), away[0].holding() as other:
        await unfinished(source, target)
        assert (await copied(other.settings.database, target.settings.database)).verified
        assert await everything(target) == await everything(other)


async def unfinished(source: Database, target: Database) -> None:
    """Leaves an unfinished copy in the target."""

    def stop(_: int) -> None:
        raise StoreError("stopped")

    assert await refused(source.settings.database, target.settings.database, RecordedProgress(stop)) == "stopped"
