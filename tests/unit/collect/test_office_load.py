"""People behind one address: how many may read one site at the same time under the default limit."""

from __future__ import annotations

import heapq
import random

from grapevine.collect.rate_limit import RateLimit
from grapevine.config.settings import Settings

PEOPLE = 180
PAGE_SECONDS = 20.0
"""How long a person stays on a page on average. Each page is one collect call and one call for its counts."""

SHARING = 0.05
"""Of so many pages a person shares one, which is one more call."""

HOURS = 1.0
OFFICE = "192.0.2.1"
NOW = 1_790_000_000_000


def refused(people: int, seed: int, hours: float = HOURS) -> int:
    """Returns how many calls of an office are refused; all people come within the first minute."""
    chance = random.Random(seed)  # noqa: S311
    limit = RateLimit(Settings(database="").rate_limit)
    pages = [chance.uniform(0, 60) for _ in range(people)]
    heapq.heapify(pages)
    found = 0
    while pages[0] < hours * 3_600:
        at = NOW + int(1_000 * pages[0])
        for _ in range(1 + (chance.random() < SHARING)):
            found += bool(limit.network_call(OFFICE, at) or limit.site_call(1, OFFICE, at))
        found += bool(limit.page_call(OFFICE, at))
        heapq.heapreplace(pages, pages[0] + chance.expovariate(1 / PAGE_SECONDS))
    return found


def test_an_office_that_reads_one_site_is_refused_nothing() -> None:
    assert [refused(PEOPLE, seed) for seed in range(3)] == [0, 0, 0]


def test_an_office_of_twice_as_many_reaches_the_limit() -> None:
    assert refused(2 * PEOPLE, 1, hours=0.1) > 0


def test_everybody_in_a_large_office_may_open_the_site_at_the_same_moment() -> None:
    limit = RateLimit(Settings(database="").rate_limit)
    assert not any(limit.network_call(OFFICE, NOW) or limit.site_call(1, OFFICE, NOW) for _ in range(600))
