"""The writer: nothing is answered before its commit, one bad event fails alone, and nothing accepted is lost."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import pytest

from grapevine.domain.events import Event, Outcome, VisitEvent, VisitOutcome
from grapevine.errors import Busy, StoreError, UnknownSite
from grapevine.store.base import Store
from grapevine.store.write_batch import Batch
from grapevine.writer.counts import Drop, Drops
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import NO_DROPS, EventRecorder
from grapevine.writer.writer import SITE_DELETED, Writer
from tests.store.writer.submitting import submit
from tests.store.writer.test_batch import NOON, BatchScene
from tests.support.backends import Backend

pytestmark = pytest.mark.anyio


class FailingRecorder(EventRecorder):
    """A recorder that notes its batches, stumbles over poison, and can find the store gone."""

    gone = False

    def __init__(self, store: Store) -> None:
        super().__init__(store, Nonces(b"n" * 32))
        self.batches: list[int] = []

    async def record_in(
        self, batch: Batch, events: Sequence[Event], drops: Mapping[Drop, int] = NO_DROPS, slot_offset: int = 0
    ) -> list[Outcome]:
        self.batches.append(len(events))
        if self.gone:
            raise StoreError("the disk is full")
        outcomes = await super().record_in(batch, events, drops, slot_offset)
        if any(isinstance(event, VisitEvent) and event.title == "poison" for event in events):
            raise ArithmeticError("poison")
        return outcomes


async def rows(store: Store) -> int:
    assert isinstance(store, Backend)
    return int((await store.look("SELECT count(*) FROM visits"))[0][0])


async def test_many_requests_share_a_commit_and_each_is_answered_after_it(store: Store) -> None:
    recorder, world = FailingRecorder(store), BatchScene(store)
    async with Writer(recorder, Drops(), lambda: NOON) as writer:

        async def send() -> None:
            outcome = await submit(writer, world.arrival())
            assert isinstance(outcome, VisitOutcome)
            assert (await world.visit(outcome.visit_id)).next_view == 2

        async with asyncio.TaskGroup() as group:
            for _ in range(200):
                group.create_task(send())
    assert sum(recorder.batches) == 200
    assert len(recorder.batches) < 10
    assert await rows(store) == 200


async def test_one_poisonous_event_fails_alone(store: Store) -> None:
    world = BatchScene(store)
    events = [world.arrival(title="poison" if number == 7 else None) for number in range(20)]
    async with Writer(FailingRecorder(store), Drops(), lambda: NOON) as writer:
        answers = await asyncio.gather(*(submit(writer, event) for event in events), return_exceptions=True)
    assert [number for number, answer in enumerate(answers) if isinstance(answer, ArithmeticError)] == [7]
    assert sum(isinstance(answer, VisitOutcome) for answer in answers) == 19
    assert await rows(store) == 19
    assert (await BatchScene(store).totals())["visits"] == 19


async def test_what_was_accepted_is_stored_when_the_writer_stops(store: Store) -> None:
    world = BatchScene(store)
    async with Writer(FailingRecorder(store), Drops(), lambda: NOON) as writer:
        waiting = [asyncio.create_task(submit(writer, world.arrival())) for _ in range(50)]
        await asyncio.sleep(0)  # the requests are accepted, and none is stored yet
    assert all(isinstance(answer, VisitOutcome) for answer in await asyncio.gather(*waiting))
    assert await rows(store) == 50
    with pytest.raises(Busy):
        await submit(writer, world.arrival())


async def test_a_store_that_is_gone_is_busy_and_comes_back(store: Store) -> None:
    recorder, world, drops = FailingRecorder(store), BatchScene(store), Drops()
    async with Writer(recorder, drops, lambda: NOON) as writer:
        recorder.gone = True
        drops.add(7, "robot", NOON)
        with pytest.raises(Busy, match="send this event again"):
            await submit(writer, world.arrival())
        recorder.gone = False
        assert isinstance(await submit(writer, world.arrival()), VisitOutcome)
    assert isinstance(store, Backend)
    assert await store.look("SELECT reason, drops FROM drops") == [("robot", 1)]


async def test_more_than_the_queue_holds_is_busy_at_once(store: Store) -> None:
    world, drops = BatchScene(store), Drops()
    async with Writer(FailingRecorder(store), drops, lambda: NOON, max_waiting=5) as writer:
        answers = await asyncio.gather(*(submit(writer, world.arrival()) for _ in range(12)), return_exceptions=True)
    assert sum(isinstance(answer, Busy) for answer in answers) == 9  # one site fills half of the room
    assert await rows(store) == 3


async def test_drops_alone_are_stored_when_the_writer_stops(store: Store) -> None:
    drops = Drops()
    async with Writer(FailingRecorder(store), drops, lambda: NOON):
        drops.add(0, "malformed", NOON, 3)
    assert isinstance(store, Backend)
    assert await store.look("SELECT site_id, reason, drops FROM drops") == [(0, "malformed", 3)]


async def test_events_of_a_site_that_was_deleted_while_they_waited_are_refused(store: Store) -> None:
    """No row of it comes back, neither of its events nor of what was refused of it; other sites notice nothing."""
    world, drops, sites = BatchScene(store), Drops(), {7, 8}
    events = [world.arrival(site_id=7), world.arrival(site_id=8)]
    async with Writer(
        EventRecorder(store, Nonces(b"n" * 32)), drops, lambda: NOON, is_site=sites.__contains__
    ) as writer:
        waiting = [asyncio.create_task(submit(writer, event)) for event in events]
        for site_id in (0, 7, 8):
            drops.add(site_id, "robot", NOON)
        sites.discard(7)
        gone, kept = await asyncio.gather(*waiting, return_exceptions=True)
    assert isinstance(gone, UnknownSite)
    assert gone.detail == SITE_DELETED
    assert isinstance(kept, VisitOutcome)
    assert isinstance(store, Backend)
    assert await store.look("SELECT DISTINCT site_id FROM visits") == [(8,)]
    assert await store.look("SELECT site_id FROM drops ORDER BY site_id") == [(0,), (8,)]
