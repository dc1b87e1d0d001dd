"""How far a new site has come: its first visit, its first share, and the first return through that share."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Literal

import msgspec

from grapevine.domain import enums, urls
from grapevine.domain.periods import LONGEST_DAYS, Period, rfc3339
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from grapevine.store.readers.scope import Scope
from grapevine.store.rows import CascadeVisit, Counts

_DRIVEN: Final = enums.VERDICTS["driven"]


class FirstVisit(msgspec.Struct, frozen=True):
    """The first visit of a person that is stored."""

    page: str
    source: str
    device: str
    at: str


class FirstSteps(msgspec.Struct, frozen=True):
    """Numbers of a site since it was added. ``unlinked`` of the visits came from browsers that ask not to be followed;
    ``driven`` says whether a browser that a program drives was among the earliest, which counts nowhere."""

    visits: int
    unlinked: int
    shares: int
    returns: int
    self_returns: int
    driven: bool = False
    first: FirstVisit | None = None

    @property
    def next(self) -> Literal["visit", "share", "return"] | None:
        """The step that the site is waiting for; None when it has taken all of them."""
        if self.returns:
            return None
        if self.shares:
            return "return"
        return "share" if self.visits else "visit"


async def first_steps(reads: Reads, site: Site, now: int) -> FirstSteps:
    """Returns how far ``site`` has come: sums of its counts by day, and at most 200 of its visits."""
    period = Period.ending(now, LONGEST_DAYS)
    scope = Scope(site_id=site.site_id, start=period.start, end=period.end)
    total = Counts()
    for counts in (await reads.summary.counts("day", scope, "source")).values():
        total.visits += counts.visits + counts.unlinked
        total.unlinked += counts.unlinked
        total.shares += counts.shares
        total.returns += counts.returns
        total.self_returns += counts.self_returns
    earliest = [] if total.returns else await reads.cascades.earliest_visits(site.site_id)
    return FirstSteps(
        visits=total.visits,
        unlinked=total.unlinked,
        shares=total.shares,
        returns=total.returns,
        self_returns=total.self_returns,
        driven=any(visit.verdict == _DRIVEN for visit in earliest),
        first=await _described(reads, site, _first_of_people(earliest)),
    )


def _first_of_people(visits: Iterable[CascadeVisit]) -> CascadeVisit | None:
    """Returns the earliest visit that a person made and that is not erased."""
    made = [visit for visit in visits if visit.verdict is None and not visit.is_erased]
    return min(made, key=lambda visit: visit.at, default=None)


async def _described(reads: Reads, site: Site, visit: CascadeVisit | None) -> FirstVisit | None:
    if visit is None:
        return None
    pages = await reads.pages.urls(site.site_id, [visit.page_id])
    return FirstVisit(
        page=pages.get(visit.page_id, urls.OTHER_PAGE),
        source=enums.SOURCE_NAMES[visit.source],
        device=enums.DEVICE_NAMES[visit.device],
        at=rfc3339(visit.at),
    )
