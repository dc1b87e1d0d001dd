"""Shares by the page that was shared, on a real store: each counts once, and where its report says it belongs."""

from __future__ import annotations

import pytest

from grapevine.domain.tokens import Token
from grapevine.domain.urls import page_id
from grapevine.store.base import Store
from grapevine.writer.bursts import GRACE_MS
from grapevine.writer.verdict_job import VerdictJob
from tests.store.writer.stored_rows import assert_recounted
from tests.store.writer.test_batch import COPY, NOON, SITE, WHATSAPP, BatchScene, report

pytestmark = pytest.mark.anyio

DEEP, OTHER = (f"https://a.example/{name}" for name in ("deep", "other"))
DRIVEN = 1


@pytest.fixture
def world(store: Store) -> BatchScene:
    return BatchScene(store)


async def shared(world: BatchScene, url: str = DEEP) -> dict[int, int]:
    await assert_recounted(world.store)
    return await world.store.reads.shares.shares_of_page(SITE, page_id(SITE, url))


async def test_a_share_counts_for_the_page_that_was_shared(world: BatchScene) -> None:
    visit = (await world.land(world.arrival())).visit_id
    await world.play(report(Token(visit, COPY, 0), url=OTHER), report(Token(visit, COPY, 0), url=DEEP))
    await world.play(report(Token(visit, COPY, 1), url=OTHER), report(Token(visit, WHATSAPP, 0), url=DEEP))
    await world.play(report(Token(visit, COPY, 0), url=DEEP))  # a repeat, whatever it says
    assert await shared(world, OTHER) == {COPY: 2}
    assert await shared(world, DEEP) == {WHATSAPP: 1}
    assert await shared(world, "https://a.example/never") == {}
    assert await world.store.reads.shares.shares_of_page(SITE + 1, page_id(SITE, DEEP)) == {}


@pytest.mark.parametrize("together", [True, False])
async def test_a_proven_share_counts_for_the_first_page_until_its_report_comes(
    world: BatchScene, together: bool
) -> None:
    visit = (await world.land(world.arrival())).visit_id
    token = Token(visit, COPY, 0)
    proof, said = world.arrival(token), report(token, url=OTHER)
    if together:
        await world.play(proof, said)
    else:
        await world.play(proof)
        assert (await shared(world), await shared(world, OTHER)) == ({COPY: 1}, {})
        await world.play(said)
    assert (await shared(world), await shared(world, OTHER)) == ({}, {COPY: 1})
    await world.play(world.arrival(token), said)
    assert (await shared(world), await shared(world, OTHER)) == ({}, {COPY: 1})


async def test_self_returns_and_driven_browsers_count_for_no_page(world: BatchScene) -> None:
    visit = (await world.land(world.arrival())).visit_id
    await world.play(world.arrival(Token(visit, COPY, 0), own=True))
    machine = (await world.land(world.arrival(verdict=DRIVEN))).visit_id
    token = Token(machine, COPY, 0)
    await world.play(world.arrival(token))
    await world.play(report(token, url=OTHER))
    assert (await shared(world), await shared(world, OTHER)) == ({}, {})


@pytest.mark.parametrize("reported", [True, False])
async def test_a_verdict_takes_a_share_back_that_only_it_had_proven(world: BatchScene, reported: bool) -> None:
    token = Token((await world.land(world.arrival())).visit_id, COPY, 0)
    if reported:
        await world.play(report(token, url=OTHER))
    for second in range(9):
        await world.land(world.arrival(token, at=NOON + second * 1_000, visitor=77))
    assert await shared(world, OTHER if reported else DEEP) == {COPY: 1}
    assert await VerdictJob(world.store, world.recorder).run(NOON + GRACE_MS + 120_000) == 9
    assert (await shared(world), await shared(world, OTHER)) == ({}, {COPY: 1} if reported else {})


async def test_other_writers_slots_are_added_up(world: BatchScene) -> None:
    visit = (await world.land(world.arrival())).visit_id
    for n in range(3):
        world.recorder.set_slot(n)
        await world.play(report(Token(visit, COPY, n)))
    assert await world.table("SELECT cell, shares FROM counts_shared ORDER BY cell") == [(0, 1), (1, 1), (2, 1)]
    assert await shared(world) == {COPY: 3}
