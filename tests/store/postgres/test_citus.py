"""What only a cluster shows: that it plans every query, that it asks no more shards than it must, and that a filled
database is distributed.

Collected where GRAPEVINE_TEST_CITUS names a cluster.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any, Final

import asyncpg
import pytest

from grapevine.store import sql_loader
from grapevine.store.postgres.citus import Step, distribute
from tests.store.postgres.test_citus_distribution import EVENTS, NOW, REFERENCES
from tests.store.postgres.test_sql_for_citus import TEXTS
from tests.support.citus import CITUS, Cluster

pytestmark = pytest.mark.anyio

OF_CELLS: Final = sorted(name for name in TEXTS if "rows.cell" in sql_loader.queries()[name].text)
"""Queries that join tables with rows whose cells are known."""
ANY_VALUE: Final = {"text": "x", "float8": 1.0, "bool": True}


@pytest.fixture
async def connection(postgres_url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to distributed tables."""
    opened = await asyncpg.connect(postgres_url)
    yield opened
    await opened.close()


async def _plan(connection: asyncpg.Connection, name: str) -> Any:
    statement = await connection.prepare(TEXTS[name])
    values = [
        [ANY_VALUE.get(kind.name.removesuffix("[]"), 7)] if kind.kind == "array" else ANY_VALUE.get(kind.name, 7)
        for kind in statement.get_parameters()
    ]
    return await statement.explain(*values)


@pytest.mark.parametrize("name", TEXTS)
async def test_a_query_is_planned(name: str, connection: asyncpg.Connection) -> None:
    assert await _plan(connection, name)


@pytest.mark.parametrize("name", OF_CELLS)
async def test_one_cell_is_one_task(name: str, connection: asyncpg.Connection) -> None:
    assert _tasks(await _plan(connection, name)) == [1]


def _tasks(plan: Any) -> list[int]:
    """How many shards each part of a plan asks."""
    if isinstance(plan, dict):
        found = [int(plan["Task Count"])] if "Task Count" in plan else []
        return found + [count for value in plan.values() for count in _tasks(value)]
    return [count for part in plan for count in _tasks(part)] if isinstance(plan, list) else []


async def test_a_filled_database_is_distributed() -> None:
    async def left_alone(_: str) -> None:
        """Its tables are not distributed yet."""

    async def distributed() -> list[Step]:
        return [step async for step in distribute(cluster.url(name), NOW, 4)]

    cluster = Cluster(CITUS, left_alone)
    name = cluster.create()
    connection = await asyncpg.connect(cluster.url(name))
    await connection.execute(
        "INSERT INTO drops (site_id, hour, reason, cell, drops) SELECT 1, n, 'robot', n, 1 "
        "FROM generate_series(1, 1000) n"
    )
    await connection.execute("INSERT INTO origins VALUES (1, 'https://a.example', 0)")
    assert {step.table for step in await distributed()} == EVENTS | REFERENCES
    assert await connection.fetchval("SELECT sum(drops) FROM drops") == 1000
    assert await connection.fetchval("SELECT count(*) FROM origins") == 1
    assert await distributed() == []
    await connection.close()
    cluster.drop(name)
