"""Conversions of a period by goal."""

from __future__ import annotations

from typing import Final

import msgspec

from grapevine.analytics.metrics import EVERYTHING, Filters
from grapevine.analytics.summary import scope_of
from grapevine.domain import money
from grapevine.domain.money import Amounts
from grapevine.domain.periods import Period
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads

MOST_GOALS: Final = 1_000
"""Pairs of goal and currency; a page may name any goal it likes, so there may be many more."""


class GoalRow(msgspec.Struct, frozen=True):
    """The conversions of a goal and their value."""

    goal: str
    conversions: int
    value: Amounts


async def conversions_by_goal(reads: Reads, site: Site, period: Period, filters: Filters = EVERYTHING) -> list[GoalRow]:
    """The goals of ``period``, the most frequent first; filters are the converting visit's."""
    times: dict[str, int] = {}
    worth: dict[str, list[tuple[str | None, int | None]]] = {}
    for goal, currency, number, total in await reads.summary.goals(scope_of(site, period, filters), MOST_GOALS):
        times[goal] = times.get(goal, 0) + number
        worth.setdefault(goal, []).append((currency, total))
    order = sorted(times, key=lambda goal: (-times[goal], goal))
    return [GoalRow(goal=goal, conversions=times[goal], value=money.amounts(worth[goal])) for goal in order]
