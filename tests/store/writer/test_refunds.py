"""Refunds: what is taken back of a conversion, held against a model of plain dictionaries."""

from __future__ import annotations

import asyncio
import random
from typing import Any, NamedTuple

import pytest

from grapevine.analytics.attribution import attribute_conversions
from grapevine.analytics.models.attribution import MODELS
from grapevine.analytics.summary import period_summary
from grapevine.domain import ids, money
from grapevine.domain.channels import CODES
from grapevine.domain.events import Conversion, Outcome, RefundRefused, Stored
from grapevine.domain.tokens import Token
from grapevine.errors import Interrupted
from grapevine.writer.eraser import Eraser
from grapevine.writer.nonces import Nonces
from grapevine.writer.recorder import EventRecorder
from tests.store.writer.stored_rows import assert_recounted
from tests.store.writer.test_batch import NOON, SITE, BatchScene
from tests.store.writer.test_conversions import DAY, KEY, OWNER, PAGE, goal, world

__all__ = ["world"]

pytestmark = pytest.mark.anyio

COPY = CODES["copy"]
EURO = 1_000_000


def paid(visit_id: int, name: str, euros: int | None, by: int = KEY, **changes: Any) -> Conversion:
    value = None if euros is None else euros * EURO
    currency = None if euros is None else "EUR"
    fields: dict[str, Any] = {"external_id": name, "value": value, "currency": currency, "reported_by": by}
    return goal(visit_id, f"id 5 order {name}", **(fields | changes))


def refund(name: str, of: str, euros: int, **changes: Any) -> Conversion:
    fields: dict[str, Any] = {
        "external_id": name, "value": -euros * EURO, "reported_by": KEY, "refund_of": of,
        "refunds": f"id 5 order {of}", "at": NOON + ids.HOUR_MS,
    }  # fmt: skip
    return goal(0, f"id 5 order {name}", **(fields | changes))


async def stored(world: BatchScene) -> list[tuple[Any, ...]]:
    return await world.table(
        "SELECT visit_id, external_id, value, reported_by, refund_of FROM conversions ORDER BY external_id"
    )


async def pair(world: BatchScene) -> tuple[int, int]:
    root = await world.land(world.arrival())
    friend = await world.land(world.arrival(Token(root.visit_id, COPY, 0)))
    return root.visit_id, friend.visit_id


async def test_a_refund_goes_to_the_visit_of_what_it_takes_back_and_counts_as_none(world: BatchScene) -> None:
    _, friend = await pair(world)
    assert await world.play(paid(friend, "A", 49)) == [Stored()]
    assert await world.play(refund("R1", "A", 10)) == [Stored()]
    for again in (refund("R1", "A", 10), refund("R1", "A", 49), refund("R1", "nothing", 1)):
        assert await world.play(again) == [Stored(duplicate=True)]
    left = RefundRefused("too-much", 39 * EURO, "EUR")
    assert await world.play(refund("R2", "A", 40)) == [left]
    assert await world.play(refund("R2", "A", 39)) == [Stored()]
    assert await world.play(refund("R3", "A", 1)) == [RefundRefused("too-much", 0, "EUR")]
    assert await stored(world) == [
        (friend, "A", 49 * EURO, KEY, None), (friend, "R1", -10 * EURO, KEY, "A"), (friend, "R2", -39 * EURO, KEY, "A"),
    ]  # fmt: skip
    ((number,),) = await world.table("SELECT conversions FROM cascades")
    assert number == 1
    await assert_recounted(world.store)


async def test_what_cannot_be_taken_back(world: BatchScene) -> None:
    _, friend = await pair(world)
    await world.play(paid(friend, "A", 49), paid(friend, "B", None), refund("R", "A", 1))
    for event, why in (
        (refund("X", "nothing", 1), RefundRefused("unknown")),
        (refund("X", "R", 1), RefundRefused("refund")),
        (refund("X", "B", 1), RefundRefused("no-value")),
        (refund("X", "A", 1, currency="USD"), RefundRefused("currency", 48 * EURO, "EUR")),
    ):
        assert await world.play(event) == [why]
    await Eraser(world.store, world.recorder, lambda: NOON).erase(SITE, friend)
    assert await world.play(refund("X", "A", 1)) == [RefundRefused("gone")]
    assert await world.play(refund("R", "A", 1)) == [Stored(duplicate=True)]
    assert await stored(world) == []
    await assert_recounted(world.store)


async def test_a_page_that_guessed_the_id_of_a_refund_does_not_hold_it_up(world: BatchScene) -> None:
    root, friend = await pair(world)
    await world.play(paid(friend, "A", 49), paid(root, "R1", 1_000, PAGE), paid(root, "R2", 1_000, PAGE))
    await Eraser(world.store, world.recorder, lambda: NOON).erase(SITE, root)
    other, _ = await pair(world)
    await world.play(paid(other, "R3", 1_000, PAGE))
    for name in ("R1", "R3"):
        assert await world.play(refund(name, "A", 5)) == [Stored()], name
        assert await world.play(paid(other, name, 9, PAGE)) == [Stored(duplicate=True)]
    # In one batch, too, whichever comes first.
    assert await world.play(paid(other, "R4", 7, PAGE), refund("R4", "A", 5)) == [Stored(), Stored()]
    assert [row[1:3] for row in await stored(world)] == [
        ("A", 49 * EURO), ("R1", -5 * EURO), ("R3", -5 * EURO), ("R4", -5 * EURO),
    ]  # fmt: skip
    await assert_recounted(world.store)


async def test_refunds_move_with_what_a_key_replaces(world: BatchScene) -> None:
    claimed, real = await pair(world)
    await world.play(paid(claimed, "A", 49, PAGE), refund("R", "A", 10))
    assert [row[3] for row in await stored(world)] == [PAGE, PAGE]
    assert await world.play(paid(real, "A", 9)) == [RefundRefused("refunded", -10 * EURO, "EUR")]
    assert await world.play(paid(real, "A", 20)) == [Stored()]
    assert await stored(world) == [(real, "A", 20 * EURO, KEY, None), (real, "R", -10 * EURO, KEY, "A")]
    assert await world.play(refund("R2", "A", 11)) == [RefundRefused("too-much", 10 * EURO, "EUR")]
    assert await world.play(refund("R2", "A", 10)) == [Stored()]
    await assert_recounted(world.store)


async def test_a_thousand_refunds_take_back_no_more_than_was_paid(world: BatchScene) -> None:
    _, friend = await pair(world)
    outcomes = await world.play(paid(friend, "A", 99), *(refund(f"R{number}", "A", 1) for number in range(1_000)))
    assert outcomes.count(Stored()) == 100
    assert outcomes.count(RefundRefused("too-much", 0, "EUR")) == 901
    ((left, rows),) = await world.table("SELECT CAST(sum(value) AS BIGINT), count(*) FROM conversions")
    assert (left, rows) == (0, 100)


async def test_concurrent_refunds_take_back_no_more_than_was_paid(world: BatchScene) -> None:
    """Processes of their own, each with a recorder; every refund is tried until it is decided."""
    _, friend = await pair(world)
    await world.play(paid(friend, "A", 10))
    recorders = [EventRecorder(world.store, Nonces(b"n" * 32), slot=slot) for slot in range(4)]

    async def take(number: int) -> Outcome:
        for _ in range(50):
            try:
                (outcome,) = await recorders[number % 4].record([refund(f"R{number % 20}", "A", 1)])
            except Interrupted:
                continue
            return outcome
        raise AssertionError("never decided")

    outcomes = await asyncio.gather(*(take(number) for number in range(40)))
    assert outcomes.count(Stored()) == 10
    ((left, rows),) = await world.table("SELECT CAST(sum(value) AS BIGINT), count(*) FROM conversions")
    assert (left, rows) == (0, 11)
    await assert_recounted(world.store)


class _Paid(NamedTuple):
    visit: int
    euros: int
    by: int


@pytest.mark.parametrize("seed", range(3))
async def test_sums_are_those_of_a_brute_force_world(world: BatchScene, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    visits = [visit for _ in range(3) for visit in await pair(world)]
    orders: dict[str, _Paid] = {}
    refunds: dict[str, tuple[str, int]] = {}

    def taken(name: str) -> int:
        return sum(euros for of, euros in refunds.values() if of == name)

    for _ in range(80):
        name = f"A{chance.randrange(12)}"
        if chance.random() < 0.5:
            event = paid(chance.choice(visits), name, chance.randint(0, 30), chance.choice((PAGE, KEY)))
        else:
            event = refund(f"R{chance.randrange(40)}", name, chance.randint(1, 20))
        key = event.external_id or ""
        euros = (event.value or 0) // EURO
        if event.refund_of is None:
            before = orders.get(key)
            fits = before is None or (before.by == PAGE and event.reported_by == KEY and euros >= taken(key))
            if fits:
                orders[key] = _Paid(event.visit_id, euros, event.reported_by)
        else:
            of = event.refund_of
            fits = key not in refunds and of in orders and taken(of) - euros <= orders[of].euros
            if fits:
                refunds[key] = (of, -euros)
        (outcome,) = await world.play(event)
        assert (outcome == Stored()) is fits, event
    rows = {(row[1], row[0], row[2] // EURO, row[3]) for row in await stored(world)}
    assert rows == {
        *((name, each.visit, each.euros, each.by) for name, each in orders.items()),
        *((name, orders[of].visit, -euros, orders[of].by) for name, (of, euros) in refunds.items()),
    }
    net = sum(each.euros for each in orders.values()) - sum(euros for _, euros in refunds.values())
    found = await period_summary(world.store.reads, OWNER, DAY)
    assert (found.conversions, found.value) == (len(orders), {"EUR": money.decimal(net * EURO)})
    for model in MODELS:
        credit = await attribute_conversions(world.store.reads, OWNER, model, DAY)
        assert (credit.conversions, credit.value) == (len(orders), found.value)
        assert credit.refunded is None or credit.refunded.refunds == len(refunds)
    await assert_recounted(world.store)
