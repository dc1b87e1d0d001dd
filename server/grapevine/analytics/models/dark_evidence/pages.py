"""How much each page is read in the ordinary way, and how much it is shared in private."""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec

from grapevine.analytics.models.dark_evidence.days import Movement, luck, movements
from grapevine.analytics.models.dark_evidence.inputs import PageSeries

EVENNESS: Final = 2.0
"""The shape of the gamma distribution of sharing per visit over a site's pages: how alike they are beforehand."""

_AROUND: Final = 5
"""Days on either side with which a day is compared."""
_CLIP: Final = 2.0
"""A spike of visits counts up to so many times the median of the days around it: bookmarks hardly follow it."""


class PageEvidence(msgspec.Struct, frozen=True):
    """What the model knows of one page.

    ``usual`` is its ordinary traffic, ``shared`` the private returns that its sharing brings in the mean, ``sure`` the
    shape of the gamma distribution of that mean: its relative variance is 1 / ``sure``.
    """

    deep: int
    returns: int
    usual: float
    shared: float
    sure: float
    movement: Movement


class SiteEvidence(msgspec.Struct, frozen=True):
    """The pages of one stretch of days; ``luck`` is the variance of returns over their mean."""

    pages: list[PageEvidence]
    luck: float

    @property
    def deep(self) -> int:
        """All deep direct visits."""
        return sum(page.deep for page in self.pages)

    @property
    def returns(self) -> int:
        """All private returns."""
        return sum(page.returns for page in self.pages)

    @property
    def usual(self) -> float:
        """All ordinary traffic."""
        return sum(page.usual for page in self.pages)


def site_of(pages: Sequence[PageSeries]) -> SiteEvidence:
    """Returns what the model knows of a site.

    Returns come in bunches, previews one by one, so both together say more about the sharing behind them: a page's mean
    is gamma distributed around that of its traffic, and is moved by its returns, ``luck`` of which count as one, and by
    its shares of which an app fetched a preview (conjugate gamma-Poisson; Gelman et al., Bayesian Data Analysis, 2.6).
    """
    found = movements(pages)
    returns = [sum(map(sum, page.returns)) for page in pages]
    bunched = luck(found, returns)
    usual = [usual_visits(page.general) for page in pages]
    rate = max(sum(returns), 1) / sum(usual) if pages else 1.0
    unfurled = sum(page.unfurled for page in pages)
    per_preview = max(sum(returns), 1) / unfurled if unfurled else 0.0
    known = []
    for page, own, read, moved in zip(pages, returns, usual, found, strict=True):
        shape, scale = EVENNESS + own / bunched, EVENNESS / (rate * read) + 1 / bunched
        if per_preview:
            shape, scale = shape + page.unfurled, scale + 1 / per_preview
        known.append(PageEvidence(sum(page.deep), own, read, shape / scale, shape, moved))
    return SiteEvidence(known, bunched)


def usual_visits(general: Sequence[int]) -> float:
    """Returns the ordinary traffic of a page: its other visits without the height of its spikes, and at least one."""
    total = 1.0
    for day, visits in enumerate(general):
        around = general[max(0, day - _AROUND) : day + _AROUND + 1]
        total += min(visits, _CLIP * median(around) + _CLIP)
    return total
