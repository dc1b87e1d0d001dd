"""Bounds by day on what visitors invent: divided by network, held over processes and restarts, cheap below a half."""

from __future__ import annotations

import pytest

from grapevine.writer.name_bounds import (
    BOUNDS,
    MOST_NETWORKS,
    PAGE,
    SHARE_URL,
    Bound,
    BoundKey,
    NameBounds,
    Taken,
)

pytestmark = pytest.mark.anyio

DAY = BoundKey(PAGE, 1, 7)


class Scene:
    """Bounds, and a store that counts what was admitted, and how often it was asked."""

    def __init__(self, a_day: int | None, a_network: int | None = None) -> None:
        self.bounds = NameBounds({PAGE: Bound(a_day, a_network)})
        self.stored = 0
        self.asked = 0

    async def count(self) -> int:
        self.asked += 1
        return self.stored

    async def admitted(self, new: int, network: int, key: BoundKey = DAY) -> int:
        """Returns how many of so many new names of a network are admitted in one batch, which commits."""
        taken: list[Taken] = []
        excess = await self.bounds.exceeding(key, dict.fromkeys(range(new), network), self.count, taken)
        self.bounds.add(taken)
        self.stored += new - len(excess)
        return new - len(excess)


def wide(number: int, narrow: int = 1) -> int:
    """The hash of a network in the wide network of that number."""
    return number << 24 | narrow


@pytest.mark.parametrize("at_once", [1, 7, 1_000])
async def test_a_flooding_network_leaves_half_to_all_others(at_once: int) -> None:
    scene = Scene(1_000)
    flood = sum([await scene.admitted(at_once, wide(1)) for _ in range(2_000 // at_once)])
    assert flood == 500
    assert await scene.admitted(200, wide(2)) == 200
    assert await scene.admitted(200, wide(2)) == 50  # it has 250 and leaves as many
    assert await scene.admitted(100, wide(3)) == 100
    assert await scene.admitted(10, wide(1)) == 0


async def test_all_networks_of_a_wide_one_are_one() -> None:
    scene = Scene(1_000)
    assert sum([await scene.admitted(1, wide(1, narrow)) for narrow in range(1, 2_000)]) == 500
    assert await scene.admitted(1, wide(2)) == 1


async def test_many_networks_hold_the_bound_together() -> None:
    scene = Scene(1_000)
    assert sum([await scene.admitted(3, wide(number)) for number in range(1, 2_000)]) == 1_000


async def test_what_the_owner_names_takes_nothing() -> None:
    scene = Scene(10)
    assert await scene.admitted(1_000, 0) == 1_000
    scene.stored = 0
    assert await scene.admitted(10, wide(1)) == 5


async def test_each_site_and_day_has_its_own() -> None:
    scene = Scene(10)
    assert await scene.admitted(10, wide(1)) == 5
    for key in (DAY._replace(day=8), DAY._replace(site_id=2)):
        scene.stored = 0
        assert await scene.admitted(10, wide(1), key) == 5


async def test_the_store_is_asked_at_first_every_eighth_and_beyond_a_half() -> None:
    scene = Scene(160)
    for asked in (1, 1, 1, 1, 2, 2, 2, 2, 3, 3, 3, 3, 4, 4, 4, 4, 5, 6):
        await scene.admitted(5, wide(scene.stored + 1))
        assert (scene.asked, scene.stored) == (asked, 5 * len(scene.bounds._uses[DAY].networks))  # noqa: SLF001
    scene.stored = 160  # another process
    assert await scene.admitted(1, wide(99)) == 0


async def test_what_other_processes_add_is_noticed() -> None:
    scene = Scene(1_000)
    assert await scene.admitted(1, wide(1)) == 1
    scene.stored = 990
    assert sum([await scene.admitted(1, wide(number)) for number in range(2, 200)]) == 124


async def test_what_is_rolled_back_is_not_taken() -> None:
    scene = Scene(10)
    for _ in range(5):
        assert await scene.bounds.exceeding(DAY, {0: wide(1)}, scene.count, []) == set()
    assert await scene.admitted(10, wide(1)) == 5


async def test_a_process_that_restarts_holds_the_bound() -> None:
    scene = Scene(1_000)
    assert await scene.admitted(2_000, wide(1)) == 500
    scene.bounds = NameBounds({PAGE: Bound(a_day=1_000)})
    assert await scene.admitted(2_000, wide(1)) == 250  # half of what is left
    assert await scene.admitted(2_000, wide(2)) == 125


async def test_a_bound_of_each_network_asks_no_store() -> None:
    scene = Scene(None, 3)
    assert await scene.admitted(5, wide(1)) == 3
    assert await scene.admitted(5, wide(1, narrow=2)) == 0
    assert await scene.admitted(5, wide(2)) == 3
    assert scene.asked == 0


async def test_the_days_that_are_kept_are_bounded() -> None:
    scene = Scene(100)
    for site in range(10_001):
        await scene.admitted(1, wide(1), DAY._replace(site_id=site))
        scene.stored = 0
    asked = scene.asked
    await scene.admitted(1, wide(1), DAY._replace(site_id=10_000))
    assert scene.asked == asked
    await scene.admitted(1, wide(1), DAY._replace(site_id=0))
    assert scene.asked == asked + 1


def test_every_kind_has_a_bound() -> None:
    assert all(bound.a_day or bound.a_network for bound in BOUNDS.values())
    assert BOUNDS[SHARE_URL].a_day is None


async def test_more_networks_than_are_remembered_forget_the_smallest_ones_alone() -> None:
    scene = Scene(None, a_network=10)
    assert await scene.admitted(20, wide(1)) == 10
    for number in range(2, MOST_NETWORKS + 10):
        scene.bounds.add([Taken(DAY, {number: 1})])
    (use,) = scene.bounds._uses.values()  # noqa: SLF001
    assert len(use.networks) <= MOST_NETWORKS
    assert await scene.admitted(1, wide(1)) == 0


async def test_days_that_are_over_are_forgotten() -> None:
    scene = Scene(1_000)
    for day in range(7, 40):
        assert await scene.admitted(1, wide(1), DAY._replace(day=day)) == 1
        assert len(scene.bounds._uses) <= 2  # noqa: SLF001
