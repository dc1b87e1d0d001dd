"""A store that goes away: batches are tried again whole, then refused; what only a part concerns fails alone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import pytest

from grapevine.domain.events import Event, Outcome, VisitEvent, VisitOutcome
from grapevine.errors import Busy, Interrupted
from grapevine.store.base import Store
from grapevine.store.write_batch import Batch
from grapevine.writer.counts import Drop, Drops
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import NO_DROPS, EventRecorder
from grapevine.writer.writer import Writer
from tests.store.writer.submitting import submit
from tests.store.writer.test_batch import NOON, BatchScene
from tests.support.backends import Backend

pytestmark = pytest.mark.anyio

PATIENCE = 4.0
ALWAYS = 1_000_000


class Time:
    """A clock that advances with each pause; ``held`` stops it."""

    def __init__(self) -> None:
        self.now = 100.0
        self.pauses: list[float] = []
        self.paused = asyncio.Event()
        self.may_pass = asyncio.Event()
        self.may_pass.set()

    def __call__(self) -> float:
        return self.now

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.paused.set()
        await self.may_pass.wait()
        self.now += seconds


class Shaky(EventRecorder):
    """Is interrupted at the end of a batch: ``times`` times, or whenever it has an event of the ``dead`` title."""

    def __init__(self, store: Store) -> None:
        super().__init__(store, Nonces(b"n" * 32))
        self.times = 0
        self.dead: str | None = None
        self.dead_slot: int | None = None
        self.batches: list[list[str]] = []

    async def record_in(
        self, batch: Batch, events: Sequence[Event], drops: Mapping[Drop, int] = NO_DROPS, slot_offset: int = 0
    ) -> list[Outcome]:
        self.batches.append([event.nonce for event in events if isinstance(event, VisitEvent)])
        outcomes = await super().record_in(batch, events, drops, slot_offset)
        if self.dead_slot is not None and self.dead_slot == self.slot:
            raise Interrupted("the part with the counts is away", is_partial=True)
        if self.dead and any(isinstance(event, VisitEvent) and event.title == self.dead for event in events):
            raise Interrupted("a part is away", is_partial=True)
        if self.times:
            self.times -= 1
            raise Interrupted("the server is going away")
        return outcomes


class Setting:
    """A writer on a store, its time and its recorder."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.world = BatchScene(store)
        self.recorder = Shaky(store)
        self.time = Time()
        self.drops = Drops()
        self.writer = Writer(
            self.recorder,
            self.drops,
            lambda: NOON,
            patience=PATIENCE,
            pause=self.time.pause,
            time=self.time,
        )

    async def send(self, *titles: str) -> list[Outcome | BaseException]:
        """Arrivals of these titles, sent at once, and what became of them."""
        events = [self.world.arrival(title=title) for title in titles]
        return await asyncio.gather(*(submit(self.writer, event) for event in events), return_exceptions=True)

    async def stored(self) -> tuple[int, int]:
        """How many visits there are, and how many were counted."""
        assert isinstance(self.store, Backend)
        ((rows,),) = await self.store.look("SELECT count(*) FROM visits")
        return int(rows), (await self.world.totals()).get("visits", 0)


@pytest.fixture
async def setting(store: Store) -> AsyncIterator[Setting]:
    made = Setting(store)
    async with made.writer:
        yield made


async def test_a_batch_is_tried_again_whole_and_stored_once(setting: Setting) -> None:
    setting.recorder.times = 3
    assert all(isinstance(outcome, VisitOutcome) for outcome in await setting.send("a", "b", "c"))
    first, *others = setting.recorder.batches
    assert (len(first), others) == (3, [first] * 3)
    assert await setting.stored() == (3, 3)
    assert setting.time.pauses == [0.05, 0.1, 0.2]


async def test_a_batch_whose_commit_was_not_answered_is_stored_once(
    setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is there already when it is tried again, and answered as a repeat."""
    opened, lost = setting.store.batch, iter([True])

    @asynccontextmanager
    async def forgetful() -> AsyncIterator[Batch]:
        async with opened() as batch:
            yield batch
        if next(lost, False):
            raise Interrupted("the connection was lost")

    monkeypatch.setattr(setting.store, "batch", forgetful)
    landed = await setting.send("a", "b")
    assert [isinstance(outcome, VisitOutcome) and outcome.duplicate for outcome in landed] == [True, True]
    assert await setting.stored() == (2, 2)


async def test_where_the_counts_are_away_another_slot_is_taken_and_no_event_refused(setting: Setting) -> None:
    async def elsewhere() -> None:
        setting.recorder.set_slot(5)

    setting.writer.on_partial_outage = elsewhere
    setting.recorder.dead_slot = 0
    assert all(isinstance(outcome, VisitOutcome) for outcome in await setting.send("a", "b"))
    assert await setting.stored() == (2, 2)
    assert isinstance(setting.store, Backend)
    assert await setting.store.look("SELECT DISTINCT cell FROM counts_hour") == [(5,)]


async def test_patience_ends(setting: Setting) -> None:
    """After seconds the batch is refused; then one attempt decides, until one succeeds."""
    setting.recorder.times = ALWAYS
    started = setting.time.now
    refused = await setting.send("a", "b")
    assert [(type(busy), getattr(busy, "retry_after", None)) for busy in refused] == [(Busy, 5), (Busy, 5)]
    assert PATIENCE - 0.5 <= setting.time.now - started <= PATIENCE
    assert setting.time.pauses[:6] == [0.05, 0.1, 0.2, 0.4, 0.5, 0.5]
    for _ in range(3):
        attempts, setting.time.pauses = len(setting.recorder.batches), []
        assert isinstance((await setting.send("c"))[0], Busy)
        assert (len(setting.recorder.batches) - attempts, setting.time.pauses) == (1, [])
    setting.recorder.times = 0
    assert isinstance((await setting.send("d"))[0], VisitOutcome)
    setting.recorder.times = 2  # and now it is worth waiting again
    assert isinstance((await setting.send("e"))[0], VisitOutcome)
    assert setting.time.pauses == [0.05, 0.1]
    assert await setting.stored() == (2, 2)


async def test_what_arrives_meanwhile_keeps_its_order_and_in_one_lane_waits_behind_it(setting: Setting) -> None:
    setting.recorder.times = 1
    setting.time.may_pass.clear()
    async with asyncio.TaskGroup() as group:
        group.create_task(setting.send("first"))
        await setting.time.paused.wait()
        later = group.create_task(setting.send("second", "third"))
        await asyncio.sleep(0)
        setting.time.may_pass.set()
    assert all(isinstance(outcome, VisitOutcome) for outcome in later.result())
    nonces = [f"nonce{number:011}" for number in (1, 2, 3)]
    tried = [nonces[:1], nonces[:1], nonces[1:]]
    assert (
        setting.recorder.batches == tried
        if setting.store.max_concurrent_batches == 1
        else sorted(setting.recorder.batches) == tried
    )
    assert await setting.stored() == (3, 3)


@pytest.mark.parametrize("dead", [None, "dead"])
async def test_drops_are_counted_once(setting: Setting, dead: str | None) -> None:
    setting.recorder.dead, setting.recorder.times = dead, 0 if dead else 3
    setting.drops.add(7, "robot", NOON, 5)
    await setting.send("a", "dead", "b")
    assert isinstance(setting.store, Backend)
    assert await setting.store.look("SELECT reason, drops FROM drops") == [("robot", 5)]


async def test_the_events_of_a_part_that_is_away_fail_alone(setting: Setting) -> None:
    setting.recorder.dead = "dead"
    titles = ["dead" if number in (3, 4, 11) else "well" for number in range(20)]
    outcomes = await setting.send(*titles)
    assert [isinstance(outcome, Busy) for outcome in outcomes] == [title == "dead" for title in titles]
    assert sum(isinstance(outcome, VisitOutcome) for outcome in outcomes) == 17
    assert await setting.stored() == (17, 17)
    assert setting.time.pauses == [0.05]  # no caller waits for it any longer
    assert setting.recorder.batches[0] == setting.recorder.batches[1]
    assert isinstance((await setting.send("well"))[0], VisitOutcome)


async def test_a_short_partial_outage_refuses_no_event(setting: Setting) -> None:
    setting.recorder.dead = "dead"
    setting.time.may_pass.clear()
    async with asyncio.TaskGroup() as group:
        sending = group.create_task(setting.send("well", "dead"))
        await setting.time.paused.wait()
        setting.recorder.dead = None
        setting.time.may_pass.set()
    assert all(isinstance(outcome, VisitOutcome) for outcome in sending.result())
    assert [len(batch) for batch in setting.recorder.batches] == [2, 2]


async def test_a_lone_event_of_a_part_that_is_away_is_refused(setting: Setting) -> None:
    setting.recorder.dead = "dead"
    assert isinstance((await setting.send("dead"))[0], Busy)
    assert len(setting.recorder.batches) == 2
    setting.recorder.times = 1  # the rest of the store is still waited for
    assert isinstance((await setting.send("well"))[0], VisitOutcome)
