"""Of mentions that changed nothing, how many are said to have been followed by a rise; and how many rises are found."""

from __future__ import annotations

import pytest

from grapevine.analytics.models.mention_effect import FALSE_ALARMS
from tests.accuracy.measure_mentions import Measured, measured
from tests.accuracy.mention_worlds import WORLDS, steady

SEED = 8_100_000
"""Not that of the table in docs/mentions.md, and none that the test was made with."""


@pytest.mark.parametrize("number", [200, pytest.param(8_000, marks=pytest.mark.slow)])
def test_false_alarms_and_intervals_are_as_claimed(number: int) -> None:
    """The margin is four standard errors of so many pages."""
    margin = 4 * (FALSE_ALARMS * (1 - FALSE_ALARMS) / number) ** 0.5
    found = {name: measured(world, SEED, number) for name, world in WORLDS.items()}
    assert not {name: each for name, each in found.items() if each.rose > FALSE_ALARMS + margin}
    assert not {name: each for name, each in found.items() if each.covered < 0.9 - 2 * margin}


def test_large_rises_are_found() -> None:
    steady_page: Measured = measured(steady, SEED, 200, 5.0)
    assert steady_page.rose > 0.7
    assert measured(WORLDS["bursting"], SEED, 200, 5.0).rose > 0.3
