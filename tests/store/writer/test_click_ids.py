"""Click ids in the writer: who was first with one, on each backend."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from grapevine.collect.visitor_hash import click_sight
from grapevine.domain import ids
from grapevine.domain.enums import SOURCES, VERDICTS
from grapevine.domain.events import ArrivingClick, VisitEvent
from grapevine.domain.tokens import Token
from grapevine.domain.visit_evidence import CLICK_ID, COPIED_ADDRESS, DECIDED_BY, decided_by, evidence_names
from grapevine.store.base import Store
from grapevine.store.rows import ERASED
from grapevine.writer import name_bounds
from grapevine.writer.eraser import Eraser
from grapevine.writer.name_bounds import BOUNDS, Bound
from grapevine.writer.nonces import GUARD_CLICK_ID, Nonces
from grapevine.writer.recorder import EventRecorder
from tests.store.writer.stored_rows import assert_recounted
from tests.store.writer.test_batch import COPY, NOON, SITE, BatchScene

pytestmark = pytest.mark.anyio

DAY = ids.day_at(NOON)
DEEP, SOCIAL, SEARCH = SOURCES["direct-deep"], SOURCES["social"], SOURCES["search"]
ANNA, BERT = 11, 12


@pytest.fixture
def world(store: Store) -> BatchScene:
    return BatchScene(store)


def salt(day: int) -> bytes:
    return f"salt of {day}".encode()


def clicked(
    world: BatchScene, visitor: int, value: str = "IwAR3xK8", *, site: int = SITE, days: int = 0, **changes: Any
) -> VisitEvent:
    """An arrival with a click id; a visitor's hash of another day is another one."""
    day = DAY + days
    sights = [click_sight(salt(d), site, "fbclid", value, visitor * 1000 + d) for d in (day, day - 1)]
    fields: dict[str, Any] = {
        "source": DEEP, "evidence": CLICK_ID, "visitor": visitor * 1000 + day, "click": ArrivingClick(SOCIAL, *sights),
        "site_id": site, "at": ids.day_start(day) + 1000 + world.drawn, "day": day, "network": visitor << 24 | 1,
    }  # fmt: skip
    return world.arrival(**(fields | changes))


async def known(world: BatchScene, event: VisitEvent) -> tuple[int, str, list[str]]:
    """The source, what decided it, and the evidence, as stored."""
    row = await world.visit((await world.land(event)).visit_id)
    assert row.evidence is not None
    return row.source, decided_by(row.evidence), evidence_names(row.evidence)


FIRST = (SOCIAL, "click-id", ["click-id"])
COPIED = (DEEP, "nothing", ["click-id", "copied-address"])


async def test_first_sight_decides_and_another_visitor_copied_it(world: BatchScene) -> None:
    assert await known(world, clicked(world, ANNA)) == FIRST
    assert await known(world, clicked(world, BERT)) == COPIED
    assert await known(world, clicked(world, ANNA)) == FIRST  # a second tab, a reload after half an hour
    assert await known(world, clicked(world, BERT)) == COPIED
    assert await known(world, clicked(world, BERT, "another1")) == FIRST
    await assert_recounted(world.store)


async def test_both_days_of_the_salts_are_asked(world: BatchScene) -> None:
    assert await known(world, clicked(world, ANNA)) == FIRST
    assert await known(world, clicked(world, ANNA, days=1)) == FIRST
    assert await known(world, clicked(world, BERT, days=1)) == COPIED
    await world.store.guards.forget_guards(ids.day_start(DAY + 2) + 1)
    assert await known(world, clicked(world, BERT, days=2)) == FIRST


async def test_it_is_kept_without_anything_of_the_visit(world: BatchScene) -> None:
    landed = await world.land(clicked(world, ANNA))
    rows = await world.table("SELECT * FROM guards WHERE kind = 7")
    row = await world.visit(landed.visit_id)
    (sight, other) = (clicked(world, ANNA).click, clicked(world, BERT).click)
    assert sight is not None
    assert other is not None
    key = sight.sight.key
    assert rows == [
        (SITE, GUARD_CLICK_ID, key, ids.hashed_cell(key), ids.day_start(DAY + 2), None, None, sight.sight.holder)
    ]
    assert not {row.visitor, row.visit_id, row.network} & set(rows[0])
    assert sight.sight.key == other.sight.key
    assert sight.sight.holder != other.sight.holder


@pytest.mark.parametrize("decided", ["tag", "referrer", "app"])
async def test_what_else_decides_is_kept_and_notes_the_sight(world: BatchScene, decided: str) -> None:
    evidence = CLICK_ID | DECIDED_BY[decided]
    shown: dict[str, Any] = {"source": SEARCH, "evidence": evidence}
    assert await known(world, clicked(world, ANNA, **shown)) == (SEARCH, decided, ["click-id"])
    assert await known(world, clicked(world, BERT)) == COPIED
    copied = (SEARCH, decided, ["click-id", "copied-address"])
    assert await known(world, clicked(world, BERT, **shown)) == copied


async def test_a_token_decides_before_it(world: BatchScene) -> None:
    sharer = await world.land(world.arrival())
    token = Token(sharer.visit_id, COPY, 0)
    assert await known(world, clicked(world, ANNA, token=token)) == (SOURCES["share"], "token", ["click-id"])
    copied = (SOURCES["share"], "token", ["click-id", "copied-address"])
    assert await known(world, clicked(world, BERT, token=token)) == copied
    gone = Token(ids.pack(DAY, 5, 77), COPY, 0)
    assert await known(world, clicked(world, BERT, "another1", token=gone)) == FIRST


async def test_a_repeat_changes_nothing(world: BatchScene) -> None:
    first, second = clicked(world, ANNA), clicked(world, BERT)
    await world.play(first, second)
    before = await world.dump(), await world.table("SELECT * FROM guards ORDER BY 1, 2, 3")
    await world.play(second, first)
    await world.play(first)
    assert (await world.dump(), await world.table("SELECT * FROM guards ORDER BY 1, 2, 3")) == before


async def test_of_two_in_one_batch_the_first_is_first(world: BatchScene) -> None:
    events = [clicked(world, visitor) for visitor in (ANNA, BERT, ANNA, 13)]
    await world.play(*events)
    rows = await world.table("SELECT visitor, source, evidence FROM visits ORDER BY at")
    first, copied = DECIDED_BY["click-id"] | CLICK_ID, CLICK_ID | COPIED_ADDRESS
    assert [(source, evidence) for _, source, evidence in rows] == [
        (SOCIAL, first), (DEEP, copied), (SOCIAL, first), (DEEP, copied),
    ]  # fmt: skip


async def test_two_processes_agree_on_one_first(store: Store) -> None:
    worlds = [BatchScene(store, EventRecorder(store, Nonces(b"n" * 32), slot)) for slot in (0, 1)]
    batches = []
    for number in range(12):
        for index, world in enumerate(worlds):
            world.drawn = 10_000 * index + 100 * number
            batches.append(world.play(*(clicked(world, 20 + index, f"click id {each}") for each in range(number, 30))))
    await asyncio.gather(*batches)
    firsts = await worlds[0].table("SELECT visitor, count(*) FROM visits WHERE source = 3 GROUP BY 1")
    taken = await worlds[0].table("SELECT count(*), count(DISTINCT guard_key) FROM guards WHERE kind = 7")
    assert taken == [(30, 30)]
    # A click id has one first visitor, in all of that visitor's batches: those of the numbers up to its own.
    assert sum(count for _, count in firsts) == sum(min(each + 1, 12) for each in range(30))
    await assert_recounted(store)


async def test_sites_do_not_share_click_ids(world: BatchScene) -> None:
    assert await known(world, clicked(world, ANNA)) == FIRST
    other = clicked(world, BERT, site=SITE + 1)
    await world.play(other)
    assert await world.table(f"SELECT source FROM visits WHERE site_id = {SITE + 1}") == [(SOCIAL,)]


async def test_beyond_the_bound_it_decides_nothing(store: Store) -> None:
    small = {**BOUNDS, name_bounds.CLICK_ID: Bound(8, 4, asked=False)}
    world = BatchScene(store, EventRecorder(store, Nonces(b"n" * 32), bounds=small))
    for number in range(50):
        await world.play(clicked(world, ANNA, f"invented{number}", network=7 << 24 | 1))
    assert await world.table("SELECT count(*) FROM guards WHERE kind = 7") == [(4,)]
    assert await world.table("SELECT count(*) FROM visits WHERE source = 3") == [(4,)]
    assert await world.table("SELECT count(*) FROM visits WHERE source = 9 AND evidence = 16") == [(46,)]
    assert await known(world, clicked(world, BERT)) == FIRST
    assert await known(world, clicked(world, ANNA)) == COPIED
    await assert_recounted(store)


async def test_a_suspect_keeps_its_evidence_and_an_erased_visit_has_none(world: BatchScene) -> None:
    event = clicked(world, ANNA, verdict=VERDICTS["driven"], click=None)
    assert await known(world, event) == (DEEP, "nothing", ["click-id"])
    assert await known(world, clicked(world, BERT)) == FIRST
    landed = await world.land(clicked(world, 14))
    await Eraser(world.store, world.recorder, lambda: NOON).erase(SITE, landed.visit_id)
    assert await world.table(f"SELECT evidence, flags & {ERASED} FROM visits WHERE visit_id = {landed.visit_id}") == [
        (None, ERASED)
    ]
