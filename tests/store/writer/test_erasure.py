"""Erasing a visit: what it was and did goes, what grew below it stays, and every number equals the rows."""

from __future__ import annotations

import asyncio
from functools import partial
from typing import Any

import pytest

from grapevine.domain import ids
from grapevine.domain.enums import CONVERSION_REPORTERS, TOKEN_REASON_NAMES
from grapevine.domain.events import (
    Answer,
    Conversion,
    Stored,
    Unfurl,
    View,
    VisitEvent,
    VisitNotFound,
)
from grapevine.domain.tokens import Token
from grapevine.errors import Busy
from grapevine.store.base import Store
from grapevine.store.copy.schema import copied_tables
from grapevine.store.repositories.webhooks import WebhookRow
from grapevine.store.rows import ERASED
from grapevine.webhooks.signing import event as webhook_event
from grapevine.writer import eraser
from grapevine.writer.eraser import MAX_WAITING, Eraser
from grapevine.writer.erasure import Erased
from tests.store.writer.stored_rows import assert_recounted
from tests.store.writer.test_batch import COPY, NOON, SITE, WHATSAPP, BatchScene, page, report

pytestmark = pytest.mark.anyio

MARK = "onlyhere"
"""Stands in everything that the erased visit brought."""

VISITOR = 918_273_645
"""The hash of the erased visit's visitor."""

LATE = NOON + 2 * ids.HOUR_MS


class Scene(BatchScene):
    """A world with an eraser."""

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self.eraser = Eraser(store, self.recorder, lambda: NOON)

    async def erase(self, visit_id: int) -> Erased:
        erased = await self.eraser.erase(SITE, visit_id)
        await assert_recounted(self.store)
        return erased

    async def everything(self) -> str:
        """Every row of every table as text."""
        rows = [await self.table(f"SELECT * FROM {table.name}") for table in copied_tables()]
        return repr(rows)

    async def counts(self) -> dict[str, list[tuple[Any, ...]]]:
        """The counts that are not zero, and the rows of shares and cascades."""
        measures = "views visits visitors returns self_returns same_network shares reported proven conversions".split()
        sums = ", ".join(f"sum({name})" for name in [*measures, "unfurls"])
        some = " OR ".join(f"sum({name}) <> 0" for name in [*measures, "unfurls"])
        keys = {
            "counts_hour": "hour, source, channel, depth",
            "counts_day": "day, dimension, key",
            "counts_page": "day, page_id",
            "counts_device": "day, device, app",
        }
        found = {
            table: sorted(await self.table(f"SELECT {key}, {sums} FROM {table} GROUP BY {key} HAVING {some}"))
            for table, key in keys.items()
        }
        found["counts_shared"] = sorted(
            await self.table(
                "SELECT page_id, channel, sum(shares) FROM counts_shared GROUP BY 1, 2 HAVING sum(shares) <> 0"
            )
        )
        found["cascades"] = sorted(
            await self.table("SELECT root_id, size, max_depth, last_at, shares, conversions FROM cascades")
        )
        return found


@pytest.fixture
def scene(store: Store) -> Scene:
    return Scene(store)


def conversion(visit_id: int, once: str, by: str = "page", at: int = NOON + 9) -> Conversion:
    return Conversion(
        site_id=SITE, visit_id=visit_id, goal="order", once=once, external_id=f"{MARK}-{once}", at=at, value=7,
        currency="EUR", reported_by=CONVERSION_REPORTERS[by],
    )  # fmt: skip


def answer(visit_id: int, nonce: str = "nonce-of-an-answer") -> Answer:
    return Answer(site_id=SITE, visit_id=visit_id, nonce=nonce, at=NOON + 9, text=f"told by {MARK}", contact=MARK)


def view(visit_id: int, nonce: str, at: int) -> View:
    return View(site_id=SITE, visit_id=visit_id, nonce=nonce, at=at)


def unfurl(token: Token) -> Unfurl:
    return Unfurl(site_id=SITE, token=token, at=NOON + 7, app="whatsapp")


async def live(scene: Scene, arrival: VisitEvent) -> Token:
    """A visit does everything that a visit can do; returns the token of its share."""
    visit_id = (await scene.land(arrival)).visit_id
    token = Token(visit_id, COPY, 0)
    await scene.play(
        view(visit_id, "nonce-of-view-one", NOON + 50),
        view(visit_id, "nonce-of-view-two", LATE),
        report(token, NOON + 60, f"https://a.example/shared-{MARK}"),
        unfurl(token),
        conversion(visit_id, "1"),
        answer(visit_id),
    )
    return token


async def test_an_erased_visit_leaves_a_stub_and_every_number_as_if_it_had_never_come(scene: Scene) -> None:
    root = Token((await scene.land(scene.arrival())).visit_id, WHATSAPP, 0)
    before = await scene.counts()
    arrival = scene.arrival(
        root, page=page(f"https://a.example/{MARK}"), title=f"Title {MARK}", visitor=VISITOR, network=5
    )
    token = await live(scene, arrival)
    assert MARK in await scene.everything()
    assert str(VISITOR) in await scene.everything()
    assert await scene.erase(token.visit_id) is Erased.NOW
    assert await scene.counts() == before
    everything = await scene.everything()
    assert MARK not in everything
    assert str(VISITOR) not in everything
    row = await scene.visit(token.visit_id)
    assert (row.parent_id, row.root_id, row.depth, row.flags) == (root.visit_id, root.visit_id, 1, ERASED)
    assert row.at == ids.day_start(2500)
    assert (row.next_view, row.page_id, row.device, row.app, row.visitor, row.network) == (1, 0, 0, None, None, None)
    assert (row.channel, row.n, row.via_id, row.reason, row.verdict) == (None, None, None, None, None)
    assert await scene.erase(token.visit_id) is Erased.BEFORE
    assert await scene.erase(token.visit_id + 1) is Erased.UNKNOWN
    assert await scene.counts() == before


async def test_what_grew_below_stays_a_return_at_its_depth(scene: Scene) -> None:
    root = Token((await scene.land(scene.arrival())).visit_id, WHATSAPP, 0)
    middle = await live(scene, scene.arrival(root))
    child = Token((await scene.land(scene.arrival(middle))).visit_id, COPY, 0)
    grandchild = await scene.land(scene.arrival(child, at=LATE))
    returns = (await scene.totals())["returns"]
    assert await scene.erase(middle.visit_id) is Erased.NOW
    assert (await scene.totals())["returns"] == returns - 1
    rows = [await scene.visit(each) for each in (child.visit_id, grandchild.visit_id)]
    assert [(row.parent_id, row.root_id, row.depth) for row in rows] == [
        (middle.visit_id, root.visit_id, 2), (child.visit_id, root.visit_id, 3),
    ]  # fmt: skip
    assert await scene.table("SELECT size, max_depth, last_at FROM cascades") == [(3, 3, LATE)]
    assert await scene.erase(root.visit_id) is Erased.NOW
    assert await scene.table("SELECT size, max_depth, page_id, started_at FROM cascades") == [
        (2, 3, 0, ids.day_start(2500))
    ]
    assert await scene.erase(grandchild.visit_id) is Erased.NOW
    assert await scene.table("SELECT size, max_depth FROM cascades") == [(1, 2)]
    assert await scene.erase(child.visit_id) is Erased.NOW
    assert await scene.table("SELECT * FROM cascades") == []
    assert await scene.totals() == {}


async def test_a_share_may_lose_its_proof_and_its_first_sight(scene: Scene) -> None:
    reported = Token((await scene.land(scene.arrival())).visit_id, WHATSAPP, 0)
    silent = Token(reported.visit_id, COPY, 0)
    await scene.play(report(reported, NOON + 500))
    first = await scene.land(scene.arrival(reported, at=NOON + 600))
    second = await scene.land(scene.arrival(reported, at=NOON + 700))
    only = await scene.land(scene.arrival(silent, at=NOON + 800))
    own = await scene.land(scene.arrival(silent, at=NOON + 900, own=True))

    async def shares() -> list[tuple[Any, ...]]:
        columns = "channel, first_at, reported_at, proven_at, returns, self_returns"
        return sorted(await scene.table(f"SELECT {columns} FROM shares"))

    await scene.erase(first.visit_id)
    assert await shares() == [
        (COPY, NOON + 800, None, NOON + 800, 1, 1),
        (WHATSAPP, NOON + 500, NOON + 500, NOON + 700, 1, 0),
    ]
    await scene.erase(second.visit_id)
    await scene.erase(own.visit_id)
    assert await shares() == [
        (COPY, NOON + 800, None, NOON + 800, 1, 0),
        (WHATSAPP, NOON + 500, NOON + 500, None, 0, 0),
    ]
    await scene.erase(only.visit_id)
    assert await shares() == [(COPY, None, None, None, 0, 0), (WHATSAPP, NOON + 500, NOON + 500, None, 0, 0)]


async def test_events_of_an_erased_visit_change_nothing(scene: Scene) -> None:
    arrival = scene.arrival()
    token = await live(scene, arrival)
    await scene.erase(token.visit_id)
    before = await scene.everything()
    outcomes = await scene.play(
        view(token.visit_id, "nonce-of-view-three", NOON + 99),
        report(token, NOON + 99),
        unfurl(token),
        conversion(token.visit_id, "2"),
        answer(token.visit_id, "nonce-of-another"),
        arrival,
    )
    assert outcomes == [VisitNotFound()] * 6
    assert await scene.everything() == before
    landed = await scene.land(scene.arrival(token))
    assert TOKEN_REASON_NAMES[landed.reason or 0] == "unknown-visit"
    row = await scene.visit(landed.visit_id)
    assert (row.parent_id, row.depth, row.cell) == (None, 0, ids.cell_of(token.visit_id))
    await assert_recounted(scene.store)


@pytest.mark.parametrize("by", ["page", "key"])
async def test_an_order_of_an_erased_visit_stays_a_repeat(scene: Scene, by: str) -> None:
    token = await live(scene, scene.arrival())
    other = await scene.land(scene.arrival())
    await scene.erase(token.visit_id)
    assert await scene.play(conversion(other.visit_id, "1", by)) == [Stored(duplicate=True)]
    assert await scene.table("SELECT * FROM conversions") == []
    assert await scene.table("SELECT visit_id FROM guards WHERE kind = 4") == [(None,)]


async def test_views_are_taken_back_in_their_own_hours(scene: Scene) -> None:
    token = await live(scene, scene.arrival())
    await scene.erase(token.visit_id)
    assert await scene.table("SELECT hour FROM counts_hour GROUP BY hour HAVING sum(views) <> 0") == []
    assert await scene.table("SELECT * FROM later_views") == []


async def test_a_visitor_counts_with_the_next_visit_of_the_day(scene: Scene) -> None:
    first = await scene.land(scene.arrival(visitor=VISITOR, source=2))
    second = await scene.land(scene.arrival(visitor=VISITOR, source=9))
    third = await scene.land(scene.arrival(visitor=VISITOR, source=5))
    visitors = "SELECT source FROM counts_hour GROUP BY source HAVING sum(visitors) = 1"
    await scene.erase(third.visit_id)
    assert await scene.table(visitors) == [(2,)]
    await scene.erase(first.visit_id)
    assert await scene.table(visitors) == [(9,)]
    await scene.erase(second.visit_id)
    assert await scene.table(visitors) == []
    await scene.land(scene.arrival(visitor=VISITOR, source=5))
    assert await scene.table(visitors) == [(5,)]
    await assert_recounted(scene.store)


async def test_a_page_that_others_have_seen_stays(scene: Scene) -> None:
    pages = "SELECT url FROM pages ORDER BY url"
    shared, alone = page("https://a.example/shared"), page("https://a.example/alone")
    first = await scene.land(scene.arrival(page=shared))
    second = await scene.land(scene.arrival(page=shared))
    third = await scene.land(scene.arrival(page=alone))
    await scene.play(report(Token(third.visit_id, COPY, 0), NOON + 60, shared.url))
    await scene.erase(third.visit_id)
    assert await scene.table(pages) == [(shared.url,)]
    await scene.erase(first.visit_id)
    assert await scene.table(pages) == [(shared.url,)]
    await scene.erase(second.visit_id)
    assert await scene.table(pages) == []
    for table in ("counts_page", "counts_week", "counts_shared"):
        assert await scene.table(f"SELECT * FROM {table}") == [], table
    await scene.land(scene.arrival(page=shared))
    assert await scene.table(pages) == [(shared.url,)]


async def test_events_that_name_the_visit_leave_the_outbox(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second = [(await scene.land(scene.arrival())).visit_id for _ in range(2)]
    hook = WebhookRow("wh_1", SITE, "https://hooks.example/", "whsec_x", "share.proven", 0)
    await scene.store.webhooks.add(hook)
    erased, other = ({"visit": ids.visit_text(visit_id)} for visit_id in (first, second))
    monkeypatch.setattr(eraser, "_DELIVERIES_AT_ONCE", 2)
    through, below = {**other, "via": erased, "link": None}, {**other, "via": None, "link": erased}
    events: list[dict[str, Any]] = [erased, other, through, below, erased, erased, {}]
    for number, data in enumerate(events):
        await scene.store.webhooks.publish(
            webhook_event(SITE, "share.proven", NOON, data), partial("msg_{}".format, number)
        )
    await scene.erase(first)
    left = await scene.table("SELECT delivery_id FROM deliveries ORDER BY delivery_id")
    assert left == [("msg_1",), ("msg_6",)]


async def test_two_erasures_of_one_visit_at_once_are_one(scene: Scene) -> None:
    token = await live(scene, scene.arrival())
    others = Eraser(scene.store, scene.recorder, lambda: NOON)
    erased = await asyncio.gather(*(each.erase(SITE, token.visit_id) for each in (scene.eraser, others)))
    assert sorted(erased) == [Erased.BEFORE, Erased.NOW]
    await assert_recounted(scene.store)


async def test_a_child_that_comes_in_the_same_moment_is_a_return_or_a_root(scene: Scene) -> None:
    for _ in range(10):
        token = await live(scene, scene.arrival(visitor=VISITOR))
        _, landed = await asyncio.gather(scene.eraser.erase(SITE, token.visit_id), scene.land(scene.arrival(token)))
        row = await scene.visit(landed.visit_id)
        assert row.parent_id in {None, token.visit_id}
    await assert_recounted(scene.store)


async def test_another_process_forgets_what_it_took_for_stored(scene: Scene) -> None:
    looks = list[None]()
    other = Scene(scene.store)
    watcher = Eraser(scene.store, other.recorder, lambda: NOON, lambda: looks.append(None))
    first = await other.land(other.arrival(visitor=VISITOR))
    await watcher.look(await scene.store.live.versions())
    await scene.erase(first.visit_id)
    assert not looks
    for _ in range(2):
        await watcher.look(await scene.store.live.versions())
        assert len(looks) == 1
    await other.land(other.arrival(visitor=VISITOR))
    assert len(await scene.table("SELECT url FROM pages")) == 1
    await assert_recounted(scene.store)


async def test_the_reach_of_a_share_leaves_out_who_was_erased_below_it(scene: Scene) -> None:
    token, deep = Token((await scene.land(scene.arrival())).visit_id, COPY, 0), list[int]()
    for number in range(4):
        last = Token(deep[-1], COPY, 0) if deep else token
        deep.append((await scene.land(scene.arrival(last, network=number + 1))).visit_id)

    async def reach() -> tuple[int, int | None]:
        found = await scene.store.reads.shares.reach(SITE, *token, hangs_on=token.visit_id, least_reporter=0)
        return found.visits, found.max_depth

    assert await reach() == (4, 4)
    await scene.erase(deep[1])
    assert await reach() == (3, 4)
    await scene.erase(deep[3])
    assert await reach() == (2, 3)


async def test_too_many_erasures_at_once_are_refused(scene: Scene) -> None:
    visits = [(await scene.land(scene.arrival())).visit_id for _ in range(3)]
    asked = [scene.eraser.erase(SITE, visits[number % 3]) for number in range(MAX_WAITING + 5)]
    found = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(each, Busy) for each in found) == 5
    assert found.count(Erased.NOW) == 3
    assert await scene.erase(visits[0]) is Erased.BEFORE
