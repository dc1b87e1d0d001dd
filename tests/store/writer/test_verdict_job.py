"""Verdicts that come later: what a burst of openings counted is taken back, exactly, and people are left alone."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.enums import CONVERSION_REPORTERS, VERDICTS
from grapevine.domain.events import Conversion, Event, View, VisitOutcome
from grapevine.domain.tokens import Token
from grapevine.store.base import Store
from grapevine.writer.bursts import GRACE_MS
from grapevine.writer.verdict_job import VerdictJob
from tests.store.writer.stored_rows import assert_recounted
from tests.store.writer.test_batch import COPY, NOON, SITE, WHATSAPP, BatchScene, report

pytestmark = pytest.mark.anyio

EMAIL = CODES["email"]
SCANNER, REPLAY = VERDICTS["scanner"], VERDICTS["replay"]
BOT = 77


class Scene(BatchScene):
    """A world with a judge."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.judge = VerdictJob(store, self.recorder)

    async def sharer(self, channel: int = EMAIL, *, reported: bool = True) -> Token:
        """A visitor shares; returns the token."""
        token = Token((await self.land(self.arrival())).visit_id, channel, 0)
        if reported:
            await self.play(report(token, NOON + self.drawn))
        return token

    async def opened(
        self, token: Token, times: Sequence[int], visitor: int = BOT, **changes: Any
    ) -> list[VisitOutcome]:
        """The link is opened at such times after noon."""
        return [await self.land(self.arrival(token, at=NOON + at, visitor=visitor, **changes)) for at in times]

    async def judged(self, after: int = GRACE_MS + 120_000) -> int:
        return await self.judge.run(NOON + after)

    async def everything(self) -> dict[str, Any]:
        """Returns the sums of the count tables, and the rows of shares, cascades and guards."""
        measures = "views visits visitors returns self_returns same_network shares reported proven conversions".split()
        sums = ", ".join(f"sum({name}) AS {name}" for name in measures)
        some = " OR ".join(f"sum({name}) <> 0" for name in measures)
        keys = {
            "counts_hour": "hour, source, channel, depth",
            "counts_day": "day, dimension, key",
            "counts_page": "day, page_id",
            "counts_device": "day, device, app",
        }
        found: dict[str, Any] = {
            table: sorted(await self.table(f"SELECT {key}, {sums} FROM {table} GROUP BY {key} HAVING {some}"))
            for table, key in keys.items()
        }
        for table, columns in {
            "shares": "visit_id, channel, n, first_at, reported_at, proven_at, returns, self_returns",
            "cascades": "root_id, size, max_depth, last_at, shares, conversions",
            "guards": "kind, guard_key",
        }.items():
            found[table] = sorted(await self.table(f"SELECT {columns} FROM {table} WHERE site_id = {SITE}"), key=repr)
        return found

    async def verdicts(self) -> dict[int | None, int]:
        return dict(await self.table("SELECT verdict, count(*) FROM visits GROUP BY verdict"))


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


async def test_a_replay_is_taken_out_as_if_it_had_never_been(scene: Scene) -> None:
    token = await scene.sharer(COPY)
    await scene.opened(token, [50], visitor=5)
    before = await scene.everything()
    await scene.opened(token, range(1_000, 9_000, 1_000))
    assert await scene.everything() != before
    assert await scene.judged(1_000 + GRACE_MS) == 0  # its time has not come: the second opening was at 2 s
    assert await scene.judged() == 8
    assert await scene.everything() == before
    assert await scene.verdicts() == {None: 2, REPLAY: 8}
    assert await scene.table("SELECT * FROM suspects") == []
    await assert_recounted(scene.store)
    assert await scene.judged() == 0


@pytest.mark.parametrize("reported", [True, False])
async def test_a_scanner_that_was_the_only_proof(scene: Scene, reported: bool) -> None:
    token = await scene.sharer(reported=reported)
    before = await scene.everything()
    await scene.opened(token, [2_000, 9_000])
    assert (await scene.totals())["proven"] == 1
    assert await scene.judged() == 2
    after = await scene.everything()
    if not reported:
        ((visit, channel, n, first_at, reported_at, proven_at, returns, _),) = after.pop("shares")
        assert (visit, channel, n, returns) == (token.visit_id, EMAIL, 0, 0)
        assert first_at is reported_at is proven_at is None
        assert before.pop("shares") == []
    assert after == before
    assert after["cascades"] == []
    assert await scene.verdicts() == {None: 1, SCANNER: 2}
    await assert_recounted(scene.store)


async def test_a_share_keeps_its_later_proof_and_a_cascade_its_depth(scene: Scene) -> None:
    token = await scene.sharer(reported=False)
    await scene.opened(token, [600_000, 601_000])
    (friend,) = await scene.opened(token, [7_300_000], visitor=6)
    await scene.opened(Token(friend.visit_id, WHATSAPP, 0), [7_400_000], visitor=7)
    assert await scene.judged(601_000 + GRACE_MS) == 2
    ((first_at, proven_at, returns),) = await scene.table(
        f"SELECT first_at, proven_at, returns FROM shares WHERE visit_id = {token.visit_id}"
    )
    assert (first_at, proven_at, returns) == (NOON + 7_300_000, NOON + 7_300_000, 1)
    assert await scene.table("SELECT size, max_depth, last_at FROM cascades") == [(3, 2, NOON + 7_400_000)]
    await assert_recounted(scene.store)


@pytest.mark.parametrize(
    ("channel", "times"),
    [
        (EMAIL, [0]),
        (EMAIL, [0, 30_001]),
        (EMAIL, [1_900_000, 1_900_001]),
        (EMAIL, [0, 31_000, 62_000]),
        (COPY, [0, 1, 2, 3, 4, 5, 6]),
        (WHATSAPP, range(0, 80_000, 10_000)),
    ],
)
async def test_what_is_no_burst(scene: Scene, channel: int, times: Sequence[int]) -> None:
    token = await scene.sharer(channel)
    await scene.opened(token, times)
    before = await scene.everything()
    assert await scene.judged(3_600_000) == 0
    assert await scene.everything() == before
    assert await scene.table("SELECT * FROM suspects") == []


@pytest.mark.parametrize("what", ["view", "share", "conversion", "led somebody here", "another way", "own link"])
async def test_one_sign_of_a_person_clears_the_machine(scene: Scene, what: str) -> None:
    token = await scene.sharer()
    opened = await scene.opened(token, range(1_000, 12_000, 1_000))
    one = opened[3].visit_id
    at = NOON + 60_000
    signs: dict[str, Event] = {
        "view": View(site_id=SITE, visit_id=one, nonce="view" * 4, at=at),
        "share": report(Token(one, COPY, 0), at),
        "conversion": Conversion(
            site_id=SITE,
            visit_id=one,
            goal="g",
            once="n",
            external_id=None,
            at=at,
            value=None,
            currency=None,
            reported_by=CONVERSION_REPORTERS["page"],
        ),
        "led somebody here": scene.arrival(Token(one, COPY, 0), at=at, visitor=8),
        "another way": scene.arrival(at=at, visitor=BOT),
        "own link": scene.arrival(token, at=at, visitor=BOT, own=True),
    }
    await scene.play(signs[what])
    before = await scene.everything()
    assert await scene.judged() == 0
    assert await scene.everything() == before
    assert set(await scene.verdicts()) == {None}
    assert await scene.table("SELECT * FROM suspects") == []


async def test_what_happens_after_the_verdict_counts_nowhere(scene: Scene) -> None:
    token = await scene.sharer()
    (one, _) = await scene.opened(token, [1_000, 2_000])
    assert await scene.judged() == 2
    before = await scene.everything()
    late = NOON + GRACE_MS + 300_000
    await scene.play(
        View(site_id=SITE, visit_id=one.visit_id, nonce="view" * 4, at=late), report(Token(one.visit_id, COPY, 0), late)
    )
    after = await scene.everything()
    assert {name: after[name] for name in ("counts_hour", "counts_page", "cascades")} == {
        name: before[name] for name in ("counts_hour", "counts_page", "cascades")
    }
    (friend,) = await scene.opened(Token(one.visit_id, COPY, 0), [GRACE_MS + 400_000], visitor=9)
    row = await scene.visit(friend.visit_id)
    assert (row.depth, row.parent_id, row.via_id) == (1, token.visit_id, one.visit_id)
    await assert_recounted(scene.store)


async def test_a_machine_that_goes_on_is_judged_again(scene: Scene) -> None:
    token = await scene.sharer()
    before = await scene.everything()
    await scene.opened(token, [1_000, 2_000])
    assert await scene.judged() == 2
    await scene.opened(token, [900_000, 959_000])  # by themselves no burst
    assert (await scene.totals())["visitors"] == 2
    assert await scene.judged(959_000 + GRACE_MS) == 2
    assert await scene.everything() == before
    await assert_recounted(scene.store)


async def test_a_machine_with_thousands_of_visits(scene: Scene) -> None:
    token = await scene.sharer(COPY)
    before = await scene.everything()
    events = [scene.arrival(token, at=NOON + index, visitor=BOT) for index in range(2_300)]
    await scene.play(*events)
    assert await scene.judged() == 2_300
    assert await scene.everything() == before
    await assert_recounted(scene.store)


@pytest.mark.parametrize("seed", range(4))
async def test_random_crowds_stay_exact(scene: Scene, seed: int) -> None:
    """Machines and people open each other's links; whatever is judged, counts are what the rows say."""
    chance = random.Random(seed)  # noqa: S311
    tokens = [await scene.sharer(chance.choice((EMAIL, COPY)), reported=chance.random() < 0.5) for _ in range(4)]
    at = 0
    for _ in range(60):
        at += chance.choice((500, 3_000, 200_000))
        token = chance.choice(tokens)
        times = [at + step * chance.choice((100, 4_000)) for step in range(chance.choice((1, 1, 2, 3, 9)))]
        landed = await scene.opened(
            token,
            times,
            visitor=chance.choice((BOT, BOT + 1, BOT + 2, scene.drawn + 10_000)),
            own=chance.random() < 0.1,
        )
        if chance.random() < 0.2:
            tokens.append(Token(landed[0].visit_id, chance.choice((EMAIL, COPY)), 0))
        if chance.random() < 0.2:
            await scene.judge.run(NOON + at)
    await scene.judged(at + GRACE_MS + 10_000)
    await assert_recounted(scene.store)
    assert await scene.table("SELECT * FROM suspects") == []


async def test_a_recorder_forgets_nothing_of_visitors_it_suspects(scene: Scene) -> None:
    """One that is named is named once until its judgement is due, however often it comes."""
    token = await scene.sharer(COPY)
    for at in range(0, 500_000, 20_000):
        await scene.opened(token, [at])
    ((day, visitor, due_at),) = await scene.table("SELECT day, visitor, due_at FROM suspects")
    assert (day, visitor, due_at) == (ids.day_at(NOON), BOT, NOON + 20_000 + GRACE_MS)
