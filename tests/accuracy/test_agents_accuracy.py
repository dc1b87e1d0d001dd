"""People refused as robots, and robots counted as people, in public sets of user agents.

``python -m tests.accuracy.agents`` prints the figures of the whole sets.
"""

from __future__ import annotations

from tests.accuracy.agents import browser_like, matomo_people, matomo_robots, read, visits

MOST_PEOPLE_LOST = 0.001
ONE_IN = 12
"""The part of the larger set that is tested, so that it takes seconds."""


def test_people_are_not_refused() -> None:
    people = read(matomo_people(ONE_IN))
    assert len(people.seen) > 2_500
    assert people.refused().share <= MOST_PEOPLE_LOST / ONE_IN, people.refused().wrong
    assert people.suspected().share <= MOST_PEOPLE_LOST / ONE_IN, people.suspected().wrong


def test_people_are_not_refused_by_their_share_of_visits() -> None:
    people = read(visits())
    assert len(people.seen) > 5_000
    assert people.refused().share <= MOST_PEOPLE_LOST, people.refused().wrong
    assert people.suspected().share <= MOST_PEOPLE_LOST, people.suspected().wrong


def test_few_robots_pass() -> None:
    """Those that pass have user agents without any known pattern: ``Mozilla/5.0 Keydrop``."""
    robots = matomo_robots()
    assert len(robots) > 1_000
    assert read(robots).passed().share <= 0.20
    assert read(browser_like(robots)).passed().share <= 0.08
