"""Conversions that a page and a key report: the key's replaces the page's, in one step, and pages are bounded."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.events import Conversion, Event, Stored, VisitBoundExceeded, VisitOutcome
from grapevine.domain.tokens import Token
from grapevine.errors import Interrupted
from grapevine.store.base import Store
from grapevine.store.write_batch import Batch
from grapevine.writer.conversions import MOST_BY_PAGES
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder
from tests.store.writer.stored_rows import assert_recounted, change_rows
from tests.store.writer.test_batch import NOON, BatchScene
from tests.store.writer.test_conversions import KEY, PAGE, goal, world

__all__ = ["world"]

pytestmark = pytest.mark.anyio

COPY = CODES["copy"]
LATE = NOON + 3 * ids.HOUR_MS


def by_key(visit_id: int, once: str = "id 1", **changes: Any) -> Conversion:
    return goal(visit_id, once, **({"at": LATE, "value": 7_000_000, "reported_by": KEY} | changes))


async def rows(world: BatchScene) -> list[tuple[Any, ...]]:
    return await world.table("SELECT visit_id, at, value, reported_by FROM conversions ORDER BY at, visit_id")


async def cascades_of_two(world: BatchScene) -> tuple[int, int]:
    """Two cascades of two visits each; returns the second visit of each."""
    found = []
    for _ in range(2):
        root = await world.land(world.arrival())
        found.append((await world.land(world.arrival(Token(root.visit_id, COPY, 0)))).visit_id)
    return found[0], found[1]


@pytest.mark.parametrize("together", [False, True])
async def test_a_key_replaces_what_a_page_claimed_for_another_visit(world: BatchScene, *, together: bool) -> None:
    claimed, real = await cascades_of_two(world)
    if together:
        assert await world.play(goal(claimed, "id 1"), by_key(real)) == [Stored(duplicate=True), Stored()]
    else:
        assert await world.play(goal(claimed, "id 1")) == [Stored()]
        assert await world.play(by_key(real)) == [Stored()]
    assert await rows(world) == [(real, LATE, 7_000_000, KEY)]
    for again in (goal(claimed, "id 1"), by_key(claimed), by_key(real, value=1), goal(real, "id 1")):
        assert await world.play(again) == [Stored(duplicate=True)]
    assert await rows(world) == [(real, LATE, 7_000_000, KEY)]
    counted = await world.table(
        "SELECT hour, sum(conversions) FROM counts_hour GROUP BY 1 HAVING sum(conversions) <> 0"
    )
    assert [(hour, int(number)) for hour, number in counted] == [(LATE // ids.HOUR_MS, 1)]
    summaries = await world.table("SELECT root_id, conversions FROM cascades ORDER BY conversions")
    assert [number for _, number in summaries] == [0, 1]
    await assert_recounted(world.store)


async def test_a_key_replaces_what_a_page_said_of_the_same_visit(world: BatchScene) -> None:
    visit, _ = await cascades_of_two(world)
    await world.play(goal(visit, "id 1"), goal(visit, "id 2"))
    assert await world.play(by_key(visit)) == [Stored()]
    assert await rows(world) == [(visit, NOON + 5, 49_000_000, PAGE), (visit, LATE, 7_000_000, KEY)]
    await assert_recounted(world.store)


async def test_a_page_never_replaces_a_key(world: BatchScene) -> None:
    visit, other = await cascades_of_two(world)
    assert await world.play(by_key(visit)) == [Stored()]
    assert await world.play(goal(other, "id 1"), goal(visit, "id 1")) == [Stored(duplicate=True)] * 2
    assert await rows(world) == [(visit, LATE, 7_000_000, KEY)]


async def test_a_conversion_from_before_reporters_were_kept_stays_as_it_is(world: BatchScene) -> None:
    visit, other = await cascades_of_two(world)
    await world.play(goal(visit, "id 1"))
    await change_rows(world.store, "UPDATE guards SET reported_by = NULL, visit_id = NULL WHERE kind = 4")
    assert await world.play(by_key(other)) == [Stored(duplicate=True)]
    assert await rows(world) == [(visit, NOON + 5, 49_000_000, PAGE)]


async def test_what_retention_or_an_erasure_has_taken_is_replaced_too(world: BatchScene) -> None:
    gone, real = await cascades_of_two(world)
    await world.play(goal(gone, "id 1"))
    for table in ("conversions", "visits"):
        await change_rows(world.store, f"DELETE FROM {table} WHERE visit_id = {gone}")
    assert await world.play(by_key(real)) == [Stored()]
    assert await rows(world) == [(real, LATE, 7_000_000, KEY)]


class _Died(Exception):
    """The process has ended here."""


class _MortalChanges:
    """A transaction of which only the first ``left`` statements are run."""

    def __init__(self, batch: Batch, left: int) -> None:
        self.left = left
        for name in ("_run", "_run_many", "_run_unless_partial"):
            setattr(batch, name, self._mortal(getattr(batch, name)))

    def _mortal(self, run: Any) -> Any:
        async def call(*arguments: Any, **params: Any) -> Any:
            if not self.left:
                raise _Died
            self.left -= 1
            return await run(*arguments, **params)

        return call


class _MortalRecorder(EventRecorder):
    """A recorder whose process dies after ``left`` statements of each batch."""

    left = 0

    async def record_in(self, batch: Batch, events: Sequence[Event], *more: Any, **named: Any) -> Any:
        self.changes = _MortalChanges(batch, self.left)
        return await super().record_in(batch, events, *more, **named)


async def test_wherever_it_dies_a_replacement_has_happened_or_not(store: Store) -> None:
    world = BatchScene(store)
    claimed, real = await cascades_of_two(world)
    await world.play(goal(claimed, "id 1"))
    before, guards = await rows(world), await world.table("SELECT * FROM guards WHERE kind = 4")
    mortal = _MortalRecorder(store, Nonces(b"n" * 32))
    while True:
        try:
            await mortal.record([by_key(real)])
        except _Died:
            assert await rows(world) == before
            assert await world.table("SELECT * FROM guards WHERE kind = 4") == guards
            await assert_recounted(store)
            mortal.left += 1
        else:
            break
    assert mortal.left > 5
    assert await rows(world) == [(real, LATE, 7_000_000, KEY)]
    await assert_recounted(store)


async def test_a_page_that_comes_between_is_seen_by_the_retry(
    world: BatchScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Another process's page claims the order after the guards were read, and before this batch claims it."""
    claimed, real = await cascades_of_two(world)
    await world.play(goal(claimed, "id 1"))
    read, calls = Batch.conversion_guards, list[int]()

    async def stale(self: Batch, keys: Any) -> Any:
        calls.append(len(keys))
        return {} if len(calls) == 1 else await read(self, keys)

    monkeypatch.setattr(Batch, "conversion_guards", stale)
    with pytest.raises(Interrupted):
        await world.play(by_key(real))
    assert await rows(world) == [(claimed, NOON + 5, 49_000_000, PAGE)]
    assert await world.play(by_key(real)) == [Stored()]
    assert await rows(world) == [(real, LATE, 7_000_000, KEY)]
    await assert_recounted(world.store)


async def test_a_key_that_comes_between_makes_this_one_a_repeat(
    world: BatchScene, monkeypatch: pytest.MonkeyPatch
) -> None:
    claimed, real = await cascades_of_two(world)
    await world.play(goal(claimed, "id 1"))
    keys = await world.table("SELECT site_id, kind, guard_key, cell FROM guards WHERE kind = 4")
    async with world.store.batch() as batch:
        stale = await batch.conversion_guards(keys)
    assert len(stale) == 1
    assert await world.play(by_key(real)) == [Stored()]

    async def old(_: Batch, asked: Any) -> Any:
        return stale if asked else {}

    monkeypatch.setattr(Batch, "conversion_guards", old)
    assert await world.play(by_key(claimed, value=1)) == [Stored(duplicate=True)]
    assert await rows(world) == [(real, LATE, 7_000_000, KEY)]
    await assert_recounted(world.store)


async def test_pages_report_fifty_conversions_of_a_visit(world: BatchScene) -> None:
    visit, other = await cascades_of_two(world)
    half = MOST_BY_PAGES // 2
    assert await world.play(*(goal(visit, f"id {number}") for number in range(half))) == [Stored()] * half
    outcomes = await world.play(*(goal(visit, f"id {number}") for number in range(MOST_BY_PAGES + 2)))
    assert outcomes == [
        *[Stored(duplicate=True)] * half,
        *[Stored()] * half,
        *[VisitBoundExceeded()] * 2,
    ]
    # Repeats are still recognised, other visits and keys are not concerned, and a key's makes room for one more.
    assert await world.play(goal(visit, "id 0"), goal(other, "id x"), by_key(visit, "id y"), by_key(other, "id 3")) == [
        Stored(duplicate=True),
        Stored(),
        Stored(),
        Stored(),
    ]
    assert await world.play(goal(visit, "id 98"), goal(visit, "id 99")) == [Stored(), VisitBoundExceeded()]
    assert len(await rows(world)) == MOST_BY_PAGES + 3
    assert await world.table("SELECT count(*) FROM guards WHERE kind = 4") == [(MOST_BY_PAGES + 3,)]
    await assert_recounted(world.store)


async def test_random_reports_of_pages_and_keys_are_counted_as_their_rows_say(world: BatchScene) -> None:
    chance = random.Random(6)  # noqa: S311
    visits: list[int] = [(await world.land(world.arrival())).visit_id for _ in range(3)]
    keyed: dict[str, int] = {}
    said: set[str] = set()
    for _ in range(40):
        events: list[Event] = [world.arrival(Token(chance.choice(visits), COPY, 0), own=chance.random() < 0.2)]
        for _ in range(chance.randrange(6)):
            once, visit, is_keyed = f"id {chance.randrange(50)}", chance.choice(visits), chance.random() < 0.4
            events.append(by_key(visit, once) if is_keyed else goal(visit, once))
            said.add(once)
            if is_keyed:
                keyed.setdefault(once, visit)
        (landed, *_) = await world.play(*events)
        if isinstance(landed, VisitOutcome):
            visits.append(landed.visit_id)
    found = await world.table("SELECT visit_id, reported_by FROM conversions")
    assert len(found) == len(said)
    assert sorted(visit for visit, by in found if by == KEY) == sorted(keyed.values())
    await assert_recounted(world.store)
