"""Leases: one holder at a time, for as long as it lives and says so."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from grapevine.background.cleanup import housekeeping
from grapevine.background.leases import LEASE_MS, Leases
from grapevine.domain.ids import CELLS
from grapevine.errors import Interrupted
from grapevine.store.base import Store
from grapevine.store.repositories.leases import LeaseRepository
from grapevine.telemetry.job_runs import JobRuns
from tests.store.writer.test_batch import NOON
from tests.support.backends import Backend

pytestmark = pytest.mark.anyio


class Clock:
    """UTC milliseconds, the same for all processes."""

    def __init__(self) -> None:
        self.now = NOON

    def __call__(self) -> int:
        return self.now


class Process:
    """A process that holds a slot; it prolongs when the test says so. ``slots`` are those it received."""

    def __init__(self, repository: LeaseRepository, clock: Clock, name: str) -> None:
        self.leases = Leases(repository, clock, name, self._pause)
        self.slots: list[int] = []
        self._ask: asyncio.Queue[None] = asyncio.Queue()
        self._idle = asyncio.Event()

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Process]:
        async with self.leases.slot(self.slots.append):
            await self._idle.wait()
            yield self

    async def prolong(self) -> None:
        """Returns when it has looked after its slot."""
        self._idle.clear()
        self._ask.put_nowait(None)
        await self._idle.wait()

    async def _pause(self, _: float) -> None:
        self._idle.set()
        await self._ask.get()


@pytest.fixture
def clock() -> Clock:
    return Clock()


async def test_processes_that_start_at_once_have_slots_of_their_own(store: Store, clock: Clock) -> None:
    processes = [Process(store.leases, clock, f"process {number}") for number in range(6)]
    async with AsyncExitStack() as stack:
        await asyncio.gather(*(stack.enter_async_context(process.running()) for process in processes))
        assert sorted(slot for process in processes for slot in process.slots) == list(range(6))


async def test_a_slot_is_kept_as_long_as_it_is_prolonged_and_given_back_at_the_end(store: Store, clock: Clock) -> None:
    async with Process(store.leases, clock, "one").running() as one:
        for _ in range(4):
            clock.now += LEASE_MS - 1
            await one.prolong()
        async with Process(store.leases, clock, "other").running() as other:
            assert (one.slots, other.slots) == ([0], [1])
    async with Process(store.leases, clock, "next").running() as following:
        assert following.slots == [0]


async def test_a_failing_process_gives_its_slot_back(store: Store, clock: Clock) -> None:
    with pytest.raises(ArithmeticError):
        async with Process(store.leases, clock, "one").running():
            raise ArithmeticError
    async with Process(store.leases, clock, "other").running() as other:
        assert other.slots == [0]


async def test_the_slot_of_a_dead_process_is_leased_anew_when_its_time_is_over(store: Store, clock: Clock) -> None:
    assert await Leases(store.leases, clock, "dead").acquire("slot 0")
    clock.now += LEASE_MS - 1
    async with Process(store.leases, clock, "early").running() as early:
        assert early.slots == [1]
    clock.now += 1
    async with Process(store.leases, clock, "late").running() as late:
        assert late.slots == [0]


async def test_another_slot_is_taken_where_a_part_of_the_store_is_away(store: Store, clock: Clock) -> None:
    leases, slots = Leases(store.leases, clock, "one"), list[int]()
    async with leases.slot(slots.append) as elsewhere:
        await elsewhere()
        await elsewhere()
        assert slots == [0, 1, 2]
        assert await Leases(store.leases, clock, "two").acquire("slot 1")
        assert not await Leases(store.leases, clock, "two").acquire("slot 2")


async def test_a_writer_of_several_lanes_has_a_slot_for_each(store: Store, clock: Clock) -> None:
    one, other = (Leases(store.leases, clock, name) for name in ("one", "other"))
    slots, lanes = list[int](), CELLS // 4
    async with one.slot(slots.append, lanes) as elsewhere, other.slot(slots.append, lanes):
        assert slots == [0, lanes]
        for _ in range(3):
            await elsewhere()
    assert slots[2:] == [2 * lanes, 3 * lanes, 0]


async def test_a_process_that_lost_its_slot_takes_another_one(store: Store, clock: Clock) -> None:
    """As after an outage longer than a lease; and it gives back only what it has."""
    async with Process(store.leases, clock, "one").running() as one:
        clock.now += LEASE_MS
        async with Process(store.leases, clock, "other").running() as other:
            await one.prolong()
            await other.prolong()
            assert (one.slots, other.slots) == ([0, 1], [0])
    assert await _holders(store) == []


async def test_a_store_that_is_away_is_asked_again(
    store: Store, clock: Clock, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def away(*_: object) -> bool:
        raise Interrupted("the store is away")

    async with Process(store.leases, clock, "one").running() as one:
        clock.now += LEASE_MS - 1
        with monkeypatch.context() as patch:
            patch.setattr(store.leases, "acquire_lease", away)
            await one.prolong()
        assert "could not be prolonged" in caplog.text
        await one.prolong()
        assert one.slots == [0]
        assert await _holders(store) == [("slot 0", "one", clock.now + LEASE_MS)]


async def test_one_process_at_a_time_keeps_house(store: Store, clock: Clock) -> None:
    await store.salts.salt("visitor", 2000, "00")
    one, other = (Leases(store.leases, clock, name) for name in ("one", "other"))
    assert await one.acquire("housekeeping")
    async with housekeeping(store, clock, other, JobRuns()):
        assert await _salts(store) == 1
    await one.release("housekeeping")
    async with housekeeping(store, clock, other, JobRuns()):
        assert await _salts(store) == 0
        assert await one.acquire("housekeeping")  # which is done


async def test_a_process_that_dies_during_cleanup_is_replaced(store: Store, clock: Clock) -> None:
    await store.salts.salt("visitor", 2000, "00")
    assert await Leases(store.leases, clock, "dead").acquire("housekeeping")
    clock.now += LEASE_MS
    async with housekeeping(store, clock, Leases(store.leases, clock, "other"), JobRuns()):
        assert await _salts(store) == 0


async def _holders(store: Store) -> list[tuple[object, ...]]:
    assert isinstance(store, Backend)
    return await store.look("SELECT name, holder, expires_at FROM leases ORDER BY name")


async def _salts(store: Store) -> int:
    assert isinstance(store, Backend)
    return int((await store.look("SELECT count(*) FROM salts"))[0][0])
