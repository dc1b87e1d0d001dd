"""``/readyz``: one write a second, on a row of its own, that a full disk refuses."""

from __future__ import annotations

import asyncio

import pytest

from grapevine.web.readiness import Readiness
from tests.support.in_process_server import BOTH_BACKENDS, Server

pytestmark = pytest.mark.anyio


class Store:
    """A store whose writes end when the test says so."""

    def __init__(self) -> None:
        self.now = 0
        self.writes = 0
        self.done = asyncio.Event()
        self.is_full = False

    async def writable(self) -> bool:
        self.writes += 1
        await self.done.wait()
        return not self.is_full


async def test_concurrent_callers_share_one_write_and_later_ones_its_answer_for_a_second() -> None:
    store = Store()
    readiness = Readiness(store.writable, lambda: store.now)
    callers = [asyncio.create_task(readiness.check()) for _ in range(50)]
    await asyncio.sleep(0)
    store.now += 5_000  # a slow disk: who came meanwhile does not write again
    store.done.set()
    assert await asyncio.gather(*callers) == [True] * 50
    store.now += 999
    assert await readiness.check()
    assert store.writes == 1
    store.is_full = True
    store.now += 1
    assert not await readiness.check()
    assert not await readiness.check()
    assert store.writes == 2


@BOTH_BACKENDS
async def test_it_writes_a_row_of_its_own_as_large_as_a_visit(server: Server) -> None:
    versions = "SELECT name, version FROM versions WHERE name <> 'page_joins' ORDER BY name"  # a job raises that one
    before = await server.store.look(versions)
    filler = "SELECT name, filler FROM readiness"
    seen = set()
    for _ in range(3):
        for _ in range(20):
            assert (await server.http.get("/readyz")).status_code == 200
        ((name, written),) = await server.store.look(filler)
        assert (name, len(written)) == ("store", 40_000)
        seen.add(written)
        server.clock.now += 1_000
    assert len(seen) == 3
    assert await server.store.look(versions) == before


async def test_who_does_not_wait_for_a_slow_store_gets_no_and_cancels_nothing() -> None:
    store = Store()
    readiness = Readiness(store.writable, lambda: store.now)
    assert await asyncio.gather(*(readiness.check_within(0) for _ in range(5))) == [False] * 5
    patient = asyncio.create_task(readiness.check_within(60))
    await asyncio.sleep(0)
    store.done.set()
    assert await patient
    assert store.writes == 1


async def test_a_caller_that_is_woken_late_gets_the_answer_that_it_waited_for() -> None:
    store = Store()
    readiness = Readiness(store.writable, lambda: store.now)
    store.done.set()

    async def again_and_again() -> list[bool]:
        answers = []
        for _ in range(20):
            store.now += 1_000
            answers.append(await readiness.check_within(60))
        return answers

    assert await asyncio.gather(*(again_and_again() for _ in range(4))) == [[True] * 20] * 4
