"""Worlds in which what the estimate believes is wrong on purpose: how often its interval still contains the truth."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Final

from tests.accuracy.worlds import Traits


def _chance(seed: int) -> random.Random:
    return random.Random(f"wrong {seed}")  # noqa: S311


def copiers(seed: int, kind: Traits) -> Traits:
    """A copied address brings 0.3 to 3 times the visits of a tagged share."""
    return replace(kind, copier_circle=math.exp(_chance(seed).uniform(math.log(0.3), math.log(3))))


def week(seed: int, kind: Traits) -> Traits:
    """A strong weekly rhythm: weekends have a fifth to twice the visits of other days."""
    return replace(kind, weekend=_chance(seed).choice((0.2, 2.0)))


def newsletter(seed: int, kind: Traits) -> Traits:
    """One newsletter without tokens brings each page 0.5 to 3 times its daily visits on a single day."""
    return replace(kind, newsletter=_chance(seed).uniform(0.5, 3.0))


def unseen_previews(_seed: int, kind: Traits) -> Traits:
    """No app fetches a preview."""
    return replace(kind, unfurled=0.0)


def new_site(_seed: int, kind: Traits) -> Traits:
    """There are no days before the period."""
    return replace(kind, history=0)


def short_period(seed: int, kind: Traits) -> Traits:
    """7 to 14 days are asked for."""
    return replace(kind, days=_chance(seed).choice((7, 10, 14)))


WRONG: Final[Mapping[str, Callable[[int, Traits], Traits]]] = {
    "address-bar copiers bring 0.3–3 × the visits": copiers,
    "a weekly rhythm of a fifth or of twice": week,
    "a newsletter's burst": newsletter,
    "no previews": unseen_previews,
    "no history": new_site,
    "7 to 14 days": short_period,
}
"""By their name in ``docs/accuracy.md``."""
