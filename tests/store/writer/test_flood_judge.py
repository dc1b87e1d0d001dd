"""Openings from one network in great number are taken out, exactly; those of people who share a network stay."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any

import pytest

from grapevine.analytics.models.flood_verdict import PER_ACTIVE, UNEXPLAINED
from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.enums import VERDICTS
from grapevine.domain.events import Event, View, VisitOutcome
from grapevine.domain.tokens import Token
from grapevine.store.base import Store
from grapevine.store.repositories.links import LinkRow
from grapevine.store.rows import VisitRow
from grapevine.writer.bursts import GRACE_MS
from grapevine.writer.eraser import Eraser
from grapevine.writer.erasure import Erased
from grapevine.writer.floods import OFTEN
from grapevine.writer.link_removal import LINK
from tests.store.writer.stored_rows import assert_recounted
from tests.store.writer.test_batch import COPY, NOON, SITE, page, report
from tests.store.writer.test_verdict_job import Scene

pytestmark = pytest.mark.anyio

REPLAY = VERDICTS["replay"]
OFFICE = 5 << 24 | 7
MANY = UNEXPLAINED + 1


class Flood(Scene):
    """A world with a judge, and links that many open."""

    async def land_all(self, events: Sequence[Event]) -> list[int]:
        """Returns the ids of the visits of arrivals that come in one batch."""
        return [landed.visit_id for landed in await self.play(*events) if isinstance(landed, VisitOutcome)]

    async def flooded(self, token: Token, number: int, start: int = 1_000, network: int = OFFICE) -> list[int]:
        """The link is opened by so many browsers, one a millisecond; returns the visits."""
        return await self.land_all(
            [self.arrival(token, at=NOON + start + index, network=network) for index in range(number)]
        )

    async def minted(self) -> int:
        """Returns the node of a minted link."""
        node = ids.pack(ids.day_at(NOON), 77, 77)
        page_id = page("https://a.example/deep").page_id
        link = LinkRow(
            site_id=SITE, visit_id=node, cell=77, channel=CODES["link"], url="https://a.example/deep", label=None,
            external_id=None, campaign=None, word=None, places="", keep=0, created_at=NOON, expires_at=None,
        )  # fmt: skip
        row = VisitRow(
            site_id=SITE, visit_id=node, cell=77, nonce_check=0, at=NOON, next_view=1, page_id=page_id, source=LINK,
            device=0, app=None, visitor=None, channel=None, n=None, via_id=None, parent_id=None, root_id=None, depth=0,
            flags=0, reason=None, verdict=None, network=None,
        )  # fmt: skip
        async with self.store.batch() as batch:
            await batch.insert_visits([], [row], [])
            await batch.links.insert([link], [])
        return node

    async def reads_on(self, *visits: int) -> None:
        """A second page is viewed in each of ``visits``."""
        await self.play(
            *(View(site_id=SITE, visit_id=visit, nonce=f"view{visit:011}"[:20], at=NOON + 5_000) for visit in visits)
        )


@pytest.fixture
def scene(store: Store) -> Flood:
    return Flood(store)


async def test_a_flood_of_browsers_from_one_network_is_taken_out_as_if_it_had_never_been(scene: Flood) -> None:
    token = await scene.sharer(COPY, reported=False)
    (friend,) = await scene.flooded(token, 1, start=10, network=OFFICE + (1 << 24))
    await scene.reads_on(friend)
    before = await scene.everything()
    await scene.flooded(token, 700)
    assert (await scene.totals())["returns"] == 701
    assert await scene.judged(GRACE_MS + 900) == 0
    assert await scene.judged() == 700
    assert await scene.everything() == before
    assert await scene.verdicts() == {None: 2, REPLAY: 700}
    assert await scene.table("SELECT * FROM suspected_floods") == []
    await assert_recounted(scene.store)


async def test_of_a_flooded_link_the_node_stays_what_it_is(scene: Flood) -> None:
    """A node shows no activity either, and is no visit of anybody."""
    node = await scene.minted()
    token = Token(node, CODES["link"], 0)
    (friend,) = await scene.flooded(token, 1, start=10, network=OFFICE + (1 << 24))
    await scene.reads_on(friend)
    before, row = await scene.everything(), await scene.visit(node)
    await scene.flooded(token, 700)
    assert await scene.judged() == 700
    assert await scene.everything() == before
    assert await scene.visit(node) == row
    assert await scene.table("SELECT size FROM cascades") == [(1,)]
    await assert_recounted(scene.store)
    assert await Eraser(scene.store, scene.recorder, lambda: NOON).erase(SITE, node) is Erased.NOW
    assert await scene.table("SELECT count(*) FROM links") == [(0,)]
    await assert_recounted(scene.store)


async def test_a_group_of_silent_people_behind_one_address_stays(scene: Flood) -> None:
    token = await scene.sharer(COPY)
    await scene.flooded(token, UNEXPLAINED)
    assert await scene.judged() == 0
    await scene.flooded(token, 1, start=GRACE_MS + 500_000)
    assert await scene.judged(2 * GRACE_MS + 600_000) == MANY


async def test_each_active_visit_explains_some_silent_ones_and_stays_itself(scene: Flood) -> None:
    token = await scene.sharer(COPY)
    colleagues = await scene.flooded(token, UNEXPLAINED + 2 * PER_ACTIVE + 2)
    await scene.reads_on(colleagues[-1])
    await scene.play(report(Token(colleagues[-2], COPY, 0)))
    assert await scene.judged() == 0
    await scene.flooded(token, 1, start=GRACE_MS + 500_000)
    assert await scene.judged(2 * GRACE_MS + 600_000) == UNEXPLAINED + 1
    stayed = {visit for (visit,) in await scene.table("SELECT visit_id FROM visits WHERE verdict IS NULL")}
    assert stayed == {token.visit_id, *colleagues[: 2 * PER_ACTIVE], *colleagues[-2:]}
    await assert_recounted(scene.store)


async def test_one_page_view_does_not_clear_thousands(scene: Flood) -> None:
    token = await scene.sharer(COPY)
    visits = await scene.flooded(token, 1_000)
    await scene.reads_on(visits[500])
    assert await scene.judged() == 999 - PER_ACTIVE


async def test_what_comes_later_is_judged_later_however_slowly(scene: Flood) -> None:
    token = await scene.sharer(COPY)
    taken = []
    for start in range(0, 4_000_000 + 2 * GRACE_MS, 60_000):
        if start < 4_000_000:
            await scene.land_all([scene.arrival(token, at=NOON + start + 10_000 * n, network=OFFICE) for n in range(6)])
        taken.append(await scene.judged(start + 60_000))
    assert sum(taken) == 402
    assert sum(map(bool, taken)) > 3
    assert await scene.table("SELECT * FROM suspected_floods") == []
    await assert_recounted(scene.store)


async def test_a_wide_network_with_one_opening_from_each_of_its_networks(scene: Flood) -> None:
    token = await scene.sharer(COPY)
    await scene.land_all([scene.arrival(token, at=NOON + n, network=9 << 24 | n) for n in range(300)])
    await scene.land_all([scene.arrival(token, at=NOON + n, network=n << 24) for n in range(100, 400)])
    assert await scene.judged() == 300
    assert await scene.table("SELECT count(*) FROM visits WHERE verdict IS NULL AND network < 9 << 24") == [(0,)]
    await assert_recounted(scene.store)


async def test_a_flood_over_all_shares_of_a_visit_is_one_flood(scene: Flood) -> None:
    token = await scene.sharer(COPY)
    links = [Token(token.visit_id, COPY, n) for n in range(30)]
    await scene.land_all([scene.arrival(links[n % 30], at=NOON + n, network=OFFICE) for n in range(UNEXPLAINED + 50)])
    assert await scene.judged() == UNEXPLAINED + 50


async def test_networks_of_rows_from_before_are_not_judged(scene: Flood) -> None:
    token = await scene.sharer(COPY)
    await scene.flooded(token, 200, network=0)
    assert await scene.judged() == 0
    assert OFTEN < UNEXPLAINED


async def test_visitors_with_another_visit_stay_visitors_of_the_day(scene: Flood) -> None:
    """The numbers are those of the same visits without the flood, whichever way the flood's visitors came besides."""
    token = await scene.sharer(COPY)
    chance = random.Random(11)  # noqa: S311
    visitors = range(2_000, 2_300)
    others = [
        scene.arrival(at=NOON + chance.randrange(100), visitor=visitor, network=OFFICE)
        for visitor in chance.sample(visitors, 40)
    ]
    await scene.land_all(others)
    before = await scene.everything()
    floods = [
        scene.arrival(token, at=NOON + 1_000 + index, visitor=visitor, network=OFFICE)
        for index, visitor in enumerate([*visitors, *chance.sample(visitors, 50)])
    ]
    await scene.land_all(floods)
    assert await scene.judged() == 350
    assert await scene.everything() == before
    await assert_recounted(scene.store)


async def test_visits_of_a_machine_are_counted_seldom_whichever_links_it_opens(
    scene: Flood, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Counting looks through all visits of the day, which a program makes by the million from one address."""
    tokens = [await scene.sharer(COPY) for _ in range(10)]
    await scene.reads_on(*await scene.land_all([scene.arrival(visitor=77, network=OFFICE)]))
    before = await scene.everything()
    for token in tokens:
        await scene.land_all(
            [scene.arrival(token, at=NOON + 1_000 + index, visitor=77, network=OFFICE) for index in range(MANY)]
        )
    real, looked = scene.store.floods.counted_visits, []

    async def counted_visits(*arguments: Any) -> dict[int, int]:
        looked.append(arguments)
        return await real(*arguments)

    monkeypatch.setattr(scene.store.floods, "counted_visits", counted_visits)
    assert await scene.judged() == 10 * MANY
    assert len(looked) == 2  # at first, and when few are left
    assert await scene.everything() == before
    await assert_recounted(scene.store)


async def test_networks_of_a_share_and_a_cascade_are_counted_once_a_day(scene: Flood) -> None:
    token = await scene.sharer(COPY)
    other = Token(token.visit_id, COPY, 1)
    tomorrow = ids.day_start(ids.day_at(NOON) + 1)
    await scene.land_all(
        [
            *(scene.arrival(token, at=NOON + n, network=network) for n, network in enumerate((5, 5, 6, 0))),
            scene.arrival(token, at=tomorrow, network=77),  # the same network, under the salt of the next day
            scene.arrival(other, at=NOON + 9, network=8),
            scene.arrival(token, at=NOON + 9, network=9, own=True),
        ]
    )
    named = [(token.visit_id, COPY, n, token.visit_id) for n in range(3)]
    reads = scene.store.reads
    assert await reads.shares.networks(SITE, named) == {named[0][:3]: 3, named[1][:3]: 1}
    assert await reads.cascades.networks(SITE, [token.visit_id, 7]) == {token.visit_id: 4, 7: 0}
