"""PostgreSQL databases that every test finds empty: deleting rows takes less time than making a database."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import asyncpg

from grapevine.store.postgres.distribution import our_tables


def empty(url: str) -> None:
    """Leaves the tables at ``url`` as migrations make them."""
    deletions = [f"DELETE FROM {table}" for table in sorted(our_tables() - {"versions"})]
    run_beside(execute(url, *deletions, "UPDATE versions SET version = 1 WHERE name = 'sites'"))


async def execute(url: str, *statements: str) -> None:
    """Runs statements one by one, over a connection of its own."""
    connection = await asyncpg.connect(url)
    try:
        for statement in statements:
            await connection.execute(statement)
    finally:
        await connection.close()


def run_beside(work: Coroutine[Any, Any, None]) -> None:
    """For fixtures that are not asynchronous, used while a loop runs: a thread has a loop of its own."""
    with ThreadPoolExecutor(1) as thread:
        thread.submit(asyncio.run, work).result()
