"""Counts what the test of mentions says in a world."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import NamedTuple

from grapevine.analytics.models.mention_effect import judge
from tests.accuracy.mention_worlds import Shape, pages


class Measured(NamedTuple):
    """Parts of the pages that were judged: said to have risen, and with the true ratio in the interval; and the part of
    all that was judged."""

    rose: float
    covered: float
    judged: float


def measured(world: Callable[[Random, int], Shape], seed: int, number: int, times: float = 1.0) -> Measured:
    """What is said of ``number`` pages of a world whose shares are ``times`` as many after a mention."""
    effects = [judge(*page) for page in pages(world, seed, number, times)]
    said = [each for each in effects if each is not None]
    return Measured(
        rose=sum(each.says == "rose" for each in said) / len(said),
        covered=sum(each.low <= times <= each.high for each in said) / len(said),
        judged=len(said) / number,
    )
