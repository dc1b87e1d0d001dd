"""The answer: how many deep direct visits are dark, with an interval; or what is missing for one."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, Literal

import msgspec

from grapevine.analytics.models.dark_evidence.inputs import PageSeries, days_of
from grapevine.analytics.models.dark_evidence.pages import site_of
from grapevine.analytics.models.dark_evidence.posterior import page_quantile, posterior, quantile

METHOD: Final = "evidence-2"
NoEstimate = Literal["too-few-days", "too-few-deep-visits", "too-few-returns", "too-uncertain"]
"""Why there is no estimate."""
LEVEL: Final = 0.9

FEWEST_DAYS: Final = 7
FEWEST_RETURNS: Final = 10
FEWEST_DEEP: Final = 20
WIDEST: Final = 0.4
"""An interval wider than this part of the deep direct visits says too little to be shown."""
FEWEST_DAYS_BEFORE: Final = 14
"""Fewer days before the period say too little about it."""
LONGEST_WAIT_DAYS: Final = 365
"""A day further away than this is no forecast."""


class Interval(msgspec.Struct, frozen=True):
    """A number of visits and the ends of its interval at ``LEVEL``."""

    value: float
    low: float
    high: float


class Lacking(msgspec.Struct, frozen=True):
    """What a period lacks for an estimate: so many ``days``, deep direct visits and private returns more; and by how
    many ``points`` of the deep direct visits the interval is too wide. ``wait`` is in how many more days all that will
    probably be there, at the period's own pace; None where nobody can say."""

    days: int
    deep: int
    returns: int
    points: float
    wait: int | None


class Estimated(msgspec.Struct, frozen=True):
    """The dark visits of all pages together and of each page, in their order; or the ``reason`` why none is given, and
    what is lacking."""

    total: Interval | None
    pages: list[Interval | None]
    reason: NoEstimate | None
    lacking: Lacking | None


def estimate_dark_visits(pages: Sequence[PageSeries], before: Sequence[PageSeries] = ()) -> Estimated:
    """The estimate over ``pages``, all of the same days, with what the days ``before`` say about them.

    Pages without a deep direct visit are left out: home pages never have one, however much they are read.

    Raises ValueError when the pages' lengths differ.
    """
    days = days_of(pages)
    days_before = days_of(before)
    deep = sum(sum(page.deep) for page in pages)
    returns = sum(sum(map(sum, page.returns)) for page in pages)
    if days < FEWEST_DAYS:
        return _nothing(pages, "too-few-days", _lacking(days, deep, returns))
    if deep < FEWEST_DEEP:
        return _nothing(pages, "too-few-deep-visits", _lacking(days, deep, returns))
    if returns < FEWEST_RETURNS:
        return _nothing(pages, "too-few-returns", _lacking(days, deep, returns))
    looked_at = [index for index, page in enumerate(pages) if sum(page.deep)]
    site = site_of([pages[index] for index in looked_at])
    known = [page for page in before if sum(page.deep)] if days_before >= FEWEST_DAYS_BEFORE else []
    found = posterior(site, site_of(known) if known else None)
    tail = (1 - LEVEL) / 2
    low, value, high = (quantile(found.believed, part, deep) for part in (tail, 0.5, 1 - tail))
    if high - low > WIDEST * deep:
        return _nothing(pages, "too-uncertain", _lacking(days, deep, returns, (high - low) / deep))
    each: list[Interval | None] = [None] * len(pages)
    for index, page, (cells, chances) in zip(looked_at, site.pages, found.pages, strict=True):
        ends = (min(max(page_quantile(cells, chances, part), 0.0), page.deep) for part in (0.5, tail, 1 - tail))
        each[index] = Interval(*ends)
    return Estimated(Interval(value, low, high), each, None, None)


def _nothing(pages: Sequence[PageSeries], reason: NoEstimate, lacking: Lacking) -> Estimated:
    return Estimated(None, [None] * len(pages), reason, lacking)


def _lacking(days: int, deep: int, returns: int, width: float = 0.0) -> Lacking:
    """What is lacking. Counts come at the pace of the period; an interval narrows with the root of the days, as that of
    any mean does."""
    waits: list[float] = [max(FEWEST_DAYS - days, 0)]
    for number, fewest in ((deep, FEWEST_DEEP), (returns, FEWEST_RETURNS)):
        if number < fewest:
            waits.append((fewest - number) * days / number if number else math.inf)
    if width > WIDEST:
        waits.append(days * ((width / WIDEST) ** 2 - 1))
    longest = math.ceil(max(waits)) if max(waits) <= LONGEST_WAIT_DAYS else None
    return Lacking(
        max(FEWEST_DAYS - days, 0),
        max(FEWEST_DEEP - deep, 0),
        max(FEWEST_RETURNS - returns, 0),
        round(100 * max(width - WIDEST, 0.0), 1),
        longest,
    )
