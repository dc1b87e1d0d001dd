"""Conversions of a period by goal."""

from __future__ import annotations

from collections import Counter
from typing import Final

import msgspec

from grapevine.analytics.count_tables import check_app, scope_of
from grapevine.analytics.metrics import EVERYTHING, Filters
from grapevine.domain import money
from grapevine.domain.enums import OTHER_NAME
from grapevine.domain.money import Amounts
from grapevine.domain.periods import Period
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads

MOST_GOALS: Final = 50
"""Goals that are listed. A site has a handful; a page may name any goal it likes, so there may be many more."""


class GoalRow(msgspec.Struct, frozen=True):
    """The conversions of a goal and their value."""

    goal: str
    conversions: int
    value: Amounts


class GoalList(msgspec.Struct, frozen=True):
    """The ``number`` of all goals, the most frequent of them, and the ``others`` added up; None where all are listed.

    ``currencies`` are those of all conversions, the most frequent first.
    """

    goals: list[GoalRow]
    others: GoalRow | None
    number: int
    currencies: list[str]


async def conversions_by_goal(
    reads: Reads, site: Site, period: Period, filters: Filters = EVERYTHING, most: int = MOST_GOALS
) -> GoalList:
    """The goals of ``period``, the most frequent first, at most ``most``; filters are the converting visit's."""
    await check_app(reads, period, filters, "goal")
    scope = await scope_of(reads, site, period, filters)
    times, number = await reads.summary.goals(scope, most)
    times.pop(OTHER_NAME, None)
    sums: dict[str, Counter[str]] = {goal: Counter() for goal in times}
    for goal, currency, total in await reads.summary.goal_values(scope, times):
        if currency is not None and total is not None:
            sums[goal][currency] += total
    rest, left = Counter[str](), -sum(times.values())
    used = Counter[str]()
    for one in await reads.summary.conversions(scope, None):
        left += one.times
        if one.currency is not None and one.worth is not None:
            used[one.currency] += one.times
            rest[one.currency] += one.worth
    for found in sums.values():
        rest.subtract(found)
    listed = {
        goal: _row(goal, times[goal], sums[goal]) for goal in sorted(times, key=lambda goal: (-times[goal], goal))
    }
    rest = Counter({currency: total for currency, total in rest.items() if total})
    return GoalList(
        goals=list(listed.values()),
        # Of goals with refunds alone there is a value and no conversion.
        others=_row(OTHER_NAME, left, rest) if left > 0 or rest else None,
        number=number,
        currencies=sorted(used, key=lambda currency: (-used[currency], currency)),
    )


def _row(goal: str, conversions: int, sums: Counter[str]) -> GoalRow:
    return GoalRow(goal=goal, conversions=conversions, value=money.amounts(sums.items()))
