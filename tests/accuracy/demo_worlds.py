"""Worlds of the demo, which are not among those that the estimate was developed with, as a server measures them."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from random import Random

from grapevine.analytics.models.dark_evidence.estimate import estimate_dark_visits
from grapevine.analytics.models.dark_evidence.inputs import GROUPS, PageSeries
from grapevine.domain import ids
from grapevine.domain.channels import DARK
from grapevine.simulate.expected import ExpectedResults
from grapevine.simulate.presets import demo_history
from grapevine.simulate.world import START
from tests.accuracy.measure import Outcome


def demo_outcome(seed: int) -> Outcome:
    """Plays thirty days of the demo's past and estimates its dark visits; pages' own truths are not kept."""
    world = demo_history(START + 40 * ids.DAY_MS, 30, seed)
    played = sum(1 for _ in world.requests())
    of, dark, pages = direct_visits(ExpectedResults(world.truth), world.start)
    found, scale = estimate_dark_visits(pages), 100 / of
    if found.total is None:
        return Outcome(played / 30, dark * scale, 0.0, 0.0, 0.0, found.reason, [])
    total = found.total
    return Outcome(played / 30, dark * scale, total.value * scale, total.low * scale, total.high * scale, None, [])


def direct_visits(
    results: ExpectedResults, start: int, links: Collection[int] = ()
) -> tuple[int, int, list[PageSeries]]:
    """Returns the deep direct visits, those of them that were private shares, and the numbers by page as the server
    would measure them, which takes no reader of ``links`` for a private share; which group a sharer falls into is
    drawn."""
    random, first = Random(1), ids.day_at(start)  # noqa: S311
    groups: dict[int, int] = {}
    by_page: dict[str, tuple[list[int], list[int], list[list[int]]]] = {}
    of = dark = 0
    for one in results.found.values():
        deep, general, returns = by_page.setdefault(
            one.visit.page, ([0] * 30, [0] * 30, [[0] * GROUPS for _ in range(30)])
        )
        day = ids.day_number(date.fromisoformat(one.visit.at[:10])) - first
        if one.parent is not None and one.visit.channel in DARK:
            if one.is_return and one.parent.number not in links:
                returns[day][groups.setdefault(one.parent.number, random.randrange(GROUPS))] += 1
        elif one.source == "direct-deep":
            deep[day] += 1
            of, dark = of + 1, dark + one.visit.dark
        elif one.parent is None or one.is_return:
            general[day] += 1
    return of, dark, [PageSeries(*numbers) for numbers in by_page.values()]
