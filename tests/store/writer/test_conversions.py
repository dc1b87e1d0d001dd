"""Conversions in batches, on a real store: each counts once, and all counts equal the rows."""

from __future__ import annotations

import random
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from grapevine.analytics.attribution import attribute_conversions
from grapevine.analytics.metrics import Filters
from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.enums import CONVERSION_REPORTERS
from grapevine.domain.events import Conversion, Event, Stored, VisitNotFound, VisitOutcome
from grapevine.domain.periods import Period
from grapevine.domain.tokens import Token
from grapevine.sites.cache import Site
from grapevine.store import sql_loader
from grapevine.store.base import Store
from grapevine.store.rows import SiteRow
from grapevine.writer.conversions import NEVER
from grapevine.writer.nonces import GUARD_CONVERSION, Nonces
from grapevine.writer.recorder import EventRecorder
from tests.store.sqlite.test_query_plans import plan
from tests.store.writer.stored_rows import assert_recounted, change_rows
from tests.store.writer.test_batch import NOON, SITE, BatchScene

pytestmark = pytest.mark.anyio

PAGE, KEY = CONVERSION_REPORTERS["page"], CONVERSION_REPORTERS["key"]
COPY, WHATSAPP = CODES["copy"], CODES["whatsapp"]


@pytest.fixture
def world(store: Store) -> BatchScene:
    return BatchScene(store)


def goal(visit_id: int, once: str, at: int = NOON + 5, **changes: Any) -> Conversion:
    fields: dict[str, Any] = {
        "site_id": SITE, "visit_id": visit_id, "goal": "order", "once": once, "external_id": None, "at": at,
        "value": 49_000_000, "currency": "EUR", "reported_by": PAGE,
    }  # fmt: skip
    return Conversion(**(fields | changes))


async def rows(world: BatchScene) -> list[tuple[Any, ...]]:
    return await world.table(
        "SELECT visit_id, cell, goal, external_id, at, value, currency FROM conversions ORDER BY at"
    )


async def test_a_conversion_is_stored_and_counted_where_its_visit_belongs(world: BatchScene) -> None:
    first = await world.land(world.arrival())
    friend = await world.land(world.arrival(Token(first.visit_id, COPY, 0)))
    late = NOON + 3 * ids.DAY_MS
    assert await world.play(goal(friend.visit_id, "id 1", late, external_id="1")) == [Stored()]
    cell = ids.cell_of(friend.visit_id)
    assert await rows(world) == [(friend.visit_id, cell, "order", "1", late, 49_000_000, "EUR")]
    counted = await world.table("SELECT hour, channel, depth, conversions FROM counts_hour WHERE conversions <> 0")
    assert counted == [(late // ids.HOUR_MS, COPY, 1, 1)]
    assert await world.table("SELECT conversions FROM cascades") == [(1,)]
    await assert_recounted(world.store)


async def test_the_first_of_several_stays_whatever_visit_and_value_the_others_name(world: BatchScene) -> None:
    visits = [(await world.land(world.arrival())).visit_id for _ in range(6)]
    assert len({ids.cell_of(visit) for visit in visits}) > 1
    first = goal(visits[0], "id 1")
    assert await world.play(first) == [Stored()]
    again = [goal(visit, "id 1", value=1, currency="USD") for visit in visits]
    assert await world.play(*again) == [Stored(duplicate=True)] * len(visits)
    assert [row[5:] for row in await rows(world)] == [(49_000_000, "EUR")]
    await assert_recounted(world.store)


async def test_repeats_within_a_batch_are_one(world: BatchScene) -> None:
    one, other = [(await world.land(world.arrival())).visit_id for _ in range(2)]
    outcomes = await world.play(goal(one, "id 1"), goal(other, "id 1", value=1), goal(one, "id 2"), goal(one, "id 2"))
    assert outcomes == [Stored(), Stored(duplicate=True), Stored(), Stored(duplicate=True)]
    assert [row[0] for row in await rows(world)] == [one, one]
    await assert_recounted(world.store)


async def test_a_visit_that_is_not_there_leaves_nothing_behind(world: BatchScene) -> None:
    missing = ids.pack(2500, 9, 9)
    assert await world.play(goal(missing, "id 1")) == [VisitNotFound()]
    assert await world.table("SELECT * FROM guards WHERE kind = 4") == []
    landed = await world.land(world.arrival())
    assert await world.play(goal(landed.visit_id, "id 1")) == [Stored()]


async def test_other_sites_have_ids_of_their_own(world: BatchScene) -> None:
    here = await world.land(world.arrival())
    there = await world.land(world.arrival(site_id=8))
    assert await world.play(goal(here.visit_id, "id 1"), goal(there.visit_id, "id 1", site_id=8)) == [Stored()] * 2


async def test_guards_never_expire(world: BatchScene) -> None:
    landed = await world.land(world.arrival())
    await world.play(goal(landed.visit_id, "id 1"))
    assert await world.table(f"SELECT expires_at FROM guards WHERE kind = {GUARD_CONVERSION}") == [(NEVER,)]
    await world.store.guards.forget_guards(NOON + 4000 * ids.DAY_MS)
    assert await world.play(goal(landed.visit_id, "id 1")) == [Stored(duplicate=True)]


async def test_a_conversion_before_the_first_return_is_in_the_summary_too(world: BatchScene) -> None:
    root = await world.land(world.arrival())
    await world.play(goal(root.visit_id, "id 1"), goal(root.visit_id, "id 2"))
    token = Token(root.visit_id, COPY, 0)
    await world.play(world.arrival(token), goal(root.visit_id, "id 3"), world.arrival(token, own=True))
    assert await world.table("SELECT size, conversions FROM cascades") == [(2, 3)]
    await assert_recounted(world.store)


async def test_random_traffic_is_counted_as_its_rows_say(world: BatchScene) -> None:
    chance = random.Random(5)  # noqa: S311
    visits: list[int] = [(await world.land(world.arrival())).visit_id for _ in range(3)]
    for number in range(40):
        token = Token(chance.choice(visits), chance.choice((COPY, WHATSAPP)), chance.randrange(3))
        events: list[Event] = [
            world.arrival(token, own=chance.random() < 0.2),
            *(
                goal(chance.choice(visits), f"id {chance.randrange(60)}", NOON + chance.randrange(9) * ids.HOUR_MS)
                for _ in range(chance.randrange(4))
            ),
            goal(chance.choice(visits), f"nonce {number}", value=None, currency=None),
        ]
        (landed, *_) = (
            await world.play(*chance.sample(events, len(events)), events[-1])
            if number % 2
            else (await world.play(*events))
        )
        if isinstance(landed, VisitOutcome):
            visits.append(landed.visit_id)
    assert len(await rows(world)) > 60
    await assert_recounted(world.store)


# Attribution ----------------------------------------------------------------------------------------------------------

KEYS = (b"k" * 32,)
OWNER = Site(
    SiteRow(
        site_id=SITE,
        key="s",
        name="s",
        salt="0a" * 32,
        param="gv",
        place="auto",
        query="*",
        created_at=NOON,
        origins=("https://a.example",),
    ),
    KEYS,
)
DAY = Period(ids.day_date(2500), ids.day_date(2500))


async def test_credit_follows_the_chain_past_self_returns_and_gaps(world: BatchScene) -> None:
    root = (await world.land(world.arrival())).visit_id
    friend = (await world.land(world.arrival(Token(root, COPY, 0)))).visit_id
    again = (await world.land(world.arrival(Token(friend, WHATSAPP, 0), own=True))).visit_id
    third = (await world.land(world.arrival(Token(again, COPY, 1)))).visit_id
    orphan = (await world.land(world.arrival(Token(ids.pack(2500, 3, 3), COPY, 0)))).visit_id
    await world.play(*(goal(visit, f"id {visit}") for visit in (root, friend, again, third, orphan)))
    found = await attribute_conversions(world.store.reads, OWNER, "last", DAY)
    keys = [(row.key, row.conversions, row.value) for row in found.shares]
    first, second = OWNER.tokens.mint(root, (COPY,))[0], OWNER.tokens.mint(again, (COPY,), 1)[0]
    # The conversions of `friend` and of the self-return are owed to the share that brought the friend.
    assert keys == [(first, "2", {"EUR": "98.00"}), (second, "1", {"EUR": "49.00"})]
    assert (found.without_share.conversions, found.truncated, found.conversions) == ("2", 0, 5)
    narrowed = await attribute_conversions(world.store.reads, OWNER, "linear", DAY, Filters(channel="copy"), "order")
    assert [(row.key, row.conversions) for row in narrowed.channels] == [("copy", "2")]
    assert (await attribute_conversions(world.store.reads, OWNER, "first", DAY, goal="other")).conversions == 0


async def test_a_chain_past_retention_is_credited_as_far_as_it_is_known(world: BatchScene) -> None:
    root = (await world.land(world.arrival())).visit_id
    friend = (await world.land(world.arrival(Token(root, COPY, 0)))).visit_id
    third = (await world.land(world.arrival(Token(friend, WHATSAPP, 0)))).visit_id
    await world.play(goal(third, "id 1"))
    await change_rows(world.store, f"DELETE FROM visits WHERE visit_id = {root}")  # as retention does
    found = await attribute_conversions(world.store.reads, OWNER, "linear", DAY)
    assert found.truncated == 1
    assert [(row.key, row.conversions) for row in found.channels] == [("copy", "0.5"), ("whatsapp", "0.5")]
    assert [(row.key, row.conversions) for row in found.pages] == [
        ("https://a.example/deep", "0.5"),
        ("(other)", "0.5"),
    ]


async def test_a_chain_of_three_hundred_is_followed_to_its_root(store: Store) -> None:
    world = BatchScene(store, EventRecorder(store, Nonces(b"n" * 32)))
    last = (await world.land(world.arrival())).visit_id
    root = last
    for _ in range(300):
        last = (await world.land(world.arrival(Token(last, COPY, 0)))).visit_id
    await world.play(goal(last, "id 1"))
    found = await attribute_conversions(store.reads, OWNER, "first", DAY)
    assert [row.key for row in found.shares] == OWNER.tokens.mint(root, (COPY,))
    even = await attribute_conversions(store.reads, OWNER, "linear", DAY, limit=2)
    assert [row.key for row in even.shares][2:] == ["(other)"]
    assert even.channels[0].conversions == "1"
    assert sum(round(float(row.conversions) * 1e6) for row in even.shares) == 1_000_000


@pytest.mark.parametrize("name", ["credited_by", "cascade_visits_by_id", "reported_pages", "last_return"])
def test_no_query_reads_a_whole_site(tmp_path: Path, name: str) -> None:
    database = sqlite3.connect(tmp_path / "plans.sqlite3")
    for migration in sql_loader.migrations():
        database.executescript(sql_loader.for_dialect("sqlite", migration.text))
    steps = plan(database, name)
    database.close()
    for step in steps:
        assert not step.endswith("(site_id=?)"), step
        assert not step.startswith(("SCAN visits", "SCAN shares", "SCAN conversions")), step
