"""Single openings by programs that check mails: taken out exactly, given back exactly when they show life."""

from __future__ import annotations

import random
from typing import Any

import pytest
from msgspec.structs import replace

from grapevine.domain.channels import CODES
from grapevine.domain.enums import CONVERSION_REPORTERS, VERDICTS
from grapevine.domain.events import Answer, Conversion, Event, View
from grapevine.domain.scan_signs import DATA_CENTRE, NO_LANGUAGE, OLD_ENGINE
from grapevine.domain.tokens import Token
from grapevine.store.base import Store
from grapevine.store.rows import OPENED_ONCE
from grapevine.writer.bursts import GRACE_MS
from tests.store.writer.stored_rows import assert_recounted
from tests.store.writer.test_batch import COPY, NOON, SITE, WHATSAPP, report
from tests.store.writer.test_verdict_job import BOT, EMAIL, SCANNER, Scene

pytestmark = pytest.mark.anyio

MINUTE = 60_000


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


@pytest.mark.parametrize("reported", [True, False])
async def test_a_single_opening_is_taken_out_as_if_it_had_never_been(scene: Scene, reported: bool) -> None:
    token = await scene.sharer(reported=reported)
    await scene.opened(token, [30 * MINUTE], visitor=5)
    before = await scene.everything()
    await scene.opened(token, [2 * MINUTE], signs=DATA_CENTRE)
    assert await scene.judged(2 * MINUTE + GRACE_MS - 1) == 0
    assert await scene.judged(2 * MINUTE + GRACE_MS) == 1
    if not reported:
        ((first_at, proven_at),) = await scene.table("SELECT first_at, proven_at FROM shares")
        assert first_at == proven_at == NOON + 30 * MINUTE
    assert await scene.everything() == before
    assert await scene.verdicts() == {None: 2, SCANNER: 1}
    assert await scene.table("SELECT * FROM suspects") == []
    await assert_recounted(scene.store)


@pytest.mark.parametrize(
    ("channel", "after", "signs", "taken"),
    [
        (EMAIL, 9 * MINUTE, NO_LANGUAGE, 1),
        (EMAIL, 9 * MINUTE, OLD_ENGINE, 0),
        (EMAIL, 11 * MINUTE, DATA_CENTRE, 0),
        (EMAIL, 11 * MINUTE, DATA_CENTRE | OLD_ENGINE, 1),
        (EMAIL, 31 * MINUTE, DATA_CENTRE | NO_LANGUAGE, 0),
        (EMAIL, 1_000, 0, 0),
        (COPY, 1_000, DATA_CENTRE, 0),
        (COPY, 29 * MINUTE, DATA_CENTRE | OLD_ENGINE, 1),
        (WHATSAPP, 1_000, DATA_CENTRE | NO_LANGUAGE | OLD_ENGINE, 0),
    ],
)
async def test_time_and_signs_decide_together(scene: Scene, channel: int, after: int, signs: int, taken: int) -> None:
    token = await scene.sharer(channel)
    await scene.opened(token, [after], signs=signs)
    assert await scene.judged(after + GRACE_MS) == taken
    await assert_recounted(scene.store)


async def test_a_copied_links_second_opening_at_once_is_a_sign_beside_another(scene: Scene) -> None:
    token = await scene.sharer(COPY)
    await scene.opened(token, [MINUTE, MINUTE + 20_000])
    await scene.opened(token, [MINUTE, MINUTE + 20_000], visitor=BOT + 1, signs=DATA_CENTRE)
    await scene.opened(token, [MINUTE, MINUTE + 31_000], visitor=BOT + 2, signs=DATA_CENTRE)
    assert await scene.judged() == 2
    await assert_recounted(scene.store)


async def test_a_report_with_the_token_alone_moves_no_time(scene: Scene) -> None:
    """Everybody who was sent the link could send one shortly before another recipient opens it."""
    token = await scene.sharer(reported=False)
    await scene.play(replace(report(token, NOON + 50 * MINUTE), by_session=False))
    await scene.opened(token, [51 * MINUTE], signs=DATA_CENTRE)
    assert await scene.judged(51 * MINUTE + GRACE_MS) == 0
    other = await scene.sharer(reported=False)
    await scene.play(report(other, NOON + 50 * MINUTE))
    await scene.opened(other, [51 * MINUTE], visitor=BOT + 1, signs=DATA_CENTRE)
    assert await scene.judged(51 * MINUTE + GRACE_MS) == 1


async def test_others_openings_are_no_evidence(scene: Scene) -> None:
    """However many scanners open the same link from the same network, a person without a sign stays."""
    token = await scene.sharer()
    for number in range(20):
        await scene.opened(token, [1_000 + number], visitor=200 + number, network=7, signs=DATA_CENTRE)
    await scene.opened(token, [5_000], visitor=6, network=7)
    assert await scene.judged() == 20
    assert await scene.verdicts() == {None: 2, SCANNER: 20}
    await assert_recounted(scene.store)


@pytest.mark.parametrize("what", ["later opening", "another way", "second page"])
async def test_one_visit_that_is_no_scan_clears_the_machine(scene: Scene, what: str) -> None:
    token = await scene.sharer()
    (one,) = await scene.opened(token, [1_000], signs=DATA_CENTRE)
    if what == "later opening":
        await scene.opened(token, [9 * MINUTE])
    elif what == "another way":
        await scene.play(scene.arrival(at=NOON + MINUTE, visitor=BOT))
    else:
        await scene.play(View(site_id=SITE, visit_id=one.visit_id, nonce="view" * 4, at=NOON + MINUTE))
    assert await scene.judged() == 0
    assert set(await scene.verdicts()) == {None}


async def test_a_machine_is_judged_when_its_last_opening_had_its_time(scene: Scene) -> None:
    tokens = [await scene.sharer() for _ in range(3)]
    before = await scene.everything()
    for number, token in enumerate(tokens):
        await scene.opened(token, [MINUTE + number * 3 * MINUTE], signs=DATA_CENTRE)
    assert await scene.judged(MINUTE + GRACE_MS) == 0
    assert await scene.judged(7 * MINUTE + GRACE_MS) == 3
    assert await scene.everything() == before
    await assert_recounted(scene.store)


async def test_a_verdict_does_not_spread_to_colleagues_who_come_later(scene: Scene) -> None:
    token = await scene.sharer()
    await scene.opened(token, [1_000], signs=DATA_CENTRE)
    assert await scene.judged() == 1
    await scene.opened(token, [20 * MINUTE], signs=DATA_CENTRE)
    assert await scene.judged(20 * MINUTE + GRACE_MS) == 0
    assert await scene.verdicts() == {None: 2, SCANNER: 1}
    assert (await scene.totals())["visitors"] == 2
    await assert_recounted(scene.store)


@pytest.mark.parametrize("reported", [True, False])
@pytest.mark.parametrize("what", ["view", "share", "conversion", "answer", "led somebody here"])
async def test_a_sign_of_life_gives_the_visit_back(store: Store, what: str, reported: bool) -> None:
    """Afterwards everything is as if no verdict had ever been: another judgement would leave the visit alone."""
    scene = Scene(store)
    token = await scene.sharer(reported=reported)
    (one,) = await scene.opened(token, [MINUTE], signs=DATA_CENTRE)
    counted = await scene.everything()
    assert await scene.judged() == 1
    assert await scene.everything() != counted
    late = NOON + 90 * MINUTE
    signs: dict[str, Event] = {
        "view": View(site_id=SITE, visit_id=one.visit_id, nonce="view" * 4, at=late),
        "share": report(Token(one.visit_id, COPY, 0), late),
        "conversion": Conversion(
            site_id=SITE, visit_id=one.visit_id, goal="g", once="n", external_id=None, at=late, value=None,
            currency=None, reported_by=CONVERSION_REPORTERS["page"],
        ),
        "answer": Answer(
            site_id=SITE, visit_id=one.visit_id, nonce="answer" * 3, at=late, text="a friend", contact=None,
            class_="word-of-mouth", channel=None, rules=1, reported_by=CONVERSION_REPORTERS["page"],
        ),
        "led somebody here": scene.arrival(Token(one.visit_id, COPY, 0), at=late, visitor=8),
    }  # fmt: skip
    await scene.play(signs[what])
    row = await scene.visit(one.visit_id)
    assert (row.verdict, row.depth, row.flags) == (None, 1, DATA_CENTRE)
    after = await scene.everything()
    ((_, visits, returns, visitors),) = await scene.table(
        "SELECT 0, sum(visits), sum(returns), sum(visitors) FROM counts_hour"
    )
    more = what == "led somebody here"
    assert (visits, returns, visitors) == (2 + more, 1 + more, 2 + more)
    if what in ("conversion", "answer"):
        expected = {name: counted[name] for name in ("shares",)}
        assert {name: after[name] for name in expected} == expected
    ((root, size, depth),) = await scene.table("SELECT root_id, size, max_depth FROM cascades")
    assert (root, size, depth) == (token.visit_id, 2 + more, 1 + more)
    if more:
        ((parent,),) = await scene.table("SELECT parent_id FROM visits WHERE visitor = 8")
        assert parent == one.visit_id
    await assert_recounted(store)
    assert await scene.judged(200 * MINUTE) == 0
    await assert_recounted(store)


async def test_a_sign_of_life_after_a_day_changes_nothing(scene: Scene) -> None:
    token = await scene.sharer()
    (one,) = await scene.opened(token, [MINUTE], signs=DATA_CENTRE)
    assert await scene.judged() == 1
    before = await scene.everything()
    late = NOON + 24 * 60 * MINUTE + MINUTE
    await scene.play(View(site_id=SITE, visit_id=one.visit_id, nonce="view" * 4, at=late))
    after = await scene.everything()
    for found in (before, after):
        del found["guards"]
    assert after == before
    assert (await scene.visit(one.visit_id)).flags & OPENED_ONCE
    await assert_recounted(scene.store)


@pytest.mark.parametrize("seed", range(4))
async def test_random_crowds_stay_exact(scene: Scene, seed: int) -> None:
    """Scanners and people open links, are judged, read on before or after; counts are what the rows say."""
    chance = random.Random(seed)  # noqa: S311
    tokens = [await scene.sharer(chance.choice((EMAIL, COPY)), reported=chance.random() < 0.5) for _ in range(4)]
    at, landed, taken = 0, [], 0
    for number in range(80):
        at += chance.choice((500, 30_000, 200_000))
        changes: dict[str, Any] = {"signs": chance.choice((0, DATA_CENTRE, NO_LANGUAGE | OLD_ENGINE))}
        visitor = chance.choice((BOT, BOT + 1, BOT + 2, scene.drawn + 10_000))
        landed += await scene.opened(chance.choice(tokens), [at], visitor=visitor, **changes)
        one = chance.choice(landed).visit_id
        if chance.random() < 0.3:
            await scene.play(View(site_id=SITE, visit_id=one, nonce=f"view{number:012}", at=NOON + at))
        if chance.random() < 0.3:
            tokens.append(Token(one, chance.choice((EMAIL, COPY)), 0))
        if chance.random() < 0.3:
            taken += await scene.judge.run(NOON + at)
    taken += await scene.judged(at + GRACE_MS + 10_000)
    assert taken
    await assert_recounted(scene.store)


def test_the_channel_and_the_verdict_are_those_of_the_contract() -> None:
    assert (CODES["email"], VERDICTS["scanner"]) == (EMAIL, SCANNER)
