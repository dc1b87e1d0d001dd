"""Random trees, erased in random order and by several processes at once: every number equals the rows throughout."""

from __future__ import annotations

import asyncio
import random

import pytest

from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.events import Event, Unfurl, VisitOutcome
from grapevine.domain.tokens import Token
from grapevine.store.base import Store
from grapevine.store.rows import ERASED
from grapevine.writer.eraser import Eraser
from grapevine.writer.erasure import Erased
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder
from tests.store.writer.stored_rows import assert_recounted
from tests.store.writer.test_batch import COPY, NOON, SITE, WHATSAPP, page, report
from tests.store.writer.test_erasure import Scene, conversion, view

pytestmark = pytest.mark.anyio


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


async def played(scene: Scene, chance: random.Random, size: int) -> list[int]:
    """Grows random trees with everything that visits do; returns the visits."""
    visits: list[VisitOutcome] = []
    for _ in range(size):
        token = None
        if visits and chance.random() < 0.75:
            token = Token(chance.choice(visits[-12:]).visit_id, chance.choice((COPY, WHATSAPP)), chance.choice((0, 1)))
        at = NOON + scene.drawn * 97_000
        landed = await scene.land(
            scene.arrival(
                token, at=at, day=ids.day_at(at), own=token is not None and chance.random() < 0.2,
                visitor=chance.randrange(1, 20), visitor_before=chance.randrange(1, 20),
                verdict=1 if chance.random() < 0.1 else None, app=chance.choice((None, "instagram")),
                page=page(f"https://a.example/{chance.randrange(size // 2)}"), source=chance.choice((2, 5, 9)),
            )
        )  # fmt: skip
        visits.append(landed)
        share = Token(landed.visit_id, chance.choice((COPY, WHATSAPP, CODES["x"])), chance.choice((0, 1)))
        some: list[Event] = [
            view(landed.visit_id, f"nonce-view-{scene.drawn}-{number}", at + number * 1_500_000)
            for number in range(chance.choice((0, 0, 1, 4)))
        ]
        if chance.random() < 0.4:
            some.append(report(share, at + 5, f"https://a.example/{chance.randrange(size // 2)}"))
        if chance.random() < 0.3:
            some.append(Unfurl(site_id=SITE, token=share, at=at + 6, app="slack"))
        if chance.random() < 0.3:
            some.append(conversion(landed.visit_id, str(scene.drawn), chance.choice(("page", "key")), at + 8))
        if some:
            await scene.play(*some)
    return [landed.visit_id for landed in visits]


@pytest.mark.parametrize("seed", [1, *(pytest.param(seed, marks=pytest.mark.slow) for seed in (2, 3, 4))])
async def test_random_trees_erased_in_random_order(scene: Scene, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    visits = await played(scene, chance, 60)
    chance.shuffle(visits)
    for visit_id in visits:
        assert await scene.eraser.erase(SITE, visit_id) is Erased.NOW
        if chance.random() < 0.2:
            await assert_recounted(scene.store)
            assert await scene.table("SELECT hour FROM counts_hour GROUP BY 1 HAVING sum(views) < 0") == []
    await assert_recounted(scene.store)
    assert await scene.totals() == {}
    for table in ("shares", "unfurls", "conversions", "answers", "later_views", "cascades", "pages"):
        assert await scene.table(f"SELECT * FROM {table} LIMIT 1") == [], table


async def test_processes_erase_and_record_at_once(scene: Scene) -> None:
    """Two recorders with slots of their own grow trees, in turns on SQLite, at once on PostgreSQL, while both erase."""
    chance, visits = random.Random(5), list[int]()  # noqa: S311
    others = EventRecorder(scene.store, Nonces(b"n" * 32), slot=8)
    erasers = (scene.eraser, Eraser(scene.store, others, lambda: NOON))

    async def grow(recorder: EventRecorder, name: str) -> None:
        for number in range(25):
            token = Token(chance.choice(visits[-9:]), COPY, 0) if visits else None
            arrivals = [scene.arrival(token, nonce=f"nonce-{name}-{number:05}-{turn}") for turn in range(2)]
            for outcome in await recorder.record(arrivals):
                assert isinstance(outcome, VisitOutcome)
                visits.append(outcome.visit_id)
                await recorder.record([report(Token(outcome.visit_id, COPY, 0), NOON + 5)])

    async def erase(eraser: Eraser) -> None:
        for _ in range(20):
            await asyncio.sleep(0.01)
            if visits:
                await eraser.erase(SITE, chance.choice(visits))

    await asyncio.gather(
        grow(scene.recorder, "one"), grow(others, "other"), *(erase(eraser) for eraser in erasers for _ in range(2))
    )
    await assert_recounted(scene.store)
    erased = await scene.table(f"SELECT count(*) FROM visits WHERE flags = {ERASED}")
    assert erased[0][0] > 5
