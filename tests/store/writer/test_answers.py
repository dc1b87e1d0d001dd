"""Answers in batches, on a real store: each is stored once, with or without its visit, and changes no count."""

from __future__ import annotations

from typing import Any

import pytest

from grapevine.domain import ids
from grapevine.domain.events import Answer, Stored, VisitNotFound
from grapevine.domain.tokens import Token
from grapevine.store.base import Store
from grapevine.writer.bursts import GRACE_MS
from grapevine.writer.verdict_job import VerdictJob
from tests.store.writer.stored_rows import assert_recounted
from tests.store.writer.test_batch import COPY, NOON, SITE, BatchScene

pytestmark = pytest.mark.anyio

NONCE = "n" * 16
DRIVEN = 1


@pytest.fixture
def world(store: Store) -> BatchScene:
    return BatchScene(store)


def answer(visit_id: int = 0, nonce: str = NONCE, **changes: Any) -> Answer:
    fields: dict[str, Any] = {
        "site_id": SITE,
        "visit_id": visit_id,
        "nonce": nonce,
        "at": NOON + 9,
        "text": "a friend",
        "contact": None,
    }
    return Answer(**(fields | changes))


async def rows(world: BatchScene) -> list[tuple[Any, ...]]:
    return sorted(await world.table("SELECT visit_id, cell, at, text, contact FROM answers"))


async def test_an_answer_lives_in_the_cell_of_its_visit_and_counts_nowhere(world: BatchScene) -> None:
    first = await world.land(world.arrival())
    friend = await world.land(world.arrival(Token(first.visit_id, COPY, 0)))
    before = await world.dump()
    said = answer(friend.visit_id, text="Ein Freund 🍇\nim Büro", contact="me@example.org")
    assert await world.play(said) == [Stored()]
    assert await rows(world) == [
        (friend.visit_id, ids.cell_of(friend.visit_id), NOON + 9, "Ein Freund 🍇\nim Büro", "me@example.org")
    ]
    assert await world.dump() == before
    await assert_recounted(world.store)


async def test_an_answer_without_a_visit_has_a_cell_of_its_own(world: BatchScene) -> None:
    nonces = [f"nonce{number:011}" for number in range(8)]
    assert await world.play(*(answer(nonce=nonce, text=nonce) for nonce in nonces)) == [Stored()] * 8
    found = await rows(world)
    assert [row[0] for row in found] == [0] * 8
    assert len({row[1] for row in found}) > 4
    assert all(0 <= row[1] < ids.CELLS for row in found)


@pytest.mark.parametrize("named", [True, False])
async def test_the_first_of_several_stays(world: BatchScene, named: bool) -> None:
    visit_id = (await world.land(world.arrival())).visit_id if named else 0
    assert await world.play(answer(visit_id), answer(visit_id, text="x")) == [Stored(), Stored(duplicate=True)]
    before = await rows(world)
    assert await world.play(answer(visit_id, text="y"), answer(visit_id, "m" * 16, text="z")) == [
        Stored(duplicate=True),
        Stored(),
    ]
    assert {row[3] for row in await rows(world)} == {"a friend", "z"}
    assert set(before) < set(await rows(world))
    assert await world.play(answer(visit_id, site_id=8)) == ([VisitNotFound()] if named else [Stored()])


async def test_a_visit_that_is_not_there_has_no_answers(world: BatchScene) -> None:
    assert await world.play(answer(ids.pack(2500, 9, 9)), answer()) == [VisitNotFound(), Stored()]
    assert [row[0] for row in await rows(world)] == [0]


async def test_a_visit_with_a_verdict_keeps_its_answer(world: BatchScene) -> None:
    landed = await world.land(world.arrival(verdict=DRIVEN))
    assert await world.play(answer(landed.visit_id)) == [Stored()]
    assert await world.totals() == {}
    assert len(await rows(world)) == 1


async def test_a_visitor_with_an_answer_is_no_machine(world: BatchScene) -> None:
    first = await world.land(world.arrival())
    token = Token(first.visit_id, COPY, 0)
    opened = [await world.land(world.arrival(token, at=NOON + second * 1_000, visitor=77)) for second in range(9)]
    assert await world.play(answer(opened[4].visit_id, at=NOON + 20_000)) == [Stored()]
    judge = VerdictJob(world.store, world.recorder)
    assert await world.table("SELECT visitor FROM suspects") == [(77,)]
    assert await judge.run(NOON + GRACE_MS + 120_000) == 0
    assert (await world.totals())["returns"] == 9
