"""The salts of visitors: today's and yesterday's at hand, whatever the clock does meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from grapevine.collect.visitor import VisitorSalts

pytestmark = pytest.mark.anyio


class Source:
    """Keeps salts, and takes a turn of the event loop for each."""

    def __init__(self) -> None:
        self.salts: dict[int, str] = {}

    async def salt(self, kind: str, day: int, fresh: str) -> str:
        assert kind == "visitor"
        await asyncio.sleep(0)
        return self.salts.setdefault(day, fresh)


async def test_salts_of_a_day_and_the_one_before_are_at_hand_and_the_same_again() -> None:
    source = Source()
    salts = VisitorSalts(source)
    assert not salts.at_hand(2500)
    await salts.fetch(2500)
    assert salts.at_hand(2500)
    assert salts.of_day(2499) != salts.of_day(2500)
    again = VisitorSalts(source)
    await again.fetch(2500)
    assert [again.of_day(day) for day in (2499, 2500)] == [salts.of_day(day) for day in (2499, 2500)]


async def test_a_clock_that_jumps_between_two_calls_takes_no_salt_away_from_either() -> None:
    salts = VisitorSalts(Source())

    async def call(day: int) -> None:
        await salts.fetch(day)
        assert salts.of_day(day) != salts.of_day(day - 1)

    await asyncio.gather(*(call(2500 + 10 * (number % 3)) for number in range(12)))
