"""Erasures on a running server: while traffic goes on, and with ``kill -9`` in the middle of them."""

from __future__ import annotations

import asyncio
import http.client
import random
from typing import Final

import pytest

from grapevine.exports import TABLES
from grapevine.store.sqlite.files import database_files
from tests.chaos.audit import counts_agree
from tests.chaos.erasure_load import ErasureLoad, Visitor
from tests.support.raw_connection import Connection, Cut, connected
from tests.support.server_process import PATIENCE_SECONDS, Installation, PostgresInstallation

pytestmark = pytest.mark.anyio

ROUND: Final = 12
"""Visits that one round of kills erases."""


@pytest.mark.parametrize("number", [100, pytest.param(1_000, marks=pytest.mark.slow)])
async def test_nothing_is_left_of_visits_erased_in_random_order_under_traffic(
    installation: Installation, number: int
) -> None:
    load, chance = ErasureLoad(installation, number), random.Random(number)  # noqa: S311
    with installation.serving() as server:
        async with connected(server.port) as one:
            for _ in range(number):
                await load.visit(one)
        erased, hashes = load.visitors.copy(), await load.visitor_hashes()
        chance.shuffle(erased)
        before = content(installation)
        assert all(visitor.mark.encode() in before for visitor in erased)  # or the test could not fail
        assert all(each in before for each in hashes)
        async with connected(server.port) as one, connected(server.port) as other:
            traffic = asyncio.create_task(keep_visiting(load, other))
            for visitor in erased:
                await load.forget(one, visitor)
            traffic.cancel()
            await asyncio.wait([traffic])
            exported = [await asyncio.to_thread(export, installation, server.port, table) for table in TABLES]
        assert server.end().status == 0
    stored = await load.stored()
    assert all(stored[visitor.visit_id] for visitor in erased)
    await counts_agree(installation)
    checked = installation.run("doctor")
    assert checked.status == 0, checked
    left = content(installation) + installation.log.read_bytes() + b"".join(exported)
    marks = {visitor.mark.encode(): visitor for visitor in erased}
    assert [mark for mark in marks if mark in left] == []
    assert [each for each in hashes if each in left] == []


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
async def test_a_kill_leaves_a_visit_whole_or_erased(installation: Installation, kills: int) -> None:
    await killed_while_it_erases(installation, kills)


@pytest.mark.slow
async def test_a_kill_leaves_a_visit_whole_or_erased_in_postgres(postgres_installation: PostgresInstallation) -> None:
    await killed_while_it_erases(postgres_installation, 20)


async def killed_while_it_erases(installation: Installation, kills: int) -> None:
    """Kills servers that erase a round of visits at once: an acknowledged erasure holds, no visit is half erased."""
    load, chance = ErasureLoad(installation, kills), random.Random(kills)  # noqa: S311
    acknowledged: set[int] = set()
    cut = 0
    for _ in range(kills):
        with installation.serving() as server:
            async with connected(server.port) as connection:
                for _ in range(ROUND):
                    await load.visit(connection)
            wanted = chance.sample(load.visitors, ROUND)
            tasks = [asyncio.create_task(forget(load, server.port, visitor, acknowledged)) for visitor in wanted]
            for task in tasks[: chance.randrange(ROUND - 2)]:
                await task
            await asyncio.sleep(chance.uniform(0, 0.008))
            server.kill()
            cut += len([done for done in await asyncio.gather(*tasks) if not done])
        stored = await load.stored()
        assert all(stored[visit_id] for visit_id in acknowledged)
        await counts_agree(installation)
    assert cut  # some were in the middle of it
    with installation.serving() as server:
        async with connected(server.port) as connection:
            for visitor in load.visitors:
                await load.forget(connection, visitor)
        assert server.end().status == 0
    assert all((await load.stored()).values())
    await counts_agree(installation)


async def keep_visiting(load: ErasureLoad, connection: Connection) -> None:
    """Visitors come until this is cancelled, through links of visits that are being erased, too."""
    while True:
        await load.visit(connection)


async def forget(load: ErasureLoad, port: int, visitor: Visitor, acknowledged: set[int]) -> bool:
    """Erases a visit on a connection of its own. Returns whether the server said so."""
    try:
        async with connected(port) as connection:
            await load.forget(connection, visitor)
    except Cut:
        return False
    acknowledged.add(visitor.visit_id)
    return True


def export(installation: Installation, port: int, table: str) -> bytes:
    """Returns a table as the owner downloads it."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    try:
        connection.request("GET", f"/v1/export/{table}", headers={"Authorization": f"Bearer {installation.key}"})
        answer = connection.getresponse()
        assert answer.status == 200
        return answer.read()
    finally:
        connection.close()


def content(installation: Installation) -> bytes:
    """Returns the bytes of all files of the database."""
    return b"".join(file.read_bytes() for file in database_files(installation.database) if file.exists())
