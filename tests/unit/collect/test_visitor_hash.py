"""The salts of visitors: today's and yesterday's at hand, whatever the clock does meanwhile."""

from __future__ import annotations

import asyncio

import pytest

from grapevine.collect.visitor_hash import VisitorSalts, network_hash
from grapevine.errors import Interrupted, StoreError

pytestmark = pytest.mark.anyio


class SlowSalts:
    """Keeps salts, and takes a turn of the event loop for each."""

    def __init__(self) -> None:
        self.salts: dict[int, str] = {}
        self.lost = 0

    async def salt(self, kind: str, day: int, fresh: str) -> str:
        assert kind == "visitor"
        await asyncio.sleep(0)
        if self.lost:
            self.lost -= 1
            raise Interrupted("the connection was lost")
        return self.salts.setdefault(day, fresh)


async def test_salts_of_a_day_and_the_one_before_are_at_hand_and_the_same_again() -> None:
    source = SlowSalts()
    salts = VisitorSalts(source)
    assert not salts.at_hand(2500)
    await salts.fetch(2500)
    assert salts.at_hand(2500)
    assert salts.of_day(2499) != salts.of_day(2500)
    again = VisitorSalts(source)
    await again.fetch(2500)
    assert [again.of_day(day) for day in (2499, 2500)] == [salts.of_day(day) for day in (2499, 2500)]


async def test_a_clock_that_jumps_between_two_calls_takes_no_salt_away_from_either() -> None:
    salts = VisitorSalts(SlowSalts())

    async def call(day: int) -> None:
        await salts.fetch(day)
        assert salts.of_day(day) != salts.of_day(day - 1)

    await asyncio.gather(*(call(2500 + 10 * (number % 3)) for number in range(12)))


async def test_a_store_that_goes_away_for_a_moment_is_waited_for_and_not_for_ever() -> None:
    source, pauses = SlowSalts(), list[float]()

    async def pause(seconds: float) -> None:
        pauses.append(seconds)

    source.lost = 3
    salts = VisitorSalts(source, pause=pause)
    await salts.fetch(2500)
    assert (pauses, sorted(source.salts)) == ([0.05, 0.1, 0.2], [2499, 2500])
    source.lost = 1_000
    with pytest.raises(StoreError, match="lost"):
        await salts.fetch(2501)
    assert 3 < sum(pauses) < 4
    assert salts.at_hand(2500)


def test_a_network_hash_is_a_network_s_and_its_upper_half_a_wide_network_s() -> None:
    def hashed(address: str, site_id: int = 1, salt: bytes = b"salt") -> int:
        return network_hash(salt, site_id, address)

    first, near, far = map(hashed, ("2001:db8:1:2::1", "2001:db8:1:3::1", "2001:db8:2:2::1"))
    assert first == hashed("2001:db8:1:2:ffff::2") < 1 << 48
    assert first != near
    assert first >> 24 == near >> 24 != far >> 24
    assert len({hashed("192.0.2.1"), hashed("192.0.2.2"), hashed("192.0.2.1", 2), hashed("192.0.2.1", 1, b"new")}) == 4
