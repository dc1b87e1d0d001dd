"""Random draws have the means that the parameters ask for."""

from __future__ import annotations

from random import Random

from grapevine.domain import ids
from grapevine.simulate import random_draws
from grapevine.simulate.world import START


def test_draws_have_the_means_they_are_asked_for() -> None:
    random = Random(1)  # noqa: S311
    assert abs(sum(random_draws.poisson(random, 3) for _ in range(5_000)) / 5_000 - 3) < 0.15
    assert abs(sum(random_draws.poisson(random, 120) for _ in range(500)) / 500 - 120) < 3
    opened = [random_draws.openings(random, 1.5) for _ in range(8_000)]
    assert abs(sum(opened) / 8_000 - 1.5) < 0.12
    assert 0.4 < opened.count(0) / 8_000 < 0.6
    assert random_draws.openings(random, 0) == 0
    at, arrived = START, 0
    while (at := random_draws.next_arrival(random, at, 50)) < START + 40 * ids.DAY_MS:
        arrived += 1
    assert abs(arrived / 40 - 50) < 4
    late = sorted(random_draws.delay(random, START + 12 * ids.HOUR_MS) - START - 12 * ids.HOUR_MS for _ in range(2_000))
    assert 2 * ids.HOUR_MS < late[1_000] < 6 * ids.HOUR_MS
    assert late[-1] > 2 * ids.DAY_MS
